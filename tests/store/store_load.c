/* Notes counts and events in a store, as evenly as it is told, until standard input ends.
 *
 * usage: its_store_load URL|PATH SPOOL_FOLDER CAMERAS EVENTS_PER_SECOND FIRST_NUMBER
 *
 * Each event has a number of its own, in order, as its track; each is accompanied by a count of one at its camera. Every
 * line on standard input is answered by a line of JSON: what was taken, written, spooled, dropped; and its end by the last,
 * after the store was closed. */
#include "base/clock.h"
#include "base/thread.h"
#include "net/loop.h"
#include "store/store.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct itsi_store *store;
static atomic_bool stop;
static atomic_llong taken, counted, next_number;
static int cameras;
static double rate;

static void note(long long number)
{
    char camera[32];
    snprintf(camera, sizeof camera, "camera_%03lld", number % cameras);
    const struct itsi_store_event event = {
        .wall_ns = itsi_wall_ns(), .camera = camera, .kind = "appeared", .class_name = "car", .track = number + 1};
    int rc;
    while ((rc = itsi_store_track_event(store, &event)) != 0 && !atomic_load(&stop)) /* taken sooner or later, in order */
        itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
    if (rc != 0)
        return;
    atomic_fetch_add(&taken, 1);
    if (itsi_store_count(store, camera, "car", number / 1000, 1) == 0)
        atomic_fetch_add(&counted, 1);
}

static void *produce(void *arg)
{
    (void)arg;
    const int64_t start = itsi_now_ns();
    for (long long i = 0; !atomic_load(&stop); i++) {
        note(atomic_load(&next_number));
        atomic_fetch_add(&next_number, 1);
        itsi_sleep_until_ns(start + (int64_t)((double)i / rate * 1e9));
    }
    return NULL;
}

static void report(const struct itsi_store_stats *s)
{
    uint64_t dropped = 0, spooled = 0, written = 0, owed = 0;
    for (int t = 0; t < ITSI_STORE_TABLES; t++) {
        written += s->written[t];
        spooled += s->spooled[t];
        owed += s->queued[t] + s->found[t];
        for (int r = 0; r < ITSI_STORE_DROPS; r++)
            dropped += r == ITSI_STORE_DROP_QUEUE ? 0 : s->dropped[r][t];
    }
    printf("{\"taken\": %lld, \"counted\": %lld, \"next\": %lld, \"written\": %llu, \"spooled\": %llu, \"dropped\": %llu, "
           "\"waiting\": %llu, \"spool_files\": %llu, \"lag_s\": %.3f, \"away\": %s, \"unaccounted\": %lld, "
           "\"safe_events\": %llu}\n",
           (long long)taken, (long long)counted, (long long)next_number, (unsigned long long)written,
           (unsigned long long)spooled, (unsigned long long)dropped, (unsigned long long)s->waiting,
           (unsigned long long)s->spool_files, s->lag_seconds, s->is_away ? "true" : "false",
           (long long)(owed - written - dropped - s->waiting - s->spool_rows),
           (unsigned long long)(s->written[ITSI_STORE_EVENT] + s->spooled[ITSI_STORE_EVENT]));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const struct its_cfg_connection_pool cfg = {
        .db_pool_size = 4, .db_max_overflow = 2, .db_pool_recycle = 3600, .db_pool_pre_ping = true, .db_pool_timeout = 5};
    const struct its_cfg_store store_cfg = {.flush_interval_seconds = 0.2, .spool_max_mb = 64};
    struct itsi_store_params params = itsi_store_params_of(&store_cfg);
    struct itsi_store_stats stats;
    struct itsi_database *database;
    struct itsi_loop *loop;
    struct its_diag diag;
    pthread_t thread;
    char line[64];
    if (argc != 6 || (cameras = atoi(argv[3])) < 1 || (rate = atof(argv[4])) <= 0)
        return 2;
    atomic_store(&next_number, atoll(argv[5]));
    bool is_url = strstr(argv[1], "://") != NULL;
    params.spool_folder = argv[2];
    params.retry_most_ns = ITSI_NS_PER_S;
    int rc = itsi_loop_create(&loop, "pools", &diag);
    if (rc == 0)
        rc = itsi_database_create(&database, loop, is_url ? argv[1] : NULL, argv[1], &cfg, &diag);
    if (rc == 0) {
        params.database = database;
        rc = itsi_store_create(&store, &params, &diag);
    }
    if (rc == 0)
        rc = itsi_thread_start(&thread, "load", produce, NULL, &diag);
    if (rc != 0) {
        fprintf(stderr, "%s\n", diag.text);
        return 1;
    }
    while (fgets(line, sizeof line, stdin)) {
        itsi_store_stats(store, &stats);
        report(&stats);
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    itsi_store_destroy(store, itsi_now_ns() + 5 * ITSI_NS_PER_S);
    stats = (struct itsi_store_stats){.waiting = 0};
    report(&stats);
    itsi_database_destroy(database, itsi_now_ns() + 5 * ITSI_NS_PER_S);
    itsi_loop_destroy(loop);
    return 0;
}
