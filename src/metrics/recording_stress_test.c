/* Sixty-four threads record while a reader takes intervals as fast as it can: every value lands in exactly one
 * interval, a batch never in two. Threads open and close their writers on the way, and there are fewer writers than
 * threads, so some record through the shared one. */
#include "support/check.h"

#include "base/rand.h"
#include "base/thread.h"
#include "metrics/recording.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
enum { BATCHES = 3000 };
#else
enum { BATCHES = 100000 };
#endif
enum { THREADS = 64, WRITERS = 60, REOPEN_EVERY = 500, A = 0, B = 1, SHARED = 2, SERIES = 3 };

static pthread_barrier_t all_open; /* nobody records before everybody tried to open a writer */

struct worker {
    struct itsi_recording *recording;
    pthread_t thread;
    uint64_t seed;
    uint64_t batches, shared; /* what it recorded: batches of one value into A and B; values into SHARED */
    uint64_t sum;             /* of A's and SHARED's values */
    uint64_t violations, refused;
};

static void one_batch(struct worker *me, struct itsi_writer *writer, struct itsi_rand *rng)
{
    int64_t value = (int64_t)itsi_rand_below(rng, 200000000);
    const int64_t threshold = 100000000;
    me->sum += (uint64_t)value;
    me->violations += value > threshold;
    if (!writer) {
        itsi_recording_record_shared(me->recording, SHARED, value, threshold);
        me->shared++;
        return;
    }
    itsi_writer_begin(writer);
    itsi_writer_put(writer, A, value, threshold);
    itsi_writer_put(writer, B, value, threshold);
    itsi_writer_end(writer);
    me->batches++;
}

static void *work(void *arg)
{
    struct worker *me = arg;
    struct itsi_writer *writer = NULL;
    struct itsi_rand rng;
    itsi_rand_seed(&rng, me->seed);
    for (int i = 0; i < BATCHES; i++) {
        if (i % REOPEN_EVERY == 0) {
            itsi_writer_close(writer);
            writer = NULL;
            me->refused += itsi_writer_open(me->recording, A, 2, &writer, NULL) == ITS_ELIMIT;
        }
        if (i == 0)
            pthread_barrier_wait(&all_open);
        one_batch(me, writer, &rng);
    }
    itsi_writer_close(writer);
    return NULL;
}

struct reader {
    struct itsi_recording *recording;
    struct itsi_tally tally[SERIES]; /* of one interval */
    struct itsi_moments total[SERIES];
    uint64_t placed[SERIES];
    int intervals, torn;
};

static void read_interval(struct reader *r)
{
    itsi_recording_swap(r->recording);
    for (int s = 0; s < SERIES; s++) {
        itsi_tally_clear(&r->tally[s]);
        itsi_recording_take(r->recording, s, &r->tally[s]);
        itsi_moments_add(&r->total[s], &r->tally[s].moments);
        r->placed[s] += r->tally[s].placed;
    }
    const struct itsi_moments *a = &r->tally[A].moments, *b = &r->tally[B].moments;
    r->torn += a->count != b->count || a->sum != b->sum || a->min != b->min ||
               a->max != b->max || a->violations != b->violations;
    r->intervals++;
}

static struct itsi_event all_done;
static void *read_on(void *arg)
{
    struct reader *r = arg;
    while (!itsi_event_is_set(&all_done))
        read_interval(r);
    return NULL;
}

static void run(struct itsi_recording *recording, struct worker *workers, struct reader *reader)
{
    pthread_t reading;
    struct its_diag diag;
    itsi_event_init(&all_done);
    pthread_barrier_init(&all_open, NULL, THREADS);
    CHECK_OK(itsi_thread_start(&reading, "reader", read_on, reader, &diag), diag);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.recording = recording, .seed = 77 + (uint64_t)i};
        CHECK_OK(itsi_thread_start(&workers[i].thread, "worker", work, &workers[i], &diag), diag);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    itsi_event_set(&all_done);
    pthread_join(reading, NULL);
    itsi_event_fini(&all_done);
    pthread_barrier_destroy(&all_open);
    read_interval(reader); /* two, so that a writer left alone in the last one gives its values too */
    read_interval(reader);
}

static void sums_are_equal(struct itsi_recording *recording, const struct worker *workers, const struct reader *reader)
{
    struct worker sum = {0};
    for (int i = 0; i < THREADS; i++) {
        sum.batches += workers[i].batches;
        sum.shared += workers[i].shared;
        sum.sum += workers[i].sum;
        sum.violations += workers[i].violations;
        sum.refused += workers[i].refused;
    }
    struct itsi_recording_stats stats;
    itsi_recording_stats(recording, &stats);
    printf("%d intervals, %llu batches, %llu shared, %llu opens refused, %llu deferred, locked %d\n", reader->intervals,
           (unsigned long long)sum.batches, (unsigned long long)sum.shared, (unsigned long long)stats.refused,
           (unsigned long long)stats.deferred, stats.locked);
    assert_int_equal(sum.batches + sum.shared, (uint64_t)THREADS * BATCHES);
    assert_int_equal(reader->torn, 0);
    assert_int_equal(reader->total[A].count, sum.batches);
    assert_int_equal(reader->placed[A], sum.batches);
    assert_int_equal(reader->total[B].count, sum.batches);
    assert_int_equal(reader->total[SHARED].count, sum.shared);
    assert_int_equal(reader->total[A].sum + reader->total[SHARED].sum, sum.sum);
    assert_int_equal(reader->total[A].violations + reader->total[SHARED].violations, sum.violations);
    assert_int_equal(stats.refused, sum.refused);
    assert_true(sum.refused >= THREADS - WRITERS && sum.shared > 0);
    assert_int_equal(stats.misplaced, 0);
    assert_int_equal(stats.writers_open, 0);
    assert_true(stats.writers_made <= WRITERS);
}

static void every_value_in_exactly_one_interval(void **state)
{
    (void)state;
    for (int locked = 0; locked < 2; locked++) {
        struct its_diag diag;
        const struct itsi_recording_params params = {.fine = SERIES, .writers = WRITERS, .locked = locked};
        struct reader reader = {0};
        struct worker *workers = calloc(THREADS, sizeof *workers);
        CHECK_OK(itsi_recording_create(&reader.recording, &params, &diag), diag);
        for (int s = 0; s < SERIES; s++)
            CHECK_OK(itsi_tally_init(&reader.tally[s], ITSI_LAYOUT_FINE, &diag), diag);
        run(reader.recording, workers, &reader);
        sums_are_equal(reader.recording, workers, &reader);
        for (int s = 0; s < SERIES; s++)
            itsi_tally_fini(&reader.tally[s]);
        itsi_recording_destroy(reader.recording);
        free(workers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_value_in_exactly_one_interval)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
