#include "latency/alert_sink.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

#include <string.h>

/* Says once that a receiver stopped working, why, and that it works again. Never the URL, nor what the exchange wrote
 * about it: a webhook's address is its key. */
static void log_change(const struct itsi_alert_sink *sink, int before, int after)
{
    const char *name = itsi_alert_receiver_name(sink->receiver);
    if (before == after)
        return;
    if (after == 0)
        itsi_info("alerts", "the %s takes alerts again", name);
    else if (after > 0)
        itsi_warn("alerts", "the %s answers alerts with HTTP status %d", name, after);
    else
        itsi_warn("alerts", "the %s cannot be told of alerts: %s", name, its_strerror(after));
}

/* Books the outcome. Under the lock; returns the error that was last before. */
static int settle(struct itsi_alert_sink *sink, size_t count, enum itsi_delivery_result result, int error,
                  double retry_after, int64_t now)
{
    const int before = sink->stats.last_error;
    sink->stats.down = result != ITSI_DELIVERY_OK;
    sink->stats.last_error = error;
    if (result == ITSI_DELIVERY_AGAIN) {
        sink->stats.failed++;
        (void)itsi_backoff_again(&sink->backoff, retry_after, now, &sink->again_ns); /* never gives up */
        return before;
    }
    *(result == ITSI_DELIVERY_OK ? &sink->stats.sent : &sink->stats.refused) += count;
    itsi_backoff_begin(&sink->backoff, now);
    itsi_outbox_settle(&sink->box, sink->taken, count, result == ITSI_DELIVERY_OK, now);
    return before;
}

/* Sends what was taken; called and returns with the lock held, which is open while the receiver is talked to. */
static void send_taken(struct itsi_alert_sink *sink, size_t count)
{
    struct itsi_http_reply reply = {0, 0};
    int rc = 0;
    pthread_mutex_unlock(&sink->mutex);
    const enum itsi_delivery_result result = itsi_alert_sink_send(sink, count, itsi_wall_ns(), &reply, &rc);
    pthread_mutex_lock(&sink->mutex);
    const int error = result == ITSI_DELIVERY_OK ? 0 : rc != 0 ? rc : reply.status;
    const bool cut = rc == ITS_ECANCELLED;
    const int before = settle(sink, count, result, error, reply.retry_after_seconds, itsi_now_ns());
    if (cut)
        return;
    pthread_mutex_unlock(&sink->mutex);
    log_change(sink, before, error);
    pthread_mutex_lock(&sink->mutex);
}

/* At the end only what was never said matters, and only a receiver that listens. */
static bool ends(const struct itsi_alert_sink *sink, int64_t now)
{
    return sink->stop_ns != ITSI_NEVER &&
           (now >= sink->stop_ns || now < sink->again_ns || itsi_outbox_waiting(&sink->box) == 0);
}

static void *run(void *arg)
{
    struct itsi_alert_sink *sink = arg;
    pthread_mutex_lock(&sink->mutex);
    for (int64_t now; now = itsi_now_ns(), !ends(sink, now);) {
        const int64_t due = itsi_outbox_due(&sink->box);
        const int64_t wake = due > sink->again_ns ? due : sink->again_ns;
        if (wake > now)
            itsi_cond_wait_until(&sink->cond, &sink->mutex, due == ITSI_NEVER ? ITSI_NEVER : wake);
        else
            send_taken(sink, itsi_outbox_take(&sink->box, now, sink->taken, ITSI_SINK_BATCH));
    }
    sink->stats.dropped += itsi_outbox_waiting(&sink->box);
    pthread_mutex_unlock(&sink->mutex);
    return NULL;
}

static void free_sink(struct itsi_alert_sink *sink)
{
    itsi_http_client_destroy(sink->client);
    itsi_outbox_fini(&sink->box);
    itsi_buf_fini(&sink->body);
    itsi_buf_fini(&sink->answer);
    pthread_cond_destroy(&sink->cond);
    pthread_mutex_destroy(&sink->mutex);
    itsi_free(sink->url);
    itsi_free(sink->instance);
    itsi_free(sink);
}

/* The address to post to; NULL for the log or out of memory. */
static char *url_of(enum itsi_alert_receiver receiver, const struct itsi_alert_delivery_params *params)
{
    if (receiver == ITSI_ALERT_TO_WEBHOOK)
        return itsi_strdup(params->webhook_url);
    if (receiver == ITSI_ALERT_TO_LOG)
        return NULL;
    struct itsi_buf url;
    size_t len = strlen(params->alertmanager_url);
    while (len && params->alertmanager_url[len - 1] == '/')
        len--;
    itsi_buf_init(&url);
    itsi_buf_add(&url, params->alertmanager_url, len);
    itsi_buf_puts(&url, "/api/v2/alerts");
    return itsi_buf_take(&url);
}

static int open_receiver(struct itsi_alert_sink *sink, const struct itsi_alert_delivery_params *params,
                         struct its_diag *diag)
{
    sink->instance = itsi_strdup(params->instance);
    sink->url = url_of(sink->receiver, params);
    if (!sink->instance || (sink->receiver != ITSI_ALERT_TO_LOG && !sink->url))
        return itsi_fail(diag, ITS_ENOMEM, "alerts: out of memory");
    return sink->url ? itsi_http_client_create(&sink->client, diag) : 0;
}

int itsi_alert_sink_create(struct itsi_alert_sink **out, enum itsi_alert_receiver receiver,
                           const struct itsi_alert_delivery_params *params, struct its_diag *diag)
{
    static const char *const thread_names[] = {"alerts-log", "alerts-webhook", "alerts-am"};
    struct itsi_alert_sink *sink = itsi_zalloc(sizeof *sink);
    if (!sink)
        return itsi_fail(diag, ITS_ENOMEM, "alerts: out of memory");
    pthread_mutex_init(&sink->mutex, NULL);
    itsi_cond_init(&sink->cond);
    sink->receiver = receiver;
    sink->timeout_seconds = params->timeout_seconds;
    sink->repeat_ns = receiver == ITSI_ALERT_TO_ALERTMANAGER ? params->repeat_ns : ITSI_NEVER;
    sink->stop_ns = ITSI_NEVER;
    sink->stats.on = true;
    itsi_outbox_init(&sink->box, params->limit, sink->repeat_ns);
    const struct itsi_backoff_policy retry = {params->retry_base_ns, params->retry_most_ns, ITSI_NEVER};
    /* any seed: daemons that start together must not retry together */
    itsi_backoff_init(&sink->backoff, &retry, (uint64_t)itsi_wall_ns() ^ (uint64_t)(uintptr_t)sink);
    int rc = open_receiver(sink, params, diag);
    if (rc == 0)
        rc = itsi_thread_start(&sink->thread, thread_names[receiver], run, sink, diag);
    if (rc != 0) {
        free_sink(sink);
        return rc;
    }
    *out = sink;
    return 0;
}

void itsi_alert_sink_put(struct itsi_alert_sink *sink, const struct itsi_alert *alert)
{
    pthread_mutex_lock(&sink->mutex);
    if (itsi_outbox_put(&sink->box, alert) != 0)
        sink->stats.dropped++;
    pthread_cond_signal(&sink->cond);
    pthread_mutex_unlock(&sink->mutex);
}

void itsi_alert_sink_get_stats(struct itsi_alert_sink *sink, struct itsi_alert_receiver_stats *out)
{
    pthread_mutex_lock(&sink->mutex);
    *out = sink->stats;
    out->waiting = itsi_outbox_waiting(&sink->box);
    pthread_mutex_unlock(&sink->mutex);
}

void itsi_alert_sink_stop(struct itsi_alert_sink *sink, int64_t until_ns)
{
    pthread_mutex_lock(&sink->mutex);
    sink->stop_ns = until_ns;
    pthread_cond_signal(&sink->cond);
    pthread_mutex_unlock(&sink->mutex);
    if (sink->client)
        itsi_http_client_limit(sink->client, until_ns);
}

void itsi_alert_sink_destroy(struct itsi_alert_sink *sink)
{
    pthread_join(sink->thread, NULL);
    free_sink(sink);
}
