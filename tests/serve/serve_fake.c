/* The server over a pipeline of synthetic results.
 * usage: serve_fake [--cameras N] [--fps F] [--size WxH] [--listen A:P] [--token T] [--metrics-open] [--queue N]
 *                   [--limit N] [--connections N] [--jsonl FILE] [--not-started] [--otlp URL] [--trace-rate R]
 *                   [--no-quality] [--clips FOLDER]
 * Prints "port N", reads commands from standard input ("start", "published", "encoding", "later S", "stop") and answers each
 * with a line. "later S": the server looks after what waits for the disk as if so many seconds had passed. Ends at "stop"
 * or at the input's end, and says how long stopping took. */
#include "fake_pipeline.h"

#include "base/clock.h"
#include "base/log.h"
#include "pipeline/result_writer.h"
#include "serve/serve_impl.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int document(void *arg, const char *name, struct itsi_buf *out)
{
    (void)arg;
    itsi_buf_printf(out, "{\"document\":\"%s\"}", name);
    return 0;
}

/* As from a disk that does not answer, for as long as FILE.stall lies beside FILE. */
static ssize_t read_file(int fd, void *out, size_t size, off_t at)
{
    char link[32], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t len = readlink(link, path, sizeof path - 8);
    if (len > 0) {
        strcpy(path + len, ".stall");
        while (access(path, F_OK) == 0)
            usleep(5000);
    }
    return pread(fd, out, size, at);
}

struct options {
    int cameras, width, height;
    double fps, trace_rate;
    const char *otlp, *clips;
    bool not_started, no_quality;
};

static void parse(int argc, char **argv, struct options *o, struct its_cfg *cfg)
{
    static const struct option known[] = {
        {"cameras", 1, 0, 'c'}, {"fps", 1, 0, 'f'},         {"size", 1, 0, 's'},  {"listen", 1, 0, 'l'},
        {"token", 1, 0, 't'},   {"metrics-open", 0, 0, 'm'}, {"queue", 1, 0, 'q'}, {"limit", 1, 0, 'n'},
        {"connections", 1, 0, 'x'}, {"jsonl", 1, 0, 'j'}, {"not-started", 0, 0, 'z'},
        {"otlp", 1, 0, 'o'},    {"trace-rate", 1, 0, 'r'},   {"no-quality", 0, 0, 'Q'}, {"clips", 1, 0, 'C'}, {0, 0, 0, 0}};
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;)
        switch (c) {
        case 'c':
            o->cameras = atoi(optarg);
            break;
        case 'f':
            o->fps = atof(optarg);
            break;
        case 's':
            if (sscanf(optarg, "%dx%d", &o->width, &o->height) != 2)
                exit(2);
            break;
        case 'l':
            free(cfg->server.listen);
            cfg->server.listen = strdup(optarg);
            break;
        case 't':
            cfg->server.token = strdup(optarg);
            break;
        case 'm':
            cfg->server.metrics_open = true;
            break;
        case 'q':
            cfg->server.viewer_queue = atoi(optarg);
            break;
        case 'n':
            cfg->general.max_concurrent_streams = atoi(optarg);
            break;
        case 'x':
            cfg->server.max_connections = atoi(optarg);
            break;
        case 'j':
            cfg->output.jsonl_path = strdup(optarg);
            break;
        case 'o':
            o->otlp = optarg;
            break;
        case 'r':
            o->trace_rate = atof(optarg);
            break;
        case 'C':
            o->clips = optarg;
            break;
        case 'Q':
            o->no_quality = true;
            break;
        case 'z':
            o->not_started = true;
            break;
        default:
            exit(2);
        }
}

static void look_later(struct itsi_server *server, double seconds)
{
    const int64_t now = itsi_now_ns() + (int64_t)(seconds * 1e9);
    itsi_reads_look(server->reads, now);
    itsi_lookups_look(server->lookups, now);
    puts("looked");
}

static void obey(struct itsi_pipeline *pipeline, struct itsi_server *server)
{
    char line[64];
    while (fgets(line, sizeof line, stdin) && strcmp(line, "stop\n") != 0) {
        struct its_diag diag;
        if (strcmp(line, "start\n") == 0 && itsi_pipeline_start(pipeline, &diag) != 0)
            exit(1);
        if (strcmp(line, "start\n") == 0)
            puts("started");
        else if (strcmp(line, "published\n") == 0)
            printf("%llu %lld\n", (unsigned long long)fake_published(pipeline),
                   (long long)fake_longest_publish_ns(pipeline));
        else if (strcmp(line, "encoding\n") == 0)
            printf("%lld\n", (long long)fake_encode_ns(pipeline));
        else if (strncmp(line, "later ", 6) == 0)
            look_later(server, atof(line + 6));
        else
            puts("?");
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    struct options o = {.cameras = 4, .width = 640, .height = 360, .fps = 25};
    struct its_cfg cfg;
    struct its_diag diag = {""};
    struct itsi_server *server = NULL;
    struct itsi_result_writer *writer = NULL;
    if (its_cfg_init(&cfg, &diag) != 0)
        return 1;
    free(cfg.server.listen);
    cfg.server.listen = strdup("127.0.0.1:0");
    parse(argc, argv, &o, &cfg);
    signal(SIGPIPE, SIG_IGN);
    itsi_log_install(itsi_log_to_file, stderr, ITSI_LOG_INFO);
    const struct fake_params fake = {.cfg = &cfg, .width = o.width, .height = o.height, .fps = o.fps,
                                     .otlp = o.otlp, .trace_rate = o.trace_rate, .no_quality = o.no_quality, .clips = o.clips};
    struct itsi_pipeline *pipeline = fake_create(&fake);
    for (int i = 0; i < o.cameras; i++) {
        struct itsi_camera camera = {.fps = o.fps};
        snprintf(camera.url, sizeof camera.url, "rtsp://viewer:hunter2@10.0.0.%d/main", i + 1);
        if (itsi_pipeline_add_camera(pipeline, &camera, &diag) != 0)
            return 1;
    }
    const struct itsi_server_params params = {.cfg = &cfg, .pipeline = pipeline, .model = "yolo11n.onnx",
                                              .version = "0.1.0", .document = document, .read_file = read_file};
    const bool failed = itsi_server_start(&server, &params, &diag) != 0 ||
                        (cfg.output.jsonl_path &&
                         itsi_result_writer_start(&writer, pipeline, &cfg.output, &diag) != 0) ||
                        (!o.not_started && itsi_pipeline_start(pipeline, &diag) != 0);
    if (failed)
        printf("error %s\n", diag.text);
    else
        printf("port %d\n", itsi_server_port(server));
    fflush(stdout);
    if (!failed)
        obey(pipeline, server);
    const int64_t before = itsi_now_ns();
    itsi_server_stop(server);
    printf("stopped %.3f\n", (double)(itsi_now_ns() - before) / 1e9);
    itsi_pipeline_stop(pipeline, 0);
    itsi_result_writer_destroy(writer);
    itsi_pipeline_destroy(pipeline);
    its_cfg_fini(&cfg);
    return failed ? 3 : 0;
}
