/* The monitor about itself and its findings: promises broken, alerts, traces, memory. */
#include "serve/metrics.h"

#include "base/mem.h"

static void put_promises(struct itsi_exposition *e, struct itsi_pipeline *pipeline)
{
    uint64_t by_stage[ITSI_STAGE_COUNT];
    (void)itsi_pipeline_violations_by_stage(pipeline, by_stage);
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_sla_violations", NULL,
                           "Frames that missed their deadline, by the stage most over its budget (of a frame that was "
                           "dropped for want of anything but time: where).");
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        itsi_exposition_count(e, ITSI_LABELS({"stage", itsi_stage_name((enum itsi_stage)s)}), by_stage[s]);
    itsi_put_gauge(e, "its_slo_budget_ratio", "ratio",
                   "Share of the frames due that may be bad (sla_violation_threshold).",
                   itsi_alerts_budget(itsi_pipeline_alerts(pipeline)));
}

/* Those that speak for themselves: a muted one is spoken for by another. False: out of memory. */
static bool count_firing(struct itsi_alerts *alerts, uint64_t firing[ITSI_SEVERITY_COUNT])
{
    const size_t cap = itsi_alerts_active(alerts, NULL, 0);
    struct itsi_alert *all = itsi_calloc(cap + 1, sizeof *all);
    size_t count = all ? itsi_alerts_active(alerts, all, cap) : 0;
    for (size_t i = 0; i < count && i < cap; i++)
        firing[all[i].severity] += !all[i].muted;
    const bool counted = all != NULL;
    itsi_free(all);
    return counted;
}

static void put_alerts(struct itsi_exposition *e, struct itsi_pipeline *pipeline)
{
    uint64_t firing[ITSI_SEVERITY_COUNT] = {0};
    struct itsi_alert_receiver_stats receivers[ITSI_ALERT_RECEIVERS];
    e->out->failed |= !count_firing(itsi_pipeline_alerts(pipeline), firing);
    itsi_pipeline_alert_receivers(pipeline, receivers);
    itsi_exposition_family(e, ITSI_METRIC_GAUGE, "its_alerts_firing", NULL,
                           "Alerts that hold now, less those that a wider alert speaks for.");
    for (int s = ITSI_SEVERITY_INFO; s < ITSI_SEVERITY_COUNT; s++)
        itsi_exposition_count(e, ITSI_LABELS({"severity", itsi_severity_name((enum itsi_severity)s)}), firing[s]);
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_alert_deliveries", NULL,
                           "States of alerts by receiver and what became of them: sent, failed (an attempt, repeated), "
                           "refused for ever, dropped (no room, or no time at the end).");
    for (int r = 0; r < ITSI_ALERT_RECEIVERS; r++) {
        const char *name = itsi_alert_receiver_name((enum itsi_alert_receiver)r);
        itsi_exposition_count(e, ITSI_LABELS({"receiver", name}, {"result", "sent"}), receivers[r].sent);
        itsi_exposition_count(e, ITSI_LABELS({"receiver", name}, {"result", "failed"}), receivers[r].failed);
        itsi_exposition_count(e, ITSI_LABELS({"receiver", name}, {"result", "refused"}), receivers[r].refused);
        itsi_exposition_count(e, ITSI_LABELS({"receiver", name}, {"result", "dropped"}), receivers[r].dropped);
    }
}

/* A stage's service, or the whole: what Alertmanager gets as the alert's stage. */
static void put_regressions(struct itsi_exposition *e, struct itsi_pipeline *pipeline)
{
    struct itsi_regression_report report;
    double percent[ITSI_ALERT_END_TO_END + 1] = {0};
    int band;
    itsi_pipeline_regression_report(pipeline, &report, &band);
    for (int i = 0; i < report.count; i++) {
        const struct itsi_move *move = &report.moves[i];
        if (move->regression)
            percent[move->whole ? ITSI_ALERT_END_TO_END : (int)move->stage] = move->percent;
    }
    itsi_exposition_family(e, ITSI_METRIC_GAUGE, "its_latency_regression_percent", NULL,
                           "By how much a stage, or the whole, is slower than its baseline, where that is a "
                           "regression; else 0.");
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        itsi_exposition_value(e, ITSI_LABELS({"stage", itsi_stage_name((enum itsi_stage)s)}), percent[s]);
    itsi_exposition_value(e, ITSI_LABELS({"stage", "end_to_end"}), percent[ITSI_ALERT_END_TO_END]);
}

static void put_traces(struct itsi_exposition *e, struct itsi_pipeline *pipeline)
{
    struct itsi_tracer_stats stats;
    itsi_tracer_stats(itsi_pipeline_tracer(pipeline), &stats);
    itsi_put_counter(e, "its_traces_kept", NULL, "Frames and pictures served whose trace is kept.",
                     (double)stats.traces);
    itsi_put_counter(e, "its_spans_exported", NULL, "Spans the collector took.", (double)stats.exported);
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_spans_dropped", NULL,
                           "Spans that did not reach the collector, and why.");
    for (int r = 0; r < ITSI_TRACE_LOSS_COUNT; r++)
        itsi_exposition_count(e, ITSI_LABELS({"reason", itsi_trace_loss_name((enum itsi_trace_loss)r)}),
                              stats.dropped[r]);
    itsi_put_gauge(e, "its_spans_waiting", NULL, "Spans kept and neither exported nor dropped yet.",
                   (double)stats.waiting);
}

void itsi_put_monitor_metrics(struct itsi_exposition *e, struct itsi_pipeline *pipeline,
                              const struct itsi_pipeline_stats *stats)
{
    struct itsi_rolling_stats rolling;
    itsi_rolling_stats(itsi_pipeline_rolling(pipeline), &rolling);
    put_promises(e, pipeline);
    put_alerts(e, pipeline);
    put_regressions(e, pipeline);
    put_traces(e, pipeline);
    itsi_put_gauge(e, "its_monitor_memory_bytes", "bytes", "Memory of the rolling windows.", (double)rolling.bytes);
    itsi_put_counter(e, "its_flight_entries", NULL, "Ends of frames that the flight recorder took down.",
                     (double)stats->flight_entries);
}
