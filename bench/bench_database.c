/* What a pool costs above bare connections: a 1 is asked of the database as fast as it answers. threads: each asker is a
 * thread that borrows a connection, asks and gives it back. requests: each asks again when its request is done.
 * bench/database.py holds it against pgbench.
 *
 * usage: bench_database URL|PATH CONNECTIONS SECONDS threads|requests [ASKERS, else as many as connections]
 * Prints one line of JSON. */
#include "base/clock.h"
#include "base/thread.h"
#include "net/loop.h"
#include "pool/database_request.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 256 };

static struct itsi_database *database;
static atomic_bool counting, stop;
static atomic_int running; /* requests */

static const struct itsi_pool_owner owner = {.component = "bench", .stage = "ask"};
static const struct itsi_db_statement one = {.name = "one", .sql = "SELECT 1"};

struct asker {
    pthread_t thread;
    struct itsi_db_request request;
    long long asked, failed;
};

static int64_t soon(void) { return itsi_now_ns() + 10 * ITSI_NS_PER_S; }

static void count(struct asker *me, int rc)
{
    if (rc != 0)
        me->failed++;
    else
        me->asked += atomic_load_explicit(&counting, memory_order_relaxed);
}

/* --- threads ------------------------------------------------------------------------------------------------------- */

static int ask(void)
{
    const int64_t deadline = soon();
    struct its_diag diag;
    struct itsi_db_lease lease;
    int rc = itsi_database_borrow(database, &owner, deadline, &lease, &diag);
    if (rc != 0)
        return rc;
    rc = itsi_db_run(lease.connection, &one, NULL, 0, NULL, NULL, deadline, &diag);
    itsi_database_return(database, &lease, deadline);
    return rc;
}

static void *work(void *arg)
{
    while (!atomic_load_explicit(&stop, memory_order_relaxed))
        count(arg, ask());
    return NULL;
}

static void start_thread(struct asker *me)
{
    struct its_diag diag;
    if (itsi_thread_start(&me->thread, "asker", work, me, &diag) != 0)
        abort();
}

static void join_thread(struct asker *me) { pthread_join(me->thread, NULL); }

/* --- requests ------------------------------------------------------------------------------------------------------ */

static void ask_again(struct itsi_db_request *request, int rc, const struct its_diag *diag)
{
    (void)diag;
    count(request->self, rc);
    if (atomic_load_explicit(&stop, memory_order_relaxed)) {
        atomic_fetch_sub(&running, 1);
        return;
    }
    request->deadline = soon();
    itsi_database_start(database, request);
}

static void start_request(struct asker *me)
{
    me->request = (struct itsi_db_request){
        .owner = owner, .deadline = soon(), .call = {.statement = &one}, .done = ask_again, .self = me};
    atomic_fetch_add(&running, 1);
    itsi_database_start(database, &me->request);
}

static void wait_for_requests(struct asker *me)
{
    (void)me;
    while (atomic_load(&running) > 0)
        itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
}

/* ------------------------------------------------------------------------------------------------------------------- */

static const struct way {
    const char *name;
    void (*start)(struct asker *asker);
    void (*end)(struct asker *asker);
} ways[] = {{"threads", start_thread, join_thread}, {"requests", start_request, wait_for_requests}};

static void run(const struct way *way, int connections, int askers_count, double seconds)
{
    static struct asker askers[MOST];
    for (int i = 0; i < askers_count; i++)
        way->start(&askers[i]);
    itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_S); /* all connections are open, all statements prepared */
    const int64_t start = itsi_now_ns(), cpu = itsi_cpu_ns();
    atomic_store(&counting, true);
    itsi_sleep_until_ns(start + (int64_t)(seconds * 1e9));
    atomic_store(&counting, false);
    const double took = (double)(itsi_now_ns() - start), used = (double)(itsi_cpu_ns() - cpu);
    atomic_store(&stop, true);
    long long asked = 0, failed = 0;
    for (int i = 0; i < askers_count; i++) {
        way->end(&askers[i]);
        asked += askers[i].asked;
        failed += askers[i].failed;
    }
    printf("{\"bench\": \"database\", \"database\": \"%s\", \"way\": \"%s\", \"connections\": %d, \"askers\": %d, \"per_second\": %.0f, "
           "\"own_cpu_us\": %.2f, \"failed\": %lld}\n",
           itsi_database_kind(database), way->name, connections, askers_count, (double)asked * 1e9 / took, used / 1e3 / (double)asked, failed);
}

int main(int argc, char **argv)
{
    struct its_diag diag;
    struct itsi_loop *loop;
    const struct way *way = NULL;
    const int count = argc > 4 ? atoi(argv[2]) : 0;
    const double seconds = argc > 4 ? atof(argv[3]) : 0;
    for (size_t i = 0; argc > 4 && i < sizeof ways / sizeof *ways; i++)
        if (strcmp(argv[4], ways[i].name) == 0)
            way = &ways[i];
    const int askers = argc > 5 ? atoi(argv[5]) : count;
    if (count < 1 || askers < 1 || askers > MOST || !(seconds > 0) || !way) {
        fprintf(stderr, "usage: bench_database URL|PATH CONNECTIONS SECONDS threads|requests [ASKERS(1..%d)]\n", MOST);
        return 2;
    }
    const struct its_cfg_connection_pool cfg = {
        .db_pool_size = count, .db_pool_recycle = 3600, .db_pool_pre_ping = true, .db_pool_timeout = 30};
    if (itsi_loop_create(&loop, "pools", &diag) != 0 ||
        itsi_database_create(&database, loop, strstr(argv[1], "://") ? argv[1] : NULL, argv[1], &cfg, &diag) != 0) {
        fprintf(stderr, "%s\n", diag.text);
        return 1;
    }
    run(way, count, askers, seconds);
    itsi_database_destroy(database, itsi_now_ns() + ITSI_NS_PER_S);
    itsi_loop_destroy(loop);
    return 0;
}
