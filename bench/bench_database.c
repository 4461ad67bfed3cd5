/* What a pool costs above bare connections: threads that borrow one, ask the database for a 1 and give it back, as fast as
 * they can. bench/database.py holds it against pgbench.
 *
 * usage: bench_database URL|PATH CONNECTIONS SECONDS
 * Prints one line of JSON. */
#include "base/clock.h"
#include "base/thread.h"
#include "net/loop.h"
#include "pool/database_pool.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };

static struct itsi_database *database;
static atomic_bool counting, stop;

struct asker {
    pthread_t thread;
    long long asked, failed;
};

static int ask(void)
{
    static const struct itsi_pool_owner owner = {.component = "bench", .stage = "ask"};
    static const struct itsi_db_statement one = {.name = "one", .sql = "SELECT 1"};
    int64_t deadline = itsi_now_ns() + 10 * ITSI_NS_PER_S;
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
    struct asker *me = arg;
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        int rc = ask();
        if (rc != 0)
            me->failed++;
        else
            me->asked += atomic_load_explicit(&counting, memory_order_relaxed);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct its_diag diag;
    struct itsi_loop *loop;
    struct asker askers[MOST] = {{0}};
    int count = argc > 3 ? atoi(argv[2]) : 0;
    double seconds = argc > 3 ? atof(argv[3]) : 0;
    if (count < 1 || count > MOST || !(seconds > 0)) {
        fprintf(stderr, "usage: bench_database URL|PATH CONNECTIONS(1..%d) SECONDS\n", MOST);
        return 2;
    }
    const struct its_cfg_connection_pool cfg = {
        .db_pool_size = count, .db_pool_recycle = 3600, .db_pool_pre_ping = true, .db_pool_timeout = 30};
    if (itsi_loop_create(&loop, "pools", &diag) != 0 ||
        itsi_database_create(&database, loop, strstr(argv[1], "://") ? argv[1] : NULL, argv[1], &cfg, &diag) != 0) {
        fprintf(stderr, "%s\n", diag.text);
        return 1;
    }
    for (int i = 0; i < count; i++)
        if (itsi_thread_start(&askers[i].thread, "asker", work, &askers[i], &diag) != 0)
            abort();
    itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_S); /* all connections are open, all statements prepared */
    int64_t start = itsi_now_ns();
    atomic_store(&counting, true);
    itsi_sleep_until_ns(start + (int64_t)(seconds * 1e9));
    atomic_store(&counting, false);
    int64_t end = itsi_now_ns();
    atomic_store(&stop, true);
    long long asked = 0, failed = 0;
    for (int i = 0; i < count; i++) {
        pthread_join(askers[i].thread, NULL);
        asked += askers[i].asked;
        failed += askers[i].failed;
    }
    printf("{\"bench\": \"database\", \"database\": \"%s\", \"connections\": %d, \"per_second\": %.0f, \"failed\": %lld}\n",
           itsi_database_kind(database), count, (double)asked * 1e9 / (double)(end - start), failed);
    itsi_database_destroy(database, itsi_now_ns() + ITSI_NS_PER_S);
    itsi_loop_destroy(loop);
    return 0;
}
