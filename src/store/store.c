/* The store's life, and what is noted in it. */
#include "store/store_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

const char *itsi_store_drop_name(enum itsi_store_drop reason)
{
    static const char *const names[] = {
#define ITS_X(name, label) label,
        ITSI_STORE_DROP_MAP(ITS_X)
#undef ITS_X
    };
    return names[reason];
}

/* --- noting -------------------------------------------------------------------------------------------------------- */

/* Under the mutex. */
static void note_outcome(struct itsi_store *store, enum itsi_store_table table, int rc, bool is_row)
{
    if (rc == ITS_ELIMIT)
        store->stats.dropped[ITSI_STORE_DROP_QUEUE][table]++;
    else if (rc != 0)
        store->stats.dropped[ITSI_STORE_DROP_INVALID][table]++;
    else if (is_row)
        store->stats.queued[table]++;
    if (rc == 0 && !store->front_ns) {
        store->front_ns = itsi_now_coarse_ns();
        store->front_wall_ns = itsi_wall_ns();
        pthread_cond_signal(&store->wanted); /* it sleeps without a limit while nothing is to be done */
    }
    if (!store->is_full && (rc == ITS_ELIMIT || itsi_book_size(store->front) >= (size_t)store->params.batch_rows)) {
        store->is_full = true;
        pthread_cond_signal(&store->wanted);
    }
}

int itsi_store_count(struct itsi_store *store, const char *camera, const char *class_name, int64_t minute, int64_t n)
{
    bool is_new = false;
    pthread_mutex_lock(&store->mutex);
    int rc = itsi_book_count(store->front, camera, class_name, minute, n, &is_new);
    note_outcome(store, ITSI_STORE_COUNT, rc, is_new);
    pthread_mutex_unlock(&store->mutex);
    return rc;
}

static int put(struct itsi_store *store, enum itsi_store_table table, const struct itsi_db_value *values)
{
    pthread_mutex_lock(&store->mutex);
    int rc = itsi_book_put(store->front, table, values);
    note_outcome(store, table, rc, true);
    pthread_mutex_unlock(&store->mutex);
    return rc;
}

int itsi_store_track_event(struct itsi_store *store, const struct itsi_store_event *event)
{
    const struct itsi_db_value values[] = {
        itsi_db_int(event->wall_ns),      itsi_db_text(event->camera),
        itsi_db_text(event->kind),        itsi_db_text(event->class_name),
        event->track ? itsi_db_int(event->track) : itsi_db_text(NULL), itsi_db_text(event->data)};
    return put(store, ITSI_STORE_EVENT, values);
}

int itsi_store_violation(struct itsi_store *store, const struct itsi_store_violation *violation)
{
    const struct itsi_db_value values[] = {
        itsi_db_int(violation->wall_ns),     itsi_db_text(violation->camera), itsi_db_text(violation->stage),
        itsi_db_real(violation->latency_ms), itsi_db_real(violation->waited_ms), itsi_db_int(violation->batch),
        itsi_db_int(violation->level),       itsi_db_text(violation->trace)};
    return put(store, ITSI_STORE_VIOLATION, values);
}

int itsi_store_quality_change(struct itsi_store *store, const struct itsi_store_quality_change *change)
{
    const struct itsi_db_value values[] = {itsi_db_int(change->wall_ns),    itsi_db_text(change->camera),
                                           itsi_db_int(change->from_level), itsi_db_int(change->to_level),
                                           itsi_db_text(change->reason),    itsi_db_text(change->inputs)};
    return put(store, ITSI_STORE_QUALITY, values);
}

int itsi_store_camera(struct itsi_store *store, int64_t wall_ns, const char *camera, const char *settings)
{
    const struct itsi_db_value values[] = {itsi_db_text(camera), itsi_db_int(wall_ns), itsi_db_text(settings)};
    return put(store, ITSI_STORE_CAMERA, values);
}

/* --- statistics ---------------------------------------------------------------------------------------------------- */

void itsi_store_stats(struct itsi_store *store, struct itsi_store_stats *out)
{
    pthread_mutex_lock(&store->mutex);
    *out = store->stats;
    int64_t oldest = store->unwritten_wall_ns ? store->unwritten_wall_ns : store->front_ns ? store->front_wall_ns : 0;
    out->waiting = store->pending_rows + itsi_book_size(store->front);
    pthread_mutex_unlock(&store->mutex);
    const int64_t age = oldest ? itsi_wall_ns() - oldest : 0;
    out->lag_seconds = age > 0 ? (double)age / (double)ITSI_NS_PER_S : 0;
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

struct itsi_store_params itsi_store_params_of(const struct its_cfg_store *cfg)
{
    enum { BATCH_ROWS = 20000, QUEUE_ROWS = 2 * BATCH_ROWS, QUEUE_BYTES = 4 << 20 };
    return (struct itsi_store_params){
        .spool_bytes = (uint64_t)cfg->spool_max_mb << 20,
        .flush_ns = (int64_t)(cfg->flush_interval_seconds * (double)ITSI_NS_PER_S),
        .batch_rows = BATCH_ROWS,
        .queue_rows = QUEUE_ROWS,
        .queue_bytes = QUEUE_BYTES,
        .write_timeout_ns = 15 * ITSI_NS_PER_S,
        .retry_first_ns = 200 * ITSI_NS_PER_MS,
        .retry_most_ns = 15 * ITSI_NS_PER_S,
        .retention_days = {[ITSI_STORE_COUNT] = (int)cfg->retention_days_counts,
                           [ITSI_STORE_EVENT] = (int)cfg->retention_days_events,
                           [ITSI_STORE_VIOLATION] = (int)cfg->retention_days_violations,
                           [ITSI_STORE_QUALITY] = (int)cfg->retention_days_quality},
    };
}

static void log_notice(void *arg, const char *text)
{
    (void)arg;
    itsi_warn("store", "%s", text);
}

static void tell_what_is_left(const struct itsi_store *store)
{
    struct itsi_spool_stats spool;
    if (!store->spool || itsi_store_spools(store))
        return;
    itsi_spool_stats(store->spool, &spool);
    itsi_warn("store", "nothing is spooled (spool_max_mb=0), but %llu rows of an earlier time lie in %s: they are written beside what is new",
              (unsigned long long)spool.rows, store->params.spool_folder);
}

static void free_it(struct itsi_store *store)
{
    for (int i = 0; i < 2; i++)
        itsi_book_fini(&store->books[i]);
    for (int i = 0; i < ITSI_STORE_PENDING; i++)
        itsi_buf_fini(&store->pending[i].block);
    itsi_buf_fini(&store->scratch);
    itsi_buf_fini(&store->spooled);
    itsi_batch_fini(&store->batch);
    itsi_spool_close(store->spool);
    pthread_cond_destroy(&store->wanted);
    pthread_mutex_destroy(&store->mutex);
    itsi_free(store);
}

static int set_up(struct itsi_store *store, struct its_diag *diag)
{
    const struct itsi_store_params *params = &store->params;
    for (int i = 0; i < 2; i++) {
        int rc = itsi_book_init(&store->books[i], (size_t)params->queue_rows, params->queue_bytes, diag);
        if (rc != 0)
            return rc;
    }
    if (getrandom(&store->writer, sizeof store->writer, 0) != sizeof store->writer)
        return itsi_fail(diag, ITS_EIO, "store: no random numbers");
    store->writer &= INT64_MAX;
    const struct itsi_backoff_policy policy = {
        .first_ns = params->retry_first_ns, .most_ns = params->retry_most_ns, .give_up_ns = ITSI_NEVER};
    itsi_backoff_init(&store->backoff, &policy, store->writer);
    itsi_retention_init(&store->retention, params->retention_days, itsi_now_ns());
    int rc = params->spool_folder
                 ? itsi_spool_open(&store->spool, params->spool_folder, params->spool_bytes, log_notice, NULL, diag)
                 : 0;
    if (rc == 0) {
        tell_what_is_left(store);
        itsi_store_publish(store); /* what an earlier process left shows from the first moment */
        rc = itsi_thread_start(&store->thread, "store", itsi_store_write_loop, store, diag);
    }
    return rc;
}

int itsi_store_create(struct itsi_store **out, const struct itsi_store_params *params, struct its_diag *diag)
{
    struct itsi_store *store = itsi_zalloc(sizeof *store);
    if (!store)
        return itsi_fail(diag, ITS_ENOMEM, "store: out of memory");
    store->params = *params;
    store->front = &store->books[0];
    store->back = &store->books[1];
    pthread_mutex_init(&store->mutex, NULL);
    if (itsi_cond_init(&store->wanted) != 0) {
        pthread_mutex_destroy(&store->mutex);
        itsi_free(store);
        return itsi_fail(diag, ITS_ENOMEM, "store: no condition variable");
    }
    int rc = set_up(store, diag);
    if (rc != 0) {
        free_it(store);
        return rc;
    }
    *out = store;
    return 0;
}

/* Under the mutex. A statement on its way has half of the time that is left; the other half is for what it then has to do
 * without the database. */
static void wait_until_heard(struct itsi_store *store, int64_t deadline)
{
    const int64_t now = itsi_now_ns(), half = now + (deadline > now ? (deadline - now) / 2 : 0);
    for (int64_t until = half; !store->has_heard; until = itsi_now_ns() + 50 * ITSI_NS_PER_MS) {
        itsi_cond_wait_until(&store->wanted, &store->mutex, until);
        if (!store->has_heard && store->in_use && itsi_now_ns() >= half)
            itsi_db_abandon(store->in_use);
    }
}

void itsi_store_finish(struct itsi_store *store, int64_t deadline)
{
    if (!store || store->is_ending) /* written by this thread alone */
        return;
    pthread_mutex_lock(&store->mutex);
    store->is_ending = true;
    store->end_deadline = deadline;
    pthread_cond_signal(&store->wanted);
    wait_until_heard(store, deadline);
    pthread_mutex_unlock(&store->mutex);
    pthread_join(store->thread, NULL);
}

void itsi_store_destroy(struct itsi_store *store, int64_t deadline)
{
    if (!store)
        return;
    itsi_store_finish(store, deadline);
    free_it(store);
}
