#include "support/backend_conformance.h"

#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

#define MAX_SLOTS 64
/* Far beyond anything a test run takes: reached only when something hangs. */
#define PATIENCE (30 * ITSI_NS_PER_S)

struct rig {
    const struct itsi_backend *b;
    struct itsi_engine *e;
    const struct itsi_engine_info *info;
};

static struct rig open_rig(void **state, int max_batch)
{
    const struct backend_case *c = *state;
    struct itsi_engine_params params = c->params;
    struct rig rig = {.b = c->backend};
    struct its_diag diag;
    params.max_batch = max_batch;
    CHECK_OK(rig.b->open(&rig.e, &params, &diag), diag);
    rig.info = rig.b->info(rig.e);
    assert_true(rig.info->slots <= MAX_SLOTS);
    return rig;
}

static int submit_one(struct rig *rig, int images)
{
    int slot = rig->b->acquire(rig->e);
    assert_true(slot >= 0);
    assert_int_equal(rig->b->submit(rig->e, slot, images), 0);
    return slot;
}

static struct itsi_completion collect_one(struct rig *rig)
{
    struct itsi_completion done;
    assert_int_equal(rig->b->collect(rig->e, itsi_now_ns() + PATIENCE, &done), 0);
    assert_int_equal(done.status, 0);
    assert_in_range(done.slot, 0, rig->info->slots - 1);
    return done;
}

static void describes_itself(void **state)
{
    struct rig rig = open_rig(state, 2);
    const struct backend_case *c = *state;
    assert_int_equal(rig.b->api_version, ITSI_BACKEND_API);
    assert_string_equal(rig.info->backend, rig.b->name);
    assert_true(rig.info->device[0] && rig.info->precision[0]);
    assert_int_equal(rig.info->width, c->params.width);
    assert_int_equal(rig.info->height, c->params.height);
    assert_int_equal(rig.info->max_batch, 2);
    if (c->params.parallel)
        assert_int_equal(rig.info->parallel, c->params.parallel);
    assert_true(rig.info->parallel >= 1);
    assert_true(rig.info->slots > rig.info->parallel);
    int cells = (c->params.width / 32) * (c->params.height / 32);
    assert_int_equal(rig.info->anchors, cells * 21);
    if (c->params.classes)
        assert_int_equal(rig.info->rows, 4 + c->params.classes);
    rig.b->close(rig.e);
}

static void opens_and_closes_again_and_again(void **state)
{
    const struct backend_case *c = *state;
    for (int i = 0; i < c->reopen; i++) {
        struct rig rig = open_rig(state, 1);
        if (i % 3 == 0) { /* at times after some work */
            submit_one(&rig, 1);
            collect_one(&rig);
        }
        rig.b->close(rig.e);
    }
    c->backend->close(NULL);
}

static void images_have_memory_of_their_own(void **state)
{
    struct rig rig = open_rig(state, 3);
    size_t bytes = (size_t)rig.info->width * (size_t)rig.info->height * 3;
    for (int pass = 0; pass < 2; pass++)
        for (int slot = 0; slot < rig.info->slots; slot++)
            for (int image = 0; image < 3; image++) {
                uint8_t *data = rig.b->input(rig.e, slot, image);
                int tag = slot * 3 + image;
                if (pass == 0)
                    memset(data, tag, bytes);
                assert_int_equal(data[0], tag);
                assert_int_equal(data[bytes - 1], tag);
            }
    rig.b->close(rig.e);
}

/* A slot runs at the size chosen for it until it is released; then at size 0 again. */
static void a_slot_changes_its_size(void **state)
{
    const struct backend_case *c = *state;
    struct itsi_engine_params params = c->params;
    params.max_batch = 2;
    params.more[0] = (struct itsi_input_size){32, 32};
    params.more[1] = (struct itsi_input_size){params.width + 64, params.height};
    params.more_count = 2;
    struct rig rig = {.b = c->backend};
    struct its_diag diag;
    CHECK_OK(rig.b->open(&rig.e, &params, &diag), diag);
    rig.info = rig.b->info(rig.e);
    assert_int_equal(rig.info->size_count, 3);
    assert_int_equal(rig.b->resize(rig.e, 0, 1), ITS_EINVAL); /* not acquired */
    for (int turn = 0; turn < 4; turn++) {
        int slot = rig.b->acquire(rig.e);
        assert_int_equal(rig.b->resize(rig.e, slot, 3), ITS_EINVAL);
        assert_int_equal(rig.b->resize(rig.e, slot, -1), ITS_EINVAL);
        if (turn < 3) /* the last time it is left as it comes */
            assert_int_equal(rig.b->resize(rig.e, slot, turn), 0);
        const struct itsi_input_size size = rig.info->sizes[turn % 3];
        for (int image = 0; image < 2; image++)
            memset(rig.b->input(rig.e, slot, image), image, (size_t)size.width * (size_t)size.height * 3);
        assert_int_equal(rig.b->input(rig.e, slot, 0)[0], 0);
        assert_int_equal(rig.b->submit(rig.e, slot, 2), 0);
        assert_int_equal(rig.b->resize(rig.e, slot, 0), ITS_EINVAL); /* too late */
        assert_int_equal(collect_one(&rig).slot, slot);
        struct itsi_output_tensor out;
        rig.b->output(rig.e, slot, 1, &out);
        assert_int_equal(out.anchors, size.width / 32 * (size.height / 32) * 21);
        assert_int_equal(out.rows, rig.info->rows);
        rig.b->release(rig.e, slot);
    }
    rig.b->close(rig.e);
}

static void gives_every_slot_once(void **state)
{
    struct rig rig = open_rig(state, 1);
    for (int round = 0; round < 2; round++) {
        bool seen[MAX_SLOTS] = {false};
        for (int i = 0; i < rig.info->slots; i++) {
            int slot = rig.b->acquire(rig.e);
            assert_in_range(slot, 0, rig.info->slots - 1);
            assert_false(seen[slot]);
            seen[slot] = true;
        }
        assert_int_equal(rig.b->acquire(rig.e), -1);
        for (int i = 0; i < rig.info->slots; i++)
            rig.b->release(rig.e, i);
    }
    rig.b->close(rig.e);
}

static void a_collected_slot_stays_taken_until_released(void **state)
{
    struct rig rig = open_rig(state, 1);
    for (int i = 0; i < rig.info->slots; i++)
        submit_one(&rig, 1);
    for (int i = 0; i < rig.info->slots; i++)
        collect_one(&rig);
    assert_int_equal(rig.b->acquire(rig.e), -1);
    rig.b->release(rig.e, 1);
    assert_int_equal(rig.b->acquire(rig.e), 1);
    rig.b->close(rig.e);
}

/* Runs `count` submits, as many in flight as there are slots; runs[i] is the i-th submit's completion. */
static void run_many(struct rig *rig, struct itsi_completion *runs, int64_t *submitted, int count)
{
    int of_slot[MAX_SLOTS], begun = 0, ended = 0;
    while (ended < count) {
        int slot;
        while (begun < count && (slot = rig->b->acquire(rig->e)) >= 0) {
            of_slot[slot] = begun;
            submitted[begun++] = itsi_now_ns();
            assert_int_equal(rig->b->submit(rig->e, slot, 1), 0);
        }
        struct itsi_completion done = collect_one(rig);
        runs[of_slot[done.slot]] = done;
        ended++;
        rig->b->release(rig->e, done.slot);
    }
}

enum { RUNS = 60 };

static void starts_in_the_order_submitted_with_honest_stamps(void **state)
{
    struct rig rig = open_rig(state, 1);
    struct itsi_completion runs[RUNS];
    int64_t submitted[RUNS];
    run_many(&rig, runs, submitted, RUNS);
    int64_t now = itsi_now_ns();
    for (int i = 0; i < RUNS; i++) {
        assert_true(submitted[i] <= runs[i].started_ns);
        assert_true(runs[i].started_ns <= runs[i].finished_ns);
        assert_true(runs[i].finished_ns <= now);
        if (i > 0)
            assert_true(runs[i - 1].started_ns <= runs[i].started_ns);
    }
    rig.b->close(rig.e);
}

static void never_runs_more_than_parallel(void **state)
{
    struct rig rig = open_rig(state, 1);
    struct itsi_completion runs[RUNS];
    int64_t submitted[RUNS];
    run_many(&rig, runs, submitted, RUNS);
    int most = 0;
    for (int i = 0; i < RUNS; i++) { /* how many run when run i starts */
        int at_once = 0;
        for (int k = 0; k < RUNS; k++)
            at_once += runs[k].started_ns <= runs[i].started_ns && runs[i].started_ns < runs[k].finished_ns;
        most = at_once > most ? at_once : most;
    }
    if (most > rig.info->parallel)
        fail_msg("%d slots ran at once, parallel is %d", most, rig.info->parallel);
    rig.b->close(rig.e);
}

static void runs_any_number_of_images_up_to_the_batch(void **state)
{
    struct rig rig = open_rig(state, 4);
    for (int n = 1; n <= 4; n++) {
        int slot = submit_one(&rig, n);
        struct itsi_completion done = collect_one(&rig);
        assert_int_equal(done.slot, slot);
        for (int image = 0; image < n; image++) {
            struct itsi_output_tensor out = {0};
            rig.b->output(rig.e, slot, image, &out);
            assert_non_null(out.data);
            assert_int_equal(out.rows, rig.info->rows);
            assert_int_equal(out.anchors, rig.info->anchors);
            float last = out.data[(size_t)out.rows * (size_t)out.anchors - 1];
            assert_true(last >= 0.0F && last <= 1.0F);
        }
        rig.b->release(rig.e, slot);
    }
    rig.b->close(rig.e);
}

static void refuses_wrong_submits(void **state)
{
    struct rig rig = open_rig(state, 2);
    assert_int_equal(rig.b->submit(rig.e, 0, 1), ITS_EINVAL); /* not acquired */
    int slot = rig.b->acquire(rig.e);
    assert_int_equal(rig.b->submit(rig.e, slot, 0), ITS_EINVAL);
    assert_int_equal(rig.b->submit(rig.e, slot, 3), ITS_EINVAL);
    assert_int_equal(rig.b->submit(rig.e, -1, 1), ITS_EINVAL);
    assert_int_equal(rig.b->submit(rig.e, rig.info->slots, 1), ITS_EINVAL);
    assert_int_equal(rig.b->submit(rig.e, slot, 2), 0);
    assert_int_equal(rig.b->submit(rig.e, slot, 2), ITS_EINVAL); /* twice */
    collect_one(&rig);
    rig.b->close(rig.e);
}

static void collect_gives_up_at_its_time(void **state)
{
    struct rig rig = open_rig(state, 1);
    struct itsi_completion done;
    assert_int_equal(rig.b->collect(rig.e, 0, &done), ITS_ETIMEOUT);
    int64_t until = itsi_now_ns() + 3 * ITSI_NS_PER_MS;
    assert_int_equal(rig.b->collect(rig.e, until, &done), ITS_ETIMEOUT);
    assert_true(itsi_now_ns() >= until);
    rig.b->close(rig.e);
}

struct waiter {
    struct rig *rig;
    int completions, rc;
};

static void *collect_until_stopped(void *arg)
{
    struct waiter *w = arg;
    struct itsi_completion done;
    while ((w->rc = w->rig->b->collect(w->rig->e, ITSI_NEVER, &done)) == 0)
        w->completions++;
    return NULL;
}

static void stop_wakes_a_waiting_collect(void **state)
{
    struct rig rig = open_rig(state, 1);
    struct waiter w = {&rig, 0, 0};
    pthread_t thread;
    struct its_diag diag;
    CHECK_OK(itsi_thread_start(&thread, "collector", collect_until_stopped, &w, &diag), diag);
    rig.b->stop(rig.e);
    pthread_join(thread, NULL);
    assert_int_equal(w.rc, ITS_ECANCELLED);
    assert_int_equal(w.completions, 0);
    rig.b->close(rig.e);
}

static void stop_lets_what_is_submitted_finish(void **state)
{
    struct rig rig = open_rig(state, 1);
    struct waiter w = {&rig, 0, 0};
    for (int i = 0; i + 1 < rig.info->slots; i++)
        submit_one(&rig, 1);
    int last = rig.b->acquire(rig.e);
    rig.b->stop(rig.e);
    assert_int_equal(rig.b->submit(rig.e, last, 1), ITS_ECANCELLED);
    collect_until_stopped(&w);
    assert_int_equal(w.completions, rig.info->slots - 1);
    assert_int_equal(w.rc, ITS_ECANCELLED);
    rig.b->close(rig.e);
}

static void closes_with_work_in_flight(void **state)
{
    for (int i = 0; i < 5; i++) {
        struct rig rig = open_rig(state, 1);
        for (int k = 0; k < rig.info->slots; k++)
            submit_one(&rig, 1);
        if (i % 2)
            collect_one(&rig);
        rig.b->close(rig.e);
    }
}

/* Submit, collect and release on three threads, as the pipeline runs them. */
struct relay {
    struct rig *rig;
    int rounds;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    int collected[MAX_SLOTS], count; /* waiting for release */
    bool ended;
    uint32_t failures;
};

static void *relay_submit(void *arg)
{
    struct relay *r = arg;
    for (int i = 0; i < r->rounds;) {
        int slot = r->rig->b->acquire(r->rig->e);
        if (slot < 0) {
            sched_yield();
            continue;
        }
        memset(r->rig->b->input(r->rig->e, slot, 0), i, 64);
        __atomic_fetch_add(&r->failures, r->rig->b->submit(r->rig->e, slot, 1) != 0, __ATOMIC_RELAXED);
        i++;
    }
    r->rig->b->stop(r->rig->e);
    return NULL;
}

static void *relay_release(void *arg)
{
    struct relay *r = arg;
    pthread_mutex_lock(&r->mutex);
    while (r->count > 0 || !r->ended) {
        if (r->count == 0) {
            pthread_cond_wait(&r->cond, &r->mutex);
            continue;
        }
        int slot = r->collected[--r->count];
        pthread_mutex_unlock(&r->mutex);
        r->rig->b->release(r->rig->e, slot);
        pthread_mutex_lock(&r->mutex);
    }
    pthread_mutex_unlock(&r->mutex);
    return NULL;
}

static void three_threads_share_an_engine(void **state)
{
    struct rig rig = open_rig(state, 1);
    struct relay relay = {.rig = &rig, .rounds = 300};
    pthread_mutex_init(&relay.mutex, NULL);
    pthread_cond_init(&relay.cond, NULL);
    pthread_t submitter, releaser;
    struct its_diag diag;
    CHECK_OK(itsi_thread_start(&submitter, "submitter", relay_submit, &relay, &diag), diag);
    CHECK_OK(itsi_thread_start(&releaser, "releaser", relay_release, &relay, &diag), diag);
    struct itsi_completion done;
    int collected = 0, failed = 0;
    while (rig.b->collect(rig.e, ITSI_NEVER, &done) == 0) {
        struct itsi_output_tensor out;
        rig.b->output(rig.e, done.slot, 0, &out);
        failed += done.status != 0 || !(out.data[0] >= 0.0F);
        pthread_mutex_lock(&relay.mutex);
        relay.collected[relay.count++] = done.slot;
        pthread_cond_signal(&relay.cond);
        pthread_mutex_unlock(&relay.mutex);
        collected++;
    }
    pthread_mutex_lock(&relay.mutex);
    relay.ended = true;
    pthread_cond_signal(&relay.cond);
    pthread_mutex_unlock(&relay.mutex);
    pthread_join(submitter, NULL);
    pthread_join(releaser, NULL);
    pthread_cond_destroy(&relay.cond);
    pthread_mutex_destroy(&relay.mutex);
    assert_int_equal(collected, relay.rounds);
    assert_int_equal(failed, 0);
    assert_int_equal(relay.failures, 0);
    rig.b->close(rig.e);
}

static void steady_state_allocates_nothing(void **state)
{
    struct rig rig = open_rig(state, 1);
    struct itsi_completion runs[RUNS];
    int64_t submitted[RUNS];
    uint64_t before = itsi_alloc_count();
    run_many(&rig, runs, submitted, RUNS);
    assert_int_equal(itsi_alloc_count(), before);
    rig.b->close(rig.e);
}

static void a_failed_open_says_why(void **state)
{
    const struct backend_case *c = *state;
    struct itsi_engine *const untouched = (struct itsi_engine *)&(int){0};
    for (int i = 0; i < c->bad_count; i++) {
        struct itsi_engine *engine = untouched;
        struct its_diag diag = {""};
        int rc = c->backend->open(&engine, &c->bad[i], &diag);
        if (rc >= 0 || !diag.text[0])
            fail_msg("bad parameters %d: open gave %d, \"%s\"", i, rc, diag.text);
        assert_ptr_equal(engine, untouched);
        assert_true(c->backend->open(&engine, &c->bad[i], NULL) < 0); /* diag may be NULL */
    }
}

static void open_survives_every_allocation_failing(void **state)
{
    const struct backend_case *c = *state;
    struct itsi_engine_params params = c->params;
    params.max_batch = 1;
    int failures = 0;
    for (int n = 1; n < 10000; n++) {
        struct itsi_engine *engine = NULL;
        struct its_diag diag = {""};
        itsi_alloc_fail_at(n);
        int rc = c->backend->open(&engine, &params, &diag);
        itsi_alloc_fail_at(0);
        if (rc == 0) {
            c->backend->close(engine);
            break;
        }
        failures++;
        assert_int_equal(rc, ITS_ENOMEM);
        assert_true(diag.text[0]);
        assert_null(engine);
    }
    assert_in_range(failures, 2, 9000);
}

int backend_conformance_run(const struct backend_case *c)
{
    void *s = (void *)c;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(describes_itself, s),
        cmocka_unit_test_prestate(opens_and_closes_again_and_again, s),
        cmocka_unit_test_prestate(images_have_memory_of_their_own, s),
        cmocka_unit_test_prestate(a_slot_changes_its_size, s),
        cmocka_unit_test_prestate(gives_every_slot_once, s),
        cmocka_unit_test_prestate(a_collected_slot_stays_taken_until_released, s),
        cmocka_unit_test_prestate(starts_in_the_order_submitted_with_honest_stamps, s),
        cmocka_unit_test_prestate(never_runs_more_than_parallel, s),
        cmocka_unit_test_prestate(runs_any_number_of_images_up_to_the_batch, s),
        cmocka_unit_test_prestate(refuses_wrong_submits, s),
        cmocka_unit_test_prestate(collect_gives_up_at_its_time, s),
        cmocka_unit_test_prestate(stop_wakes_a_waiting_collect, s),
        cmocka_unit_test_prestate(stop_lets_what_is_submitted_finish, s),
        cmocka_unit_test_prestate(closes_with_work_in_flight, s),
        cmocka_unit_test_prestate(three_threads_share_an_engine, s),
        cmocka_unit_test_prestate(steady_state_allocates_nothing, s),
        cmocka_unit_test_prestate(a_failed_open_says_why, s),
        cmocka_unit_test_prestate(open_survives_every_allocation_failing, s),
    };
    return cmocka_run_group_tests_name(c->name, tests, NULL, NULL);
}
