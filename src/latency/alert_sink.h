/* One receiver of alerts and the thread that tells it: takes what is due from the outbox, sends it in one piece, backs
 * off when that fails. Private to alert_*.c. */
#ifndef ITSI_LATENCY_ALERT_SINK_H
#define ITSI_LATENCY_ALERT_SINK_H

#include "latency/alert_delivery.h"
#include "latency/alert_outbox.h"
#include "latency/alert_retry.h"
#include "net/backoff.h"
#include "net/http.h"

#include <pthread.h>

enum { ITSI_SINK_BATCH = 64 }; /* alerts told in one piece */

struct itsi_alert_sink {
    /* const */
    enum itsi_alert_receiver receiver;
    char *url;      /* owned; NULL for the log; may hold a secret: never shown */
    char *instance; /* owned */
    double timeout_seconds;
    int64_t repeat_ns;
    pthread_t thread;
    struct itsi_http_client *client; /* owned; NULL for the log */

    /* its thread */
    struct itsi_buf body, answer;
    struct itsi_outbox_entry taken[ITSI_SINK_BATCH];

    /* lock */
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    struct itsi_outbox box;
    struct itsi_backoff backoff;
    int64_t again_ns; /* backing off until then */
    int64_t stop_ns;  /* ITSI_NEVER: runs; else says what it has to say and ends by then */
    struct itsi_alert_receiver_stats stats;
};

ITS_NODISCARD int itsi_alert_sink_create(struct itsi_alert_sink **out, enum itsi_alert_receiver receiver,
                                         const struct itsi_alert_delivery_params *params, struct its_diag *diag);
void itsi_alert_sink_put(struct itsi_alert_sink *sink, const struct itsi_alert *alert);
void itsi_alert_sink_get_stats(struct itsi_alert_sink *sink, struct itsi_alert_receiver_stats *out);
/* Asks the thread to end by until_ns; does not wait. */
void itsi_alert_sink_stop(struct itsi_alert_sink *sink, int64_t until_ns);
/* Joins and frees; stop() first. */
void itsi_alert_sink_destroy(struct itsi_alert_sink *sink);

/* --- alert_receivers.c: tells the receiver sink->taken[0..count); runs on the sink's thread without its lock. */
enum itsi_delivery_result itsi_alert_sink_send(struct itsi_alert_sink *sink, size_t count, int64_t wall,
                                               struct itsi_http_reply *reply, int *rc);

#endif
