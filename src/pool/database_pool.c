#include "pool/database_pool_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "pool/postgres.h"

#include <stdatomic.h>
#include <string.h>

/* --- links ------------------------------------------------------------------------------------------------------- */

void itsi_db_link_put(struct itsi_db_link *link, struct itsi_db_connection *connection)
{
    connection->latency_ns = &link->database->latency_ns;
    pthread_mutex_lock(&link->database->mutex);
    connection->number = ++link->database->connections;
    link->connection = connection;
    pthread_mutex_unlock(&link->database->mutex);
}

struct itsi_db_connection *itsi_db_link_take(struct itsi_db_link *link)
{
    struct itsi_database *database = link->database;
    pthread_mutex_lock(&database->mutex);
    struct itsi_db_connection *connection = link->connection;
    if (link->is_lent) {
        itsi_db_abandon(connection);
        link->is_orphan = true;
        database->orphans++;
        connection = NULL;
    } else {
        link->connection = NULL;
    }
    pthread_mutex_unlock(&database->mutex);
    return connection;
}

int64_t itsi_db_latency(void *database)
{
    return atomic_load_explicit(&((struct itsi_database *)database)->latency_ns, memory_order_relaxed);
}

/* --- borrowing --------------------------------------------------------------------------------------------------- */

int itsi_database_take(struct itsi_database *database, struct itsi_lease lease, struct itsi_db_lease *out, struct its_diag *diag)
{
    struct itsi_db_link *link = &database->links[lease.slot->index];
    pthread_mutex_lock(&database->mutex);
    struct itsi_db_connection *connection = link->connection;
    link->is_lent = connection != NULL;
    pthread_mutex_unlock(&database->mutex);
    if (!connection) {
        itsi_pool_release(lease, true);
        return itsi_fail(diag, ITS_ECANCELLED, "%s: ends", database->kind->name);
    }
    *out = (struct itsi_db_lease){.connection = connection, .lease = lease};
    return 0;
}

int64_t itsi_database_wait_until(struct itsi_database *database, int64_t deadline)
{
    const int64_t own = itsi_now_ns() + atomic_load(&database->borrow_timeout_ns);
    return deadline < own ? deadline : own;
}

int itsi_database_borrow(struct itsi_database *database, const struct itsi_pool_owner *owner, int64_t deadline,
                         struct itsi_db_lease *out, struct its_diag *diag)
{
    struct itsi_lease lease;
    int rc = itsi_pool_acquire(database->pool, owner, itsi_database_wait_until(database, deadline), &lease, diag);
    return rc ? rc : itsi_database_take(database, lease, out, diag);
}

void itsi_database_return(struct itsi_database *database, struct itsi_db_lease *lease, int64_t deadline)
{
    struct itsi_db_link *link = &database->links[lease->lease.slot->index];
    itsi_db_rollback(lease->connection, deadline);
    bool is_broken = !itsi_db_is_good(lease->connection);
    pthread_mutex_lock(&database->mutex);
    bool is_orphan = link->is_orphan;
    link->is_lent = false;
    if (is_orphan)
        link->connection = NULL;
    pthread_mutex_unlock(&database->mutex);
    if (is_orphan) {
        itsi_db_close(lease->connection);
        itsi_pool_release(lease->lease, true); /* is refused, and was the last word about it that the pool waits for */
        pthread_mutex_lock(&database->mutex);
        link->is_orphan = false;
        database->orphans--;
        pthread_cond_broadcast(&database->returned);
        pthread_mutex_unlock(&database->mutex);
    } else {
        itsi_pool_release(lease->lease, is_broken);
    }
    *lease = (struct itsi_db_lease){.connection = NULL};
}

/* --- life -------------------------------------------------------------------------------------------------------- */

/* Sizes for a server. SQLite has one writer at a time whatever is done, so it is given few. */
static void size_for_server(struct itsi_pool_params *params, const struct its_cfg_connection_pool *cfg)
{
    params->most = (int)(cfg->db_pool_size + cfg->db_max_overflow);
    params->overflow = (int)cfg->db_max_overflow;
    params->least = cfg->db_pool_size < 2 ? (int)cfg->db_pool_size : 2;
    params->spares = 1;
}

enum { SQLITE_CONNECTIONS = 4, OPENS_PER_SECOND = 20, OPENING = 4, WAITERS = 10000 };

/* A file is not lost, and needs none of this. */
static struct itsi_pool_spans spans_of(bool is_server, const struct its_cfg_connection_pool *cfg)
{
    if (!is_server)
        return (struct itsi_pool_spans){ITSI_NEVER, ITSI_NEVER, ITSI_NEVER};
    return (struct itsi_pool_spans){.check_after_idle_ns = cfg->db_pool_pre_ping ? 500 * ITSI_NS_PER_MS : ITSI_NEVER,
                                    .keep_checking_ns = 30 * ITSI_NS_PER_S,
                                    .lifetime_ns = cfg->db_pool_recycle * ITSI_NS_PER_S};
}

static struct itsi_pool_params params_of(bool is_server, const struct its_cfg_connection_pool *cfg)
{
    const struct itsi_pool_spans spans = spans_of(is_server, cfg);
    struct itsi_pool_params params = {
        .name = "database",
        .least = 1,
        .most = cfg->db_pool_size < SQLITE_CONNECTIONS ? (int)cfg->db_pool_size : SQLITE_CONNECTIONS,
        .waiters = WAITERS,
        .opens_per_second = OPENS_PER_SECOND,
        .opening = OPENING,
        .open_timeout_ns = 5 * ITSI_NS_PER_S,
        .check_timeout_ns = 2 * ITSI_NS_PER_S,
        .down_first_ns = 200 * ITSI_NS_PER_MS,
        .down_most_ns = 15 * ITSI_NS_PER_S,
        .check_after_idle_ns = spans.check_after_idle_ns,
        .keep_checking_ns = spans.keep_checking_ns,
        .lifetime_ns = spans.lifetime_ns,
        .idle_ns = 60 * ITSI_NS_PER_S,
        .reserve_after_ns = ITSI_NEVER,
        .leak_after_ns = 60 * ITSI_NS_PER_S,
        .reclaim_after_ns = ITSI_NEVER, /* a thread holds it: it cannot be taken away under its hands */
        .seed = (uint64_t)itsi_now_ns(),
    };
    if (is_server)
        size_for_server(&params, cfg);
    return params;
}

static void free_it(struct itsi_database *database)
{
    database->way->end(database);
    pthread_mutex_destroy(&database->mutex);
    pthread_cond_destroy(&database->returned);
    itsi_free(database->url);
    itsi_free(database->path);
    itsi_free(database);
}

static struct itsi_database *make(struct itsi_loop *loop, const char *url, const char *path, int most)
{
    struct itsi_database *database = itsi_zalloc(sizeof *database + (size_t)most * sizeof database->links[0]);
    if (!database)
        return NULL;
    pthread_mutex_init(&database->mutex, NULL);
    if (itsi_cond_init(&database->returned) != 0) {
        pthread_mutex_destroy(&database->mutex);
        itsi_free(database);
        return NULL;
    }
    database->way = url ? &itsi_db_postgres_way : &itsi_db_sqlite_way;
    database->loop = loop;
    database->most = most;
    database->url = itsi_strdup(url);
    database->path = url ? NULL : itsi_strdup(path);
    database->kind = url ? &itsi_db_postgres_kind : &itsi_db_sqlite_kind;
    for (int i = 0; i < most; i++)
        database->links[i].database = database;
    if (!database->url && !database->path) {
        free_it(database);
        return NULL;
    }
    return database;
}

static void set_borrow_timeout(struct itsi_database *database, const struct its_cfg_connection_pool *cfg)
{
    atomic_store(&database->borrow_timeout_ns, (int64_t)(cfg->db_pool_timeout * ITSI_NS_PER_S));
}

void itsi_database_configure(struct itsi_database *database, const struct its_cfg_connection_pool *cfg)
{
    const struct itsi_pool_spans spans = spans_of(database->url != NULL, cfg);
    set_borrow_timeout(database, cfg);
    itsi_pool_set_spans(database->pool, &spans);
}

int itsi_database_create(struct itsi_database **out, struct itsi_loop *loop, const char *url, const char *path,
                         const struct its_cfg_connection_pool *cfg, struct its_diag *diag)
{
    if (url && !*url)
        url = NULL;
    int rc = url ? itsi_pg_check_url(url, diag) : 0;
    if (rc != 0)
        return rc;
    const struct itsi_pool_params params = params_of(url != NULL, cfg);
    struct itsi_database *database = make(loop, url, path, params.most);
    if (!database)
        return itsi_fail(diag, ITS_ENOMEM, "database: out of memory");
    set_borrow_timeout(database, cfg);
    rc = database->way->begin ? database->way->begin(database, params.most, diag) : 0;
    if (rc == 0)
        rc = itsi_pool_create(&database->pool, loop, &params, database->kind, database, diag);
    if (rc != 0) {
        free_it(database);
        return rc;
    }
    *out = database;
    return 0;
}

void itsi_database_destroy(struct itsi_database *database, int64_t deadline)
{
    if (!database)
        return;
    database->way->shut(database);
    itsi_pool_destroy(database->pool, deadline);
    pthread_mutex_lock(&database->mutex);
    while (database->orphans)
        itsi_cond_wait_until(&database->returned, &database->mutex, ITSI_NEVER);
    pthread_mutex_unlock(&database->mutex);
    /* and all that was posted to the loop is done */
    itsi_loop_call(database->loop, itsi_db_forget_lookup, database);
    free_it(database);
}

const char *itsi_database_kind(const struct itsi_database *database)
{
    return database->kind->name;
}

struct itsi_pool *itsi_database_pool(struct itsi_database *database)
{
    return database->pool;
}
