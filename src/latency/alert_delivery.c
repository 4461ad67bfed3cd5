#include "latency/alert_delivery.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "latency/alert_sink.h"

#include <unistd.h>

struct itsi_alert_delivery {
    struct itsi_alert_sink *sinks[ITSI_ALERT_RECEIVERS]; /* owned; NULL: off */
};

const char *itsi_alert_receiver_name(enum itsi_alert_receiver receiver)
{
    static const char *const names[] = {"log", "webhook", "alertmanager"};
    return names[receiver];
}

static bool wanted(enum itsi_alert_receiver receiver, const struct itsi_alert_delivery_params *params)
{
    switch (receiver) {
    case ITSI_ALERT_TO_WEBHOOK:
        return params->webhook_url && params->webhook_url[0];
    case ITSI_ALERT_TO_ALERTMANAGER:
        return params->alertmanager_url && params->alertmanager_url[0];
    default:
        return params->log;
    }
}

static struct itsi_alert_delivery_params completed(const struct itsi_alert_delivery_params *params, const char *host)
{
    struct itsi_alert_delivery_params p = *params;
    p.instance = p.instance && p.instance[0] ? p.instance : host;
    p.timeout_seconds = p.timeout_seconds > 0 ? p.timeout_seconds : 5;
    p.retry_base_ns = p.retry_base_ns ? p.retry_base_ns : ITSI_NS_PER_S;
    p.retry_most_ns = p.retry_most_ns ? p.retry_most_ns : 60 * ITSI_NS_PER_S;
    p.repeat_ns = p.repeat_ns ? p.repeat_ns : 60 * ITSI_NS_PER_S;
    p.limit = p.limit ? p.limit : 2048;
    return p;
}

int itsi_alert_delivery_create(struct itsi_alert_delivery **out, const struct itsi_alert_delivery_params *params,
                               struct its_diag *diag)
{
    char host[256] = "";
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    const struct itsi_alert_delivery_params p = completed(params, host);
    struct itsi_alert_delivery *delivery = itsi_zalloc(sizeof *delivery);
    if (!delivery)
        return itsi_fail(diag, ITS_ENOMEM, "alerts: out of memory");
    for (int r = 0; r < ITSI_ALERT_RECEIVERS; r++) {
        if (!wanted((enum itsi_alert_receiver)r, &p))
            continue;
        const int rc = itsi_alert_sink_create(&delivery->sinks[r], (enum itsi_alert_receiver)r, &p, diag);
        if (rc != 0) {
            itsi_alert_delivery_destroy(delivery, itsi_now_ns());
            return rc;
        }
    }
    *out = delivery;
    return 0;
}

void itsi_alert_delivery_put(struct itsi_alert_delivery *delivery, const struct itsi_alert *alert)
{
    for (int r = 0; r < ITSI_ALERT_RECEIVERS; r++)
        if (delivery->sinks[r])
            itsi_alert_sink_put(delivery->sinks[r], alert);
}

void itsi_alert_delivery_stats(struct itsi_alert_delivery *delivery,
                               struct itsi_alert_receiver_stats out[ITSI_ALERT_RECEIVERS])
{
    for (int r = 0; r < ITSI_ALERT_RECEIVERS; r++) {
        out[r] = (struct itsi_alert_receiver_stats){.on = false};
        if (delivery->sinks[r])
            itsi_alert_sink_get_stats(delivery->sinks[r], &out[r]);
    }
}

void itsi_alert_delivery_destroy(struct itsi_alert_delivery *delivery, int64_t until_ns)
{
    if (!delivery)
        return;
    for (int r = 0; r < ITSI_ALERT_RECEIVERS; r++) /* all at once: they end together */
        if (delivery->sinks[r])
            itsi_alert_sink_stop(delivery->sinks[r], until_ns);
    for (int r = 0; r < ITSI_ALERT_RECEIVERS; r++)
        if (delivery->sinks[r])
            itsi_alert_sink_destroy(delivery->sinks[r]);
    itsi_free(delivery);
}
