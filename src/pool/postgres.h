/* PostgreSQL connections over libpq, never blocking past a deadline: connecting in steps, statements in pipeline mode,
 * bulk rows by COPY outside it. */
#ifndef ITSI_POOL_POSTGRES_H
#define ITSI_POOL_POSTGRES_H

#include "pool/database.h"

struct itsi_pg_params {
    const char *url; /* postgresql://user:password@host:port/database?... or libpq's key=value */
    /* Never prepares. Behind a pooler in transaction mode named statements do not outlive a transaction: connections that
     * find one between do without by themselves. */
    bool without_prepared;
    const char *hostaddr; /* the host's address, where it is a name; NULL: libpq resolves it, and blocks */
    double tcp_user_timeout_s; /* unacknowledged data so long: the link is dead */
};

/* ITS_EINVAL: no address of a database. Passwords never show in an error. */
ITS_NODISCARD int itsi_pg_check_url(const char *url, struct its_diag *diag);

/* Connecting in steps, for an event loop. */
struct itsi_pg_connecting;

enum itsi_pg_wait { ITSI_PG_READ, ITSI_PG_WRITE, ITSI_PG_DONE };

/* Begins. */
ITS_NODISCARD int itsi_pg_connect_begin(struct itsi_pg_connecting **out, const struct itsi_pg_params *params,
                                        struct its_diag *diag);
/* To be waited for; may be another one after every step. */
int itsi_pg_connect_socket(const struct itsi_pg_connecting *connecting);
/* The socket is ready. ITSI_PG_READ or _WRITE: wait for that and call again; ITSI_PG_DONE: connected, take it; or an error:
 * ITS_EREFUSED (nobody there, starting up, too many connections), ITS_EAUTH, ITS_ENOTFOUND (no such database), ITS_EIO. */
ITS_NODISCARD int itsi_pg_connect_step(struct itsi_pg_connecting *connecting, struct its_diag *diag);
/* Moves the connection out and frees `connecting`. */
struct itsi_db_connection *itsi_pg_connect_take(struct itsi_pg_connecting *connecting);
void itsi_pg_connect_abort(struct itsi_pg_connecting *connecting); /* takes NULL */

/* All of that, blocking until `deadline`. */
ITS_NODISCARD int itsi_pg_connect(struct itsi_db_connection **out, const struct itsi_pg_params *params, int64_t deadline,
                                  struct its_diag *diag);

/* A statement in steps, outside a transaction and one at a time; what it is given is borrowed until it is done. Begins, or
 * goes on once the socket is ready: ITSI_PG_READ; ITSI_PG_WRITE, then for either; ITSI_PG_DONE. */
ITS_NODISCARD enum itsi_pg_wait itsi_pg_statement_begin(struct itsi_db_connection *db, const struct itsi_db_call *call,
                                                        itsi_db_row_fn *row, void *arg, struct its_diag *diag);
ITS_NODISCARD enum itsi_pg_wait itsi_pg_statement_step(struct itsi_db_connection *db);
/* Of the one that is done: as itsi_db_run. */
ITS_NODISCARD int itsi_pg_statement_outcome(const struct itsi_db_connection *db);
/* Gives it up for its deadline, and the connection with it: ITS_ETIMEOUT. */
ITS_NODISCARD int itsi_pg_statement_time_out(struct itsi_db_connection *db);

int itsi_pg_socket(const struct itsi_db_connection *db);
/* Does an idle connection still answer? In steps, as above: ITSI_PG_READ, _WRITE, _DONE, or an error. */
ITS_NODISCARD int itsi_pg_ping_begin(struct itsi_db_connection *db, struct its_diag *diag);
ITS_NODISCARD int itsi_pg_ping_step(struct itsi_db_connection *db, struct its_diag *diag);

#endif
