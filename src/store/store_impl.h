/* What store.c (producers, life) and writer.c (the thread) share. */
#ifndef ITSI_STORE_STORE_IMPL_H
#define ITSI_STORE_STORE_IMPL_H

#include "base/thread.h"
#include "net/backoff.h"
#include "store/book.h"
#include "store/retain.h"
#include "store/spool.h"
#include "store/store.h"

/* A block that is neither in the database nor in the spool yet. */
struct itsi_store_pending {
    struct itsi_buf block; /* empty: none */
    struct itsi_batch_head head;
    int64_t wall_ns; /* of its oldest row */
    int refusals;    /* by the database, for what it holds */
};

enum { ITSI_STORE_PENDING = 2 }; /* rows, then counts */

struct itsi_store {
    struct itsi_store_params params;
    pthread_t thread;

    pthread_mutex_t mutex; /* over what follows */
    pthread_cond_t wanted; /* the writer: many rows, or the end; then who ends it: that it was heard */
    struct itsi_book books[2], *front;
    int64_t front_ns, front_wall_ns; /* of its oldest row; 0: it is empty */
    bool is_ending, is_full;         /* is_full: the writer was woken for it */
    int64_t end_deadline;
    bool has_heard;                  /* the writer knows that it is to end */
    struct itsi_db_connection *in_use; /* by the writer; NULL: none */
    struct itsi_store_stats stats; /* what the writer knows is copied in by it */
    int64_t unwritten_wall_ns;     /* of the oldest row beyond the front; 0: none */
    size_t pending_rows;

    /* the writer's own */
    struct itsi_book *back;   /* empty, but for what there was no memory to seal */
    int64_t back_wall_ns;     /* of its oldest row */
    struct itsi_store_pending pending[ITSI_STORE_PENDING];
    struct itsi_spool *spool; /* NULL: none; without spool_bytes only what an earlier process left */
    struct itsi_batch batch;
    struct itsi_buf scratch, spooled;
    struct itsi_backoff backoff;
    struct itsi_retention retention;
    struct itsi_store_stats own; /* its part of stats, without the lock */
    int64_t next_try_ns, next_spool_ns, next_drain_ns, next_seal_ns;
    uint64_t writer, seq;
    bool is_migrated;
};

void *itsi_store_write_loop(void *store);

/* store_pending.c: what is sealed, and where it goes. On the writer's thread. */
bool itsi_store_has_pending(const struct itsi_store *store);
/* Whether what the database does not take goes to disk. */
bool itsi_store_spools(const struct itsi_store *store);
bool itsi_store_has_spooled(const struct itsi_store *store);
/* A writer's batches are to come in order (store/apply.h), so what is pending queues up behind the spool. Where nothing is
 * spooled nothing of this writer lies there: then new rows, which can wait nowhere else, do not wait for it. */
bool itsi_store_is_pendings_turn(const struct itsi_store *store);
/* Takes the front's rows, if there are any, as pending blocks; nothing may be pending. What there is no memory for stays in
 * the back and comes first the next time. */
void itsi_store_seal(struct itsi_store *store);
/* The pending blocks into the spool, in order, as far as it takes them. */
void itsi_store_spool_pending(struct itsi_store *store);
/* At the end: the pending blocks; what could not be sealed. */
void itsi_store_drop_pending(struct itsi_store *store);
void itsi_store_drop_unsealed(struct itsi_store *store);
/* What is pending when it is its turn, and the spool's oldest, until `until` or until one cannot be read: the rest of them
 * waits for next_drain_ns. */
ITS_NODISCARD int itsi_store_write_waiting(struct itsi_store *store, struct itsi_db_connection *db, int64_t until,
                                           int64_t deadline, struct its_diag *diag);
/* The database is there, and does not take these rows. */
bool itsi_store_is_refusal(int rc);
void itsi_store_fail(struct itsi_store *store, const char *text);
void itsi_store_publish(struct itsi_store *store);

#endif
