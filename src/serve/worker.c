#include "serve/serve_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/thread.h"

enum { MOST_WAITING = 64 };

struct itsi_worker {
    pthread_t thread;
    /* lock */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct itsi_request *first, *last;
    int waiting;
    bool stopping;
};

static struct itsi_request *take(struct itsi_worker *w)
{
    struct itsi_request *r = w->first;
    w->first = r->next_job;
    if (!w->first)
        w->last = NULL;
    w->waiting--;
    return r;
}

static void *run(void *arg)
{
    struct itsi_worker *w = arg;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        if (!w->first) {
            if (w->stopping)
                break;
            itsi_cond_wait_until(&w->wake, &w->lock, ITSI_NEVER);
            continue;
        }
        struct itsi_request *r = take(w);
        const bool stopping = w->stopping;
        pthread_mutex_unlock(&w->lock);
        if (stopping)
            r->status = ITS_ECANCELLED;
        else
            r->job(r);
        itsi_request_resume(r);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int itsi_worker_create(struct itsi_worker **out, const char *name, struct its_diag *diag)
{
    struct itsi_worker *w = itsi_zalloc(sizeof *w);
    if (!w)
        return itsi_fail(diag, ITS_ENOMEM, "worker: out of memory");
    pthread_mutex_init(&w->lock, NULL);
    itsi_cond_init(&w->wake);
    const int rc = itsi_thread_start(&w->thread, name, run, w, diag);
    if (rc != 0) {
        pthread_mutex_destroy(&w->lock);
        pthread_cond_destroy(&w->wake);
        itsi_free(w);
        return rc;
    }
    *out = w;
    return 0;
}

int itsi_worker_post(struct itsi_worker *w, struct itsi_request *r)
{
    int rc = 0;
    pthread_mutex_lock(&w->lock);
    if (w->stopping) {
        rc = ITS_ECANCELLED;
    } else if (w->waiting >= MOST_WAITING) {
        rc = ITS_EBUSY;
    } else {
        r->next_job = NULL;
        if (w->last)
            w->last->next_job = r;
        else
            w->first = r;
        w->last = r;
        w->waiting++;
        pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->lock);
    return rc;
}

void itsi_worker_stop(struct itsi_worker *w)
{
    pthread_mutex_lock(&w->lock);
    const bool first = !w->stopping;
    w->stopping = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    if (first)
        pthread_join(w->thread, NULL);
}

void itsi_worker_destroy(struct itsi_worker *w)
{
    if (!w)
        return;
    itsi_worker_stop(w);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    itsi_free(w);
}

enum MHD_Result itsi_worker_run_on(struct itsi_worker *worker, struct itsi_request *r, void (*job)(struct itsi_request *),
                                   enum MHD_Result (*finish)(struct itsi_request *))
{
    r->job = job;
    itsi_request_suspend(r, finish);
    const int rc = itsi_worker_post(worker, r);
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
