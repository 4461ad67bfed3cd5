/* Threads that write to a database through the pool, as fast as they can, until standard input ends.
 *
 * usage: its_database_load URL|PATH THREADS borrow|request
 *
 * borrow: each row in a transaction on a borrowed connection; request: as a statement that the database carries out.
 *
 * Each row has a number of its own and is acknowledged when its transaction's commit was. Prints one line of JSON: rows
 * acknowledged, errors by name, the longest time without an acknowledgement, connections open. Every line on standard input
 * asks for such a line, and its end for the last one. */
#include "base/clock.h"
#include "base/thread.h"
#include "net/loop.h"
#include "pool/database_request.h"
#include "pool/lease_stats.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_THREADS = 64, CODES = 32 };

static struct itsi_database *database;
static atomic_bool stop;
static atomic_llong acknowledged, next_id, last_ns, longest_ns, failures[CODES];

static void acknowledge(void)
{
    long long now = itsi_now_ns(), since = now - atomic_exchange(&last_ns, now);
    long long longest = atomic_load(&longest_ns);
    while (since > longest && !atomic_compare_exchange_weak(&longest_ns, &longest, since))
        ;
    atomic_fetch_add(&acknowledged, 1);
}

static const struct itsi_pool_owner owner = {.component = "load", .stage = "write"};
static const struct itsi_db_statement in = {.name = "load_in", .sql = "INSERT INTO load (id) VALUES (?1)"};

static int write_on_borrowed(int64_t id, struct its_diag *diag)
{
    const struct itsi_db_value value = itsi_db_int(id);
    struct itsi_db_lease lease;
    int64_t deadline = itsi_now_ns() + ITSI_NS_PER_S;
    int rc = itsi_database_borrow(database, &owner, deadline, &lease, diag);
    if (rc != 0)
        return rc;
    rc = itsi_db_begin(lease.connection, deadline, diag);
    if (rc == 0)
        rc = itsi_db_run(lease.connection, &in, &value, 1, NULL, NULL, deadline, diag);
    if (rc == 0)
        rc = itsi_db_commit(lease.connection, deadline, diag);
    itsi_database_return(database, &lease, deadline);
    return rc;
}

struct written {
    struct itsi_db_request request; /* first */
    struct itsi_event event;
    struct its_diag *diag;
    int rc;
};

static void on_written(struct itsi_db_request *request, int rc, const struct its_diag *diag)
{
    struct written *written = (struct written *)request;
    written->rc = rc;
    if (rc != 0)
        *written->diag = *diag;
    itsi_event_set(&written->event);
}

static int write_by_request(int64_t id, struct its_diag *diag)
{
    const struct itsi_db_value value = itsi_db_int(id);
    struct written written = {.request = {.owner = owner,
                                          .deadline = itsi_now_ns() + ITSI_NS_PER_S,
                                          .call = {.statement = &in, .values = &value, .count = 1},
                                          .done = on_written},
                              .diag = diag};
    itsi_event_init(&written.event);
    itsi_database_start(database, &written.request);
    itsi_event_wait_until(&written.event, ITSI_NEVER);
    itsi_event_fini(&written.event);
    return written.rc;
}

static int (*write_row)(int64_t id, struct its_diag *diag);

/* The row's number is kept over failures, and a key that is taken means that an earlier commit had arrived after all. */
static void *work(void *arg)
{
    (void)arg;
    while (!atomic_load(&stop)) {
        int64_t id = atomic_fetch_add(&next_id, 1);
        struct its_diag diag;
        int rc;
        while ((rc = write_row(id, &diag)) != 0 && rc != ITS_EEXISTS && !atomic_load(&stop)) {
            atomic_fetch_add(&failures[-rc], 1);
            itsi_sleep_until_ns(itsi_now_ns() + 20 * ITSI_NS_PER_MS);
        }
        if (rc == 0 || rc == ITS_EEXISTS)
            acknowledge();
    }
    return NULL;
}

static int prepare(struct its_diag *diag)
{
    const struct itsi_db_statement drop = {.sql = "DROP TABLE IF EXISTS load"},
                                   make = {.sql = "CREATE TABLE load (id BIGINT PRIMARY KEY)"};
    int64_t deadline = itsi_now_ns() + 10 * ITSI_NS_PER_S;
    struct itsi_db_lease lease;
    int rc = itsi_database_borrow(database, &owner, deadline, &lease, diag);
    if (rc != 0)
        return rc;
    rc = itsi_db_run(lease.connection, &drop, NULL, 0, NULL, NULL, deadline, diag);
    if (rc == 0)
        rc = itsi_db_run(lease.connection, &make, NULL, 0, NULL, NULL, deadline, diag);
    itsi_database_return(database, &lease, deadline);
    return rc;
}

static void report(void)
{
    struct itsi_pool_stats stats;
    struct its_diag diag;
    if (itsi_pool_stats(itsi_database_pool(database), &stats, &diag) != 0)
        abort();
    printf("{\"acknowledged\": %lld, \"longest_gap_s\": %.3f, \"open\": %d, \"in_use\": %d", (long long)acknowledged,
           (double)longest_ns / 1e9, stats.in_use + stats.idle + stats.checking, stats.in_use);
    for (int i = 0; i < CODES; i++)
        if (failures[i])
            printf(", \"%s\": %lld", its_errname(-i), (long long)failures[i]);
    puts("}");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct its_diag diag;
    struct itsi_loop *loop;
    pthread_t threads[MOST_THREADS];
    struct its_cfg_connection_pool cfg = {
        .db_pool_size = 8, .db_max_overflow = 8, .db_pool_recycle = 2, .db_pool_pre_ping = true, .db_pool_timeout = 30};
    char line[64];
    int count = argc > 2 ? atoi(argv[2]) : 0;
    if (count < 1 || count > MOST_THREADS || argc < 4)
        return 2;
    write_row = strcmp(argv[3], "request") == 0 ? write_by_request : write_on_borrowed;
    bool is_url = strstr(argv[1], "://") != NULL;
    if (itsi_loop_create(&loop, "pools", &diag) != 0 ||
        itsi_database_create(&database, loop, is_url ? argv[1] : NULL, argv[1], &cfg, &diag) != 0 || prepare(&diag) != 0) {
        fprintf(stderr, "%s\n", diag.text);
        return 1;
    }
    atomic_store(&last_ns, itsi_now_ns());
    for (int i = 0; i < count; i++)
        if (itsi_thread_start(&threads[i], "load", work, NULL, &diag) != 0)
            return 1;
    while (fgets(line, sizeof line, stdin))
        report();
    atomic_store(&stop, true);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    report();
    itsi_database_destroy(database, itsi_now_ns() + 5 * ITSI_NS_PER_S);
    itsi_loop_destroy(loop);
    return 0;
}
