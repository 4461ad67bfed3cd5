/* performance status, monitor: ask the daemon. performance benchmark: measures here, in this process. */
#include "cli/cli.h"
#include "cli/daemon.h"
#include "cli/performance_benchmark.h"
#include "cli/performance_monitor.h"

#include "config/args.h"
#include "optimizer/engine.h"

#include <getopt.h>
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
    double interval;
    struct itsi_benchmark_request benchmark; /* monitor takes its duration too */
};

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

static int take_number(double *out, double min, double max, const char *complaint)
{
    return itsi_parse_number(optarg, min, max, out) ? 0 : bad(complaint, optarg);
}

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
        o->benchmark.streams = (long)number;
        return 0;
    case 'D':
        return take_number(&o->benchmark.duration, 0.1, 86400, "--duration must be 0.1 to 86400, not");
    case 'i':
        return take_number(&o->interval, 0.1, 3600, "--interval must be 0.1 to 3600, not");
    case 'w':
        return take_number(&o->benchmark.warmup, 0, 3600, "--warmup must be 0 to 3600, not");
    case 'r':
        return take_number(&o->benchmark.ramp, 0, 3600, "--ramp must be 0 to 3600, not");
    case 'N':
        return take_number(&o->benchmark.null_ms, 0, 1e9, "--null-ms must be 0 to 1e9, not");
    case 'I':
        return take_number(&o->benchmark.null_image_ms, 0, 1000, "--null-image-ms must be 0 to 1000, not");
    case 's':
        o->benchmark.source = optarg;
        return 0;
    case 'o':
        o->benchmark.output = optarg;
        return 0;
    case 'R':
        o->benchmark.replay = optarg;
        return 0;
    case 'B':
        o->benchmark.baseline = optarg;
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

static int benchmark(struct options *o)
{
    if (o->benchmark.replay && o->benchmark.source)
        return bad("--replay has its own cameras; leave out --source", o->benchmark.source);
    o->benchmark.config = &o->config;
    o->benchmark.json = o->json;
    return itsi_performance_benchmark(&o->benchmark);
}

static int monitor(const struct options *o)
{
    const struct itsi_monitor_options options = {
        .daemon = &o->daemon, .interval_s = o->interval, .duration_s = o->benchmark.duration, .json = o->json};
    return itsi_performance_monitor(&options);
}

static int run(struct options *o, char *const *words, int count)
{
    enum { STATUS, MONITOR, BENCHMARK, VERBS };
    static const struct itsi_verb verbs[VERBS] = {
        [STATUS] = {"status", {NULL}, 0}, [MONITOR] = {"monitor", {NULL}, 0}, [BENCHMARK] = {"benchmark", {NULL}, 0}};
    switch (itsi_verb_find("performance", verbs, VERBS, words, count)) {
    case STATUS:
        return status(o);
    case MONITOR:
        return monitor(o);
    case BENCHMARK:
        return benchmark(o);
    default:
        return ITSI_EXIT_USAGE;
    }
}

int itsi_cmd_performance(int argc, char **argv)
{
    struct options o = {.interval = 5, .benchmark.warmup = 3};
    struct its_diag diag;
    itsi_daemon_init(&o.daemon);
    itsi_config_args_init(&o.config, environ);
    int rc = 0;
    optind = 0; /* begin anew: other code may have used getopt before */
    for (int c; rc == 0 && (c = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help_text, stdout);
            itsi_config_args_fini(&o.config);
            return ITSI_EXIT_OK;
        }
        rc = take(&o, c, &diag);
    }
    if (rc == 0)
        rc = run(&o, argv + optind, argc - optind);
    itsi_config_args_fini(&o.config);
    return rc;
}
