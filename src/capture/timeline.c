#include "capture/timeline.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Beyond this a step of the time stamps that the clock does not share is a new epoch. */
#define JUMP_NS (5 * ITSI_NS_PER_S)
#define LEAST_INTERVALS 8

int64_t itsi_unwrap(struct itsi_unwrap *u, int64_t ticks)
{
    if (u->started && u->bits > 0 && u->bits < 63) {
        /* the shortest way round, whatever multiple of the period libav has added already */
        uint64_t period = UINT64_C(1) << u->bits;
        uint64_t step = ((uint64_t)ticks - (uint64_t)u->last) & (period - 1);
        int64_t delta = step >= period / 2 ? (int64_t)(step - period) : (int64_t)step;
        ticks = u->last + delta;
    }
    u->started = true;
    u->last = ticks;
    return ticks;
}

void itsi_epochs_reset(struct itsi_epochs *e) { e->last_dts = e->last_pts = e->last_arrival = ITSI_NO_TIME; }

bool itsi_epochs_jumped(struct itsi_epochs *e, int64_t dts, int64_t pts, int64_t arrival, int64_t slack)
{
    bool jumped = false;
    if (e->last_pts != ITSI_NO_TIME) {
        bool by_dts = dts != ITSI_NO_TIME && e->last_dts != ITSI_NO_TIME;
        int64_t step = by_dts ? dts - e->last_dts : pts - e->last_pts;
        int64_t passed = arrival != ITSI_NO_TIME && e->last_arrival != ITSI_NO_TIME ? arrival - e->last_arrival : 0;
        /* rounding of ticks may show as a microsecond backwards */
        jumped = step < -(by_dts ? ITSI_NS_PER_MS : slack + ITSI_NS_PER_MS) || step - passed > JUMP_NS;
    }
    e->last_dts = dts;
    e->last_pts = pts;
    e->last_arrival = arrival;
    return jumped;
}

void itsi_cadence_init(struct itsi_cadence *c)
{
    memset(c, 0, sizeof *c);
    c->last = ITSI_NO_TIME;
}

void itsi_cadence_restart(struct itsi_cadence *c)
{
    c->last = ITSI_NO_TIME;
    c->held = 0;
}

static void measure(struct itsi_cadence *c)
{
    int64_t sorted[ITSI_CADENCE_WINDOW] = {0};
    for (int i = 0; i < c->count; i++) {
        int at = i;
        for (; at > 0 && sorted[at - 1] > c->intervals[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = c->intervals[i];
    }
    c->median = sorted[c->count / 2];
    int near = 0;
    for (int i = 0; i < c->count; i++)
        if (llabs(c->intervals[i] - c->median) * 4 <= c->median)
            near++;
    c->regular = near * 4 >= c->count * 3;
}

/* In order of presentation. */
static int64_t follow(struct itsi_cadence *c, int64_t pts)
{
    int64_t interval = c->last == ITSI_NO_TIME ? 0 : pts - c->last;
    if (c->last != ITSI_NO_TIME && interval <= 0)
        return 0; /* the same instant twice, or out of order beyond the depth: no beat to learn from it */
    c->last = pts;
    if (!interval)
        return 0;
    int64_t missing = 0;
    if (c->median && c->regular && interval * 2 > c->median * 3)
        missing = (interval + c->median / 2) / c->median - 1;
    c->intervals[c->next] = interval;
    c->next = (c->next + 1) % ITSI_CADENCE_WINDOW;
    if (c->count < ITSI_CADENCE_WINDOW)
        c->count++;
    if (c->count >= LEAST_INTERVALS)
        measure(c);
    return missing;
}

int64_t itsi_cadence_feed(struct itsi_cadence *c, int64_t pts, int depth)
{
    if (depth >= ITSI_REORDER_MAX)
        depth = ITSI_REORDER_MAX - 1;
    int64_t missing = 0;
    if (c->held == ITSI_REORDER_MAX) /* cannot be: released below; but never write past the end */
        c->held = 0;
    int at = c->held++;
    for (; at > 0 && c->waiting[at - 1] > pts; at--)
        c->waiting[at] = c->waiting[at - 1];
    c->waiting[at] = pts;
    while (c->held > depth) {
        missing += follow(c, c->waiting[0]);
        c->held--;
        memmove(c->waiting, c->waiting + 1, (size_t)c->held * sizeof c->waiting[0]);
    }
    return missing;
}

double itsi_cadence_fps(const struct itsi_cadence *c)
{
    return c->median ? (double)ITSI_NS_PER_S / (double)c->median : 0;
}

void itsi_dues_start(struct itsi_dues *d, int64_t now)
{
    d->covered = now;
    d->entered = 0;
}

void itsi_dues_stop(struct itsi_dues *d)
{
    d->covered = ITSI_NO_TIME;
    d->entered = 0;
}

uint64_t itsi_dues_tick(struct itsi_dues *d, int64_t now, int64_t grace, double fps)
{
    if (d->covered == ITSI_NO_TIME || now - d->covered <= grace)
        return 0;
    /* one less than the beats passed: the picture that ends the silence is not missing */
    double due = floor((double)(now - d->covered) / ITSI_NS_PER_S * fps) - 1.0;
    if (due <= (double)d->entered)
        return 0;
    uint64_t more = (uint64_t)due - d->entered;
    d->entered += more;
    return more;
}

uint64_t itsi_dues_seen(struct itsi_dues *d, int64_t at)
{
    if (d->covered == ITSI_NO_TIME)
        return 0;
    uint64_t entered = d->entered;
    d->covered = at;
    d->entered = 0;
    return entered;
}
