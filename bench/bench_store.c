/* How fast counts reach a database through the store: rows a second from the first that is noted to the last that is
 * committed, with the processor time of this process.
 *
 * usage: bench_store URL|PATH SPOOL_FOLDER [SECONDS [ROWS_PER_SECOND [BATCH_ROWS]]]
 *
 * In the end the sum of what is in the database is compared with what was noted.
 *
 * distinct: every row is a new key; updated: the same 20,000 keys again and again. One thread notes as fast as the queue
 * takes them, or at the rate that is given. */
#include "base/clock.h"
#include "net/loop.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAMERAS = 100, CLASSES = 10, UPDATED_MINUTES = 20, NAME_SIZE = 24 };

static void must(int rc, const struct its_diag *diag)
{
    if (rc == 0)
        return;
    fprintf(stderr, "%s\n", diag->text);
    exit(1);
}

/* From the key's number: its camera, class and minute. */
static int note(struct itsi_store *store, uint64_t key, int64_t first_minute)
{
    static const char *const classes[CLASSES] = {"person", "bicycle", "car", "motorcycle", "bus", "truck", "train", "dog", "cat", "horse"};
    char camera[NAME_SIZE];
    snprintf(camera, sizeof camera, "camera_%03u", (unsigned)(key / CLASSES % CAMERAS));
    return itsi_store_count(store, camera, classes[key % CLASSES], first_minute + (int64_t)(key / (CLASSES * CAMERAS)), 1);
}

static int batch_rows; /* 0: as usual */

static struct itsi_store *open_store(struct itsi_database *database, const char *folder)
{
    const struct its_cfg_store cfg = {.flush_interval_seconds = 1, .spool_max_mb = 512};
    struct itsi_store_params params = itsi_store_params_of(&cfg);
    struct itsi_store *store;
    struct its_diag diag;
    params.database = database;
    params.spool_folder = folder;
    if (batch_rows)
        params.batch_rows = batch_rows;
    must(itsi_store_create(&store, &params, &diag), &diag);
    return store;
}

static uint64_t written(struct itsi_store *store)
{
    struct itsi_store_stats stats;
    itsi_store_stats(store, &stats);
    if (stats.is_away || stats.spool_files) {
        fprintf(stderr, "the database went away: %s\n", stats.last_error);
        exit(1);
    }
    return stats.written[ITSI_STORE_COUNT];
}

/* --- what is in the database --------------------------------------------------------------------------------------- */

static uint64_t noted, found_before; /* in all; by others */

static int keep_sum(void *arg, const struct itsi_db_value *values, int count)
{
    (void)count;
    *(uint64_t *)arg = (uint64_t)values[0].number;
    return 0;
}

static uint64_t sum_of(struct itsi_database *database)
{
    static const struct itsi_pool_owner owner = {.component = "bench", .stage = "check"};
    static const struct itsi_db_statement ask = {.sql = "SELECT CAST(sum(n) AS BIGINT) FROM its_count"};
    const int64_t deadline = itsi_now_ns() + 60 * ITSI_NS_PER_S;
    struct itsi_db_lease lease;
    struct its_diag diag;
    uint64_t sum = 0;
    must(itsi_database_borrow(database, &owner, deadline, &lease, &diag), &diag);
    must(itsi_db_run(lease.connection, &ask, NULL, 0, keep_sum, &sum, deadline, &diag), &diag);
    itsi_database_return(database, &lease, deadline);
    return sum;
}

static void check(struct itsi_database *database)
{
    const uint64_t sum = sum_of(database) - found_before;
    if (sum == noted)
        return;
    fprintf(stderr, "%llu were noted, %llu are in the database\n", (unsigned long long)noted, (unsigned long long)sum);
    exit(1);
}

/* --- writing --------------------------------------------------------------------------------------------------------- */

/* rate: rows a second; 0: as many as can be. keys: 0: each is new. */
static void run(struct itsi_database *database, const char *folder, const char *name, uint64_t keys, int64_t first_minute,
                double seconds, double rate)
{
    struct itsi_store *store = open_store(database, folder);
    if (note(store, 0, first_minute) != 0) /* the tables are there, the connections open */
        exit(1);
    while (written(store) < 1)
        itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
    if (noted++ == 0)
        found_before = sum_of(database) - 1;
    const int64_t start = itsi_now_ns(), cpu = itsi_cpu_ns(), end = start + (int64_t)(seconds * 1e9);
    uint64_t rows, key = 0;
    for (int64_t now; (now = itsi_now_ns()) < end;) {
        const bool is_due = rate <= 0 || (double)key < rate * (double)(now - start) / 1e9;
        if (is_due && note(store, keys ? key % keys : key, first_minute) == 0)
            key++;
        else
            itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
    }
    noted += key;
    struct itsi_store_stats stats;
    do { /* until the last is committed */
        itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
        rows = written(store);
        itsi_store_stats(store, &stats);
    } while (stats.waiting);
    const double took = (double)(itsi_now_ns() - start) / 1e9;
    printf("{\"bench\": \"store_%s\", \"database\": \"%s\", \"rows\": %llu, \"seconds\": %.3f, \"rows_per_second\": %.0f, "
           "\"batches\": %llu, \"own_cpu_us_per_row\": %.3f, \"wanted_rows_per_second\": %d}\n",
           name, itsi_database_kind(database), (unsigned long long)(rows - 1), took, (double)(rows - 1) / took,
           (unsigned long long)stats.batches, (double)(itsi_cpu_ns() - cpu) / 1e3 / (double)rows,
           strcmp(itsi_database_kind(database), "sqlite") == 0 ? 20000 : 50000);
    fflush(stdout);
    itsi_store_destroy(store, itsi_now_ns() + 10 * ITSI_NS_PER_S);
}

int main(int argc, char **argv)
{
    const struct its_cfg_connection_pool cfg = {
        .db_pool_size = 4, .db_max_overflow = 2, .db_pool_recycle = 3600, .db_pool_pre_ping = true, .db_pool_timeout = 5};
    struct itsi_database *database;
    struct itsi_loop *loop;
    struct its_diag diag;
    if (argc < 3) {
        fprintf(stderr, "usage: bench_store URL|PATH SPOOL_FOLDER [SECONDS [ROWS_PER_SECOND [BATCH_ROWS]]]\n");
        return 2;
    }
    const double seconds = argc > 3 ? atof(argv[3]) : 10, rate = argc > 4 ? atof(argv[4]) : 0;
    batch_rows = argc > 5 ? atoi(argv[5]) : 0;
    const bool is_url = strstr(argv[1], "://") != NULL;
    must(itsi_loop_create(&loop, "bench-loop", &diag), &diag);
    must(itsi_database_create(&database, loop, is_url ? argv[1] : NULL, argv[1], &cfg, &diag), &diag);
    run(database, argv[2], "distinct", 0, 1000000, seconds, rate);
    run(database, argv[2], "updated", CAMERAS * CLASSES * UPDATED_MINUTES, 1, seconds, rate);
    check(database);
    itsi_database_destroy(database, itsi_now_ns() + 5 * ITSI_NS_PER_S);
    itsi_loop_destroy(loop);
    return 0;
}
