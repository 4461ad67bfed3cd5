/* Private to alerts*.c. */
#ifndef ITSI_LATENCY_ALERTS_IMPL_H
#define ITSI_LATENCY_ALERTS_IMPL_H

#include "latency/alerts.h"

#include <pthread.h>

/* Who fails together, counted anew every tick. */
struct itsi_alert_tally {
    int members; /* cameras that can be judged */
    int failing; /* of them: pending or firing, and not on the way out */
    int listed;  /* of the failing, named in `names` */
    enum itsi_severity level, held; /* the gravest of the failing */
    char names[ITSI_ALERT_NAMES_SIZE];
};

struct itsi_alert_group {
    char name[ITSI_ALERT_SUBJECT_SIZE];
    int cameras; /* that hold it; freed with the last */
    struct itsi_slo_series series;
    struct itsi_alert_cell cell;
    struct itsi_alert_tally tally;
};

struct itsi_alert_member {
    char id[ITSI_ALERT_SUBJECT_SIZE];
    struct itsi_alert_group *group; /* NULL: none */
    bool seen;                      /* in this tick */
    struct itsi_slo_meter meter;
    struct itsi_slo_series series;
    struct itsi_alert_cell cell;
};

/* The conditions of the system that others measure: quantiles, stages, regressions, stuck frames, exhausted quality, pools. */
enum {
    ITSI_LIMIT_LATENCY = 0,
    ITSI_LIMIT_STAGE = ITSI_LIMIT_LATENCY + ITSI_ALERT_QUANTILES,
    ITSI_LIMIT_REGRESSION = ITSI_LIMIT_STAGE + ITSI_STAGE_COUNT,
    ITSI_LIMIT_STUCK = ITSI_LIMIT_REGRESSION + ITSI_STAGE_COUNT + 1,
    ITSI_LIMIT_EXHAUSTED = ITSI_LIMIT_STUCK + ITSI_STAGE_COUNT,
    ITSI_LIMIT_POOL,
    ITSI_LIMIT_COUNT = ITSI_LIMIT_POOL + ITSI_ALERT_POOLS
};

struct itsi_alerts {
    pthread_mutex_t mutex; /* held by tick and by the readers; below all others */
    struct itsi_alert_params params;
    int64_t now, wall;

    struct itsi_alert_member **members; /* in the order they came */
    size_t member_count, member_cap;
    struct itsi_alert_group **groups;
    size_t group_count, group_cap;

    bool started, stopped;
    struct itsi_slo_meter meter; /* of the total */
    struct itsi_slo_series series;
    struct itsi_alert_cell cell;
    struct itsi_alert_tally tally;
    bool mutes; /* the system's alert speaks for groups and cameras */

    struct itsi_alert_cell limits[ITSI_LIMIT_COUNT];

    struct itsi_alert *events; /* written by tick, read by the same thread without the lock */
    size_t event_count, event_cap;
    struct itsi_alert history[ITSI_ALERT_HISTORY];
    uint64_t history_count;
};

/* Room for `count` elements in an array; false: out of memory, nothing changed. */
bool itsi_alerts_grow(void **array, size_t *cap, size_t count, size_t size);

/* --- alerts_members.c: cameras and groups come and go */

/* Takes the tick's counts in. ITS_ENOMEM: some cameras wait for the next tick. */
int itsi_alerts_count(struct itsi_alerts *alerts, const struct itsi_alert_tick *tick);
/* Drops what the tick did not name, telling ends. Needs room for an event per member and group. */
void itsi_alerts_sweep(struct itsi_alerts *alerts);
void itsi_alerts_free_members(struct itsi_alerts *alerts);
struct itsi_alert_member *itsi_alerts_find(struct itsi_alerts *alerts, const char *id);

/* --- alerts_limits.c */
void itsi_alerts_update_limits(struct itsi_alerts *alerts, const struct itsi_alert_tick *tick);
enum itsi_alert_condition itsi_alerts_limit_condition(int index);
const char *itsi_alerts_limit_part(int index);

/* --- alerts.c: telling */
void itsi_alerts_tell(struct itsi_alerts *alerts, struct itsi_alert_cell *cell, enum itsi_alert_scope scope,
                      enum itsi_alert_condition condition, const char *subject, const char *part, bool muted,
                      bool removed);

#endif
