/* Brings alerts to the log, to a webhook and to Alertmanager. Each receiver has a thread and an outbox of its own
 * (alert_outbox.h), so that one that hangs delays neither the monitor nor the others.
 *
 *  - log: one line per state.
 *  - webhook: POST of the document of alert_json.c (version "1"); a state is repeated until it is taken (at least once:
 *    a receiver tells repetitions by fingerprint, status and severity).
 *  - Alertmanager: POST /api/v2/alerts. What fires is sent again every repeat_ns with an end that lies four of these
 *    ahead, as Prometheus does, so that it ends there too when this process dies; an end is sent once. A new severity
 *    is a new alert there: the one of the old severity is ended in the same request.
 *
 * Failures are retried (alert_retry.h) with backoff (net/backoff.h); an answer that says never (404, say) drops the
 * state. All functions are thread-safe; put never blocks on a receiver. */
#ifndef ITSI_LATENCY_ALERT_DELIVERY_H
#define ITSI_LATENCY_ALERT_DELIVERY_H

#include "latency/alert.h"

enum itsi_alert_receiver {
    ITSI_ALERT_TO_LOG,
    ITSI_ALERT_TO_WEBHOOK,
    ITSI_ALERT_TO_ALERTMANAGER,
    ITSI_ALERT_RECEIVERS
};
const char *itsi_alert_receiver_name(enum itsi_alert_receiver receiver);

/* Zeros mean the defaults. Strings are copied. */
struct itsi_alert_delivery_params {
    bool log;
    const char *webhook_url;      /* a secret; NULL or empty: none */
    const char *alertmanager_url; /* "http://host:9093", with a path where it has a prefix; NULL or empty: none */
    const char *instance;         /* who speaks: a label there; NULL: the host's name */
    double timeout_seconds;       /* of one attempt; 5 s */
    int64_t retry_base_ns;        /* first wait, at most; 1 s */
    int64_t retry_most_ns;        /* longest wait; 60 s */
    int64_t repeat_ns;            /* Alertmanager; 60 s */
    size_t limit;                 /* alerts kept per receiver; 2048 (600 bytes each, allocated as they come) */
};

struct itsi_alert_receiver_stats {
    bool on;
    uint64_t sent;     /* states taken by the receiver (repetitions count) */
    uint64_t failed;   /* attempts that failed and are repeated */
    uint64_t refused;  /* states the receiver will never take */
    uint64_t dropped;  /* states for which there was no room, or no time at the end */
    size_t waiting;    /* states not delivered yet */
    bool down;         /* the last attempt failed */
    int last_error;    /* its ITS_E* code, or the HTTP status (positive); 0: worked */
};

struct itsi_alert_delivery;
ITS_NODISCARD int itsi_alert_delivery_create(struct itsi_alert_delivery **out,
                                             const struct itsi_alert_delivery_params *params, struct its_diag *diag);
/* The state of an alert as itsi_alerts_events gives it, for every receiver. */
void itsi_alert_delivery_put(struct itsi_alert_delivery *delivery, const struct itsi_alert *alert);
void itsi_alert_delivery_stats(struct itsi_alert_delivery *delivery,
                               struct itsi_alert_receiver_stats out[ITSI_ALERT_RECEIVERS]);
/* Takes NULL. Says what waits where a receiver listens, cuts what is not done by until_ns, joins the threads. */
void itsi_alert_delivery_destroy(struct itsi_alert_delivery *delivery, int64_t until_ns);

#endif
