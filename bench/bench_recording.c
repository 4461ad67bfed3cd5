/* What recording a duration costs, and what remembering it takes.
 *
 * cost: one record against one uncontended locked increment, alternating; the ratio of each round, its median and
 *   extremes. Batch: what a frame's values cost each when they share a begin/end.
 * threads: CPU time of a record per thread, with a writer per thread, beside one counter that all increment.
 * memory: 100 cameras of 25 frames/s, twelve stage series, end to end, unattributed and five quality levels, windows of
 *   60 s, 300 s and 60 min all full; and what a tick and a query cost then. */
#include "base/clock.h"
#include "base/rand.h"
#include "base/thread.h"
#include "metrics/windows.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    VALUES = 2048, /* stay in the first cache, as a value just measured would */
    RECORDS = 1000000,
    ROUNDS = 21,
    BATCH = 14,
    THREADS_MAX = 8
};

static int64_t values[VALUES];

static void must(int rc, const struct its_diag *diag)
{
    if (rc == 0)
        return;
    fprintf(stderr, "%s\n", diag->text);
    exit(1);
}

/* Latencies with a tail. Normal numbers from a table: some hundred million are needed. */
static double normals[1 << 16];
static int64_t draw(struct itsi_rand *rng, double median_ms, double spread)
{
    return (int64_t)(median_ms * 1e6 * exp(normals[itsi_rand_u64(rng) >> 48] * spread));
}

static struct itsi_recording *make_recording(int fine, int coarse, int writers, bool locked)
{
    struct its_diag diag;
    struct itsi_recording *recording;
    const struct itsi_recording_params params = {.fine = fine, .coarse = coarse, .writers = writers, .locked = locked};
    must(itsi_recording_create(&recording, &params, &diag), &diag);
    return recording;
}

static struct itsi_writer *make_writer(struct itsi_recording *recording, int series)
{
    struct its_diag diag;
    struct itsi_writer *writer;
    must(itsi_writer_open(recording, 0, series, &writer, &diag), &diag);
    return writer;
}

/* --- cost -------------------------------------------------------------------------------------------------------- */

static double locked_increments(atomic_uint_fast64_t *counter)
{
    int64_t start = itsi_thread_cpu_ns();
    for (int i = 0; i < RECORDS; i++)
        atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
    return (double)(itsi_thread_cpu_ns() - start) / RECORDS;
}

static double records(struct itsi_writer *writer)
{
    int64_t start = itsi_thread_cpu_ns();
    for (int i = 0; i < RECORDS; i++)
        itsi_writer_record(writer, 0, values[i % VALUES], 100 * ITSI_NS_PER_MS);
    return (double)(itsi_thread_cpu_ns() - start) / RECORDS;
}

static double batched_records(struct itsi_writer *writer)
{
    int64_t start = itsi_thread_cpu_ns();
    for (int i = 0; i < RECORDS / BATCH; i++) {
        itsi_writer_begin(writer);
        for (int s = 0; s < BATCH; s++)
            itsi_writer_put(writer, s, values[(i * BATCH + s) % VALUES], 100 * ITSI_NS_PER_MS);
        itsi_writer_end(writer);
    }
    return (double)(itsi_thread_cpu_ns() - start) / (RECORDS / BATCH * BATCH);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double rounds[ROUNDS]) /* sorts them */
{
    qsort(rounds, ROUNDS, sizeof *rounds, by_value);
    return rounds[ROUNDS / 2];
}

static void put_ratio(const char *what, double ratios[ROUNDS])
{
    double middle = median(ratios);
    printf(", \"%s\": %.2f, \"%s_min\": %.2f, \"%s_max\": %.2f", what, middle, what, ratios[0], what,
           ratios[ROUNDS - 1]);
}

static void cost(void)
{
    static atomic_uint_fast64_t counter;
    struct itsi_recording *plain = make_recording(BATCH, 0, 1, false), *locked = make_recording(1, 0, 1, true);
    struct itsi_writer *writer = make_writer(plain, BATCH), *locked_writer = make_writer(locked, 1);
    struct itsi_recording_stats stats;
    double increment[ROUNDS], single[ROUNDS], batch[ROUNDS], fenced[ROUNDS], ns[ROUNDS];
    records(writer);
    batched_records(writer);
    for (int r = 0; r < ROUNDS; r++) {
        increment[r] = locked_increments(&counter);
        ns[r] = records(writer);
        single[r] = ns[r] / increment[r];
        batch[r] = batched_records(writer) / increment[r];
        fenced[r] = records(locked_writer) / increment[r];
    }
    itsi_recording_stats(plain, &stats);
    printf("{\"bench\": \"recording_cost\", \"membarrier\": %s, \"locked_increment_ns\": %.2f, \"record_ns\": %.2f",
           stats.locked ? "false" : "true", median(increment), median(ns));
    put_ratio("ratio", single);
    put_ratio("batch_ratio", batch);
    put_ratio("without_membarrier_ratio", fenced);
    printf(", \"wanted_ratio\": 2.0, \"rounds\": %d}\n", ROUNDS);
    itsi_writer_close(writer);
    itsi_writer_close(locked_writer);
    itsi_recording_destroy(plain);
    itsi_recording_destroy(locked);
}

/* --- threads ----------------------------------------------------------------------------------------------------- */

struct worker {
    pthread_t thread;
    pthread_barrier_t *together;
    struct itsi_recording *recording;
    atomic_uint_fast64_t *counter;
    double record_ns, increment_ns; /* medians */
};

static void *work(void *arg)
{
    struct worker *me = arg;
    struct itsi_writer *writer = make_writer(me->recording, 1);
    double record[ROUNDS], increment[ROUNDS];
    records(writer); /* its memory is there */
    for (int r = 0; r < ROUNDS; r++) {
        pthread_barrier_wait(me->together);
        record[r] = records(writer);
        pthread_barrier_wait(me->together);
        increment[r] = locked_increments(me->counter);
    }
    itsi_writer_close(writer);
    me->record_ns = median(record);
    me->increment_ns = median(increment);
    return NULL;
}

/* CPU time and not time on the clock, so that threads may outnumber the cores. */
static void threads(int count)
{
    static atomic_uint_fast64_t counter;
    struct itsi_recording *recording = make_recording(1, 0, THREADS_MAX, false);
    struct worker workers[THREADS_MAX];
    pthread_barrier_t together;
    struct its_diag diag;
    double record = 0, increment = 0;
    pthread_barrier_init(&together, NULL, (unsigned)count);
    for (int i = 0; i < count; i++) {
        workers[i] = (struct worker){.together = &together, .recording = recording, .counter = &counter};
        must(itsi_thread_start(&workers[i].thread, "recorder", work, &workers[i], &diag), &diag);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        record += workers[i].record_ns / count;
        increment += workers[i].increment_ns / count;
    }
    printf("{\"bench\": \"recording_threads\", \"threads\": %d, \"cores\": %ld, \"record_ns\": %.2f, "
           "\"shared_counter_ns\": %.2f}\n",
           count, sysconf(_SC_NPROCESSORS_ONLN), record, increment);
    pthread_barrier_destroy(&together);
    itsi_recording_destroy(recording);
}

/* --- memory ------------------------------------------------------------------------------------------------------ */

enum { CAMERAS = 100, FPS = 25, SECONDS = 3700 };
enum { STAGES = 12, END_TO_END = STAGES, UNATTRIBUTED, LEVELS, FINE = LEVELS + 5 }; /* series */

/* The guide's stages, waiting and service: medians in ms, spread of the logarithm. */
static const struct {
    double median, spread;
} stages[STAGES] = {{0.3, 0.8}, {6, 0.3}, {2, 0.9}, {1.2, 0.2}, {8, 0.6},  {22, 0.15},
                    {0.1, 0.9}, {1, 0.3}, {1, 0.7}, {5, 0.25}, {0.5, 1.0}, {10, 0.8}};

static void frame(struct itsi_writer *writer, struct itsi_rand *rng, int camera, int series)
{
    int64_t whole = draw(rng, 0.02, 0.6);
    itsi_writer_begin(writer);
    itsi_writer_put(writer, UNATTRIBUTED, whole, INT64_MAX);
    for (int s = 0; s < STAGES; s++) {
        int64_t value = draw(rng, stages[s].median * (1 + camera % 10 * 0.05), stages[s].spread);
        whole += value;
        itsi_writer_put(writer, s, value, 50 * ITSI_NS_PER_MS);
    }
    itsi_writer_put(writer, END_TO_END, whole, 100 * ITSI_NS_PER_MS);
    itsi_writer_put(writer, LEVELS + camera % 5, whole, 100 * ITSI_NS_PER_MS);
    itsi_writer_put(writer, series, whole, 100 * ITSI_NS_PER_MS);
    itsi_writer_end(writer);
}

static double query_all(struct itsi_windows *windows, int first, int count, int64_t now)
{
    struct itsi_window_figures figures;
    int64_t start = itsi_thread_cpu_ns();
    for (int s = first; s < first + count; s++)
        for (int w = 0; w < 3; w++)
            if (itsi_windows_query(windows, s, w, now, &figures) != 0)
                abort();
    return (double)(itsi_thread_cpu_ns() - start) / 1e6;
}

static double resident_mb(void)
{
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (!statm || fscanf(statm, "%*d %ld", &pages) != 1)
        pages = 0;
    if (statm)
        fclose(statm);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static void memory(void)
{
    struct its_diag diag;
    struct itsi_rand rng;
    int series[CAMERAS];
    double resident = resident_mb();
    struct itsi_recording *recording = make_recording(FINE, CAMERAS, 4, false);
    struct itsi_writer *writer = make_writer(recording, FINE + CAMERAS);
    struct itsi_windows *windows;
    const struct itsi_windows_params params = {.recording = recording, .count = 3, .seconds = {60, 300, 3600}};
    int64_t now = itsi_now_ns(), ticking = 0;
    must(itsi_windows_create(&windows, &params, now, &diag), &diag);
    for (int c = 0; c < CAMERAS; c++)
        must(itsi_windows_claim(windows, &series[c], &diag), &diag);
    itsi_rand_seed(&rng, 1);
    for (int second = 0; second < SECONDS; second++) {
        for (int f = 0; f < FPS; f++)
            for (int c = 0; c < CAMERAS; c++)
                frame(writer, &rng, c, series[c]);
        now += ITSI_NS_PER_S;
        int64_t start = itsi_thread_cpu_ns();
        must(itsi_windows_tick(windows, now), &(struct its_diag){.text = "tick: out of memory"});
        ticking += itsi_thread_cpu_ns() - start;
    }
    struct itsi_window_figures hour;
    struct itsi_windows_stats kept;
    struct itsi_recording_stats recorded;
    must(itsi_windows_query(windows, END_TO_END, 2, now, &hour), &(struct its_diag){.text = "query"});
    itsi_windows_stats(windows, &kept);
    itsi_recording_stats(recording, &recorded);
    printf("{\"bench\": \"recording_memory\", \"cameras\": %d, \"hour_count\": %llu, \"hour_covered_s\": %.0f, "
           "\"windows_mb\": %.1f, \"recording_mb\": %.1f, \"total_mb\": %.1f, \"resident_mb\": %.1f, \"wanted_mb\": 64, "
           "\"tick_ms\": %.2f, \"query_all_totals_ms\": %.1f, \"query_all_cameras_ms\": %.1f}\n",
           CAMERAS, (unsigned long long)hour.count, hour.covered_s, (double)kept.bytes / (1 << 20),
           (double)recorded.bytes / (1 << 20), (double)(kept.bytes + recorded.bytes) / (1 << 20),
           resident_mb() - resident, (double)ticking / SECONDS / 1e6, query_all(windows, 0, FINE, now),
           query_all(windows, FINE, CAMERAS, now));
    itsi_windows_destroy(windows);
    itsi_writer_close(writer);
    itsi_recording_destroy(recording);
}

int main(void)
{
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 42);
    for (int i = 0; i < 1 << 16; i++)
        normals[i] = itsi_rand_normal(&rng);
    for (int i = 0; i < VALUES; i++)
        values[i] = draw(&rng, 45, 0.4);
    cost();
    for (int count = 1; count <= THREADS_MAX; count *= 2)
        threads(count);
    memory();
    return 0;
}
