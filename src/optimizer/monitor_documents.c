/* The Latency Monitor's findings as JSON: the objective and its alerts, and the frames that were late. */
#include "optimizer/documents.h"

#include "base/clock.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

/* --- the objective and its alerts --------------------------------------------------------------------------------- */

static void put_slo_window(struct itsi_json *json, const char *key, int64_t seconds,
                           const struct itsi_slo_reading *frames, double burn)
{
    itsi_json_object(json, key);
    itsi_json_int(json, "window_seconds", seconds);
    itsi_json_number(json, "covered_seconds", (double)frames->observed_ns / 1e9, 1);
    itsi_json_int(json, "frames_due", frames->due);
    itsi_json_int(json, "frames_good", frames->good);
    itsi_json_int(json, "frames_bad", frames->bad);
    itsi_json_number(json, "on_time_ratio", frames->due > 0 ? fmin(1, 1 - itsi_slo_bad_share(frames)) : (double)NAN, 5);
    itsi_json_number(json, "burn_rate", burn, 3);
    itsi_json_end(json, '}');
}

/* Null before the first look at the books. */
static void put_slo(struct itsi_json *json, struct itsi_pipeline *pipeline)
{
    struct itsi_slo_status slo;
    if (itsi_alerts_slo(itsi_pipeline_alerts(pipeline), NULL, &slo) != 0) {
        itsi_json_null(json, "slo");
        return;
    }
    itsi_json_object(json, "slo");
    itsi_json_number(json, "objective", 1 - slo.budget, 6);
    itsi_json_number(json, "budget", slo.budget, 6);
    for (int w = 0; w < ITSI_SLO_WINDOW_COUNT; w++) /* the same three windows as those of latency */
        put_slo_window(json, itsi_rolling_window_name((enum itsi_rolling_window)w),
                       itsi_rolling_seconds(itsi_pipeline_rolling(pipeline), (enum itsi_rolling_window)w),
                       &slo.window[w].frames, slo.window[w].burn);
    itsi_json_end(json, '}');
}

static void put_receivers(struct itsi_json *json, struct itsi_pipeline *pipeline)
{
    struct itsi_alert_receiver_stats stats[ITSI_ALERT_RECEIVERS];
    itsi_pipeline_alert_receivers(pipeline, stats);
    itsi_json_object(json, "receivers");
    for (int r = 0; r < ITSI_ALERT_RECEIVERS; r++) {
        const struct itsi_alert_receiver_stats *s = &stats[r];
        itsi_json_object(json, itsi_alert_receiver_name((enum itsi_alert_receiver)r));
        itsi_json_bool(json, "configured", s->on);
        itsi_json_int(json, "sent", (int64_t)s->sent);
        itsi_json_int(json, "failed_attempts", (int64_t)s->failed);
        itsi_json_int(json, "refused", (int64_t)s->refused);
        itsi_json_int(json, "dropped", (int64_t)s->dropped);
        itsi_json_int(json, "waiting", (int64_t)s->waiting);
        itsi_json_bool(json, "down", s->down);
        if (s->last_error > 0)
            itsi_json_int(json, "http_status", s->last_error);
        itsi_json_string(json, "last_error",
                         s->last_error > 0   ? "refused by the receiver"
                         : s->last_error < 0 ? its_strerror(s->last_error)
                                             : NULL);
        itsi_json_end(json, '}');
    }
    itsi_json_end(json, '}');
}

static void put_alerts(struct itsi_json *json, const char *key, const struct itsi_alert *alerts, size_t count)
{
    itsi_json_array(json, key);
    for (size_t i = 0; i < count; i++)
        itsi_alert_json(json, NULL, &alerts[i]);
    itsi_json_end(json, ']');
}

/* Cameras may come between the two looks: room for some, and no more than fit. */
static void put_active(struct itsi_json *json, struct itsi_alerts *alerts)
{
    const size_t cap = itsi_alerts_active(alerts, NULL, 0) + 16;
    struct itsi_alert *all = itsi_calloc(cap, sizeof *all);
    size_t count = all ? itsi_alerts_active(alerts, all, cap) : 0;
    int64_t firing = 0;
    json->out->failed |= !all;
    if (count > cap)
        count = cap;
    for (size_t i = 0; i < count; i++)
        firing += !all[i].muted;
    itsi_json_int(json, "firing", firing);
    itsi_json_int(json, "muted", (int64_t)count - firing);
    put_alerts(json, "active", all, count);
    itsi_free(all);
}

void itsi_document_alerting(struct itsi_json *json, const char *key, struct itsi_pipeline *pipeline, int history)
{
    struct itsi_alerts *alerts = itsi_pipeline_alerts(pipeline);
    struct itsi_alert *past = history > 0 ? itsi_calloc((size_t)history, sizeof *past) : NULL;
    json->out->failed |= history > 0 && !past;
    itsi_json_object(json, key);
    put_slo(json, pipeline);
    put_active(json, alerts);
    if (history >= 0)
        put_alerts(json, "history", past, past ? itsi_alerts_history(alerts, past, (size_t)history) : 0);
    put_receivers(json, pipeline);
    itsi_json_end(json, '}');
    itsi_free(past);
}

/* --- the frames that were late ------------------------------------------------------------------------------------ */

static void put_violation(struct itsi_json *json, const struct itsi_violation *v)
{
    char text[ITSI_TRACE_ID_HEX_SIZE];
    itsi_json_object(json, NULL);
    itsi_json_string(json, "camera", v->camera_id);
    itsi_json_int(json, "seq", (int64_t)v->seq);
    itsi_format_wall(v->wall_ns, text);
    itsi_json_string(json, "time", text);
    itsi_json_string(json, "outcome", v->dropped ? "dropped" : "late");
    itsi_json_string(json, "reason", v->dropped ? itsi_drop_name(v->reason) : NULL);
    itsi_json_string(json, "stage", itsi_stage_name(v->stage));
    itsi_json_number(json, "stage_ms", v->stage_ms, 3);
    itsi_json_number(json, "stage_budget_ms", itsi_stage_budget_ms(v->stage), 1);
    itsi_json_number(json, "end_to_end_ms", v->end_to_end_ms, 3);
    itsi_json_number(json, "deadline_ms", v->deadline_ms, 3);
    itsi_json_number(json, "queue_ms", v->queue_ms, 3);
    itsi_json_int(json, "batch", v->batch);
    itsi_json_int(json, "quality_level", v->quality_level);
    itsi_json_string(json, "quality", itsi_quality_name(v->quality_level));
    itsi_trace_id_hex(&v->trace_id, text);
    itsi_json_string(json, "trace_id", text);
    itsi_json_end(json, '}');
}

void itsi_document_violations(struct itsi_json *json, const char *key, struct itsi_pipeline *pipeline,
                              const char *camera, int limit)
{
    uint64_t by_stage[ITSI_STAGE_COUNT];
    struct itsi_violation *all = itsi_calloc(ITSI_VIOLATIONS_KEPT, sizeof *all);
    const size_t count = all ? itsi_pipeline_violations(pipeline, all, ITSI_VIOLATIONS_KEPT) : 0;
    itsi_json_object(json, key);
    itsi_json_int(json, "total", (int64_t)itsi_pipeline_violations_by_stage(pipeline, by_stage));
    itsi_json_object(json, "by_stage");
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        itsi_json_int(json, itsi_stage_name((enum itsi_stage)s), (int64_t)by_stage[s]);
    itsi_json_end(json, '}');
    itsi_json_array(json, "violations");
    for (size_t i = 0; i < count && limit > 0; i++)
        if (!camera || strcmp(all[i].camera_id, camera) == 0) {
            put_violation(json, &all[i]);
            limit--;
        }
    itsi_json_end(json, ']');
    itsi_json_end(json, '}');
    itsi_free(all);
}
