#include "latency/violations.h"

#include "base/clock.h"

#include <string.h>

enum itsi_stage itsi_stage_to_blame(const struct itsi_breakdown *b)
{
    enum itsi_stage worst = ITSI_STAGE_CAMERA_CAPTURE;
    double most_over = -1e18;
    for (int s = 0; s <= ITSI_STAGE_POSTPROCESSING; s++) {
        double over = (double)(b->wait[s] + b->service[s]) / 1e6 - itsi_stage_budget_ms((enum itsi_stage)s);
        if (over > most_over) {
            most_over = over;
            worst = (enum itsi_stage)s;
        }
    }
    if (most_over > 0)
        return worst;
    for (int s = 0; s <= ITSI_STAGE_POSTPROCESSING; s++)
        if (b->wait[s] + b->service[s] > b->wait[worst] + b->service[worst])
            worst = (enum itsi_stage)s;
    return worst;
}

static double deadline_ms(const struct itsi_frame_info *info)
{
    return info->deadline == ITSI_NEVER ? 0 : (double)(info->deadline - info->trace.origin) / 1e6;
}

void itsi_violation_of_late(const struct itsi_result *r, const struct itsi_trace_id *trace, int64_t wall_ns,
                            struct itsi_violation *out)
{
    const struct itsi_breakdown *b = &r->breakdown;
    *out = (struct itsi_violation){
        .seq = r->info.seq,
        .wall_ns = wall_ns,
        .stage = itsi_stage_to_blame(b),
        .end_to_end_ms = (double)b->end_to_end / 1e6,
        .deadline_ms = deadline_ms(&r->info),
        .queue_ms = (double)(b->wait[ITSI_STAGE_PREPROCESSING] + b->wait[ITSI_STAGE_ML_INFERENCE]) / 1e6,
        .batch = r->batch,
        .quality_level = r->quality_level,
        .trace_id = *trace,
    };
    out->stage_ms = (double)(b->wait[out->stage] + b->service[out->stage]) / 1e6;
    memcpy(out->camera_id, r->info.camera_id, sizeof out->camera_id);
}

/* The newest stamp of a frame that did not get to the end. */
static int64_t last_stamp(const struct itsi_trace *t)
{
    const int64_t stamps[] = {t->post_end, t->post_start, t->infer_end, t->infer_start, t->pre_end, t->pre_start,
                              t->decode_end, t->decode_start};
    for (size_t i = 0; i < sizeof stamps / sizeof stamps[0]; i++)
        if (stamps[i])
            return stamps[i];
    return t->origin;
}

/* What was shed because its deadline could not be met any more is the fault of who had used up the time by then, seldom
 * of who shed it: the way so far, the step it was in ending now. */
static void blame_for_shedding(const struct itsi_trace *t, int64_t now, struct itsi_violation *out)
{
    struct itsi_trace until_now = *t;
    struct itsi_breakdown b;
    int64_t *const stamps[] = {&until_now.decode_start, &until_now.decode_end,  &until_now.pre_start,
                               &until_now.pre_end,      &until_now.infer_start, &until_now.infer_end,
                               &until_now.post_start,   &until_now.post_end,    &until_now.handover};
    for (size_t i = 0; i < sizeof stamps / sizeof stamps[0]; i++)
        if (!*stamps[i])
            *stamps[i] = now;
    itsi_trace_breakdown(&until_now, &b);
    out->stage = itsi_stage_to_blame(&b);
    out->stage_ms = (double)(b.wait[out->stage] + b.service[out->stage]) / 1e6;
}

void itsi_violation_of_drop(const struct itsi_frame_info *info, enum itsi_stage stage, enum itsi_drop reason,
                            int quality_level, const struct itsi_trace_id *trace, int64_t now, int64_t wall_ns,
                            struct itsi_violation *out)
{
    const struct itsi_trace *t = &info->trace;
    int64_t since = last_stamp(t), taken = t->pre_start ? t->pre_start : now;
    *out = (struct itsi_violation){
        .seq = info->seq,
        .wall_ns = wall_ns,
        .dropped = true,
        .reason = reason,
        .stage = stage,
        .stage_ms = (double)(now - since) / 1e6,
        .end_to_end_ms = (double)(now - t->origin) / 1e6,
        .deadline_ms = deadline_ms(info),
        .queue_ms = t->decode_end ? (double)(taken - t->decode_end) / 1e6 : 0,
        .batch = info->batch,
        .quality_level = quality_level,
        .trace_id = *trace,
    };
    memcpy(out->camera_id, info->camera_id, sizeof out->camera_id);
    if (reason == ITSI_DROP_EXPIRED)
        blame_for_shedding(t, now, out);
}

void itsi_violations_init(struct itsi_violations *v)
{
    memset(v, 0, sizeof *v);
    pthread_mutex_init(&v->mutex, NULL);
}

void itsi_violations_fini(struct itsi_violations *v) { pthread_mutex_destroy(&v->mutex); }

void itsi_violations_note(struct itsi_violations *v, const struct itsi_violation *violation)
{
    pthread_mutex_lock(&v->mutex);
    v->by_stage[violation->stage]++;
    v->newest[v->count++ % ITSI_VIOLATIONS_KEPT] = *violation;
    pthread_mutex_unlock(&v->mutex);
}

size_t itsi_violations_list(struct itsi_violations *v, struct itsi_violation *out, size_t cap)
{
    pthread_mutex_lock(&v->mutex);
    size_t kept = v->count < ITSI_VIOLATIONS_KEPT ? (size_t)v->count : ITSI_VIOLATIONS_KEPT;
    size_t n = kept < cap ? kept : cap;
    for (size_t i = 0; i < n; i++)
        out[i] = v->newest[(v->count - 1 - i) % ITSI_VIOLATIONS_KEPT];
    pthread_mutex_unlock(&v->mutex);
    return n;
}

uint64_t itsi_violations_by_stage(struct itsi_violations *v, uint64_t out[ITSI_STAGE_COUNT])
{
    pthread_mutex_lock(&v->mutex);
    memcpy(out, v->by_stage, sizeof v->by_stage);
    uint64_t count = v->count;
    pthread_mutex_unlock(&v->mutex);
    return count;
}
