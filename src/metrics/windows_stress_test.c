/* Everybody at once: threads record, one ticks, one asks, one resizes and claims and releases series. */
#include "support/check.h"

#include "base/clock.h"
#include "base/rand.h"
#include "base/thread.h"
#include "metrics/windows.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { RECORDERS = 6, FINE = 2, COARSE = 8, TICKS = 120, BURST = 64, ENOUGH = 200 * BURST, TICKS_PER_SECOND = 10 };

struct scene {
    struct itsi_recording *recording;
    struct itsi_windows *windows;
    struct itsi_event done;
    pthread_barrier_t start;
    atomic_int_fast64_t now;       /* the ticker moves it */
    atomic_uint_fast64_t recorded; /* into each fine series */
};

static void *record(void *arg)
{
    struct scene *scene = arg;
    struct itsi_writer *writer;
    if (itsi_writer_open(scene->recording, 0, FINE + COARSE, &writer, NULL) != 0)
        return NULL;
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 9);
    pthread_barrier_wait(&scene->start);
    while (!itsi_event_is_set(&scene->done)) {
        for (int i = 0; i < BURST; i++) {
            itsi_writer_begin(writer);
            itsi_writer_put(writer, 0, itsi_rand_below(&rng, 100000000), 50000000);
            itsi_writer_put(writer, 1, itsi_rand_below(&rng, 100000000), 50000000);
            itsi_writer_put(writer, FINE + i % COARSE, 1000000, 50000000);
            itsi_writer_end(writer);
        }
        atomic_fetch_add(&scene->recorded, BURST);
        sched_yield();
    }
    itsi_writer_close(writer);
    return scene;
}

static void *tick(void *arg)
{
    struct scene *scene = arg;
    int rc = 0;
    pthread_barrier_wait(&scene->start);
    for (int i = 0; (i < TICKS || atomic_load(&scene->recorded) < ENOUGH) && rc == 0; i++)
        rc = itsi_windows_tick(scene->windows, atomic_fetch_add(&scene->now, ITSI_NS_PER_S / TICKS_PER_SECOND));
    itsi_event_set(&scene->done);
    return rc == 0 ? scene : NULL;
}

/* Lets a tick pass, since a lock asked for without a pause may never come to the one who ticks. False: it is over. */
static bool next_tick(struct scene *scene, int64_t *seen)
{
    while (atomic_load(&scene->now) == *seen && !itsi_event_is_set(&scene->done))
        sched_yield();
    *seen = atomic_load(&scene->now);
    return !itsi_event_is_set(&scene->done);
}

static void *ask(void *arg)
{
    struct scene *scene = arg;
    int64_t now = 0;
    bool sound = true;
    pthread_barrier_wait(&scene->start);
    while (next_tick(scene, &now)) {
        for (int s = 0; s < FINE + COARSE; s++) {
            struct itsi_window_figures f = {0};
            int rc = itsi_windows_query(scene->windows, s, 0, now, &f);
            sound = sound && (rc == 0 || s >= FINE) && f.p50_ms <= f.p99_ms && f.violations <= f.count;
        }
    }
    return sound ? scene : NULL;
}

static void *change(void *arg)
{
    struct scene *scene = arg;
    int series[COARSE], held = 0, failed = 0;
    int64_t now = 0;
    pthread_barrier_wait(&scene->start);
    for (int i = 0; next_tick(scene, &now); i++) {
        failed += itsi_windows_resize(scene->windows, 0, 1 + i * 37 % 4000, NULL) != 0;
        if (held < COARSE / 2)
            held += itsi_windows_claim(scene->windows, &series[held], NULL) == 0;
        else
            itsi_windows_release(scene->windows, series[--held]);
    }
    return failed ? NULL : scene;
}

static void nothing_is_lost_among_them(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct its_diag diag;
    void *(*const roles[])(void *) = {tick, ask, change};
    pthread_t recorders[RECORDERS], others[3];
    void *result;
    const struct itsi_recording_params params = {.fine = FINE, .coarse = COARSE, .writers = RECORDERS};
    CHECK_OK(itsi_recording_create(&scene.recording, &params, &diag), diag);
    const struct itsi_windows_params wanted = {.recording = scene.recording, .count = 2, .seconds = {60, 300}};
    CHECK_OK(itsi_windows_create(&scene.windows, &wanted, 0, &diag), diag);
    itsi_event_init(&scene.done);
    pthread_barrier_init(&scene.start, NULL, RECORDERS + 3);
    for (int i = 0; i < 3; i++)
        CHECK_OK(itsi_thread_start(&others[i], "other", roles[i], &scene, &diag), diag);
    for (int i = 0; i < RECORDERS; i++)
        CHECK_OK(itsi_thread_start(&recorders[i], "recorder", record, &scene, &diag), diag);
    for (int i = 0; i < RECORDERS; i++) {
        pthread_join(recorders[i], &result);
        assert_non_null(result);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(others[i], &result);
        assert_non_null(result);
    }
    for (int i = 0; i < 2; i++) /* two, as a writer may have been left alone */
        assert_int_equal(itsi_windows_tick(scene.windows, atomic_load(&scene.now) + ITSI_NS_PER_S), 0);
    for (int s = 0; s < FINE; s++) {
        struct itsi_moments totals;
        assert_int_equal(itsi_windows_totals(scene.windows, s, &totals), 0);
        assert_int_equal(totals.count, atomic_load(&scene.recorded));
    }
    pthread_barrier_destroy(&scene.start);
    itsi_event_fini(&scene.done);
    itsi_windows_destroy(scene.windows);
    itsi_recording_destroy(scene.recording);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_lost_among_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
