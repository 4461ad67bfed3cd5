/* What borrowing costs, and how fairly it goes where there is not enough.
 *
 * cost: acquire and release of a pool that nobody else uses, against uncontended locked increments, alternating; the ratio
 *   of each round, its median and extremes. Both on the processor's time of this thread.
 * fairness: 64 threads on 20 resources, each held for as long as a command over a network takes, so that 44 wait at any
 *   moment; how long a wait takes on average and at most, and how often a thread was woken for each lease. */
#include "base/clock.h"
#include "base/thread.h"
#include "net/loop.h"
#include "pool/lease_stats.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPERATIONS = 200000, ROUNDS = 21, THREADS = 64, RESOURCES = 20, LEASES = 250 };
#define HELD_NS (5 * ITSI_NS_PER_MS)
#define WANTED_RATIO 20.0

static void must(int rc, const struct its_diag *diag)
{
    if (rc == 0)
        return;
    fprintf(stderr, "%s\n", diag->text);
    exit(1);
}

/* --- a kind that costs nothing ------------------------------------------------------------------------------------- */

static void open_it(void *self, struct itsi_pool_slot *slot, int64_t deadline)
{
    (void)deadline;
    slot->resource = self;
    itsi_pool_opened(slot);
}

static void close_it(void *self, struct itsi_pool_slot *slot, enum itsi_pool_closed reason)
{
    (void)self;
    (void)reason;
    itsi_pool_closed(slot);
}

static const struct itsi_pool_kind nothing = {.name = "nothing", .open = open_it, .close = close_it};
static const struct itsi_pool_owner owner = {.component = "bench", .stage = "pool"};

static struct itsi_pool *make_pool(struct itsi_loop *loop)
{
    const struct itsi_pool_params params = {
        .name = "bench",
        .least = RESOURCES,
        .most = RESOURCES,
        .waiters = 1000,
        .opens_per_second = 1e6,
        .opening = RESOURCES,
        .open_timeout_ns = ITSI_NS_PER_S,
        .check_timeout_ns = ITSI_NS_PER_S,
        .down_first_ns = ITSI_NS_PER_S,
        .down_most_ns = ITSI_NS_PER_S,
        .check_after_idle_ns = 500 * ITSI_NS_PER_MS,
        .keep_checking_ns = 30 * ITSI_NS_PER_S,
        .lifetime_ns = 1800 * ITSI_NS_PER_S,
        .idle_ns = 600 * ITSI_NS_PER_S,
        .leak_after_ns = 60 * ITSI_NS_PER_S,
        .reclaim_after_ns = ITSI_NEVER,
        .seed = 42,
    };
    struct itsi_pool *pool;
    struct its_diag diag;
    must(itsi_pool_create(&pool, loop, &params, &nothing, NULL, &diag), &diag);
    return pool;
}

/* --- cost ---------------------------------------------------------------------------------------------------------- */

static double locked_increments(atomic_uint_fast64_t *counter)
{
    const int64_t start = itsi_thread_cpu_ns();
    for (int i = 0; i < OPERATIONS; i++)
        atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
    return (double)(itsi_thread_cpu_ns() - start) / OPERATIONS;
}

static double leases(struct itsi_pool *pool)
{
    struct its_diag diag;
    struct itsi_lease lease;
    const int64_t start = itsi_thread_cpu_ns();
    for (int i = 0; i < OPERATIONS; i++) {
        must(itsi_pool_acquire(pool, &owner, ITSI_NEVER, &lease, &diag), &diag);
        if (itsi_pool_release(lease, false))
            exit(1);
    }
    return (double)(itsi_thread_cpu_ns() - start) / OPERATIONS;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double rounds[ROUNDS]) /* sorts them */
{
    qsort(rounds, ROUNDS, sizeof *rounds, by_value);
    return rounds[ROUNDS / 2];
}

static void cost(struct itsi_loop *loop)
{
    static atomic_uint_fast64_t counter;
    struct itsi_pool *pool = make_pool(loop);
    double increment[ROUNDS], lease[ROUNDS], ratio[ROUNDS];
    leases(pool); /* all are open, all memory is there */
    for (int r = 0; r < ROUNDS; r++) {
        increment[r] = locked_increments(&counter);
        lease[r] = leases(pool);
        ratio[r] = lease[r] / increment[r];
    }
    const double middle = median(ratio);
    printf("{\"bench\": \"pool_cost\", \"locked_increment_ns\": %.2f, \"acquire_release_ns\": %.2f, \"ratio\": %.2f, "
           "\"ratio_min\": %.2f, \"ratio_max\": %.2f, \"wanted_ratio\": %.1f, \"rounds\": %d}\n",
           median(increment), median(lease), middle, ratio[0], ratio[ROUNDS - 1], WANTED_RATIO, ROUNDS);
    itsi_pool_destroy(pool, ITSI_NEVER);
}

/* --- fairness ------------------------------------------------------------------------------------------------------ */

struct borrower {
    pthread_t thread;
    struct itsi_pool *pool;
    pthread_barrier_t *together;
    int64_t wait_ns, longest_ns; /* without the first and the last ones, when not all are there */
    int waits;
};

static void *borrow(void *arg)
{
    struct borrower *me = arg;
    struct its_diag diag;
    struct itsi_lease lease;
    pthread_barrier_wait(me->together);
    for (int i = 0; i < LEASES; i++) {
        const int64_t asked = itsi_now_ns();
        must(itsi_pool_acquire(me->pool, &owner, ITSI_NEVER, &lease, &diag), &diag);
        const int64_t now = itsi_now_ns(), waited = now - asked;
        if (i >= LEASES / 10 && i < LEASES - LEASES / 10) {
            me->wait_ns += waited;
            me->longest_ns = waited > me->longest_ns ? waited : me->longest_ns;
            me->waits++;
        }
        itsi_sleep_until_ns(now + HELD_NS);
        if (itsi_pool_release(lease, false))
            exit(1);
    }
    return NULL;
}

static void fairness(struct itsi_loop *loop)
{
    static struct borrower borrowers[THREADS];
    static struct itsi_pool_stats stats;
    struct itsi_pool *pool = make_pool(loop);
    struct its_diag diag;
    pthread_barrier_t together;
    double sum = 0, longest = 0;
    int waits = 0;
    pthread_barrier_init(&together, NULL, THREADS);
    const int64_t start = itsi_now_ns();
    for (int i = 0; i < THREADS; i++) {
        borrowers[i] = (struct borrower){.pool = pool, .together = &together};
        must(itsi_thread_start(&borrowers[i].thread, "borrower", borrow, &borrowers[i], &diag), &diag);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(borrowers[i].thread, NULL);
        sum += (double)borrowers[i].wait_ns;
        waits += borrowers[i].waits;
        longest = (double)borrowers[i].longest_ns > longest ? (double)borrowers[i].longest_ns : longest;
    }
    const double seconds = (double)(itsi_now_ns() - start) / (double)ITSI_NS_PER_S;
    must(itsi_pool_stats(pool, &stats, &diag), &diag);
    printf("{\"bench\": \"pool_fairness\", \"threads\": %d, \"resources\": %d, \"held_ms\": %.1f, \"leases\": %llu, "
           "\"leases_per_second\": %.0f, \"wait_mean_ms\": %.3f, \"wait_max_ms\": %.3f, \"max_to_mean\": %.2f, "
           "\"wanted_max_to_mean\": 2.0, \"waited\": %llu, \"wakeups_per_wait\": %.3f}\n",
           THREADS, RESOURCES, (double)HELD_NS / 1e6, (unsigned long long)stats.leases, (double)stats.leases / seconds,
           sum / waits / 1e6, longest / 1e6, longest / (sum / waits), (unsigned long long)stats.waited,
           (double)stats.wakeups / (double)stats.waited);
    pthread_barrier_destroy(&together);
    itsi_pool_destroy(pool, ITSI_NEVER);
}

int main(void)
{
    struct itsi_loop *loop;
    struct its_diag diag;
    must(itsi_loop_create(&loop, "bench-loop", &diag), &diag);
    cost(loop);
    fairness(loop);
    itsi_loop_destroy(loop);
    return 0;
}
