/* SQLite connections for the pool: opening and closing touch the disk, so a helper thread of the loop does it. */
#include "pool/database_pool_impl.h"

#include "base/diag.h"
#include "base/mem.h"
#include "pool/sqlite.h"

struct itsi_db_attempt {
    uv_work_t work;
    struct itsi_db_link *link;
    struct itsi_db_connection *connection; /* opened, or to be closed */
    bool is_opening, is_ending;
    int rc;
    struct its_diag diag;
};

static void touch_disk(uv_work_t *work)
{
    struct itsi_db_attempt *attempt = work->data;
    if (attempt->is_opening)
        attempt->rc = itsi_sqlite_open(&attempt->connection, attempt->link->database->path, &attempt->diag);
    else
        itsi_db_close(attempt->connection);
}

static void answer(uv_work_t *work, int status);

static void start(struct itsi_db_attempt *attempt)
{
    attempt->work.data = attempt;
    uv_queue_work(itsi_loop_uv(attempt->link->database->loop), &attempt->work, touch_disk, answer);
}

static void answer(uv_work_t *work, int status)
{
    (void)status;
    struct itsi_db_attempt *attempt = work->data;
    struct itsi_db_link *link = attempt->link;
    if (attempt->is_opening && attempt->is_ending && attempt->rc == 0) {
        attempt->is_opening = false; /* nobody wants it any more */
        attempt->rc = itsi_fail(&attempt->diag, ITS_ECANCELLED, "not wanted any more");
        start(attempt);
        return;
    }
    bool was_closing = attempt->is_ending, failed = attempt->rc != 0;
    link->attempt = NULL;
    if (!was_closing && !failed) {
        itsi_db_link_put(link, attempt->connection);
        link->slot->resource = link;
        itsi_pool_opened(link->slot);
    } else if (failed) {
        itsi_pool_open_failed(link->slot, attempt->rc, &attempt->diag);
    }
    if (was_closing)
        itsi_pool_closed(link->slot);
    itsi_free(attempt);
}

static struct itsi_db_attempt *attempt_on(struct itsi_db_link *link)
{
    struct itsi_db_attempt *attempt = itsi_zalloc(sizeof *attempt);
    if (attempt) {
        attempt->link = link;
        link->attempt = attempt;
    }
    return attempt;
}

static void open_it(void *self, struct itsi_pool_slot *slot, int64_t deadline)
{
    (void)deadline; /* the disk answers, or the whole machine is in trouble */
    struct itsi_database *database = self;
    struct itsi_db_link *link = &database->links[slot->index];
    link->slot = slot;
    struct itsi_db_attempt *attempt = attempt_on(link);
    if (!attempt) {
        const struct its_diag diag = {.text = "sqlite: out of memory"};
        itsi_pool_open_failed(slot, ITS_ENOMEM, &diag);
        return;
    }
    attempt->is_opening = true;
    start(attempt);
}

static void close_it(void *self, struct itsi_pool_slot *slot, enum itsi_pool_closed reason)
{
    (void)reason;
    struct itsi_database *database = self;
    struct itsi_db_link *link = &database->links[slot->index];
    if (link->attempt) { /* being opened: answered when that is done */
        link->attempt->is_ending = true;
        return;
    }
    struct itsi_db_connection *connection = itsi_db_link_take(link);
    struct itsi_db_attempt *attempt = connection ? attempt_on(link) : NULL;
    if (!attempt) {
        itsi_db_close(connection); /* NULL: lent, its borrower does it; else there is no memory for doing it elsewhere */
        itsi_pool_closed(slot);
        return;
    }
    attempt->connection = connection;
    attempt->is_ending = true;
    start(attempt);
}

const struct itsi_pool_kind itsi_db_sqlite_kind = {
    .name = "sqlite", .open = open_it, .close = close_it, .latency_ns = itsi_db_latency};
