/* Sends alerts on command, for tests against real receivers: its_alert_sender ALERTMANAGER-URL REPEAT-MS
 * Each line of standard input, "CAMERA SEVERITY firing|resolved", is the new state of that camera's alert. Answers
 * "sent N" when the receiver has taken it, or "failed CODE" after ten seconds. */
#include "base/clock.h"
#include "latency/alert_delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum itsi_severity severity_of(const char *name)
{
    int s = ITSI_SEVERITY_EMERGENCY;
    while (s > ITSI_SEVERITY_NONE && strcmp(itsi_severity_name((enum itsi_severity)s), name) != 0)
        s--;
    return (enum itsi_severity)s;
}

static void send_state(struct itsi_alert_delivery *delivery, const char *camera, const char *severity, bool firing)
{
    static int64_t started;
    struct itsi_alert_receiver_stats stats[ITSI_ALERT_RECEIVERS];
    struct itsi_alert alert = {
        .condition = ITSI_ALERT_BURN,
        .scope = ITSI_ALERT_CAMERA,
        .severity = severity_of(severity),
        .firing = firing,
        .started_wall = started ? started : (started = itsi_wall_ns()),
        .ended_wall = firing ? 0 : itsi_wall_ns(),
        .figures = {.value = 20, .limit = 6, .budget = 0.05, .due = 7500, .bad = 7500},
    };
    snprintf(alert.subject, sizeof alert.subject, "%s", camera);
    alert.fingerprint = itsi_alert_fingerprint(&alert);
    itsi_alert_delivery_put(delivery, &alert);
    const int64_t until = itsi_now_ns() + 10 * ITSI_NS_PER_S;
    do {
        itsi_sleep_until_ns(itsi_now_ns() + 5 * ITSI_NS_PER_MS);
        itsi_alert_delivery_stats(delivery, stats);
    } while (stats[ITSI_ALERT_TO_ALERTMANAGER].waiting && itsi_now_ns() < until);
    const struct itsi_alert_receiver_stats *s = &stats[ITSI_ALERT_TO_ALERTMANAGER];
    if (s->waiting || s->last_error)
        printf("failed %d\n", s->last_error);
    else
        printf("sent %llu\n", (unsigned long long)s->sent);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct itsi_alert_delivery *delivery;
    struct its_diag diag;
    if (argc != 3)
        return 2;
    const struct itsi_alert_delivery_params params = {
        .alertmanager_url = argv[1], .instance = "edge-7", .repeat_ns = atoi(argv[2]) * ITSI_NS_PER_MS};
    if (itsi_alert_delivery_create(&delivery, &params, &diag) != 0) {
        fprintf(stderr, "%s\n", diag.text);
        return 1;
    }
    char line[256], camera[64], severity[16], status[16];
    while (fgets(line, sizeof line, stdin))
        if (sscanf(line, "%63s %15s %15s", camera, severity, status) == 3)
            send_state(delivery, camera, severity, strcmp(status, "firing") == 0);
    itsi_alert_delivery_destroy(delivery, itsi_now_ns() + 2 * ITSI_NS_PER_S);
    return 0;
}
