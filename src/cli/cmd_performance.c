/* performance status, monitor: ask the daemon. performance benchmark: measures here, in this process. */
#include "cli/cli.h"
#include "cli/daemon.h"
#include "cli/farewell.h"
#include "cli/performance_monitor.h"

#include "base/clock.h"
#include "base/log.h"
#include "config/args.h"
#include "optimizer/benchmark.h"
#include "optimizer/engine.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help_text[] =
    "usage: its-camera-ai performance status [--detailed] [--format table|json] [--url URL] [--token-file FILE]\n"
    "       its-camera-ai performance monitor [--interval S] [--duration S] [--format table|json] [--url URL]\n"
    "                                 [--token-file FILE]\n"
    "       its-camera-ai performance benchmark [--streams N] [--duration S] [--warmup S] [--source URL]\n"
    "                                 [--ramp S] [--model FILE] [--config FILE] [--set SECTION.FIELD=VALUE]...\n"
    "                                 [--replay FILE] [--baseline FILE] [--batcher deadline|fixed]\n"
    "                                 [--format table|json] [--output FILE]\n"
    "\n"
    "status exits 3 when no daemon answers (and says \"running\": false). monitor asks a running daemon every --interval\n"
    "seconds (5) for --duration seconds (until interrupted) and prints a line: cameras, frames a second, latency, the share\n"
    "of frames on time and how fast the error budget burns, the 95th percentile of every stage, and what alerts; with\n"
    "--format json one document a line. It exits 3 when no daemon answers. benchmark is open-loop: cameras deliver at\n"
    "their own cadence, latency counts from the intended time, the warm-up is left out. With --ramp cameras\n"
    "are added evenly over so many seconds, and those that do not fit are left out and named. --source is any camera URL, or a\n"
    "file played as a camera, each stream at its own offset (add ?pace=off to analyse every frame as fast as it goes);\n"
    "{i} in it becomes the stream's number (0, 1, ...), {i%10} its remainder; without it the synthetic road, and\n"
    "detections are held against its truth: precision and recall. --replay runs a flight record again (data_dir/flight),\n"
    "or its first --streams cameras, every frame at its time and without its picture; with backend=null every inference\n"
    "takes the median of then. --baseline holds stage times against an earlier report (--format json or --output) and\n"
    "exits 1 when a stage is slower by more than regression_threshold_percent, or when nothing could be compared (20 s on\n"
    "both sides are needed). A benchmark sends no alerts. Without --model the shipped one runs; --set backend=null measures the machinery alone. --batcher\n"
    "fixed runs the plain fixed-timeout batcher, for comparison.\n";

struct options {
    struct itsi_daemon daemon;
    struct itsi_config_args config;
    bool json, detailed;
    long streams;                      /* 0: what fits the verb */
    double duration, warmup, ramp, interval; /* duration 0: what fits the verb */
    double null_ms, null_image_ms;     /* how long the null engine takes for a batch, and more for each image */
    const char *source, *output, *replay, *baseline;
};

static volatile sig_atomic_t interrupted;
static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static int bad(const char *what, const char *value)
{
    fprintf(stderr, "its-camera-ai: performance: %s '%s'\n", what, value);
    return ITSI_EXIT_USAGE;
}

static const struct option known[] = {
    {"url", required_argument, 0, 'u'},      {"token-file", required_argument, 0, 't'},
    {"format", required_argument, 0, 'f'},   {"detailed", no_argument, 0, 'd'},
    {"streams", required_argument, 0, 'n'},  {"duration", required_argument, 0, 'D'},
    {"warmup", required_argument, 0, 'w'},   {"interval", required_argument, 0, 'i'},
    {"source", required_argument, 0, 's'},   {"ramp", required_argument, 0, 'r'},
    {"model", required_argument, 0, 'm'},    {"output", required_argument, 0, 'o'},
    {"null-ms", required_argument, 0, 'N'},  {"null-image-ms", required_argument, 0, 'I'},
    {"replay", required_argument, 0, 'R'},
    {"baseline", required_argument, 0, 'B'}, {"batcher", required_argument, 0, 'b'},
    {"help", no_argument, 0, 'h'},
    ITSI_CONFIG_OPTIONS,                     {0, 0, 0, 0}};

/* One option; 0, or the exit code to end with. */
static int take(struct options *o, int c, struct its_diag *diag)
{
    double number;
    switch (c) {
    case 'u':
        o->daemon.url = optarg;
        return 0;
    case 't':
        return itsi_daemon_token_file(&o->daemon, optarg, diag) == 0 ? 0 : bad("--token-file:", diag->text);
    case 'f':
        o->json = strcmp(optarg, "json") == 0;
        return o->json || strcmp(optarg, "table") == 0 ? 0 : bad("--format must be table or json, not", optarg);
    case 'd':
        o->detailed = true;
        return 0;
    case 'n':
        if (!itsi_parse_number(optarg, 1, 1000, &number) || number != (double)(long)number)
            return bad("--streams must be 1 to 1000, not", optarg);
        o->streams = (long)number;
        return 0;
    case 'D':
        return itsi_parse_number(optarg, 0.1, 86400, &o->duration) ? 0 : bad("--duration must be 0.1 to 86400, not", optarg);
    case 'i':
        return itsi_parse_number(optarg, 0.1, 3600, &o->interval) ? 0
                                                                  : bad("--interval must be 0.1 to 3600, not", optarg);
    case 'w':
        return itsi_parse_number(optarg, 0, 3600, &o->warmup) ? 0 : bad("--warmup must be 0 to 3600, not", optarg);
    case 'r':
        return itsi_parse_number(optarg, 0, 3600, &o->ramp) ? 0 : bad("--ramp must be 0 to 3600, not", optarg);
    case 'N':
        return itsi_parse_number(optarg, 0, 1e9, &o->null_ms) ? 0 : bad("--null-ms must be 0 to 1e9, not", optarg);
    case 'I':
        return itsi_parse_number(optarg, 0, 1000, &o->null_image_ms)
                   ? 0
                   : bad("--null-image-ms must be 0 to 1000, not", optarg);
    case 's':
        o->source = optarg;
        return 0;
    case 'o':
        o->output = optarg;
        return 0;
    case 'R':
        o->replay = optarg;
        return 0;
    case 'B':
        o->baseline = optarg;
        return 0;
    case 'b':
        return itsi_config_args_option(&o->config, "inference.batcher", optarg, "--batcher", diag) == 0
                   ? 0
                   : bad("--batcher:", diag->text);
    case 'm':
        return itsi_config_args_option(&o->config, "model", optarg, "--model", diag) == 0 ? 0
                                                                                        : bad("--model:", diag->text);
    default: {
        int taken = itsi_config_args_take(&o->config, c, optarg, diag);
        return taken == 1 ? 0 : taken < 0 ? bad("configuration:", diag->text) : ITSI_EXIT_USAGE;
    }
    }
}

/* --- status ------------------------------------------------------------------------------------------------------- */

static void print_value(const char *key, const json_t *value)
{
    printf("  %-30s ", key);
    if (json_is_string(value))
        printf("%s\n", json_string_value(value));
    else if (json_is_integer(value))
        printf("%lld\n", (long long)json_integer_value(value));
    else if (json_is_real(value))
        printf("%.3f\n", json_real_value(value));
    else if (json_is_boolean(value))
        printf("%s\n", json_is_true(value) ? "yes" : "no");
    else
        printf("-\n");
}

/* Scalars of an object, then its objects as sections. */
static void print_object(const char *title, json_t *object)
{
    const char *key;
    json_t *value;
    printf("%s\n", title);
    json_object_foreach(object, key, value)
    {
        if (!json_is_object(value) && !json_is_array(value))
            print_value(key, value);
    }
    json_object_foreach(object, key, value)
    {
        if (json_is_object(value))
            print_object(key, value);
    }
}

static void print_status(json_t *status, bool json)
{
    if (json) {
        json_dumpf(status, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        putchar('\n');
    } else {
        print_object("status", status);
    }
}

static int status(struct options *o)
{
    json_t *answer = NULL;
    int rc = itsi_daemon_ask(&o->daemon, "GET",
                             o->detailed ? "/api/v1/performance/status?detailed=1" : "/api/v1/performance/status", NULL,
                             &answer);
    if (rc == ITSI_EXIT_NOT_RUNNING) {
        struct itsi_config *config;
        struct its_diag diag;
        if (itsi_config_load(&config, &o->config, &diag) != 0)
            return bad("configuration:", diag.text);
        char room[4096];
        const struct itsi_status_source source = {.cfg = &config->cfg,
                                                  .model = itsi_model_path(&config->cfg, room, sizeof room)};
        struct itsi_buf text;
        itsi_buf_init(&text);
        itsi_document_status(&source, o->detailed, &text);
        answer = json_loadb(text.data, text.len, 0, NULL);
        itsi_buf_fini(&text);
        itsi_config_unref(&config);
    }
    if (answer)
        print_status(answer, o->json);
    json_decref(answer);
    return rc;
}

static int monitor(const struct options *o)
{
    const struct itsi_monitor_options options = {
        .daemon = &o->daemon, .interval_s = o->interval, .duration_s = o->duration, .json = o->json};
    return itsi_performance_monitor(&options);
}

/* --- benchmark ---------------------------------------------------------------------------------------------------- */

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
        itsi_farewell_begin(farewell, "performance benchmark", pipeline, ITSI_BENCHMARK_DRAIN_S);
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

static int print_report(const struct options *o, const struct itsi_benchmark_report *report)
{
    struct itsi_buf json, table;
    int rc = ITSI_EXIT_OK;
    itsi_buf_init(&json);
    itsi_buf_init(&table);
    itsi_benchmark_json(report, &json);
    itsi_benchmark_table(report, &table);
    if (o->output)
        rc = write_output(o->output, &json);
    printf("%s\n", o->json ? json.data : table.data);
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
static int conclude(struct options *o, const struct itsi_config *config, const struct itsi_run *baseline,
                    struct itsi_benchmark_report *report)
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
    int code = print_report(o, report);
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
static void repeat_engine(struct options *o, struct itsi_config *config, const struct itsi_replay_recorded *recorded)
{
    struct its_cfg *cfg = &config->cfg;
    if (o->null_ms == 0 && o->null_image_ms == 0)
        o->null_ms = recorded->inference_ms;
    if (cfg->general.backend != ITSI_BACKEND_NULL)
        return;
    if (recorded->parallel > 0 && !is_said(config, "inference.parallel"))
        cfg->inference.parallel = recorded->parallel;
    if (recorded->batch_max > 0 && !is_said(config, "gpu.batch_size_range"))
        cfg->gpu.batch_size_range[1] = recorded->batch_max;
}

/* Loaded and chosen, everything else said: runs and prints. */
static int measure(struct options *o, struct itsi_config *config, const struct itsi_replay *replay,
                   const struct itsi_run *baseline)
{
    struct its_diag diag = {""};
    /* overload on purpose is nobody's alarm, and must not drive a daemon's flight records out of data_dir */
    config->cfg.general.enable_alerts = false;
    if (replay) {
        repeat_engine(o, config, itsi_replay_recorded(replay));
        o->streams = itsi_replay_streams(replay);
        o->duration = itsi_replay_seconds(replay) + 0.5;
    } else if (o->streams == 0) {
        o->streams = 4;
    }
    if (o->streams > config->cfg.general.max_concurrent_streams)
        config->cfg.general.max_concurrent_streams = o->streams; /* the measurement asks for so many by itself */
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
                     .null_base_ns = (int64_t)(o->null_ms * 1e6),
                     .null_per_image_ns = (int64_t)(o->null_image_ms * 1e6)},
        .model_name = choice.shown,
        .streams = (int)o->streams,
        .duration_s = o->duration > 0 ? o->duration : 30,
        .warmup_s = o->warmup,
        .ramp_s = o->ramp,
        .startup_s = 60 + 0.5 * (double)o->streams,
        .source = o->source,
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
    int code = rc == 0 ? conclude(o, config, baseline, &report) : itsi_exit_code(rc);
    if (rc == 0)
        itsi_run_destroy(report.run);
    itsi_model_choice_fini(&choice);
    return code;
}

static int benchmark(struct options *o)
{
    struct its_diag diag = {""};
    struct itsi_config *config;
    struct itsi_replay *replay = NULL;
    if (o->replay && o->source)
        return bad("--replay has its own cameras; leave out --source", o->source);
    if (itsi_config_load(&config, &o->config, &diag) != 0)
        return bad("configuration:", diag.text);
    struct itsi_run *baseline = NULL;
    int rc = o->replay ? itsi_replay_open(&replay, o->replay, (int)o->streams, &diag) : 0;
    if (rc == 0 && o->baseline)
        rc = read_baseline(o->baseline, &baseline, &diag);
    if (rc != 0)
        fprintf(stderr, "its-camera-ai: benchmark: %s\n", diag.text);
    int code = rc == 0 ? measure(o, config, replay, baseline) : itsi_exit_code(rc);
    itsi_replay_close(replay);
    itsi_run_destroy(baseline);
    itsi_config_unref(&config);
    return code;
}

int itsi_cmd_performance(int argc, char **argv)
{
    struct options o = {.warmup = 3, .interval = 5};
    struct its_diag diag;
    itsi_daemon_init(&o.daemon);
    itsi_config_args_init(&o.config, environ);
    int rc = 0;
    for (int c; rc == 0 && (c = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help_text, stdout);
            itsi_config_args_fini(&o.config);
            return ITSI_EXIT_OK;
        }
        rc = take(&o, c, &diag);
    }
    const char *verb = optind + 1 == argc ? argv[optind] : "";
    if (rc == 0 && strcmp(verb, "status") == 0)
        rc = status(&o);
    else if (rc == 0 && strcmp(verb, "monitor") == 0)
        rc = monitor(&o);
    else if (rc == 0 && strcmp(verb, "benchmark") == 0)
        rc = benchmark(&o);
    else if (rc == 0) {
        fputs(help_text, stderr);
        rc = ITSI_EXIT_USAGE;
    }
    itsi_config_args_fini(&o.config);
    return rc;
}
