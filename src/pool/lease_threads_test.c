/* Many threads on one pool while the server dies, comes back and is slow; run under ThreadSanitizer too. What must hold: no
 * resource in two hands, no wait without an answer, no answer after its deadline by much, nothing left at the end. */
#include "base/rand.h"
#include "pool/lease_server.h"

enum { THREADS = 64, ROUNDS = 300, CROWD = 1000 };

struct world {
    struct server server;
    struct itsi_pool *pool;
    atomic_int in_hand[256];  /* by slot */
    atomic_int collisions;    /* one resource in two hands */
    atomic_int outcomes[32];  /* by -rc */
    atomic_long leases;
    atomic_llong latest_ns;   /* the longest that an answer came after its deadline */
};

static void note_lateness(struct world *w, int64_t deadline)
{
    long long late = deadline == ITSI_NEVER ? 0 : (long long)(itsi_now_ns() - deadline);
    long long known = atomic_load(&w->latest_ns);
    while (late > known && !atomic_compare_exchange_weak(&w->latest_ns, &known, late))
        ;
}

static void use(struct world *w, struct itsi_rand *rng, struct itsi_lease lease)
{
    if (atomic_fetch_add(&w->in_hand[lease.slot->index], 1) != 0)
        atomic_fetch_add(&w->collisions, 1);
    if (itsi_rand_below(rng, 4) == 0)
        itsi_sleep_until_ns(itsi_now_ns() + itsi_rand_below(rng, 500) * ITSI_NS_PER_US);
    atomic_fetch_sub(&w->in_hand[lease.slot->index], 1);
    atomic_fetch_add(&w->leases, 1);
    assert_int_equal(itsi_pool_release(lease, itsi_rand_below(rng, 50) == 0), 0);
}

/* --- asking without blocking --------------------------------------------------------------------------------------- */

struct asker {
    struct itsi_pool_request request; /* first */
    struct itsi_event done;
    int rc;
    struct itsi_lease lease;
};

static void on_done(struct itsi_pool_request *request, int rc, struct itsi_lease lease, const struct its_diag *diag)
{
    struct asker *asker = (struct asker *)request;
    (void)diag;
    asker->rc = rc;
    asker->lease = lease;
    itsi_event_set(&asker->done);
}

static int request(struct world *w, struct itsi_rand *rng, int64_t deadline, struct itsi_lease *lease)
{
    struct asker asker = {.request = {.owner = somebody, .deadline = deadline, .done = on_done}};
    itsi_event_init(&asker.done);
    itsi_pool_request(w->pool, &asker.request);
    if (itsi_rand_below(rng, 3) == 0)
        itsi_pool_cancel(w->pool, &asker.request);
    itsi_event_wait_until(&asker.done, ITSI_NEVER);
    itsi_event_fini(&asker.done);
    *lease = asker.lease;
    return asker.rc;
}

struct borrower {
    pthread_t thread;
    struct world *world;
    uint64_t seed;
};

static void *borrow(void *arg)
{
    struct borrower *me = arg;
    struct world *w = me->world;
    struct itsi_rand rng;
    struct its_diag diag;
    itsi_rand_seed(&rng, me->seed);
    for (int i = 0; i < ROUNDS; i++) {
        const bool is_patient = itsi_rand_below(&rng, 3) == 0;
        const int64_t deadline = is_patient ? ITSI_NEVER : itsi_now_ns() + itsi_rand_below(&rng, 5000) * ITSI_NS_PER_US;
        struct itsi_lease lease;
        const int rc = itsi_rand_below(&rng, 2) ? itsi_pool_acquire(w->pool, &somebody, deadline, &lease, &diag)
                                                : request(w, &rng, deadline, &lease);
        atomic_fetch_add(&w->outcomes[-rc], 1);
        if (rc == 0)
            use(w, &rng, lease);
        else
            note_lateness(w, rc == ITS_ETIMEOUT ? deadline : ITSI_NEVER);
    }
    return NULL;
}

/* --- 64 threads ---------------------------------------------------------------------------------------------------- */

struct killer {
    pthread_t thread;
    struct world *world;
    atomic_bool stop;
    int kills;
};

static void *kill_now_and_then(void *arg)
{
    struct killer *k = arg;
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 99);
    while (!atomic_load(&k->stop)) {
        atomic_store(&k->world->server.is_down, itsi_rand_below(&rng, 3) == 0);
        atomic_store(&k->world->server.checks_fail, itsi_rand_below(&rng, 3) == 0);
        itsi_loop_call(k->world->server.loop, server_kill, &k->world->server);
        k->kills++;
        itsi_sleep_until_ns(itsi_now_ns() + (1 + itsi_rand_below(&rng, 10)) * MS);
    }
    atomic_store(&k->world->server.is_down, false);
    return NULL;
}

static void a_crowd_on_a_server_that_dies_again_and_again(void **state)
{
    (void)state;
    static struct world w;
    static struct borrower borrowers[THREADS];
    struct killer killer = {.world = &w};
    struct itsi_pool_params p = plain_params();
    p.most = 20;
    p.overflow = 5;
    p.reserve = 2;
    p.least = 4;
    p.spares = 1;
    p.waiters = 60;
    p.check_after_idle_ns = MS;
    p.lifetime_ns = 50 * MS;
    p.idle_ns = 20 * MS;
    p.uses = 100;
    p.down_first_ns = 2 * MS;
    p.down_most_ns = 8 * MS;
    p.reserve_after_ns = 2 * MS;
    p.opens_per_second = 20000;
    w.pool = server_begin(&w.server, &p);
    assert_int_equal(itsi_thread_start(&killer.thread, "killer", kill_now_and_then, &killer, NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        borrowers[i] = (struct borrower){.world = &w, .seed = (uint64_t)i + 1};
        assert_int_equal(itsi_thread_start(&borrowers[i].thread, "borrower", borrow, &borrowers[i], NULL), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(borrowers[i].thread, NULL);
    atomic_store(&killer.stop, true);
    pthread_join(killer.thread, NULL);
    struct itsi_pool_stats stats = stats_of(w.pool);
    printf("%d threads, %d kills: %ld leases, %d timeouts, %d refused, %d cancelled, %d full, %llu opened; latest answer "
           "%.1f ms after its deadline\n",
           THREADS, killer.kills, atomic_load(&w.leases), w.outcomes[-ITS_ETIMEOUT], w.outcomes[-ITS_EREFUSED],
           w.outcomes[-ITS_ECANCELLED], w.outcomes[-ITS_ELIMIT], (unsigned long long)stats.opens,
           (double)w.latest_ns / 1e6);
    assert_int_equal(w.collisions, 0);
    assert_true(w.server.most_open <= 20);
    assert_int_equal(stats.leases, (uint64_t)w.leases);
    assert_int_equal(stats.timeouts, (uint64_t)w.outcomes[-ITS_ETIMEOUT]);
    assert_int_equal(stats.cancelled, (uint64_t)w.outcomes[-ITS_ECANCELLED]);
    assert_int_equal(stats.in_use, 0);
    assert_int_equal(stats.waiting, 0);
    assert_true(w.leases > 1000 && killer.kills > 5);
    server_end(&w.server, w.pool);
}

/* --- a thousand that wait ------------------------------------------------------------------------------------------ */

struct one_of_many {
    struct itsi_pool_request request; /* first */
    atomic_int *left;
    struct itsi_event *all;
    int64_t answered;
    int rc;
};

static void on_one(struct itsi_pool_request *request, int rc, struct itsi_lease lease, const struct its_diag *diag)
{
    struct one_of_many *one = (struct one_of_many *)request;
    (void)lease;
    (void)diag;
    one->rc = rc;
    one->answered = itsi_now_ns();
    if (atomic_fetch_sub(one->left, 1) == 1)
        itsi_event_set(one->all);
}

static void a_thousand_waiters_each_end_at_their_own_deadline(void **state)
{
    (void)state;
    static struct world w;
    static struct one_of_many many[CROWD];
    struct itsi_event all;
    struct its_diag diag;
    struct itsi_lease held;
    atomic_int left = CROWD;
    struct itsi_pool_params p = plain_params();
    p.most = 1;
    p.waiters = CROWD;
    w.pool = server_begin(&w.server, &p);
    itsi_event_init(&all);
    CHECK_OK(itsi_pool_acquire(w.pool, &somebody, ITSI_NEVER, &held, &diag), diag);
    const int64_t start = itsi_now_ns();
    for (int i = 0; i < CROWD; i++) { /* those that came last are due first */
        many[i] = (struct one_of_many){
            .request = {.owner = somebody, .deadline = start + 50 * MS + (CROWD - i) * 100 * ITSI_NS_PER_US, .done = on_one},
            .left = &left,
            .all = &all};
        itsi_pool_request(w.pool, &many[i].request);
    }
    assert_true(itsi_event_wait_until(&all, itsi_now_ns() + 60 * S));
    int64_t latest = 0;
    for (int i = 0; i < CROWD; i++) {
        const int64_t late = many[i].answered - many[i].request.deadline;
        assert_int_equal(many[i].rc, ITS_ETIMEOUT);
        assert_true(late >= 0);
        latest = late > latest ? late : latest;
    }
    printf("%d waiters with deadlines 0.1 ms apart: the latest answer %.2f ms after its own\n", CROWD, (double)latest / 1e6);
    assert_int_equal(stats_of(w.pool).timeouts, CROWD);
    assert_int_equal(itsi_pool_release(held, false), 0);
    itsi_event_fini(&all);
    server_end(&w.server, w.pool);
}

/* --- an outage ----------------------------------------------------------------------------------------------------- */

static void after_an_outage_it_is_back_by_itself(void **state)
{
    (void)state;
    static struct world w;
    struct itsi_pool_params p = plain_params();
    struct its_diag diag;
    struct itsi_lease lease;
    p.most = p.least = 20;
    p.down_first_ns = 50 * MS;
    p.down_most_ns = 200 * MS;
    p.opens_per_second = 200;
    w.pool = server_begin(&w.server, &p);
    WAIT_FOR(w.pool, now.idle == 20);
    atomic_store(&w.server.is_down, true);
    itsi_loop_call(w.server.loop, server_kill, &w.server);
    WAIT_FOR(w.pool, now.is_down && now.closed[ITSI_POOL_CLOSED_OPEN] >= 5);
    const int opens = w.server.opens;
    for (int i = 0; i < 1000; i++) { /* each waits for the one attempt under way at most */
        const int rc = itsi_pool_acquire(w.pool, &somebody, itsi_now_ns() + 10 * S, &lease, &diag);
        assert_int_equal(rc, ITS_EREFUSED);
    }
    assert_true(w.server.opens - opens < 20); /* no storm */
    atomic_store(&w.server.is_down, false);
    const int64_t up = itsi_now_ns();
    int64_t first = 0;
    while (!first && itsi_now_ns() < up + 10 * S) {
        if (itsi_pool_acquire(w.pool, &somebody, itsi_now_ns() + S, &lease, &diag) == 0) {
            first = itsi_now_ns();
            assert_int_equal(itsi_pool_release(lease, false), 0);
        } else {
            itsi_sleep_until_ns(itsi_now_ns() + MS);
        }
    }
    assert_true(first != 0);
    WAIT_FOR(w.pool, now.idle == 20);
    printf("the server is back: first lease after %.1f ms, all %d after %.1f ms\n", (double)(first - up) / 1e6, 20,
           (double)(itsi_now_ns() - up) / 1e6);
    server_end(&w.server, w.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_on_a_server_that_dies_again_and_again),
        cmocka_unit_test(a_thousand_waiters_each_end_at_their_own_deadline),
        cmocka_unit_test(after_an_outage_it_is_back_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
