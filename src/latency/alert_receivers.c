/* How each receiver is told. */
#include "latency/alert_sink.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>

#define ANSWER_KEPT ((size_t)4096) /* nobody reads it; what is longer is cut */

static void to_log(const struct itsi_alert *alert)
{
    static const enum itsi_log_level levels[] = {ITSI_LOG_INFO, ITSI_LOG_INFO, ITSI_LOG_WARN, ITSI_LOG_ERROR,
                                                 ITSI_LOG_ERROR};
    char summary[768];
    itsi_alert_summary(alert, summary, sizeof summary);
    if (alert->firing)
        itsi_log(levels[alert->severity], "alerts", "%s %s: %s", itsi_severity_name(alert->severity),
                 itsi_alert_condition_name(alert->condition), summary);
    else
        itsi_info("alerts", "resolved (%s) %s: last %s", itsi_alert_end_name(alert->end),
                  itsi_alert_condition_name(alert->condition), summary);
}

static void write_webhook(struct itsi_alert_sink *sink, size_t count)
{
    struct itsi_json json;
    itsi_json_init(&json, &sink->body);
    itsi_alert_webhook_head(&json, sink->instance);
    for (size_t i = 0; i < count; i++)
        itsi_alert_json(&json, NULL, &sink->taken[i].alert);
    itsi_alert_webhook_foot(&json);
}

/* What fires now, and the end of everything the receiver believes to fire and does not. */
static void write_alertmanager(struct itsi_alert_sink *sink, size_t count, int64_t wall)
{
    struct itsi_json json;
    itsi_json_init(&json, &sink->body);
    itsi_json_array(&json, NULL);
    for (size_t i = 0; i < count; i++) {
        const struct itsi_outbox_entry *entry = &sink->taken[i];
        const struct itsi_alert *alert = &entry->alert;
        /* never in the future, though the clock was set back since: it would fire there until then */
        const int64_t now = wall > alert->started_wall ? wall : alert->started_wall;
        const int64_t ended = alert->ended_wall && alert->ended_wall < now ? alert->ended_wall : now;
        for (int s = 0; s < ITSI_SEVERITY_COUNT; s++) {
            const bool current = s == (int)alert->severity;
            if (current && alert->firing)
                itsi_alert_alertmanager_json(&json, alert, alert->severity, sink->instance,
                                             now + 4 * sink->repeat_ns);
            else if (current || (entry->told & 1u << s))
                itsi_alert_alertmanager_json(&json, alert, (enum itsi_severity)s, sink->instance, ended);
        }
    }
    itsi_json_end(&json, ']');
}

static enum itsi_delivery_result post(struct itsi_alert_sink *sink, struct itsi_http_reply *reply, int *rc)
{
    const struct itsi_http_request request = {
        .method = "POST",
        .url = sink->url,
        .body = sink->body.data,
        .timeout_seconds = sink->timeout_seconds,
        .shown = itsi_alert_receiver_name(sink->receiver),
    };
    itsi_buf_reset(&sink->answer);
    *rc = sink->body.failed ? ITS_ENOMEM
                            : itsi_http_client_perform(sink->client, &request, ANSWER_KEPT, reply, &sink->answer, NULL);
    return itsi_delivery_judge(*rc, reply->status);
}

enum itsi_delivery_result itsi_alert_sink_send(struct itsi_alert_sink *sink, size_t count, int64_t wall,
                                               struct itsi_http_reply *reply, int *rc)
{
    itsi_buf_reset(&sink->body);
    switch (sink->receiver) {
    case ITSI_ALERT_TO_WEBHOOK:
        write_webhook(sink, count);
        return post(sink, reply, rc);
    case ITSI_ALERT_TO_ALERTMANAGER:
        write_alertmanager(sink, count, wall);
        return post(sink, reply, rc);
    default:
        for (size_t i = 0; i < count; i++)
            to_log(&sink->taken[i].alert);
        return ITSI_DELIVERY_OK;
    }
}
