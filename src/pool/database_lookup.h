/* The addresses of a database's hosts, for connections on their way. A lookup takes one of libuv's threads, and may take it for
 * long, so there is one at a time: who asks meanwhile gets its answer too. Neither asks where all are addresses or sockets.
 *
 * All on the loop's thread. */
#ifndef ITSI_POOL_DATABASE_LOOKUP_H
#define ITSI_POOL_DATABASE_LOOKUP_H

#include "base/ring.h"
#include "pool/postgres_hosts.h"

#include <uv.h>

struct itsi_db_lookup;

/* Who waits for it; lives in its owner. */
struct itsi_db_lookup_waiter {
    struct itsi_ring place; /* zeroed: waits for nothing */
    /* hostaddr: during the call. rc as of itsi_pg_look_up. Never from within the asking. */
    void (*done)(struct itsi_db_lookup_waiter *waiter, int rc, const char *hostaddr, const struct its_diag *diag);
};

/* Asks for the addresses of `url`; *lookup (NULL at first) is the one that goes on, if one does. ITS_ENOMEM. */
ITS_NODISCARD int itsi_db_lookup_ask(struct itsi_db_lookup **lookup, uv_loop_t *uv, const char *url,
                                     struct itsi_db_lookup_waiter *waiter, struct its_diag *diag);
/* Waits no more. The lookup goes on, since it cannot be stopped: for who asks next. Of who does not wait: nothing happens. */
void itsi_db_lookup_withdraw(struct itsi_db_lookup_waiter *waiter);
/* Nobody waits any more, or will: *lookup ends by itself, and writes there no more. Takes one that is NULL. */
void itsi_db_lookup_leave(struct itsi_db_lookup **lookup);

#endif
