/* What tracing costs, as CPU time of the thread that pays: for a frame that is not kept and for one that is (the
 * frame's thread, its id as text for the result included), beside a locked increment in the same run; and for making,
 * encoding and packing a kept frame's nine spans (the exporter's thread). The medians of interleaved rounds; one JSON
 * line. From these, the share of one core at 100 cameras of 25 frames a second, a tenth of them kept. */
#include "base/clock.h"
#include "latency/trace.h"
#include "latency/trace_spans.h"
#include "net/gzip.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 21, FRAMES = 20000, KEPT = 2000 };

static struct itsi_frame_info frame_at(uint64_t seq)
{
    struct itsi_frame_info info = {.camera_id = "camera_042", .camera = 42, .seq = seq};
    int64_t *stamps = &info.trace.origin;
    for (int i = 0; i < 10; i++)
        stamps[i] = (100 + 5 * i) * ITSI_NS_PER_MS;
    info.deadline = 200 * ITSI_NS_PER_MS;
    return info;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, by_value);
    return values[ROUNDS / 2];
}

static double locked_increment(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static volatile uint64_t counter;
    int64_t start = itsi_thread_cpu_ns();
    for (int i = 0; i < FRAMES; i++) {
        pthread_mutex_lock(&mutex);
        counter = counter + 1;
        pthread_mutex_unlock(&mutex);
    }
    return (double)(itsi_thread_cpu_ns() - start) / FRAMES;
}

static double finish(struct itsi_tracer *tracer, int count)
{
    const struct itsi_trace_outcome outcome = {.end = ITSI_TRACE_ON_TIME, .batch = 8, .quality_level = 3,
                                               .model = "its-road"};
    struct itsi_frame_info info = frame_at(1);
    char text[ITSI_TRACE_ID_HEX_SIZE];
    int64_t start = itsi_thread_cpu_ns();
    for (int i = 0; i < count; i++) {
        info.seq++;
        const struct itsi_trace_id id = itsi_tracer_id(tracer, &info);
        itsi_trace_id_hex(&id, text);
        itsi_tracer_finish(tracer, &info, &id, &outcome);
    }
    return (double)(itsi_thread_cpu_ns() - start) / count;
}

static double encode(struct itsi_buf *batch)
{
    static struct itsi_trace_spans spans;
    struct itsi_trace_key key;
    struct itsi_trace_record record = {.info = frame_at(1), .outcome = {.batch = 8, .quality_level = 3},
                                       .model = "its-road"};
    itsi_trace_key_init(&key, 1);
    itsi_buf_reset(batch);
    int64_t start = itsi_thread_cpu_ns();
    for (int i = 0; i < KEPT; i++) {
        record.info.seq++;
        record.id = itsi_trace_id_of(&key, &record.info);
        itsi_trace_spans_make(&record, &key, ITSI_NS_PER_S, &spans);
        for (int s = 0; s < spans.count; s++)
            itsi_otlp_span_encode(&spans.items[s], batch);
    }
    return (double)(itsi_thread_cpu_ns() - start) / KEPT;
}

/* *ratio: how many times smaller the batch becomes. */
static double pack(struct itsi_gzip *gzip, const struct itsi_buf *batch, double *ratio)
{
    static struct itsi_buf packed;
    itsi_buf_reset(&packed);
    int64_t start = itsi_thread_cpu_ns();
    if (!itsi_gzip_pack(gzip, batch->data, batch->len, &packed))
        abort();
    *ratio = (double)batch->len / (double)packed.len;
    return (double)(itsi_thread_cpu_ns() - start) / KEPT;
}

/* Nothing listens at the endpoint and no exporter is started: the frame's side alone. */
static struct itsi_tracer *tracer(double rate)
{
    const struct itsi_tracer_params params = {.endpoint = "http://127.0.0.1:1", .enabled = true, .rate = rate,
                                              .seed = 1, .ring_records = 4096};
    struct itsi_tracer *t;
    if (itsi_tracer_create(&t, &params, NULL) != 0)
        abort();
    return t;
}

int main(void)
{
    static double locked[ROUNDS], passed[ROUNDS], kept[ROUNDS], encoded[ROUNDS], packed[ROUNDS];
    double smaller = 0;
    struct itsi_gzip *gzip;
    struct itsi_buf batch;
    itsi_buf_init(&batch);
    if (itsi_gzip_create(&gzip, NULL) != 0)
        return 1;
    struct itsi_tracer *none = tracer(0);
    for (int round = 0; round < ROUNDS; round++) {
        struct itsi_tracer *all = tracer(1);
        locked[round] = locked_increment();
        passed[round] = finish(none, FRAMES);
        kept[round] = finish(all, KEPT);
        encoded[round] = encode(&batch);
        packed[round] = pack(gzip, &batch, &smaller);
        itsi_tracer_destroy(all);
    }
    double lock = median(locked), pass = median(passed), keep = median(kept), code = median(encoded),
           zip = median(packed);
    double second = 2500 * (0.9 * pass + 0.1 * (keep + code + zip));
    printf("{\"bench\": \"trace\", \"locked_increment_ns\": %.1f, \"not_kept_ns\": %.1f, \"not_kept_ratio\": %.2f, "
           "\"kept_ns\": %.0f, \"encode_ns\": %.0f, \"pack_ns\": %.0f, \"pack_ratio\": %.1f, "
           "\"core_percent_at_2500_fps\": %.4f}\n",
           lock, pass, pass / lock, keep, code, zip, smaller, second / 1e9 * 100);
    itsi_tracer_destroy(none);
    itsi_gzip_destroy(gzip);
    itsi_buf_fini(&batch);
    return 0;
}
