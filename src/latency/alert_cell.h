/* The life of one alert, pure: from readings of its condition to "fires", "changed" and "ended", with a wait before the
 * first word, hysteresis before the last one, and longer patience with what flaps. */
#ifndef ITSI_LATENCY_ALERT_CELL_H
#define ITSI_LATENCY_ALERT_CELL_H

#include "latency/alert.h"

struct itsi_alert_timing {
    int64_t pending_ns; /* the condition must hold that long before anything fires */
    int64_t hold_ns;    /* it must be below the clear level that long before the alert ends or its severity falls */
    int64_t flap_ns;    /* fires or rises again within that time of its end or fall: flaps, and the hold doubles
                         * (16-fold at most); after a calmer time it is forgotten */
};

struct itsi_alert_observation {
    enum itsi_severity level; /* what the condition amounts to now */
    enum itsi_severity held;  /* what it amounts to by the clear levels; at least `level` */
    struct itsi_alert_figures figures;
};

enum itsi_alert_phase { ITSI_ALERT_IDLE, ITSI_ALERT_PENDING, ITSI_ALERT_FIRING };

/* Zeroed: idle. */
struct itsi_alert_cell {
    enum itsi_alert_phase phase;
    enum itsi_severity severity;  /* while firing */
    enum itsi_severity announced; /* as last told; NONE: nothing told, or told that it ended */
    int64_t since_ns;             /* of the phase */
    int64_t below_ns;             /* since when below the severity's clear level; ITSI_NEVER: it is not */
    int64_t calmed_ns;            /* when it last ended or its severity fell; says something while `calmed` */
    bool calmed;
    int flaps;                    /* 0..4 */
    int64_t started_wall;
    struct itsi_alert_figures figures; /* the newest while something is wrong */
};

void itsi_alert_cell_update(struct itsi_alert_cell *cell, const struct itsi_alert_observation *seen,
                            const struct itsi_alert_timing *timing, int64_t now, int64_t wall);
/* The subject is gone. */
void itsi_alert_cell_end(struct itsi_alert_cell *cell, int64_t now);

/* What must be told now. FIRING: it began, came out from behind a wider alert, or its severity changed. */
enum itsi_alert_news { ITSI_ALERT_NO_NEWS, ITSI_ALERT_TELL_FIRING, ITSI_ALERT_TELL_ENDED };
/* muted: an alert of a wider scope speaks for this one. *severity is the one to tell. */
enum itsi_alert_news itsi_alert_cell_news(struct itsi_alert_cell *cell, bool muted, enum itsi_severity *severity);

#endif
