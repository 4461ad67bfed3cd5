/* The benchmark's report as JSON and as a table. */
#include "optimizer/benchmark.h"
#include "optimizer/documents.h"

#include "base/json.h"

#include <stdio.h>

static void put_numbers(struct itsi_json *json, const struct itsi_benchmark_report *r)
{
    const struct itsi_ledger_counts *c = &r->counts;
    itsi_json_int(json, "streams", r->streams);
    itsi_json_number(json, "duration_s", r->duration_s, 3);
    itsi_json_string(json, "backend", r->engine.backend);
    itsi_json_string(json, "model", r->model);
    itsi_json_string(json, "precision", r->engine.precision);
    itsi_json_array(json, "input_size");
    itsi_json_int(json, NULL, r->engine.width);
    itsi_json_int(json, NULL, r->engine.height);
    itsi_json_end(json, ']');
    itsi_json_int(json, "frames_expected", (int64_t)c->expected);
    itsi_json_int(json, "frames_delivered", (int64_t)c->delivered);
    itsi_json_int(json, "frames_late", (int64_t)c->late);
    itsi_json_int(json, "frames_skipped", (int64_t)c->skipped);
    itsi_json_int(json, "frames_tracked", (int64_t)c->tracked);
    itsi_document_dropped(json, "frames_dropped", c);
    itsi_json_int(json, "frames_corrupt", (int64_t)c->corrupt);
    itsi_json_int(json, "frames_missing", (int64_t)c->missing);
    itsi_json_bool(json, "ledger_balanced", r->ledger_balanced);
    itsi_json_int(json, "cameras_refused", r->refused);
    if (r->refused)
        itsi_json_string(json, "refusal", r->refusal);
    itsi_json_number(json, "analysed_fps", r->analysed_fps, 2);
    itsi_json_number(json, "least_analysed_fps", r->least_analysed_fps, 3);
    itsi_json_object(json, "quality_levels");
    for (int level = 0; level < ITSI_QUALITY_LEVELS; level++)
        itsi_json_int(json, itsi_quality_name(level), r->levels[level]);
    itsi_json_end(json, '}');
    itsi_json_number(json, "on_time_ratio", r->on_time_ratio, 5);
    itsi_json_number(json, "on_time_admitted_ratio", r->on_time_admitted_ratio, 5);
}

static void put_count(struct itsi_json *json, const char *key, const struct itsi_score_count *count)
{
    itsi_json_object(json, key);
    itsi_json_number(json, "precision", itsi_score_precision(count), 4);
    itsi_json_number(json, "recall", itsi_score_recall(count), 4);
    itsi_json_int(json, "truth", (int64_t)count->truth);
    itsi_json_int(json, "found", (int64_t)count->found);
    itsi_json_int(json, "wrong", (int64_t)count->wrong);
    itsi_json_end(json, '}');
}

static void put_score(struct itsi_json *json, const struct itsi_benchmark_report *r)
{
    if (!r->has_score) {
        itsi_json_null(json, "detection");
        return;
    }
    struct itsi_score_count vehicles = itsi_score_vehicles(&r->score);
    itsi_json_object(json, "detection");
    itsi_json_int(json, "frames", (int64_t)r->score.frames);
    itsi_json_number(json, "confidence", r->confidence, 3);
    itsi_json_number(json, "iou", ITSI_SCORE_IOU, 2);
    put_count(json, "vehicles", &vehicles);
    itsi_json_object(json, "classes");
    for (int cls = 0; cls < ITSI_ROAD_CLASS_COUNT; cls++)
        if (r->score.judged[cls])
            put_count(json, itsi_road_class_name((enum itsi_road_class)cls), &r->score.classes[cls]);
    itsi_json_end(json, '}');
    itsi_json_end(json, '}');
}

static void put_recorded(struct itsi_json *json, const struct itsi_replay_recorded *recorded)
{
    itsi_json_object(json, "recorded");
    itsi_json_int(json, "frames", (int64_t)recorded->frames);
    itsi_json_int(json, "delivered", (int64_t)recorded->delivered);
    itsi_json_int(json, "late", (int64_t)recorded->late);
    itsi_json_int(json, "dropped", (int64_t)recorded->dropped);
    itsi_json_number(json, "inference_ms", recorded->inference_ms, 3);
    itsi_document_quantiles(json, "end_to_end_ms", &recorded->end_to_end);
    itsi_json_end(json, '}');
}

void itsi_benchmark_json(const struct itsi_benchmark_report *r, struct itsi_buf *out)
{
    struct itsi_json json;
    itsi_json_init(&json, out);
    itsi_json_object(&json, NULL);
    put_numbers(&json, r);
    itsi_document_quantiles(&json, "end_to_end_ms", &r->latency.end_to_end);
    itsi_document_stages(&json, "stages", &r->latency);
    itsi_json_object(&json, "batch");
    itsi_json_string(&json, "batcher", r->by_deadline ? "deadline" : "fixed");
    itsi_json_number(&json, "mean", r->batch_mean, 3);
    itsi_json_int(&json, "max", r->batch_max);
    itsi_json_end(&json, '}');
    itsi_json_number(&json, "cpu_percent", r->cpu_percent, 3);
    itsi_json_number(&json, "rss_mb", r->rss_mb, 1);
    itsi_json_number(&json, "rss_start_mb", r->rss_start_mb, 1);
    itsi_json_int(&json, "allocations", (int64_t)r->allocations);
    itsi_json_int(&json, "cameras_running", r->cameras_running);
    itsi_json_bool(&json, "interrupted", r->interrupted);
    put_score(&json, r);
    if (r->has_recorded)
        put_recorded(&json, &r->recorded);
    if (r->has_comparison)
        itsi_comparison_json(&r->comparison, &json, "comparison");
    if (r->run)
        itsi_run_json(r->run, &json, "run");
    itsi_json_end(&json, '}');
}

static void put_drops(struct itsi_buf *out, const struct itsi_ledger_counts *c)
{
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        for (int r = 0; r < ITSI_DROP_COUNT; r++)
            if (c->dropped[s][r])
                itsi_buf_printf(out, "    %-22s %-28s %12llu\n", itsi_stage_name((enum itsi_stage)s),
                                itsi_drop_name((enum itsi_drop)r), (unsigned long long)c->dropped[s][r]);
}

/* "-" where there is nothing to divide by. */
static void print_count(struct itsi_buf *out, const char *name, const struct itsi_score_count *count)
{
    char precision[16] = "-", recall[16] = "-";
    if (count->found + count->wrong)
        snprintf(precision, sizeof precision, "%.3f", itsi_score_precision(count));
    if (count->truth)
        snprintf(recall, sizeof recall, "%.3f", itsi_score_recall(count));
    itsi_buf_printf(out, "  %-24s %10s %10s %10llu %10llu %10llu\n", name, precision, recall,
                    (unsigned long long)count->truth, (unsigned long long)count->found,
                    (unsigned long long)count->wrong);
}

static void print_score(struct itsi_buf *out, const struct itsi_benchmark_report *r)
{
    struct itsi_score_count vehicles = itsi_score_vehicles(&r->score);
    itsi_buf_printf(out, "\n  %-24s %10s %10s %10s %10s %10s   of %llu frames in time, IoU %.1f, confidence %.2f\n",
                    "found against the truth", "precision", "recall", "truth", "found", "wrong",
                    (unsigned long long)r->score.frames, (double)ITSI_SCORE_IOU, r->confidence);
    print_count(out, "vehicles", &vehicles);
    for (int cls = 0; cls < ITSI_ROAD_CLASS_COUNT; cls++)
        if (r->score.judged[cls])
            print_count(out, itsi_road_class_name((enum itsi_road_class)cls), &r->score.classes[cls]);
}

void itsi_benchmark_table(const struct itsi_benchmark_report *r, struct itsi_buf *out)
{
    const struct itsi_ledger_counts *c = &r->counts;
    const struct itsi_quantiles *e = &r->latency.end_to_end;
    itsi_buf_printf(out, "%d streams for %.1f s on %s (%s), model %s at %dx%d, %s%s\n\n", r->streams, r->duration_s,
                    r->engine.backend, r->engine.device, r->model, r->engine.width, r->engine.height,
                    r->engine.precision, r->interrupted ? " (interrupted)" : "");
    if (r->refused)
        itsi_buf_printf(out, "  refused                 %10d cameras, the first of them: %s\n", r->refused, r->refusal);
    itsi_buf_printf(out, "  analysed                %10.1f frames/s, of the camera with the fewest %.2f\n", r->analysed_fps,
                    r->least_analysed_fps);
    itsi_buf_puts(out, "  quality at the end     ");
    for (int level = ITSI_QUALITY_LEVELS - 1; level >= 0; level--)
        if (r->levels[level] > 0)
            itsi_buf_printf(out, " %d %s", r->levels[level], itsi_quality_name(level));
    itsi_buf_puts(out, "\n");
    itsi_buf_printf(out, "  on time                 %10.2f %% of frames due, %.2f %% of frames taken\n",
                    r->on_time_ratio * 100, r->on_time_admitted_ratio * 100);
    itsi_buf_printf(out, "  end to end, ms          %10.1f p50 %8.1f p95 %8.1f p99 %8.1f max\n", e->p50, e->p95, e->p99,
                    e->max);
    itsi_buf_printf(out, "  batch                   %10.2f mean %7d max   by the %s batcher\n", r->batch_mean, r->batch_max,
                    r->by_deadline ? "deadline" : "fixed");
    itsi_buf_printf(out, "  CPU, memory             %10.1f %% of one core, %.1f MiB (%.1f at the start)\n\n",
                    r->cpu_percent, r->rss_mb, r->rss_start_mb);
    itsi_buf_printf(out, "  %-24s %10s %10s %10s %10s   ms, p50 and p95\n", "stage", "wait p50", "wait p95",
                    "serv. p50", "serv. p95");
    for (int s = 0; s <= ITSI_STAGE_POSTPROCESSING; s++)
        itsi_buf_printf(out, "  %-24s %10.2f %10.2f %10.2f %10.2f\n", itsi_stage_name((enum itsi_stage)s),
                        r->latency.wait[s].p50, r->latency.wait[s].p95, r->latency.service[s].p50,
                        r->latency.service[s].p95);
    itsi_buf_printf(out, "\n  ledger: %llu expected = %llu delivered + %llu late + %llu skipped + %llu dropped"
                         " + %llu corrupt + %llu missing%s\n",
                    (unsigned long long)c->expected, (unsigned long long)c->delivered, (unsigned long long)c->late,
                    (unsigned long long)c->skipped, (unsigned long long)itsi_ledger_dropped(c),
                    (unsigned long long)c->corrupt, (unsigned long long)c->missing,
                    r->ledger_balanced ? " (balanced)" : " (NOT BALANCED)");
    put_drops(out, c);
    if (r->has_score)
        print_score(out, r);
    if (r->has_recorded)
        itsi_buf_printf(out, "\n  recorded: %llu frames, %llu delivered, %llu late, %llu dropped; end to end p50 %.2f p95 %.2f"
                             " p99 %.2f ms\n",
                        (unsigned long long)r->recorded.frames, (unsigned long long)r->recorded.delivered,
                        (unsigned long long)r->recorded.late, (unsigned long long)r->recorded.dropped,
                        r->recorded.end_to_end.p50, r->recorded.end_to_end.p95, r->recorded.end_to_end.p99);
    if (r->has_comparison) {
        itsi_buf_puts(out, "\n");
        itsi_comparison_text(&r->comparison, out);
    }
}
