/* The database behind the store, and the pool of connections to it: PostgreSQL where an address is given, else an SQLite
 * file. Which of the two only shows in the name.
 *
 * Connections are made and checked on the loop's thread and on its helpers, without blocking it, and used by the threads
 * that borrow them. */
#ifndef ITSI_POOL_DATABASE_POOL_H
#define ITSI_POOL_DATABASE_POOL_H

#include "config/config.h"
#include "pool/database.h"
#include "pool/lease.h"

struct itsi_database;

/* url: `database_url`; NULL or empty: the SQLite file `path`. Connects in the background: success says nothing about the
 * server. ITS_EINVAL: no address of a database. Not from the loop's thread. */
ITS_NODISCARD int itsi_database_create(struct itsi_database **out, struct itsi_loop *loop, const char *url,
                                       const char *path, const struct its_cfg_connection_pool *cfg,
                                       struct its_diag *diag);
/* Leases and requests have until `deadline`; then what runs on them is made to fail, and they are waited for: every
 * request is done when it returns. Not from the loop's thread. Takes NULL. */
void itsi_database_destroy(struct itsi_database *database, int64_t deadline);

/* Live options. Any thread. */
void itsi_database_configure(struct itsi_database *database, const struct its_cfg_connection_pool *cfg);

struct itsi_db_lease {
    struct itsi_db_connection *connection;
    struct itsi_lease lease; /* the pool's own */
};

/* Blocks until there is one, `deadline` or db_pool_timeout, whichever is first. Errors as itsi_pool_acquire. */
ITS_NODISCARD int itsi_database_borrow(struct itsi_database *database, const struct itsi_pool_owner *owner,
                                       int64_t deadline, struct itsi_db_lease *out, struct its_diag *diag);
/* An open transaction is rolled back (until `deadline`); one that is not good any more is replaced. */
void itsi_database_return(struct itsi_database *database, struct itsi_db_lease *lease, int64_t deadline);

const char *itsi_database_kind(const struct itsi_database *database); /* "sqlite", "postgresql" */
/* For metrics and health. */
struct itsi_pool *itsi_database_pool(struct itsi_database *database);

#endif
