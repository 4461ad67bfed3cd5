#include "cli/performance_benchmark.h"
#include "cli/cli.h"
#include "cli/farewell.h"

#include "optimizer/benchmark.h"
#include "optimizer/engine.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;
static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static int show_progress(void *arg, const char *phase, double done, double of)
{
    (void)arg;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K%s: %.0f of %.0f s", phase, done, of);
    return interrupted;
}

/* What hangs at the end is named, and does not hold the process. */
static void bid_farewell(void *arg, struct itsi_pipeline *pipeline)
{
    struct itsi_farewell *farewell = arg;
    if (pipeline)
        itsi_farewell_begin(farewell, &(struct itsi_farewell_params){.command = "performance benchmark",
                                                                     .pipeline = pipeline,
                                                                     .drain_s = ITSI_BENCHMARK_DRAIN_S});
    else
        itsi_farewell_end(farewell);
}

static int write_output(const char *path, const struct itsi_buf *text)
{
    FILE *file = fopen(path, "we");
    bool ok = file && fwrite(text->data, 1, text->len, file) == text->len && fputc('\n', file) != EOF;
    int err = errno;
    if (file && fclose(file) != 0 && ok) {
        ok = false;
        err = errno;
    }
    if (!ok)
        fprintf(stderr, "its-camera-ai: cannot write '%s': %s\n", path, strerror(err));
    return ok ? ITSI_EXIT_OK : ITSI_EXIT_FAILURE;
}

static int print_report(const struct itsi_benchmark_request *request, const struct itsi_benchmark_report *report)
{
    struct itsi_buf json, table;
    int rc = ITSI_EXIT_OK;
    itsi_buf_init(&json);
    itsi_buf_init(&table);
    itsi_benchmark_json(report, &json);
    itsi_benchmark_table(report, &table);
    if (request->output)
        rc = write_output(request->output, &json);
    printf("%s\n", request->json ? json.data : table.data);
    itsi_buf_fini(&json);
    itsi_buf_fini(&table);
    return rc;
}

/* The measurement in an earlier report. */
static int read_baseline(const char *path, struct itsi_run **out, struct its_diag *diag)
{
    json_error_t error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        snprintf(diag->text, sizeof diag->text, "baseline %s: %s", path, error.text);
        return access(path, R_OK) == 0 ? ITS_EFORMAT : ITS_ENOTFOUND;
    }
    const json_t *run = json_object_get(root, "run");
    struct its_diag reason = {"it is no report of this benchmark: it has no \"run\""};
    int rc = run ? itsi_run_parse(out, run, &reason) : ITS_EFORMAT;
    json_decref(root);
    if (rc != 0)
        snprintf(diag->text, sizeof diag->text, "baseline %.200s: %.280s", path, reason.text);
    return rc;
}

/* Prints the report, held against the baseline where there is one (NULL: none). */
static int conclude(const struct itsi_benchmark_request *request, const struct itsi_config *config,
                    const struct itsi_run *baseline, struct itsi_benchmark_report *report)
{
    struct its_diag diag = {""};
    if (baseline) {
        int rc = itsi_compare(baseline, report->run, config->cfg.latency_monitoring.regression_threshold_percent,
                              &report->comparison, &diag);
        if (rc != 0) {
            fprintf(stderr, "its-camera-ai: benchmark: %s\n", diag.text);
            return itsi_exit_code(rc);
        }
        report->has_comparison = true;
    }
    int code = print_report(request, report);
    enum itsi_verdict verdict = report->has_comparison ? report->comparison.verdict : ITSI_VERDICT_SAME;
    bool passed = verdict != ITSI_VERDICT_SLOWER && verdict != ITSI_VERDICT_NONE && report->ledger_balanced;
    return code == ITSI_EXIT_OK && !passed ? ITSI_EXIT_FAILURE : code;
}

static bool is_said(const struct itsi_config *config, const char *key)
{
    return itsi_config_layer_of(config, itsi_option_find(key)) > ITSI_LAYER_STRATEGY;
}

/* The null engine is to work as the recorded one did, where nobody says otherwise: as many requests side by side, batches
 * no larger, as long for each. */
static void repeat_engine(struct itsi_benchmark_request *request, struct itsi_config *config,
                          const struct itsi_replay_recorded *recorded)
{
    struct its_cfg *cfg = &config->cfg;
    if (request->null_ms == 0 && request->null_image_ms == 0)
        request->null_ms = recorded->inference_ms;
    if (cfg->general.backend != ITSI_BACKEND_NULL)
        return;
    if (recorded->parallel > 0 && !is_said(config, "inference.parallel"))
        cfg->inference.parallel = recorded->parallel;
    if (recorded->batch_max > 0 && !is_said(config, "gpu.batch_size_range"))
        cfg->gpu.batch_size_range[1] = recorded->batch_max;
}

/* Loaded and chosen, everything else said: runs and prints. */
static int measure(struct itsi_benchmark_request *request, struct itsi_config *config, const struct itsi_replay *replay,
                   const struct itsi_run *baseline)
{
    struct its_diag diag = {""};
    /* overload on purpose is nobody's alarm, and must not drive a daemon's flight records out of data_dir */
    config->cfg.general.enable_alerts = false;
    if (replay) {
        repeat_engine(request, config, itsi_replay_recorded(replay));
        request->streams = itsi_replay_streams(replay);
        request->duration = itsi_replay_seconds(replay) + 0.5;
    } else if (request->streams == 0) {
        request->streams = 4;
    }
    if (request->streams > config->cfg.general.max_concurrent_streams)
        config->cfg.general.max_concurrent_streams = request->streams; /* the measurement asks for so many by itself */
    struct itsi_model_choice choice;
    int rc = itsi_model_choose(&choice, &config->cfg, &diag);
    if (rc != 0) {
        fprintf(stderr, "its-camera-ai: benchmark: %s\n", diag.text);
        return ITSI_EXIT_USAGE;
    }
    struct itsi_farewell farewell = {0};
    const struct itsi_benchmark_params params = {
        .pipeline = {.cfg = &config->cfg,
                     .model = choice.has_model ? &choice.model : NULL,
                     .backend = choice.backend,
                     .null_base_ns = (int64_t)(request->null_ms * 1e6),
                     .null_per_image_ns = (int64_t)(request->null_image_ms * 1e6)},
        .model_name = choice.shown,
        .streams = (int)request->streams,
        .duration_s = request->duration > 0 ? request->duration : 30,
        .warmup_s = request->warmup,
        .ramp_s = request->ramp,
        .startup_s = 60 + 0.5 * (double)request->streams,
        .source = request->source,
        .replay = replay,
        .progress = show_progress,
        .ending = bid_farewell,
        .ending_arg = &farewell,
    };
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    struct itsi_benchmark_report report;
    rc = itsi_benchmark_run(&params, &report, &diag);
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (rc != 0)
        fprintf(stderr, "its-camera-ai: benchmark: %s\n", diag.text);
    int code = rc == 0 ? conclude(request, config, baseline, &report) : itsi_exit_code(rc);
    if (rc == 0)
        itsi_run_destroy(report.run);
    itsi_model_choice_fini(&choice);
    return code;
}

int itsi_performance_benchmark(struct itsi_benchmark_request *request)
{
    struct its_diag diag = {""};
    struct itsi_config *config;
    struct itsi_replay *replay = NULL;
    if (itsi_config_load(&config, request->config, &diag) != 0) {
        fprintf(stderr, "its-camera-ai: performance: configuration: '%s'\n", diag.text);
        return ITSI_EXIT_USAGE;
    }
    struct itsi_run *baseline = NULL;
    int rc = request->replay ? itsi_replay_open(&replay, request->replay, (int)request->streams, &diag) : 0;
    if (rc == 0 && request->baseline)
        rc = read_baseline(request->baseline, &baseline, &diag);
    if (rc != 0)
        fprintf(stderr, "its-camera-ai: benchmark: %s\n", diag.text);
    int code = rc == 0 ? measure(request, config, replay, baseline) : itsi_exit_code(rc);
    itsi_replay_close(replay);
    itsi_run_destroy(baseline);
    itsi_config_unref(&config);
    return code;
}
