#include "track_play.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "pipeline/records.h"
#include "postprocess/track_budget.h"
#include "postprocess/track_change.h"

#include <string.h>

#define TICK_NS (ITSI_NS_PER_S / 2) /* of the budget, as the product's quality manager */

enum { FULL = 0, MOST_IDS = 1 << 16 };

struct shown {
    int count;
    struct itsi_detection boxes[ITSI_MAX_DETECTIONS];
};

/* A clip as a camera. */
struct camera {
    const struct track_clip *clip;
    int64_t frame_ns;
    struct shown *reference; /* by picture: full size, with ids */
    /* of the playing */
    struct itsi_tracker *tracker;
    struct itsi_passages *passages;
    int counted;
    int64_t passages_ns;
    struct track_identities identities;
    int next;        /* picture */
    int64_t last_ns; /* of the picture detected on last */
    bool begun;
    float moved; /* since then */
    struct shown now;
};

struct track_player {
    struct itsi_tracker_params params;
    struct itsi_track_scratch *scratch;
    struct camera *cameras;
    int count;
    /* of the playing */
    struct itsi_track_budget budget;
    double paid, made;
};

const char *track_rule_name(enum track_rule rule)
{
    static const char *const names[] = {"every", "stale", "doubt", "budget", "late"};
    return names[rule];
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

static void count_one(void *arg, const struct itsi_passage *passage)
{
    (void)passage;
    ++*(int *)arg;
}

static void forget(void *arg, const struct itsi_passage *passage)
{
    (void)arg;
    (void)passage;
}

static void count_passages(struct camera *c, int64_t at_ns, const struct itsi_detection *boxes, int count)
{
    const struct itsi_passages_listener listener = {count_one, forget, &c->counted};
    const struct itsi_passages_picture picture = {at_ns, at_ns, c->clip->width, c->clip->height};
    const int64_t cpu = itsi_thread_cpu_ns();
    itsi_passages_update(c->passages, &picture, boxes, count, &listener);
    c->passages_ns += itsi_thread_cpu_ns() - cpu;
}

static void detect(struct track_player *p, struct camera *c, const struct track_view *view, int size)
{
    struct itsi_detection boxes[ITSI_MAX_DETECTIONS];
    const int count = view->count[size];
    memcpy(boxes, view->boxes[size], (size_t)count * sizeof *boxes);
    itsi_tracker_update(c->tracker, p->scratch, view->at_ns, c->clip->width, c->clip->height, boxes, count);
    count_passages(c, view->at_ns, boxes, count);
    c->now.count = publish(boxes, count, c->now.boxes);
    c->last_ns = view->at_ns;
    c->begun = true;
    c->moved = 0;
}

static int begin(struct track_player *p, struct camera *c, struct its_diag *diag)
{
    c->begun = false;
    c->next = 0;
    c->moved = 0;
    c->now.count = 0;
    c->counted = 0;
    c->passages_ns = 0;
    const struct itsi_passages_params passages = {p->params.lost_seconds, ITSI_RECORDS_LEAST_SECONDS};
    int rc = itsi_tracker_create(&c->tracker, &p->params, diag);
    return rc == 0 ? itsi_passages_create(&c->passages, &passages, diag) : rc;
}

static void end(struct camera *c)
{
    itsi_tracker_destroy(c->tracker);
    c->tracker = NULL;
    itsi_passages_destroy(c->passages);
    c->passages = NULL;
}

/* --- making ------------------------------------------------------------------------------------------------------- */

static int note_reference(struct track_player *p, struct camera *c, const struct track_clip *clip, struct its_diag *diag)
{
    c->clip = clip;
    c->frame_ns = clip->frames > 1 ? (clip->views[clip->frames - 1].at_ns - clip->views[0].at_ns) / (clip->frames - 1)
                                   : ITSI_NS_PER_S / 25;
    c->reference = itsi_calloc((size_t)clip->frames, sizeof *c->reference);
    if (!c->reference || track_identities_init(&c->identities, MOST_IDS) != 0)
        return itsi_fail(diag, ITS_ENOMEM, "out of memory");
    int rc = begin(p, c, diag);
    if (rc != 0)
        return rc;
    for (int f = 0; f < clip->frames; f++) {
        detect(p, c, &clip->views[f], FULL);
        c->reference[f] = c->now;
    }
    end(c);
    return 0;
}

int track_player_create(struct track_player **out, const struct track_clip *clips, int count, struct its_diag *diag)
{
    struct track_player *player = itsi_zalloc(sizeof *player);
    if (!player)
        return itsi_fail(diag, ITS_ENOMEM, "out of memory");
    player->params = (struct itsi_tracker_params)ITSI_TRACKER_DEFAULTS;
    player->cameras = itsi_calloc((size_t)count, sizeof *player->cameras);
    player->count = player->cameras ? count : 0;
    int rc = player->cameras ? itsi_track_scratch_create(&player->scratch, diag)
                             : itsi_fail(diag, ITS_ENOMEM, "out of memory");
    for (int i = 0; rc == 0 && i < count; i++)
        rc = note_reference(player, &player->cameras[i], &clips[i], diag);
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
    for (int i = 0; i < player->count; i++) {
        end(&player->cameras[i]);
        track_identities_fini(&player->cameras[i].identities);
        itsi_free(player->cameras[i].reference);
    }
    itsi_free(player->cameras);
    itsi_track_scratch_destroy(player->scratch);
    itsi_free(player);
}

/* --- playing ------------------------------------------------------------------------------------------------------ */

static bool is_due(struct track_player *p, struct camera *c, const struct track_setting *s, int64_t now_ns)
{
    if (s->rule == TRACK_EVERY || s->rule == TRACK_STALE)
        return c->next % s->interval == 0;
    const struct itsi_track_fit fit = itsi_tracker_fit(c->tracker);
    struct itsi_track_cadence cadence = {.retention = 1, .doubt = fit.doubt, .moved = c->moved,
                                         .tolerance = s->tolerance, .wanted_ns = s->interval * c->frame_ns,
                                         .frame_ns = c->frame_ns, .since_ns = c->begun ? now_ns - c->last_ns : -1};
    if (s->rule == TRACK_BUDGET) {
        cadence.retention = fit.retention;
        itsi_track_budget_ask(&p->budget, s->interval, &cadence);
    }
    const bool due = itsi_track_cadence_detect(&cadence);
    p->paid += 1.0 / s->interval;
    p->made += due;
    return due;
}

static void show(struct track_player *p, struct camera *c, const struct track_setting *s, struct track_outcome *o)
{
    const struct track_view *view = &c->clip->views[c->next];
    const int64_t cpu = itsi_thread_cpu_ns(), counting = c->passages_ns;
    c->moved += itsi_track_change_worth(view->change);
    if (is_due(p, c, s, view->at_ns)) {
        detect(p, c, view, s->size);
        o->detected++;
        o->inference_ms += c->clip->cpu_ms[s->size];
    } else if (s->rule != TRACK_STALE) {
        c->now.count = itsi_tracker_predict(c->tracker, view->at_ns, c->clip->width, c->clip->height, c->now.boxes);
    }
    o->tracker_ns += itsi_thread_cpu_ns() - cpu - (c->passages_ns - counting);
    o->retention += (double)itsi_tracker_fit(c->tracker).retention;
}

static void play_picture(struct track_player *p, struct camera *c, const struct track_setting *s,
                         struct track_outcome *o)
{
    struct itsi_detection large[ITSI_MAX_DETECTIONS];
    const struct track_view *view = &c->clip->views[c->next];
    const struct shown *wanted = &c->reference[c->next];
    if (s->rule == TRACK_LATE)
        c->now = c->reference[c->next > 0 ? c->next - 1 : 0];
    else
        show(p, c, s, o);
    track_score_add(&o->same, &c->identities, c->now.boxes, c->now.count, wanted->boxes, wanted->count);
    if (view->count[TRACK_LARGE] >= 0)
        track_score_add(&o->large, NULL, c->now.boxes, c->now.count, large,
                        publish(view->boxes[TRACK_LARGE], view->count[TRACK_LARGE], large));
    o->always_ms += c->clip->cpu_ms[FULL];
    c->next++;
}

/* How far a camera is through its clip, 0..1: clips of different length begin and end together, so that the mix of cameras
 * stays. */
static double progress(const struct camera *c) { return (double)c->next / c->clip->frames; }

/* The camera whose picture is next; NULL: all are through. */
static struct camera *next_camera(struct track_player *p)
{
    struct camera *found = NULL;
    for (int i = 0; i < p->count; i++) {
        struct camera *c = &p->cameras[i];
        if (c->next < c->clip->frames && (!found || progress(c) < progress(found)))
            found = c;
    }
    return found;
}

/* Pictures of all cameras in a tick. */
static int pictures_per_tick(const struct track_player *p)
{
    double pictures = 0;
    for (int i = 0; i < p->count; i++)
        pictures += (double)TICK_NS / (double)p->cameras[i].frame_ns;
    return (int)pictures > 0 ? (int)pictures : 1;
}

int track_player_play(struct track_player *p, const struct track_setting *s, struct track_outcome *outcomes,
                      struct its_diag *diag)
{
    p->budget = (struct itsi_track_budget)ITSI_TRACK_BUDGET_BEGIN;
    p->paid = p->made = 0;
    for (int i = 0; i < p->count; i++) {
        struct camera *c = &p->cameras[i];
        outcomes[i] = (struct track_outcome){.frames = c->clip->frames};
        memset(c->identities.id_of, 0, sizeof *c->identities.id_of * (size_t)c->identities.room);
        int rc = begin(p, c, diag);
        if (rc != 0)
            return rc;
    }
    const int per_tick = pictures_per_tick(p);
    int played = 0;
    for (struct camera *c; (c = next_camera(p)) != NULL;) {
        play_picture(p, c, s, &outcomes[c - p->cameras]);
        if (++played % per_tick == 0) {
            itsi_track_budget_step(&p->budget, p->paid, p->made);
            p->paid = p->made = 0;
        }
    }
    for (int i = 0; i < p->count; i++) {
        outcomes[i].counted = p->cameras[i].counted;
        outcomes[i].passages_ns = p->cameras[i].passages_ns;
        end(&p->cameras[i]);
    }
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
    into->counted += from->counted;
    into->passages_ns += from->passages_ns;
    into->retention += from->retention;
}
