/* A tracer to be driven by a test: reads commands from standard input, answers each with a line of JSON.
 *
 * usage: trace_driver ENDPOINT [rate=R] [ring=RECORDS] [batch=SPANS] [batch_ms=MS] [timeout_ms=MS] [first_ms=MS]
 *                     [give_up_ms=MS]
 *   frames N on_time|late|dropped    N frames of camera "gate-7" end so
 *   serve TRACEPARENT|- single|stream    a picture of the last frame is served
 *   stats
 *   stop MS    at most that long; then the program ends at its input's end
 * Log lines go to standard error. */
#include "base/clock.h"
#include "base/log.h"
#include "latency/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS ITSI_NS_PER_MS

static uint64_t last_seq;

static int64_t option(int argc, char **argv, const char *name, int64_t otherwise)
{
    size_t len = strlen(name);
    for (int i = 2; i < argc; i++)
        if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=')
            return strtoll(argv[i] + len + 1, NULL, 10);
    return otherwise;
}

static double rate_of(int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strncmp(argv[i], "rate=", 5) == 0)
            return strtod(argv[i] + 5, NULL);
    return 1;
}

/* A frame that just came through: 9 spans; dropped while it waited in its mailbox: 4. */
static struct itsi_frame_info frame_at(uint64_t seq, bool dropped)
{
    struct itsi_frame_info info = {.camera_id = "gate-7", .camera = 7, .seq = seq, .origin_kind = ITSI_ORIGIN_ARRIVAL};
    int64_t *stamps = &info.trace.origin, now = itsi_now_ns();
    for (int i = 0; i < (dropped ? 3 : 10); i++)
        stamps[i] = now - (10 - i) * 5 * MS;
    info.deadline = info.trace.origin + 100 * MS;
    return info;
}

static bool finish(struct itsi_tracer *t, const struct itsi_frame_info *info, const struct itsi_trace_outcome *outcome)
{
    const struct itsi_trace_id id = itsi_tracer_id(t, info);
    return itsi_tracer_finish(t, info, &id, outcome);
}

static void frames(struct itsi_tracer *tracer, long count, const char *end)
{
    struct itsi_trace_outcome outcome = {.batch = 4, .quality_level = 3, .model = "its-road"};
    bool dropped = strcmp(end, "dropped") == 0;
    if (strcmp(end, "late") == 0)
        outcome.end = ITSI_TRACE_LATE;
    if (dropped)
        outcome = (struct itsi_trace_outcome){.end = ITSI_TRACE_DROPPED,
                                              .stage = ITSI_STAGE_PREPROCESSING,
                                              .reason = ITSI_DROP_REPLACED,
                                              .quality_level = -1};
    long kept = 0;
    for (long i = 0; i < count; i++) {
        struct itsi_frame_info info = frame_at(++last_seq, dropped);
        outcome.ended = itsi_now_ns();
        kept += finish(tracer, &info, &outcome);
    }
    struct itsi_frame_info info = frame_at(last_seq, dropped);
    struct itsi_trace_id id = itsi_tracer_id(tracer, &info);
    char hex[ITSI_TRACE_ID_HEX_SIZE];
    itsi_trace_id_hex(&id, hex);
    printf("{\"kept\":%ld,\"last_trace_id\":\"%s\"}\n", kept, hex);
}

static void serve(struct itsi_tracer *tracer, const char *traceparent, bool streamed)
{
    struct itsi_frame_info info = frame_at(last_seq, false);
    struct itsi_trace_context client, reply;
    struct itsi_trace_serving serving;
    bool has_client = itsi_traceparent_parse(&client, traceparent);
    if (has_client)
        itsi_tracestate_parse(&client, "vendor=abc");
    itsi_tracer_serve_begin(tracer, &info, has_client ? &client : NULL, streamed, &serving, &reply);
    serving.route = "/api/v1/cameras/{id}/snapshot.jpg";
    serving.http_status = 200;
    serving.bytes = 4711;
    serving.begin = itsi_now_ns();
    serving.encode_start = serving.begin + MS;
    serving.encode_end = serving.begin + 4 * MS;
    serving.send_start = serving.begin + 5 * MS;
    serving.send_end = serving.begin + 9 * MS;
    bool kept = itsi_tracer_serve_end(tracer, &info, &serving);
    char text[ITSI_TRACEPARENT_SIZE];
    itsi_traceparent_format(&reply, text);
    printf("{\"kept\":%s,\"traceparent\":\"%s\"}\n", kept ? "true" : "false", text);
}

static void print_stats(struct itsi_tracer *tracer, double seconds)
{
    struct itsi_tracer_stats s;
    itsi_tracer_stats(tracer, &s);
    printf("{\"traces\":%llu,\"kept\":%llu,\"exported\":%llu,\"waiting\":%llu,\"requests\":%llu,\"seconds\":%.3f",
           (unsigned long long)s.traces, (unsigned long long)s.kept, (unsigned long long)s.exported,
           (unsigned long long)s.waiting, (unsigned long long)s.requests, seconds);
    for (int i = 0; i < ITSI_TRACE_LOSS_COUNT; i++)
        printf(",\"%s\":%llu", itsi_trace_loss_name((enum itsi_trace_loss)i), (unsigned long long)s.dropped[i]);
    printf("}\n");
}

static void obey(struct itsi_tracer *tracer, const char *line)
{
    char word[64] = "", other[64] = "";
    long number = 0;
    if (sscanf(line, "frames %ld %63s", &number, word) == 2) {
        frames(tracer, number, word);
    } else if (sscanf(line, "serve %63s %63s", word, other) == 2) {
        serve(tracer, word, strcmp(other, "stream") == 0);
    } else if (sscanf(line, "stop %ld", &number) == 1) {
        int64_t began = itsi_now_ns();
        itsi_tracer_stop(tracer, began + number * MS);
        print_stats(tracer, (double)(itsi_now_ns() - began) / 1e9);
    } else {
        print_stats(tracer, 0);
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    itsi_log_install(itsi_log_to_file, stderr, ITSI_LOG_DEBUG);
    const struct itsi_backoff_policy backoff = {option(argc, argv, "first_ms", 50) * MS, 1000 * MS,
                                                option(argc, argv, "give_up_ms", 10000) * MS};
    const struct itsi_tracer_params params = {
        .endpoint = argv[1],
        .enabled = true,
        .rate = rate_of(argc, argv),
        .seed = 20,
        .ring_records = (int)option(argc, argv, "ring", 0),
        .batch_spans = (int)option(argc, argv, "batch", 0),
        .batch_ns = option(argc, argv, "batch_ms", 20) * MS,
        .timeout_seconds = (double)option(argc, argv, "timeout_ms", 5000) / 1000,
        .backoff = &backoff,
    };
    struct itsi_tracer *tracer;
    struct its_diag diag;
    if (itsi_tracer_create(&tracer, &params, &diag) != 0 || itsi_tracer_start(tracer, &diag) != 0) {
        fprintf(stderr, "%s\n", diag.text);
        return 1;
    }
    for (char line[256]; fgets(line, sizeof line, stdin);)
        obey(tracer, line);
    itsi_tracer_destroy(tracer);
    return 0;
}
