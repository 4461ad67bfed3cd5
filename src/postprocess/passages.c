#include "postprocess/passages.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"

#include <string.h>

struct present {
    struct itsi_passage passage;
    int64_t first_ns, last_ns; /* on `clock_ns` */
    uint64_t picture;          /* that showed it last */
    bool believed;
};

struct itsi_passages {
    int64_t lost_ns, least_ns;
    int64_t last_ns;   /* of the last picture */
    int64_t clock_ns;  /* time that has passed, without steps back */
    uint64_t pictures; /* so far */
    int count;
    struct present present[ITSI_MAX_DETECTIONS]; /* by track */
};

static int64_t to_ns(float seconds) { return (int64_t)((double)seconds * (double)ITSI_NS_PER_S); }

int itsi_passages_create(struct itsi_passages **out, const struct itsi_passages_params *params, struct its_diag *diag)
{
    if (!(params->lost_seconds > 0 && params->least_seconds >= 0))
        return itsi_fail(diag, ITS_EINVAL, "passages: lost_seconds %g, least_seconds %g", (double)params->lost_seconds,
                         (double)params->least_seconds);
    struct itsi_passages *p = itsi_zalloc(sizeof *p);
    if (!p)
        return itsi_fail(diag, ITS_ENOMEM, "passages: out of memory");
    p->lost_ns = to_ns(params->lost_seconds);
    p->least_ns = to_ns(params->least_seconds);
    *out = p;
    return 0;
}

void itsi_passages_destroy(struct itsi_passages *p) { itsi_free(p); }

/* The place of the first whose track is not below. */
static int place_of(const struct itsi_passages *p, int32_t track)
{
    int low = 0, high = p->count;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (p->present[middle].passage.track < track)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void remove_at(struct itsi_passages *p, int at, const struct itsi_passages_listener *listener)
{
    if (p->present[at].believed)
        listener->left(listener->arg, &p->present[at].passage);
    p->count--;
    memmove(&p->present[at], &p->present[at + 1], (size_t)(p->count - at) * sizeof p->present[0]);
}

static void middle_of(const struct itsi_detection *box, const struct itsi_passages_picture *picture, float out[2])
{
    out[0] = (box->x1 + box->x2) / (2 * (float)picture->width);
    out[1] = (box->y1 + box->y2) / (2 * (float)picture->height);
}

static void see(struct itsi_passages *p, struct present *seen, const struct itsi_passages_picture *picture,
                const struct itsi_detection *box, const struct itsi_passages_listener *listener)
{
    struct itsi_passage *passage = &seen->passage;
    seen->picture = p->pictures;
    seen->last_ns = p->clock_ns;
    passage->last_wall_ns = picture->wall_ns;
    passage->seconds = (double)(seen->last_ns - seen->first_ns) / (double)ITSI_NS_PER_S;
    middle_of(box, picture, passage->to);
    if (box->score > passage->score) {
        passage->score = box->score;
        passage->cls = seen->believed ? passage->cls : box->cls;
    }
    if (!seen->believed && seen->last_ns - seen->first_ns >= p->least_ns) {
        seen->believed = true;
        listener->came(listener->arg, passage);
    }
}

/* A picture has no more boxes than there are places, so one that it does not show can go. */
static void make_room(struct itsi_passages *p, const struct itsi_passages_listener *listener)
{
    int oldest = -1;
    for (int i = 0; i < p->count; i++)
        if (p->present[i].picture != p->pictures && (oldest < 0 || p->present[i].last_ns < p->present[oldest].last_ns))
            oldest = i;
    if (oldest >= 0)
        remove_at(p, oldest, listener);
}

static void come(struct itsi_passages *p, const struct itsi_passages_picture *picture, const struct itsi_detection *box,
                 const struct itsi_passages_listener *listener)
{
    if (p->count == ITSI_MAX_DETECTIONS)
        make_room(p, listener);
    const int at = place_of(p, box->track);
    struct present *seen = &p->present[at];
    memmove(seen + 1, seen, (size_t)(p->count - at) * sizeof *seen);
    p->count++;
    *seen = (struct present){.first_ns = p->clock_ns,
                             .passage = {.track = box->track, .cls = box->cls, .first_wall_ns = picture->wall_ns}};
    middle_of(box, picture, seen->passage.from);
    see(p, seen, picture, box, listener);
}

void itsi_passages_update(struct itsi_passages *p, const struct itsi_passages_picture *picture,
                          const struct itsi_detection *boxes, int count, const struct itsi_passages_listener *listener)
{
    int16_t fresh[ITSI_MAX_DETECTIONS];
    int fresh_count = 0;
    if (p->pictures > 0 && picture->now_ns > p->last_ns)
        p->clock_ns += picture->now_ns - p->last_ns;
    p->last_ns = picture->now_ns;
    p->pictures++;
    /* who is there already first: when room must be made, it is known who is not */
    for (int i = 0; i < count; i++) {
        const int at = boxes[i].track > 0 ? place_of(p, boxes[i].track) : -1;
        if (at >= 0 && at < p->count && p->present[at].passage.track == boxes[i].track)
            see(p, &p->present[at], picture, &boxes[i], listener);
        else if (at >= 0)
            fresh[fresh_count++] = (int16_t)i;
    }
    for (int i = p->count - 1; i >= 0; i--)
        if (p->clock_ns - p->present[i].last_ns > p->lost_ns)
            remove_at(p, i, listener);
    for (int i = 0; i < fresh_count; i++)
        come(p, picture, &boxes[fresh[i]], listener);
}

void itsi_passages_end(struct itsi_passages *p, const struct itsi_passages_listener *listener)
{
    while (p->count > 0)
        remove_at(p, p->count - 1, listener);
}
