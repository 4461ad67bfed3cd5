#include "pool/database_lookup.h"

#include "base/diag.h"
#include "base/mem.h"

#include <string.h>

struct itsi_db_lookup {
    uv_work_t work;
    struct itsi_db_lookup **at; /* whose it is; NULL: nobody's any more */
    struct itsi_ring waiters;
    char *url; /* owned */
    /* its thread's until it is done */
    char hostaddr[ITSI_PG_HOSTADDR];
    int rc;
    struct its_diag diag;
};

static void free_it(struct itsi_db_lookup *lookup)
{
    if (lookup->url)
        explicit_bzero(lookup->url, strlen(lookup->url));
    itsi_free(lookup->url);
    itsi_free(lookup);
}

static void look_up(uv_work_t *work)
{
    struct itsi_db_lookup *lookup = work->data;
    lookup->rc = itsi_pg_look_up(lookup->url, lookup->hostaddr, &lookup->diag);
}

static void looked_up(uv_work_t *work, int status)
{
    struct itsi_db_lookup *lookup = work->data;
    struct itsi_ring *first;
    (void)status; /* cancelled: then nobody waits */
    if (lookup->at)
        *lookup->at = NULL; /* who asks from now on, as from a `done`, gets another */
    while ((first = itsi_ring_first(&lookup->waiters))) {
        struct itsi_db_lookup_waiter *waiter = ITSI_RING_OWNER(first, struct itsi_db_lookup_waiter, place);
        itsi_ring_take_out(first);
        waiter->done(waiter, lookup->rc, lookup->hostaddr, &lookup->diag);
    }
    free_it(lookup);
}

static int begin(struct itsi_db_lookup **at, uv_loop_t *uv, const char *url)
{
    struct itsi_db_lookup *lookup = itsi_zalloc(sizeof *lookup);
    if (!lookup)
        return ITS_ENOMEM;
    lookup->work.data = lookup;
    lookup->url = itsi_strdup(url);
    if (!lookup->url || uv_queue_work(uv, &lookup->work, look_up, looked_up) != 0) {
        free_it(lookup);
        return ITS_ENOMEM;
    }
    itsi_ring_init(&lookup->waiters);
    lookup->at = at;
    *at = lookup;
    return 0;
}

int itsi_db_lookup_ask(struct itsi_db_lookup **lookup, uv_loop_t *uv, const char *url,
                       struct itsi_db_lookup_waiter *waiter, struct its_diag *diag)
{
    if (!*lookup && begin(lookup, uv, url) != 0)
        return itsi_fail(diag, ITS_ENOMEM, "postgresql: looking up its host: out of memory");
    itsi_ring_put_last(&(*lookup)->waiters, &waiter->place);
    return 0;
}

void itsi_db_lookup_withdraw(struct itsi_db_lookup_waiter *waiter) { itsi_ring_take_out(&waiter->place); }

void itsi_db_lookup_leave(struct itsi_db_lookup **lookup)
{
    if (!*lookup)
        return;
    (*lookup)->at = NULL;
    (void)uv_cancel((uv_req_t *)&(*lookup)->work); /* where it has not begun */
    *lookup = NULL;
}
