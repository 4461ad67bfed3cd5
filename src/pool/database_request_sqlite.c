/* Requests on SQLite connections: it knows no other way than to block, so threads of our own do that. There are as many at
 * most as connections, each started when all before it are busy: who has a connection waits for no thread. */
#include "pool/database_pool_impl.h"

#include "base/diag.h"
#include "base/mem.h"

struct itsi_db_workers {
    int most; /* const */

    pthread_mutex_t mutex;
    pthread_cond_t wanted;
    struct itsi_db_request *first, **last; /* not taken yet, in the order they came */
    int queued, started, idle; /* idle: threads that wait, those that are about to wake included */
    bool is_ending;
    pthread_t threads[];
};

/* --- a worker ------------------------------------------------------------------------------------------------------ */

static void carry_out(struct itsi_db_request *r)
{
    int rc = itsi_db_request_begin(r);
    if (rc == 0) {
        rc = itsi_db_run(r->lease.connection, r->call.statement, r->call.values, r->call.count, r->row, r->self, r->deadline,
                         &r->diag);
        /* abandoned, for that is no other reason; a file that was moved away says so itself */
        if (!itsi_db_is_good(r->lease.connection) && rc != ITS_EIO)
            rc = itsi_fail(&r->diag, ITS_ECANCELLED, "sqlite: it ends");
        itsi_database_return(r->database, &r->lease, r->deadline);
    }
    r->done(r, rc, rc ? &r->diag : NULL);
}

/* NULL: no more will come. */
static struct itsi_db_request *take(struct itsi_db_workers *workers)
{
    pthread_mutex_lock(&workers->mutex);
    workers->idle++;
    while (!workers->first && !workers->is_ending)
        pthread_cond_wait(&workers->wanted, &workers->mutex);
    workers->idle--;
    struct itsi_db_request *r = workers->first;
    if (r) {
        workers->queued--;
        if (!(workers->first = r->next))
            workers->last = &workers->first;
    }
    pthread_mutex_unlock(&workers->mutex);
    return r;
}

static void *work(void *arg)
{
    struct itsi_db_request *r;
    while ((r = take(arg)))
        carry_out(r);
    return NULL;
}

/* --- giving them something to do ------------------------------------------------------------------------------------ */

/* With the mutex, or before anybody else knows of them. */
static int start_one(struct itsi_db_workers *workers, struct its_diag *diag)
{
    const int rc = itsi_thread_start(&workers->threads[workers->started], "database", work, workers, diag);
    workers->started += rc == 0;
    return rc;
}

/* It has a lease, or the reason why not. */
static void lent(struct itsi_db_request *r)
{
    struct itsi_db_workers *workers = r->database->workers;
    pthread_mutex_lock(&workers->mutex);
    if (workers->queued >= workers->idle && workers->started < workers->most)
        (void)start_one(workers, NULL); /* if it cannot be, one that is there comes to it later */
    r->next = NULL;
    *workers->last = r;
    workers->last = &r->next;
    workers->queued++;
    pthread_cond_signal(&workers->wanted);
    pthread_mutex_unlock(&workers->mutex);
}

static void start(struct itsi_db_request *r)
{
    if (itsi_db_request_borrow(r) == 0)
        lent(r);
}

/* --- their life ----------------------------------------------------------------------------------------------------- */

static int begin_them(struct itsi_database *database, int most, struct its_diag *diag)
{
    struct itsi_db_workers *workers = itsi_zalloc(sizeof *workers + (size_t)most * sizeof workers->threads[0]);
    if (!workers)
        return itsi_fail(diag, ITS_ENOMEM, "sqlite: out of memory");
    workers->most = most;
    workers->last = &workers->first;
    pthread_mutex_init(&workers->mutex, NULL);
    pthread_cond_init(&workers->wanted, NULL);
    database->workers = workers;
    return start_one(workers, diag);
}

/* Who waits for a connection is answered by the pool's end, and who has one goes on until then. */
static void shut_them(struct itsi_database *database) { (void)database; }

static void end_them(struct itsi_database *database)
{
    struct itsi_db_workers *workers = database->workers;
    if (!workers)
        return;
    pthread_mutex_lock(&workers->mutex);
    workers->is_ending = true;
    pthread_cond_broadcast(&workers->wanted);
    pthread_mutex_unlock(&workers->mutex);
    for (int i = 0; i < workers->started; i++)
        pthread_join(workers->threads[i], NULL);
    pthread_cond_destroy(&workers->wanted);
    pthread_mutex_destroy(&workers->mutex);
    itsi_free(workers);
}

const struct itsi_db_way itsi_db_sqlite_way = {
    .begin = begin_them, .start = start, .lent = lent, .shut = shut_them, .end = end_them};
