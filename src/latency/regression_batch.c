#include "latency/regression_batch.h"

#include <math.h>
#include <string.h>

static bool negative(const struct itsi_breakdown *frame)
{
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        if (frame->wait[s] < 0 || frame->service[s] < 0)
            return true;
    return false;
}

static double add(struct itsi_open_batch *open, enum itsi_time_kind kind, int stage, int64_t ns)
{
    const double value = log((double)ns / 1e3);
    open->sum[kind][stage] += value;
    open->count[kind][stage]++;
    return value;
}

/* The frames behind the last full group are left out. */
static void add_to_floor(struct itsi_open_batch *open, int stage, double value)
{
    const bool first = open->floor[stage].frames++ == 0;
    open->floor[stage].fastest = first ? value : fmin(open->floor[stage].fastest, value);
    if (open->floor[stage].frames < ITSI_BATCH_GROUP)
        return;
    open->floor[stage].sum += open->floor[stage].fastest;
    open->floor[stage].groups++;
    open->floor[stage].frames = 0;
}

static void close_batch(const struct itsi_open_batch *open, struct itsi_batch *out)
{
    memset(out, 0, sizeof *out);
    out->begin = open->begin;
    out->end = open->last;
    out->frames = open->frames;
    out->after_gap = open->after_gap;
    for (int k = 0; k < ITSI_TIME_KIND_COUNT; k++)
        for (int s = 0; s < ITSI_STAGE_COUNT; s++)
            if (open->count[k][s]) {
                out->present[k][s] = true;
                out->mean[k][s] = open->sum[k][s] / open->count[k][s];
            }
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        if (open->floor[s].groups) {
            out->present[ITSI_TIME_FLOOR][s] = true;
            out->mean[ITSI_TIME_FLOOR][s] = open->floor[s].sum / open->floor[s].groups;
        }
}

int itsi_batch_add(struct itsi_open_batch *open, const struct itsi_breakdown *frame, int64_t now,
                   struct itsi_batch *out)
{
    if (negative(frame))
        return ITS_EINVAL;
    int closed = 0;
    if (open->frames && (now < open->last || now - open->last > ITSI_BATCH_GAP_NS)) {
        memset(open, 0, sizeof *open);
        open->after_gap = true;
    } else if (open->frames >= ITSI_BATCH_LEAST_FRAMES && now - open->begin >= ITSI_BATCH_NS) {
        close_batch(open, out);
        memset(open, 0, sizeof *open);
        closed = 1;
    }
    if (open->frames++ == 0)
        open->begin = now;
    open->last = now;
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        if (frame->service[s] == 0)
            continue;
        add_to_floor(open, s, add(open, ITSI_TIME_SERVICE, s, frame->service[s]));
        (void)add(open, ITSI_TIME_WAIT, s, frame->wait[s] + ITSI_BATCH_WAIT_FLOOR_NS);
    }
    return closed;
}

double itsi_floor_push(struct itsi_floor *floor, double value)
{
    floor->recent[floor->next] = value;
    floor->next = (floor->next + 1) % ITSI_FLOOR_BATCHES;
    floor->count += floor->count < ITSI_FLOOR_BATCHES;
    for (int i = 0; i < floor->count; i++)
        value = fmin(value, floor->recent[i]);
    return value;
}

bool itsi_batch_valid(const struct itsi_batch *batch)
{
    if (batch->frames == 0 || batch->end < batch->begin)
        return false;
    for (int k = 0; k < ITSI_SERIES_KIND_COUNT; k++)
        for (int s = 0; s < ITSI_STAGE_COUNT; s++)
            if (batch->present[k][s] && !isfinite(batch->mean[k][s]))
                return false;
    return true;
}
