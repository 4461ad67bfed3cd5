#include "postprocess/track_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

#define SURE 0.5F            /* one detection of this score confirms a track */
#define TENTATIVE_SECONDS 1.0F /* so long a track seen once may wait for its second time */
#define FADE_SECONDS 1.0F    /* the score of what is predicted fades at this rate */
#define UNREST_SHARE 0.3F    /* of the newest change of score in the mean of a track's changes */
#define UNREST_AT_FIRST 0.06F
#define UNREST_LEAST 0.01F
#define UNREST_REACH 3.0F    /* doubt falls by e in so many mean changes between score and threshold */
#define FIT_SECONDS 2.0F     /* the fit is smoothed over about this time */
#define FIT_AT_FIRST 0.9F    /* before anything is known: no trust, and little against it */
#define FIT_OVERLAP 0.5F     /* a prediction that overlaps its detection so much was right */
#define LEAST_VISIBLE 0.3F   /* a predicted box of which less lies in the picture has left */

int itsi_track_scratch_create(struct itsi_track_scratch **out, struct its_diag *diag)
{
    struct itsi_track_scratch *scratch = itsi_zalloc(sizeof *scratch);
    if (!scratch)
        return itsi_fail(diag, ITS_ENOMEM, "tracking: out of memory");
    *out = scratch;
    return 0;
}

void itsi_track_scratch_destroy(struct itsi_track_scratch *scratch) { itsi_free(scratch); }

int itsi_tracker_create(struct itsi_tracker **out, const struct itsi_tracker_params *params, struct its_diag *diag)
{
    if (!(params->floor >= 0 && params->floor <= params->confidence && params->confidence <= 1 &&
          params->lost_seconds > 0))
        return itsi_fail(diag, ITS_EINVAL, "tracker: floor %g, confidence %g, lost_seconds %g", (double)params->floor,
                         (double)params->confidence, (double)params->lost_seconds);
    struct itsi_tracker *tracker = itsi_zalloc(sizeof *tracker);
    if (!tracker)
        return itsi_fail(diag, ITS_ENOMEM, "tracker: out of memory");
    tracker->params = *params;
    tracker->floor = params->floor;
    tracker->fit = (struct itsi_track_fit){.retention = FIT_AT_FIRST};
    *out = tracker;
    return 0;
}

void itsi_tracker_destroy(struct itsi_tracker *tracker) { itsi_free(tracker); }

void itsi_tracker_set_confidence(struct itsi_tracker *tracker, float confidence)
{
    tracker->params.confidence = confidence;
    tracker->floor = fminf(tracker->params.floor, confidence);
}

/* Seconds since the last update; a clock that stepped back stands still. */
static float elapsed(const struct itsi_tracker *tracker, int64_t now_ns)
{
    if (!tracker->begun || now_ns <= tracker->last_ns)
        return 0;
    return (float)((double)(now_ns - tracker->last_ns) / (double)ITSI_NS_PER_S);
}

/* The share of a new value in a mean over about `window` seconds. */
static float share_of(float seconds, float window) { return 1 - expf(-seconds / window); }

/* ---- a track's life ---- */

void itsi_track_vote(struct itsi_track *track, int32_t cls, float weight)
{
    struct itsi_track_vote *votes = track->votes;
    int at = 0;
    while (at < ITSI_TRACK_VOTES - 1 && votes[at].weight > 0 && votes[at].cls != cls)
        at++;
    /* a class that is not among those kept takes the place of the least */
    votes[at] = (struct itsi_track_vote){cls, (votes[at].cls == cls ? votes[at].weight : 0) + weight};
    for (; at > 0 && votes[at].weight > votes[at - 1].weight; at--) {
        const struct itsi_track_vote up = votes[at];
        votes[at] = votes[at - 1];
        votes[at - 1] = up;
    }
}

static int32_t class_of(const struct itsi_tracker *tracker, const struct itsi_track *track)
{
    return tracker->params.vote ? track->votes[0].cls : track->cls;
}

static bool is_used(const struct itsi_tracker *tracker, int32_t id)
{
    for (int t = 0; t < tracker->used; t++)
        if (tracker->tracks[t].state != ITSI_TRACK_FREE && tracker->tracks[t].id == id)
            return true;
    return false;
}

static int32_t new_id(struct itsi_tracker *tracker)
{
    do
        tracker->last_id = tracker->last_id == INT32_MAX ? 1 : tracker->last_id + 1;
    while (is_used(tracker, tracker->last_id));
    return tracker->last_id;
}

static void confirm(struct itsi_tracker *tracker, struct itsi_track *track)
{
    track->state = ITSI_TRACK_CONFIRMED;
    if (track->id == 0)
        track->id = new_id(tracker);
}

/* A place for a track: a free one, else that of the track lost for longest. */
static struct itsi_track *find_place(struct itsi_tracker *tracker)
{
    struct itsi_track *place = NULL;
    for (int t = 0; t < tracker->used; t++) {
        struct itsi_track *track = &tracker->tracks[t];
        if (track->state == ITSI_TRACK_FREE)
            return track;
        if (track->state == ITSI_TRACK_LOST && (!place || track->unseen > place->unseen))
            place = track;
    }
    return tracker->used < ITSI_MAX_DETECTIONS ? &tracker->tracks[tracker->used++] : place;
}

static void remember(struct itsi_track *track, const struct itsi_share_box *seen, const struct itsi_detection *box)
{
    itsi_track_vote(track, box->cls, box->score);
    track->box = *seen;
    track->score = box->score;
    track->cls = box->cls;
    track->seen = true;
    track->unseen = 0;
}

static void begin(struct itsi_tracker *tracker, const struct itsi_share_box *seen, struct itsi_detection *box)
{
    struct itsi_track *track = find_place(tracker);
    if (!track)
        return;
    *track = (struct itsi_track){.state = ITSI_TRACK_TENTATIVE, .unrest = UNREST_AT_FIRST};
    itsi_motion_begin(&track->motion, seen);
    remember(track, seen, box);
    if (box->score >= SURE)
        confirm(tracker, track);
    box->track = track->id > 0 ? track->id : -1;
}

static void carry_on(struct itsi_tracker *tracker, struct itsi_track *track, const struct itsi_share_box *seen,
                     struct itsi_detection *box)
{
    itsi_motion_correct(&track->motion, seen);
    track->unrest += UNREST_SHARE * (fabsf(box->score - track->score) - track->unrest);
    remember(track, seen, box);
    confirm(tracker, track);
    box->track = track->id;
    box->cls = class_of(tracker, track);
}

/* ---- prediction ---- */

/* The part of the box in the picture; false: the object has left. */
static bool clip(struct itsi_share_box *box)
{
    const float whole = (box->x2 - box->x1) * (box->y2 - box->y1);
    box->x1 = fmaxf(box->x1, 0);
    box->y1 = fmaxf(box->y1, 0);
    box->x2 = fminf(box->x2, 1);
    box->y2 = fminf(box->y2, 1);
    return box->x2 > box->x1 && box->y2 > box->y1 &&
           (box->x2 - box->x1) * (box->y2 - box->y1) >= LEAST_VISIBLE * whole;
}

/* What a picture `seconds` after the last update would be said to show of this track; false: nothing. */
static bool predict(const struct itsi_tracker *tracker, const struct itsi_track *track, float seconds,
                    struct itsi_share_box *box, float *score)
{
    const float least = tracker->params.confidence;
    if (track->state == ITSI_TRACK_FREE || !track->seen || track->score < least ||
        seconds > tracker->params.lost_seconds)
        return false;
    /* The box as it was detected, not as the filter has it: what is wanted is what the detector would say, and it errs
     * alike from one picture to the next. */
    *box = itsi_motion_carry(&track->motion, &track->box, seconds);
    *score = least + (track->score - least) * expf(-seconds / FADE_SECONDS);
    return clip(box);
}

static void insert_by_score(struct itsi_detection *boxes, int count, const struct itsi_detection *box)
{
    for (; count > 0 && boxes[count - 1].score < box->score; count--)
        boxes[count] = boxes[count - 1];
    boxes[count] = *box;
}

int itsi_tracker_predict(const struct itsi_tracker *tracker, int64_t now_ns, int width, int height,
                         struct itsi_detection *boxes)
{
    const float seconds = elapsed(tracker, now_ns), w = (float)width, h = (float)height;
    int count = 0;
    for (int t = 0; t < tracker->used; t++) {
        const struct itsi_track *track = &tracker->tracks[t];
        struct itsi_share_box box;
        float score;
        if (predict(tracker, track, seconds, &box, &score))
            insert_by_score(boxes, count++,
                            &(struct itsi_detection){.x1 = box.x1 * w, .y1 = box.y1 * h, .x2 = box.x2 * w,
                                                     .y2 = box.y2 * h, .score = score, .cls = class_of(tracker, track),
                                                     .track = track->id > 0 ? track->id : -1});
    }
    return count;
}

/* ---- a picture that was detected on ---- */

static void advance(struct itsi_tracker *tracker, struct itsi_track_scratch *scratch, float seconds)
{
    for (int t = 0; t < tracker->used; t++) {
        struct itsi_track *track = &tracker->tracks[t];
        if (!predict(tracker, track, seconds, &scratch->expected[t], &scratch->trust[t]))
            scratch->trust[t] = 0;
        scratch->seen_by[t] = -1;
        itsi_motion_predict(&track->motion, seconds);
        track->seen = false;
        track->unseen += seconds;
        if (track->unseen > (track->state == ITSI_TRACK_TENTATIVE ? TENTATIVE_SECONDS : tracker->params.lost_seconds))
            track->state = ITSI_TRACK_FREE;
    }
}

static void match(const struct itsi_tracker *tracker, struct itsi_track_scratch *scratch,
                  const struct itsi_detection *boxes, int count)
{
    const float sure = tracker->params.confidence, weak = tracker->floor;
    const struct itsi_track_stage stages[] = {
        {1U << ITSI_TRACK_CONFIRMED | 1U << ITSI_TRACK_LOST, sure, INFINITY, 0.2F},
        {1U << ITSI_TRACK_CONFIRMED, weak, sure, 0.4F},
        {1U << ITSI_TRACK_TENTATIVE, sure, INFINITY, 0.3F},
    };
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        itsi_track_match(tracker, scratch, boxes, count, &stages[i]);
}

/* How open it is whether the next detection will show the track, 0..1. */
static float wavering(const struct itsi_tracker *tracker, const struct itsi_track *track)
{
    return expf(-fabsf(track->score - tracker->params.confidence) /
                (UNREST_REACH * fmaxf(track->unrest, UNREST_LEAST)));
}

static void judge(struct itsi_tracker *tracker, const struct itsi_track_scratch *scratch, float seconds)
{
    float asked = 0, kept = 0, overlaps = 0;
    int found = 0;
    for (int t = 0; t < tracker->used; t++) {
        if (scratch->trust[t] <= 0)
            continue;
        /* a track lost because the detector wavers says nothing about tracking */
        const float weight = 1 - wavering(tracker, &tracker->tracks[t]);
        asked += weight;
        if (scratch->seen_by[t] < 0)
            continue;
        const float overlap = itsi_share_overlap(&scratch->expected[t], &scratch->seen[scratch->seen_by[t]]);
        kept += overlap >= FIT_OVERLAP ? weight : 0;
        overlaps += overlap;
        found++;
    }
    const float share = share_of(seconds, FIT_SECONDS);
    struct itsi_track_fit *fit = &tracker->fit;
    fit->retention += share * ((asked > 0 ? kept / asked : 1) - fit->retention);
    if (found > 0)
        fit->overlap += share * (overlaps / (float)found - fit->overlap);
}

static float doubt(const struct itsi_tracker *tracker)
{
    float sum = 0;
    for (int t = 0; t < tracker->used; t++)
        if (tracker->tracks[t].state != ITSI_TRACK_FREE && tracker->tracks[t].seen)
            sum += wavering(tracker, &tracker->tracks[t]);
    return sum;
}

void itsi_tracker_update(struct itsi_tracker *tracker, struct itsi_track_scratch *scratch, int64_t now_ns, int width,
                         int height, struct itsi_detection *boxes, int count)
{
    const float seconds = elapsed(tracker, now_ns);
    for (int d = 0; d < count; d++) {
        scratch->seen[d] = itsi_share_box(&boxes[d], width, height);
        scratch->track_of[d] = -1;
        boxes[d].track = -1;
    }
    advance(tracker, scratch, seconds);
    match(tracker, scratch, boxes, count);
    judge(tracker, scratch, seconds);
    for (int t = 0; t < tracker->used; t++) {
        struct itsi_track *track = &tracker->tracks[t];
        const int d = scratch->seen_by[t];
        if (d >= 0)
            carry_on(tracker, track, &scratch->seen[d], &boxes[d]);
        else if (track->state == ITSI_TRACK_CONFIRMED)
            track->state = ITSI_TRACK_LOST;
    }
    for (int d = 0; d < count; d++)
        if (scratch->track_of[d] < 0 && boxes[d].score >= tracker->params.confidence)
            begin(tracker, &scratch->seen[d], &boxes[d]);
    while (tracker->used > 0 && tracker->tracks[tracker->used - 1].state == ITSI_TRACK_FREE)
        tracker->used--;
    tracker->fit.doubt = doubt(tracker);
    tracker->last_ns = now_ns;
    tracker->begun = true;
}

struct itsi_track_fit itsi_tracker_fit(const struct itsi_tracker *tracker) { return tracker->fit; }
