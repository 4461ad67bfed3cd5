/* What the files of the database pool share. */
#ifndef ITSI_POOL_DATABASE_POOL_IMPL_H
#define ITSI_POOL_DATABASE_POOL_IMPL_H

#include "base/thread.h"
#include "net/loop.h"
#include "pool/database_pool.h"

#include <uv.h>

struct itsi_db_attempt;

/* A slot's connection. `connection` and what follows are under the database's mutex. */
struct itsi_db_link {
    struct itsi_database *database;       /* const */
    struct itsi_pool_slot *slot;
    struct itsi_db_attempt *attempt;      /* loop: opening, being checked or closed; NULL: none */
    struct itsi_db_connection *connection; /* NULL: none */
    bool is_lent;
    bool is_orphan; /* closed by the pool while lent: its borrower ends it */
};

struct itsi_database {
    struct itsi_pool *pool;
    struct itsi_loop *loop;
    const struct itsi_pool_kind *kind;
    char *url, *path;  /* owned; one is NULL */
    _Atomic int64_t borrow_timeout_ns;
    _Atomic int64_t latency_ns;
    pthread_mutex_t mutex;
    pthread_cond_t returned; /* an orphan */
    int orphans;
    struct itsi_db_link links[]; /* by slot */
};

extern const struct itsi_pool_kind itsi_db_postgres_kind, itsi_db_sqlite_kind;

/* Takes the connection in, or out (NULL while it is lent: then it is an orphan, and what runs on it fails). */
void itsi_db_link_put(struct itsi_db_link *link, struct itsi_db_connection *connection);
struct itsi_db_connection *itsi_db_link_take(struct itsi_db_link *link);

int64_t itsi_db_latency(void *database); /* itsi_pool_kind.latency_ns */

#endif
