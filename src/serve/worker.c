#include "serve/serve_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"

#include <pthread.h>
#include <stddef.h>

enum { MOST_WAITING = 64 };

struct itsi_worker {
    struct itsi_crew *crew; /* of one */
    /* lock */
    pthread_mutex_t lock;
    int waiting;
    bool stopping;
};

static void run(struct itsi_errand *errand)
{
    struct itsi_request *r = (struct itsi_request *)((char *)errand - offsetof(struct itsi_request, errand));
    struct itsi_worker *w = r->worker;
    pthread_mutex_lock(&w->lock);
    w->waiting--;
    const bool stopping = w->stopping;
    pthread_mutex_unlock(&w->lock);
    if (stopping)
        r->status = ITS_ECANCELLED;
    else
        r->job(r);
    itsi_request_resume(r);
}

int itsi_worker_create(struct itsi_worker **out, const char *name, struct its_diag *diag)
{
    struct itsi_worker *w = itsi_zalloc(sizeof *w);
    if (!w)
        return itsi_fail(diag, ITS_ENOMEM, "worker: out of memory");
    const int rc = itsi_crew_create(&w->crew, name, 1, diag);
    if (rc != 0) {
        itsi_free(w);
        return rc;
    }
    pthread_mutex_init(&w->lock, NULL);
    *out = w;
    return 0;
}

/* ITS_EBUSY: too many wait. */
static int post(struct itsi_worker *w, struct itsi_request *r)
{
    int rc = 0;
    pthread_mutex_lock(&w->lock);
    if (w->stopping) {
        rc = ITS_ECANCELLED;
    } else if (w->waiting >= MOST_WAITING) {
        rc = ITS_EBUSY;
    } else {
        r->worker = w;
        r->errand.run = run;
        w->waiting++;
        itsi_crew_post(w->crew, &r->errand);
    }
    pthread_mutex_unlock(&w->lock);
    return rc;
}

/* Its jobs work on requests, so nobody can be left behind. */
void itsi_worker_stop(struct itsi_worker *w)
{
    pthread_mutex_lock(&w->lock);
    const bool first = !w->stopping;
    w->stopping = true;
    pthread_mutex_unlock(&w->lock);
    if (first)
        (void)itsi_crew_end(w->crew, ITSI_NEVER);
}

void itsi_worker_destroy(struct itsi_worker *w)
{
    if (!w)
        return;
    itsi_worker_stop(w);
    pthread_mutex_destroy(&w->lock);
    itsi_free(w);
}

enum MHD_Result itsi_worker_run_on(struct itsi_worker *worker, struct itsi_request *r, void (*job)(struct itsi_request *),
                                   enum MHD_Result (*finish)(struct itsi_request *))
{
    r->job = job;
    itsi_request_suspend(r, finish);
    const int rc = post(worker, r);
    if (rc != 0) { /* else the request is the worker's until it resumes it */
        r->status = rc;
        itsi_request_resume(r);
    }
    return MHD_YES;
}

enum MHD_Result itsi_worker_run(struct itsi_request *r, void (*job)(struct itsi_request *),
                                enum MHD_Result (*finish)(struct itsi_request *))
{
    return itsi_worker_run_on(r->server->worker, r, job, finish);
}
