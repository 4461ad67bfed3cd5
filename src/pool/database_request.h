/* A statement without a thread that waits for it: the request waits for a connection in the pool's queue, is carried out by
 * one of the database's own threads, and says there how it went.
 *
 *   start ──▶ lease ──▶ PostgreSQL: two threads, each a loop over the sockets of the statements it carries ──▶ rows, done
 *                  └──▶ SQLite: it can only block, so there are as many threads as connections
 *
 * So the loop on which connections are made never sees a row, and no thread of one pool waits for another's. A request holds
 * a connection only while its statement is carried out. Its memory is its owner's and used again: a steady state allocates
 * nothing but what libpq and SQLite do for a result. */
#ifndef ITSI_POOL_DATABASE_REQUEST_H
#define ITSI_POOL_DATABASE_REQUEST_H

#include "net/loop.h"
#include "pool/database_pool.h"

/* One statement, a transaction of its own. */
struct itsi_db_request {
    /* the owner's: zeroed, then set before each start; what they point to is borrowed until `done` */
    struct itsi_pool_owner owner;
    int64_t deadline; /* for all of it; for a connection it waits db_pool_timeout at most */
    struct itsi_db_call call;
    /* Both on one of the database's threads (which begin with the first request; where they cannot be had, `done` says so on the
     * pools' loop), where others wait for their turn: they may not block. Those of other requests
     * may run at the same time. row (may be NULL) gets `self`. done: once, never from within itsi_database_start; rc as of
     * itsi_database_borrow and itsi_db_run, ITS_ECANCELLED: the database ended. It may free the request or start it, or
     * another: which then, while nobody else waits, goes on over the same connection. */
    itsi_db_row_fn *row;
    void (*done)(struct itsi_db_request *request, int rc, const struct its_diag *diag);
    void *self;

    /* the pool's own */
    struct itsi_database *database;
    struct itsi_db_request *next; /* started on the same thread, or waiting for a worker */
    struct itsi_loop_task task;
    struct itsi_pool_request borrowing;
    struct itsi_db_lease lease;
    int64_t began;
    int rc; /* of waiting */
    struct its_diag diag;
};

/* Any thread. The database is destroyed after the last start. */
void itsi_database_start(struct itsi_database *database, struct itsi_db_request *request);

#endif
