/* What requests of both databases have in common: waiting for a connection, and the end. */
#include "pool/database_pool_impl.h"

#include "base/clock.h"
#include "base/diag.h"

static void on_lent(struct itsi_pool_request *borrowing, int rc, struct itsi_lease lease, const struct its_diag *diag)
{
    struct itsi_db_request *r =
        (struct itsi_db_request *)((char *)borrowing - offsetof(struct itsi_db_request, borrowing));
    r->rc = rc;
    r->lease.lease = lease;
    if (rc != 0)
        r->diag = *diag;
    r->database->way->lent(r);
}

int itsi_db_request_borrow(struct itsi_db_request *r)
{
    struct itsi_database *database = r->database;
    r->rc = 0;
    if (itsi_pool_try(database->pool, &r->owner, &r->lease.lease) == 0)
        return 0;
    r->borrowing.owner = r->owner;
    r->borrowing.deadline = itsi_database_wait_until(database, r->deadline);
    r->borrowing.done = on_lent;
    itsi_pool_request(database->pool, &r->borrowing);
    return ITS_EAGAIN;
}

int itsi_db_request_is_late(struct itsi_db_request *r)
{
    return itsi_fail(&r->diag, ITS_ETIMEOUT, "%s: a connection was had too late", r->database->kind->name);
}

int itsi_db_request_begin(struct itsi_db_request *r)
{
    int rc = r->rc;
    if (rc == 0)
        rc = itsi_database_take(r->database, r->lease.lease, &r->lease, &r->diag);
    if (rc != 0)
        return rc;
    r->began = itsi_now_ns();
    if (r->began < r->deadline)
        return 0;
    itsi_database_return(r->database, &r->lease, r->deadline);
    return itsi_db_request_is_late(r);
}

void itsi_database_start(struct itsi_database *database, struct itsi_db_request *r)
{
    r->database = database;
    r->next = NULL;
    r->diag.text[0] = '\0'; /* who stops at a row says nothing */
    database->way->start(r);
}
