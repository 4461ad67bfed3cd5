/* What the files of the database pool share. */
#ifndef ITSI_POOL_DATABASE_POOL_IMPL_H
#define ITSI_POOL_DATABASE_POOL_IMPL_H

#include "base/thread.h"
#include "net/loop.h"
#include "pool/database_lookup.h"
#include "pool/database_request.h"

#include <stdatomic.h>
#include <uv.h>

struct itsi_db_attempt;
struct itsi_db_carrier;
struct itsi_db_workers;

enum { ITSI_DB_CARRIERS = 2 };

/* How requests are carried out. */
struct itsi_db_way {
    /* makes the threads; NULL: the first request does */
    int (*begin)(struct itsi_database *database, int most, struct its_diag *diag);
    void (*start)(struct itsi_db_request *request);
    void (*lent)(struct itsi_db_request *request); /* any thread: it has a lease, or `rc` and `diag` say why not */
    void (*shut)(struct itsi_database *database); /* what is started from now on is cancelled */
    void (*end)(struct itsi_database *database);  /* ends the threads, with all requests done; also after `begin` failed */
};
extern const struct itsi_db_way itsi_db_postgres_way, itsi_db_sqlite_way;

/* A slot's connection. `connection` and what follows are under the database's mutex. */
struct itsi_db_link {
    struct itsi_database *database;       /* const */
    struct itsi_pool_slot *slot;
    struct itsi_db_attempt *attempt;      /* loop: opening, being checked or closed; NULL: none */
    struct itsi_db_connection *connection; /* NULL: none */
    bool is_lent;   /* to a thread */
    bool is_orphan; /* closed by the pool while lent: its borrower ends it */
};

struct itsi_database {
    struct itsi_pool *pool;
    struct itsi_loop *loop;
    const struct itsi_pool_kind *kind;
    int most; /* const: links */
    char *url, *path;  /* owned; one is NULL */
    _Atomic int64_t borrow_timeout_ns;
    _Atomic int64_t latency_ns;
    pthread_mutex_t mutex;
    pthread_cond_t returned; /* an orphan */
    int orphans;
    uint64_t connections;    /* ever; numbers them */
    const struct itsi_db_way *way;
    /* PostgreSQL: owned; made under the mutex, not touched before has_carriers */
    struct itsi_db_carrier *carriers[ITSI_DB_CARRIERS];
    _Atomic bool has_carriers;
    bool is_shut; /* none are made any more; under the mutex */
    struct itsi_db_lookup *lookup; /* PostgreSQL, the loop's thread: of its hosts, going on; NULL: none is */
    struct itsi_db_workers *workers; /* SQLite: owned */
    struct itsi_db_link links[]; /* by slot */
};

extern const struct itsi_pool_kind itsi_db_postgres_kind, itsi_db_sqlite_kind;

/* Takes the connection in, or out (NULL while it is lent: then it is an orphan, and what runs on it fails). */
void itsi_db_link_put(struct itsi_db_link *link, struct itsi_db_connection *connection);
struct itsi_db_connection *itsi_db_link_take(struct itsi_db_link *link);

/* A lease's connection, for a thread. ITS_ECANCELLED: the pool ended in between, and the lease is given back. */
ITS_NODISCARD int itsi_database_take(struct itsi_database *database, struct itsi_lease lease, struct itsi_db_lease *out,
                                     struct its_diag *diag);

/* How long a lease is waited for: until `deadline`, or db_pool_timeout, whichever is first. */
int64_t itsi_database_wait_until(struct itsi_database *database, int64_t deadline);

/* Asks for a request's lease: 0: it has one; ITS_EAGAIN: the way's `lent` is called when it has, or the reason why not. */
ITS_NODISCARD int itsi_db_request_borrow(struct itsi_db_request *request);
/* ITS_ETIMEOUT, and says so: begun now, it would only cost the connection. */
int itsi_db_request_is_late(struct itsi_db_request *request);
/* Takes its connection, where there is a lease and still time. */
ITS_NODISCARD int itsi_db_request_begin(struct itsi_db_request *request);

/* At the end, on the loop's thread: a lookup that still goes on is nobody's. */
void itsi_db_forget_lookup(void *database);

int64_t itsi_db_latency(void *database); /* itsi_pool_kind.latency_ns */

#endif
