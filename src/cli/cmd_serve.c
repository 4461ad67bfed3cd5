/* serve: the daemon. */
#include "cli/cli.h"
#include "cli/farewell.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/url.h"
#include "config/dump.h"
#include "config/store.h"
#include "optimizer/engine.h"
#include "serve/server.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help_text[] =
    "usage: its-camera-ai serve [--config FILE] [--camera [ID=]URL]... [--listen 127.0.0.1:8080] [--model FILE]\n"
    "                           [--data-dir DIR] [--batcher deadline|fixed] [--set SECTION.FIELD=VALUE]...\n"
    "                           [--duration S] [--status-line] [--null-ms MS]\n"
    "\n"
    "Watches the cameras and serves detections, pictures, metrics and the dashboard. URLs: rtsp, rtsps, http, https,\n"
    "file or a path (played as a camera; ?pace=off: every frame, as fast as it goes), synth, null. SIGINT and SIGTERM\n"
    "drain and end (exit code 4: something hung for longer than drain_timeout_seconds and a few more, stderr says what);\n"
    "SIGHUP reads the configuration again. Beyond loopback, --listen needs a token (server.token). Without --model the\n"
    "project's own detector runs. --null-ms: what a batch takes with --set backend=null, to rehearse an engine\n"
    "that is slow or hangs.\n";

struct options {
    struct itsi_config_args config;
    double duration; /* 0: until a signal */
    double null_ms;
    bool status_line;
};

struct daemon {
    struct options options;
    struct itsi_config_store *store;
    struct itsi_config *config; /* the snapshot in force; a reference, main thread */
    its_engine *engine;
    struct itsi_server *server;
    struct itsi_farewell farewell;
    int64_t started;
};

static int complain(const char *what, const char *why)
{
    fprintf(stderr, "its-camera-ai: serve: %s: %s\n", what, why);
    return ITSI_EXIT_USAGE;
}

static int parse(int argc, char **argv, struct options *o, bool *done)
{
    static const struct option known[] = {
        {"camera", required_argument, 0, 'a'},   {"listen", required_argument, 0, 'l'},
        {"model", required_argument, 0, 'm'},    {"data-dir", required_argument, 0, 'd'},
        {"duration", required_argument, 0, 'D'}, {"status-line", no_argument, 0, 's'},
        {"batcher", required_argument, 0, 'b'},
        {"null-ms", required_argument, 0, 'N'},  {"help", no_argument, 0, 'h'},
        ITSI_CONFIG_OPTIONS,
        {0, 0, 0, 0}};
    struct its_diag diag;
    for (int c; (c = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        int rc = 0;
        switch (c) {
        case 'a':
            rc = itsi_config_args_camera(&o->config, optarg, &diag);
            break;
        case 'l':
            rc = itsi_config_args_option(&o->config, "server.listen", optarg, "--listen", &diag);
            break;
        case 'm':
            rc = itsi_config_args_option(&o->config, "model", optarg, "--model", &diag);
            break;
        case 'd':
            rc = itsi_config_args_option(&o->config, "data_dir", optarg, "--data-dir", &diag);
            break;
        case 'b':
            rc = itsi_config_args_option(&o->config, "inference.batcher", optarg, "--batcher", &diag);
            break;
        case 'D':
            if (!itsi_parse_number(optarg, 0, 1e9, &o->duration) || o->duration == 0)
                return complain("--duration", "seconds greater than 0 and up to 1e9 are wanted");
            break;
        case 'N':
            if (!itsi_parse_number(optarg, 0, 1e9, &o->null_ms))
                return complain("--null-ms", "0 to 1e9 milliseconds are wanted");
            break;
        case 's':
            o->status_line = true;
            break;
        case 'h':
            fputs(help_text, stdout);
            itsi_print_option_help();
            *done = true;
            return ITSI_EXIT_OK;
        default:
            rc = itsi_config_args_take(&o->config, c, optarg, &diag);
            if (rc == 0) {
                fputs(help_text, stderr);
                return ITSI_EXIT_USAGE;
            }
        }
        if (rc < 0)
            return complain("command line", diag.text);
    }
    if (optind != argc)
        return complain(argv[optind], "not an option; cameras are given with --camera");
    return ITSI_EXIT_OK;
}

/* Called from the server's threads. */
static int document(void *arg, const char *name, struct itsi_buf *out)
{
    struct daemon *d = arg;
    struct itsi_config *config = itsi_config_store_get(d->store);
    struct itsi_status_source source;
    int rc = 0;
    itsi_engine_status_source(d->engine, &source);
    source.cfg = &config->cfg;
    if (strcmp(name, "status") == 0)
        itsi_document_status(&source, false, out);
    else if (strcmp(name, "status-detailed") == 0)
        itsi_document_status(&source, true, out);
    else if (strcmp(name, "metrics") == 0)
        itsi_document_metrics(&source, out);
    else if (strcmp(name, "config") == 0)
        rc = itsi_config_text(config, ITSI_DUMP_FULL, out);
    else
        rc = ITS_ENOTFOUND;
    itsi_config_unref(&config);
    return rc == 0 && out->failed ? ITS_ENOMEM : rc;
}

static void print_line(struct daemon *d, int preparing_clips)
{
    struct itsi_pipeline_stats s;
    itsi_pipeline_stats(itsi_engine_pipeline(d->engine), &s);
    bool tty = isatty(STDOUT_FILENO);
    if (preparing_clips) {
        printf("%srendering the clips of %d synthetic cameras (kept for the next start)%s", tty ? "\r\033[K" : "",
               preparing_clips, tty ? "" : "\n");
        fflush(stdout);
        return;
    }
    printf("%s%d/%d cameras  %.1f frames/s  p50 %.0f  p95 %.0f  p99 %.0f ms  on time %.1f %%%s", tty ? "\r\033[K" : "",
           s.cameras_running, s.cameras, s.analysed_fps, s.recent.p50_ms, s.recent.p95_ms,
           s.recent.p99_ms, itsi_ledger_on_time_ratio(&s.ledger) * 100, tty ? "" : "\n");
    fflush(stdout);
}

static void print_summary(struct daemon *d)
{
    struct itsi_pipeline_stats s;
    itsi_pipeline_stats(itsi_engine_pipeline(d->engine), &s);
    const struct itsi_ledger_counts *c = &s.ledger;
    if (isatty(STDOUT_FILENO) && d->options.status_line)
        putchar('\n');
    printf("stopped after %.1f s: %llu frames expected = %llu delivered + %llu late + %llu skipped + %llu dropped + "
           "%llu corrupt + %llu missing%s\n",
           (double)(itsi_now_ns() - d->started) / 1e9, (unsigned long long)c->expected,
           (unsigned long long)c->delivered, (unsigned long long)c->late, (unsigned long long)c->skipped,
           (unsigned long long)itsi_ledger_dropped(c), (unsigned long long)c->corrupt, (unsigned long long)c->missing,
           itsi_ledger_balance(c) == 0 && c->in_flight == 0 ? " (balanced)" : " (NOT BALANCED)");
    printf("end to end: p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, max %.1f ms over %llu results\n",
           s.latency.end_to_end.p50, s.latency.end_to_end.p95, s.latency.end_to_end.p99, s.latency.end_to_end.max,
           (unsigned long long)s.latency.end_to_end.count);
}

/* "a, b" of a list, after a word, into a log line's tail. */
static void name_all(char *text, size_t size, const char *word, const struct itsi_str_list *names)
{
    size_t used = strlen(text);
    for (size_t i = 0; i < names->count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : word, names->items[i]);
}

static void reload(struct daemon *d)
{
    struct its_diag diag = {""};
    struct itsi_config_change change = {0};
    struct itsi_config *next;
    int rc = itsi_config_load(&next, &d->options.config, &diag);
    if (rc == 0 && (rc = itsi_pipeline_check(itsi_engine_pipeline(d->engine), &next->cfg, &diag)) != 0)
        itsi_config_unref(&next);
    if (rc != 0 || itsi_config_store_replace(d->store, next, &change, &diag) != 0) {
        itsi_error("serve", "configuration not reloaded, the last good one stays: %s", diag.text);
        return;
    }
    itsi_config_unref(&d->config);
    d->config = itsi_config_store_get(d->store);
    if (itsi_engine_configure(d->engine, d->config, &change, &diag) != 0)
        itsi_error("serve", "configuration reloaded, but not all of it could be applied: %s", diag.text);
    itsi_server_configure(d->server, &d->config->cfg);
    itsi_log_set_level((enum itsi_log_level)d->config->cfg.general.log_level);
    char text[900] = "";
    name_all(text, sizeof text, "; applied: ", &change.applied);
    name_all(text, sizeof text, "; needs a restart: ", &change.restart);
    name_all(text, sizeof text, "; cameras added: ", &change.cameras_added);
    name_all(text, sizeof text, "; removed: ", &change.cameras_removed);
    name_all(text, sizeof text, "; changed: ", &change.cameras_changed);
    itsi_info("serve", "configuration reloaded%s", text[0] ? text : ": nothing changed");
    itsi_config_change_fini(&change);
}

/* Cameras whose synthetic clip is still being rendered. */
static int preparing(struct daemon *d)
{
    struct itsi_pipeline *pipeline = itsi_engine_pipeline(d->engine);
    int cap = itsi_pipeline_cameras(pipeline, NULL, 0), count = 0;
    struct itsi_camera_status *status = itsi_calloc((size_t)cap + 1, sizeof *status);
    int n = status ? itsi_pipeline_cameras(pipeline, status, cap) : 0;
    for (int i = 0; i < n && i < cap; i++)
        count += status[i].capture.state == ITSI_CAPTURE_PREPARING || status[i].capture.state == ITSI_CAPTURE_IDLE;
    itsi_free(status);
    return count;
}

/* Until a signal or the duration's end; the duration begins when the last synthetic clip is ready. The signals are
 * blocked everywhere and taken here. */
static void watch(struct daemon *d)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    int64_t end = ITSI_NEVER;
    bool ready = false;
    int64_t line_every = isatty(STDOUT_FILENO) ? ITSI_NS_PER_S : 5 * ITSI_NS_PER_S;
    int64_t next_line = d->started + line_every;
    for (;;) {
        int64_t now = itsi_now_ns();
        if (now >= end)
            return;
        if (!ready && preparing(d) == 0) {
            ready = true;
            end = d->options.duration > 0 ? now + (int64_t)(d->options.duration * 1e9) : ITSI_NEVER;
        }
        if (d->options.status_line && now >= next_line) {
            print_line(d, ready ? 0 : preparing(d));
            next_line += line_every;
        }
        int64_t wait = ITSI_NS_PER_S / 5 < end - now ? ITSI_NS_PER_S / 5 : end - now;
        struct timespec timeout = {.tv_sec = wait / ITSI_NS_PER_S, .tv_nsec = wait % ITSI_NS_PER_S};
        int got = sigtimedwait(&set, NULL, &timeout);
        if (got == SIGINT || got == SIGTERM)
            return;
        if (got == SIGHUP)
            reload(d);
    }
}

static void block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static int start(struct daemon *d, struct its_diag *diag)
{
    int rc = itsi_engine_create(&d->engine, d->config, (int64_t)(d->options.null_ms * 1e6), diag);
    if (rc != 0)
        return rc;
    struct itsi_status_source source;
    itsi_engine_status_source(d->engine, &source);
    const struct itsi_server_params params = {
        .cfg = &d->config->cfg,
        .pipeline = itsi_engine_pipeline(d->engine),
        .pools = itsi_engine_pools(d->engine),
        .model = source.model,
        .version = its_version(),
        .document = document,
        .document_arg = d,
    };
    rc = itsi_server_start(&d->server, &params, diag);
    return rc == 0 ? its_engine_start(d->engine, diag) : rc;
}

static void announce(struct daemon *d)
{
    struct itsi_pipeline_stats s;
    struct itsi_status_source source;
    itsi_pipeline_stats(itsi_engine_pipeline(d->engine), &s);
    itsi_engine_status_source(d->engine, &source);
    printf("model      %s on %s, %s, %dx%d\n", source.model, s.engine.backend, s.engine.precision, s.engine.width,
           s.engine.height);
    printf("dashboard  %s\n", itsi_server_url(d->server));
    fflush(stdout);
}

static void finish_store(void *engine) { itsi_engine_finish_store(engine); }

/* Runs until told to end; returns an exit code. */
static int run(struct daemon *d)
{
    struct its_diag diag = {""};
    d->started = itsi_now_ns();
    int rc = start(d, &diag);
    if (rc != 0) {
        complain("cannot start", diag.text);
        return itsi_exit_code(rc);
    }
    announce(d);
    watch(d);
    double drain_s = d->config->cfg.general.drain_timeout_seconds;
    const struct itsi_farewell_params farewell = {.command = "serve",
                                                  .pipeline = itsi_engine_pipeline(d->engine),
                                                  .drain_s = drain_s,
                                                  .save = finish_store,
                                                  .save_arg = d->engine,
                                                  .save_ns = ITSI_ENGINE_ROWS_NS};
    itsi_farewell_begin(&d->farewell, &farewell);
    itsi_server_drain(d->server);
    its_engine_stop(d->engine, (int32_t)(drain_s * 1000));
    itsi_farewell_next(&d->farewell, "the store", ITSI_ENGINE_ROWS_NS);
    itsi_engine_finish_store(d->engine); /* before the server's end, which a disk or a camera may hold */
    print_summary(d);
    return ITSI_EXIT_OK;
}

static int load(struct daemon *d)
{
    struct its_diag diag = {""};
    struct itsi_config *config;
    if (itsi_config_load(&config, &d->options.config, &diag) != 0 ||
        itsi_config_store_create(&d->store, config, &diag) != 0)
        return complain("configuration", diag.text);
    d->config = itsi_config_store_get(d->store);
    return ITSI_EXIT_OK;
}

int itsi_cmd_serve(int argc, char **argv)
{
    struct daemon *d = calloc(1, sizeof *d);
    bool done = false;
    if (!d)
        return complain("start", "out of memory");
    itsi_config_args_init(&d->options.config, environ);
    int code = parse(argc, argv, &d->options, &done);
    if (code == ITSI_EXIT_OK && !done)
        code = load(d);
    if (d->config) {
        itsi_log_install(itsi_log_to_file, stderr, (enum itsi_log_level)d->config->cfg.general.log_level);
        block_signals();
        code = run(d);
        itsi_farewell_next(&d->farewell, "the HTTP server", ITSI_SERVER_STOP_NS);
        itsi_server_stop(d->server);
        itsi_farewell_next(&d->farewell, "the engine", ITSI_ENGINE_POOLS_NS);
        its_engine_destroy(d->engine);
        itsi_farewell_end(&d->farewell);
    }
    itsi_config_unref(&d->config);
    itsi_config_store_destroy(d->store);
    itsi_config_args_fini(&d->options.config);
    free(d);
    return code;
}
