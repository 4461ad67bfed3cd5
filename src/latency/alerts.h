/* What the Latency Monitor alerts on: the error budget of every camera, of every group of cameras and of the whole, and
 * the findings of the monitor's other parts (latency targets, stage budgets, regressions, a frame that never ends).
 *
 * One call a second feeds it and answers with what must be told. Causes speak for their effects: when half the cameras
 * of a host fail together, one alert of the group names them; when half of all do and the whole burns, one alert of the
 * system. The narrower ones are muted meanwhile (ended as "superseded" where they had been told) and speak again if
 * they outlive the wider one.
 *
 * Threads: tick, stop, events and configure belong to one thread (the monitor's); active, history, budget and slo may be called
 * by any. Memory: about 4 kB for a camera or a group, a bounded history; steady state allocates nothing. */
#ifndef ITSI_LATENCY_ALERTS_H
#define ITSI_LATENCY_ALERTS_H

#include "config/config.h"
#include "latency/alert_cell.h"

enum { ITSI_ALERT_QUANTILES = 3 }; /* p50, p95, p99 */
enum { ITSI_ALERT_HISTORY = 256 };
/* As a stage in struct itsi_alert_regression: the whole way. */
enum { ITSI_ALERT_END_TO_END = ITSI_STAGE_COUNT };

/* What is watched besides frames, none of which waits for it. X(NAME, "label") */
#define ITSI_ALERT_POOL_MAP(X) X(REDIS, "redis") X(DATABASE, "database") X(FFMPEG, "ffmpeg") X(STORE, "store")
enum itsi_alert_pool {
#define ITSI_X(name, text) ITSI_ALERT_POOL_##name,
    ITSI_ALERT_POOL_MAP(ITSI_X)
#undef ITSI_X
        ITSI_ALERT_POOLS
};
const char *itsi_alert_pool_name(enum itsi_alert_pool pool);
struct itsi_alert_pool_state {
    double down_seconds; /* 0: it is not */
    char why[ITSI_ALERT_NAMES_SIZE];
};

struct itsi_alert_params {
    bool enabled; /* false: counts go on, nothing fires */
    struct itsi_slo_policy slo;
    struct itsi_alert_timing system, group, camera;
    int group_least;                                /* failing cameras that make a group's alert, at least */
    double latency_target_ms[ITSI_ALERT_QUANTILES];
    double stage_budget_ms[ITSI_STAGE_COUNT];
    double regression_percent;
    double stuck_seconds; /* a frame in flight for longer never ends */
    double exhausted_seconds; /* overload that quality cannot mend is told after */
    double pool_down_seconds; /* a pool that is down is told after */
};
/* From the options. What has no option: a hundred frames due; alerts end when under 0.8 of the threshold for
 * monitoring_window_seconds; a camera waits a quarter of that before its first word and a group a twelfth, so that what
 * fails together is seen together; three cameras make a group; stuck is 5 s or ten times latency_sla_ms;
 * quality that is exhausted is told after 10 s, the time it takes to see whether the last step helped, several times over;
 * a pool that is down after 10 s, in which a server that is restarted is back. */
void itsi_alert_params_from(struct itsi_alert_params *out, const struct its_cfg_latency_monitoring *cfg);

struct itsi_alert_camera {
    const char *id;
    const char *group; /* what fails with it: the host of its URL; NULL or empty: alone */
    const struct itsi_ledger_counts *ledger;
};

struct itsi_alert_regression {
    int stage; /* enum itsi_stage or ITSI_ALERT_END_TO_END */
    double percent, confidence;
    int64_t since_wall;
};

/* The state of things at one instant. All pointers are borrowed for the call. */
struct itsi_alert_tick {
    int64_t now, wall;
    const struct itsi_alert_camera *cameras; /* all there are; one that was here and is not is removed */
    size_t camera_count;
    const struct itsi_ledger_counts *total; /* of all cameras, removed ones too */

    /* Over the alert window; what has fewer samples than slo.least_due is not judged. */
    struct {
        uint64_t count;
        double ms[ITSI_ALERT_QUANTILES];
    } end_to_end;
    struct {
        uint64_t count;
        double p95_ms; /* waiting and service together */
    } stage[ITSI_STAGE_COUNT];

    const struct itsi_alert_regression *regressions; /* those that hold now */
    size_t regression_count;
    struct {
        const char *camera; /* NULL: nothing in flight */
        enum itsi_stage stage;
        double seconds;
    } oldest; /* frame in flight */
    struct {
        double seconds;         /* that overload has gone on though quality has nothing left to give; 0: it has not */
        int cameras, exhausted; /* that take of the bottleneck; of those, that have nothing left */
        const char *bottleneck; /* the resource; NULL with 0 seconds */
    } quality;
    struct itsi_alert_pool_state pools[ITSI_ALERT_POOLS];
};

struct itsi_alerts;
ITS_NODISCARD int itsi_alerts_create(struct itsi_alerts **out, const struct itsi_alert_params *params,
                                     struct its_diag *diag);
void itsi_alerts_destroy(struct itsi_alerts *alerts); /* takes NULL */

/* New limits from now on. Other window lengths begin empty windows. */
void itsi_alerts_configure(struct itsi_alerts *alerts, const struct itsi_alert_params *params);

/* ITS_ENOMEM: a camera could not be taken in, or there was no room to tell; both are made up for by the next call. A
 * clock that stepped back stands still. */
ITS_NODISCARD int itsi_alerts_tick(struct itsi_alerts *alerts, const struct itsi_alert_tick *tick);
/* The last call of the program's life, after the last tick: all that was told to fire ends as "stopped". */
void itsi_alerts_stop(struct itsi_alerts *alerts, int64_t wall);
/* What the last tick (or stop) has to tell, in the order system, groups, cameras: began or changed (firing) and ended. Valid
 * until the next call of these. */
const struct itsi_alert *itsi_alerts_events(const struct itsi_alerts *alerts, size_t *count);

/* All that holds now, the muted ones too (`muted` is set); copies up to cap, returns how many there are. */
size_t itsi_alerts_active(struct itsi_alerts *alerts, struct itsi_alert *out, size_t cap);
/* The last events (ITSI_ALERT_HISTORY at most), newest first; returns how many were copied. */
size_t itsi_alerts_history(struct itsi_alerts *alerts, struct itsi_alert *out, size_t cap);

struct itsi_slo_status {
    struct {
        struct itsi_slo_reading frames;
        double burn;
    } window[ITSI_SLO_WINDOW_COUNT];
    double budget;
};
/* The share of the frames due that may be bad, as configured now. */
double itsi_alerts_budget(struct itsi_alerts *alerts);
/* id: of a camera; NULL: all. As of the last tick. ITS_ENOTFOUND. */
ITS_NODISCARD int itsi_alerts_slo(struct itsi_alerts *alerts, const char *id, struct itsi_slo_status *out);

#endif
