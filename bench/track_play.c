#include "track_play.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "postprocess/track_cadence.h"

#include <string.h>

enum { FULL = 0, MOST_IDS = 1 << 16 };

struct shown {
    int count;
    struct itsi_detection boxes[ITSI_MAX_DETECTIONS];
};

struct track_player {
    struct itsi_tracker_params params;
    struct itsi_track_scratch *scratch;
    const struct track_clip *clip;
    int64_t frame_ns;
    struct shown *reference; /* by picture: full size, with ids */
    struct track_identities identities;
    /* of the playing */
    struct itsi_tracker *tracker;
    int64_t last_ns; /* of the picture detected on last */
    bool begun;
    struct shown now;
};

const char *track_rule_name(enum track_rule rule)
{
    static const char *const names[] = {"every", "stale", "doubt", "holds", "late"};
    return names[rule];
}

int track_player_create(struct track_player **out, struct its_diag *diag)
{
    struct track_player *player = itsi_zalloc(sizeof *player);
    if (!player)
        return itsi_fail(diag, ITS_ENOMEM, "out of memory");
    player->params = (struct itsi_tracker_params)ITSI_TRACKER_DEFAULTS;
    int rc = itsi_track_scratch_create(&player->scratch, diag);
    if (rc == 0)
        rc = track_identities_init(&player->identities, MOST_IDS);
    if (rc != 0) {
        track_player_destroy(player);
        return rc;
    }
    *out = player;
    return 0;
}

void track_player_destroy(struct track_player *player)
{
    if (!player)
        return;
    itsi_track_scratch_destroy(player->scratch);
    track_identities_fini(&player->identities);
    itsi_free(player->reference);
    itsi_free(player);
}

/* What is published of boxes that go down to the tracker's floor. */
static int publish(const struct itsi_detection *boxes, int count, struct itsi_detection *out)
{
    int published = 0;
    for (int i = 0; i < count; i++)
        if (boxes[i].score >= TRACK_CONFIDENCE)
            out[published++] = boxes[i];
    return published;
}

static void detect(struct track_player *p, const struct track_view *view, int size)
{
    struct itsi_detection boxes[ITSI_MAX_DETECTIONS];
    const int count = view->count[size];
    memcpy(boxes, view->boxes[size], (size_t)count * sizeof *boxes);
    itsi_tracker_update(p->tracker, p->scratch, view->at_ns, p->clip->width, p->clip->height, boxes, count);
    p->now.count = publish(boxes, count, p->now.boxes);
    p->last_ns = view->at_ns;
    p->begun = true;
}

static int begin(struct track_player *p, struct its_diag *diag)
{
    p->begun = false;
    p->now.count = 0;
    return itsi_tracker_create(&p->tracker, &p->params, diag);
}

int track_player_load(struct track_player *p, const struct track_clip *clip, struct its_diag *diag)
{
    itsi_free(p->reference);
    p->clip = clip;
    p->frame_ns = clip->frames > 1 ? (clip->views[clip->frames - 1].at_ns - clip->views[0].at_ns) / (clip->frames - 1)
                                   : ITSI_NS_PER_S / 25;
    p->reference = itsi_calloc((size_t)clip->frames, sizeof *p->reference);
    if (!p->reference)
        return itsi_fail(diag, ITS_ENOMEM, "out of memory");
    int rc = begin(p, diag);
    if (rc != 0)
        return rc;
    for (int f = 0; f < clip->frames; f++) {
        detect(p, &clip->views[f], FULL);
        p->reference[f] = p->now;
    }
    itsi_tracker_destroy(p->tracker);
    return 0;
}

static bool is_due(const struct track_player *p, const struct track_setting *s, int frame, int64_t now_ns)
{
    if (s->rule == TRACK_EVERY || s->rule == TRACK_STALE)
        return frame % s->interval == 0;
    const struct itsi_track_fit fit = itsi_tracker_fit(p->tracker);
    const struct itsi_track_cadence cadence = {.retention = s->rule == TRACK_HOLDS ? fit.retention : 1, .doubt = fit.doubt,
                                         .tolerance = s->tolerance, .wanted_ns = s->interval * p->frame_ns,
                                         .frame_ns = p->frame_ns, .since_ns = p->begun ? now_ns - p->last_ns : -1};
    return itsi_track_cadence_detect(&cadence);
}

static void show(struct track_player *p, const struct track_setting *s, int frame, struct track_outcome *o)
{
    const struct track_view *view = &p->clip->views[frame];
    const int64_t cpu = itsi_thread_cpu_ns();
    if (is_due(p, s, frame, view->at_ns)) {
        detect(p, view, s->size);
        o->detected++;
        o->inference_ms += p->clip->cpu_ms[s->size];
    } else if (s->rule != TRACK_STALE) {
        p->now.count = itsi_tracker_predict(p->tracker, view->at_ns, p->clip->width, p->clip->height, p->now.boxes);
    }
    o->tracker_ns += itsi_thread_cpu_ns() - cpu;
    o->retention += (double)itsi_tracker_fit(p->tracker).retention;
}

int track_player_play(struct track_player *p, const struct track_setting *s, struct track_outcome *o,
                      struct its_diag *diag)
{
    *o = (struct track_outcome){.frames = p->clip->frames};
    int rc = begin(p, diag);
    if (rc != 0)
        return rc;
    memset(p->identities.id_of, 0, sizeof *p->identities.id_of * (size_t)p->identities.room);
    struct itsi_detection large[ITSI_MAX_DETECTIONS];
    for (int f = 0; f < p->clip->frames; f++) {
        const struct track_view *view = &p->clip->views[f];
        if (s->rule == TRACK_LATE)
            p->now = p->reference[f > 0 ? f - 1 : 0];
        else
            show(p, s, f, o);
        track_score_add(&o->same, &p->identities, p->now.boxes, p->now.count, p->reference[f].boxes,
                        p->reference[f].count);
        if (view->count[TRACK_LARGE] >= 0)
            track_score_add(&o->large, NULL, p->now.boxes, p->now.count, large,
                            publish(view->boxes[TRACK_LARGE], view->count[TRACK_LARGE], large));
        o->always_ms += p->clip->cpu_ms[FULL];
    }
    itsi_tracker_destroy(p->tracker);
    return 0;
}

void track_outcome_merge(struct track_outcome *into, const struct track_outcome *from)
{
    track_score_merge(&into->same, &from->same);
    track_score_merge(&into->large, &from->large);
    into->frames += from->frames;
    into->detected += from->detected;
    into->inference_ms += from->inference_ms;
    into->always_ms += from->always_ms;
    into->tracker_ns += from->tracker_ns;
    into->retention += from->retention;
}
