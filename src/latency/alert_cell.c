#include "latency/alert_cell.h"

#include "base/clock.h"

enum { MOST_FLAPS = 4 };

/* It gets worse: soon after it got better? */
static void note_flap(struct itsi_alert_cell *cell, const struct itsi_alert_timing *timing, int64_t now)
{
    if (!cell->calmed || now - cell->calmed_ns >= timing->flap_ns)
        cell->flaps = 0;
    else if (cell->flaps < MOST_FLAPS)
        cell->flaps++;
    cell->calmed = false; /* one relapse counts once, however it climbs */
}

static void note_calm(struct itsi_alert_cell *cell, int64_t now)
{
    cell->calmed = true;
    cell->calmed_ns = now;
}

static void fire(struct itsi_alert_cell *cell, enum itsi_severity severity, const struct itsi_alert_timing *timing,
                 int64_t now, int64_t wall)
{
    note_flap(cell, timing, now);
    cell->phase = ITSI_ALERT_FIRING;
    cell->severity = severity;
    cell->since_ns = now;
    cell->below_ns = ITSI_NEVER;
    cell->started_wall = wall;
}

void itsi_alert_cell_end(struct itsi_alert_cell *cell, int64_t now)
{
    if (cell->phase == ITSI_ALERT_FIRING)
        note_calm(cell, now);
    cell->phase = ITSI_ALERT_IDLE;
    cell->since_ns = now;
}

static void update_firing(struct itsi_alert_cell *cell, const struct itsi_alert_observation *seen,
                          const struct itsi_alert_timing *timing, int64_t now)
{
    if (seen->level > cell->severity) {
        if (cell->calmed)
            note_flap(cell, timing, now);
        cell->severity = seen->level;
    }
    if (seen->held >= cell->severity) {
        cell->below_ns = ITSI_NEVER;
        return;
    }
    if (cell->below_ns == ITSI_NEVER)
        cell->below_ns = now;
    if (now - cell->below_ns < timing->hold_ns << cell->flaps)
        return;
    cell->below_ns = ITSI_NEVER;
    if (seen->held == ITSI_SEVERITY_NONE) {
        itsi_alert_cell_end(cell, now);
        return;
    }
    cell->severity = seen->held;
    note_calm(cell, now);
}

void itsi_alert_cell_update(struct itsi_alert_cell *cell, const struct itsi_alert_observation *seen,
                            const struct itsi_alert_timing *timing, int64_t now, int64_t wall)
{
    if (seen->held != ITSI_SEVERITY_NONE)
        cell->figures = seen->figures;
    if (cell->phase == ITSI_ALERT_FIRING) {
        update_firing(cell, seen, timing, now);
        return;
    }
    if (seen->level == ITSI_SEVERITY_NONE) {
        cell->phase = ITSI_ALERT_IDLE;
        return;
    }
    if (cell->phase == ITSI_ALERT_IDLE) {
        cell->phase = ITSI_ALERT_PENDING;
        cell->since_ns = now;
    }
    if (now - cell->since_ns >= timing->pending_ns)
        fire(cell, seen->level, timing, now, wall);
}

enum itsi_alert_news itsi_alert_cell_news(struct itsi_alert_cell *cell, bool muted, enum itsi_severity *severity)
{
    const enum itsi_severity told = cell->announced;
    /* what is on its way out when it could speak at last stays silent */
    const bool worth = told != ITSI_SEVERITY_NONE || cell->below_ns == ITSI_NEVER;
    const bool speaks = cell->phase == ITSI_ALERT_FIRING && !muted && worth;
    if (speaks && told != cell->severity) {
        *severity = cell->announced = cell->severity;
        return ITSI_ALERT_TELL_FIRING;
    }
    if (!speaks && told != ITSI_SEVERITY_NONE) {
        *severity = told;
        cell->announced = ITSI_SEVERITY_NONE;
        return ITSI_ALERT_TELL_ENDED;
    }
    return ITSI_ALERT_NO_NEWS;
}
