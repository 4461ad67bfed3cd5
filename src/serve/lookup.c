#include "serve/lookup.h"

#include "base/bucket.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/serve_impl.h"

#include <stdio.h>
#include <unistd.h>

#define LINES_PER_SECOND 0.1 /* of the log, about a disk that does not answer */

struct itsi_lookups {
    /* const */
    struct itsi_crew *crew;
    struct itsi_serve_stats *stats; /* borrowed; not the thread's */
    /* lock */
    pthread_mutex_t lock;
    struct itsi_lookup *waited_for; /* with a request */
    int under_way;                  /* waited for or given up, and not back */
    int owners;                     /* the server, the lookups */
    bool stopping;
    struct itsi_bucket lines;
    int given_up; /* since the last of them */
};

static struct itsi_lookup *lookup_of(struct itsi_errand *errand)
{
    return (struct itsi_lookup *)((char *)errand - offsetof(struct itsi_lookup, errand));
}

/* Gives the lock back, for good when the last owner goes. */
static void unlock_less_one_owner(struct itsi_lookups *all)
{
    const bool last = --all->owners == 0;
    pthread_mutex_unlock(&all->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&all->lock);
    itsi_free(all);
}

/* On the thread, or where there is no file. */
static void dispose(struct itsi_lookup *lookup)
{
    struct itsi_lookups *all = lookup->all;
    if (lookup->file >= 0)
        close(lookup->file);
    itsi_clips_unref(lookup->clips);
    itsi_buf_fini(&lookup->answer);
    itsi_free(lookup);
    pthread_mutex_lock(&all->lock);
    unlock_less_one_owner(all);
}

static void dispose_later(struct itsi_errand *errand) { dispose(lookup_of(errand)); }

/* --- who waits; the lock is held ---------------------------------------------------------------------------------- */

static void link_in(struct itsi_lookup *lookup, struct itsi_request *r)
{
    struct itsi_lookups *all = lookup->all;
    lookup->request = r;
    lookup->next = all->waited_for;
    if (lookup->next)
        lookup->next->prev = lookup;
    all->waited_for = lookup;
    all->under_way++;
}

/* Its request goes on with that. */
static void release(struct itsi_lookup *lookup, int status, const char *detail)
{
    struct itsi_request *r = lookup->request;
    if (lookup->prev)
        lookup->prev->next = lookup->next;
    else
        lookup->all->waited_for = lookup->next;
    if (lookup->next)
        lookup->next->prev = lookup->prev;
    lookup->request = NULL;
    r->status = status;
    snprintf(r->detail, sizeof r->detail, "%s", detail);
    itsi_request_resume(r);
}

/* --- the thread --------------------------------------------------------------------------------------------------- */

static bool is_waited_for(struct itsi_lookup *lookup)
{
    pthread_mutex_lock(&lookup->all->lock);
    const bool is = lookup->request != NULL;
    pthread_mutex_unlock(&lookup->all->lock);
    return is;
}

static void run(struct itsi_errand *errand)
{
    struct itsi_lookup *lookup = lookup_of(errand);
    struct itsi_lookups *all = lookup->all;
    if (is_waited_for(lookup))
        lookup->job(lookup);
    pthread_mutex_lock(&all->lock);
    all->under_way--;
    const bool wanted = lookup->request != NULL;
    if (wanted) {
        lookup->request->lookup = lookup; /* the request's from here on */
        release(lookup, lookup->status, lookup->detail);
    }
    pthread_mutex_unlock(&all->lock);
    if (!wanted)
        dispose(lookup);
}

/* --- the network thread ------------------------------------------------------------------------------------------- */

struct itsi_lookup *itsi_lookup_make(struct itsi_lookups *all, struct itsi_clips *clips)
{
    struct itsi_lookup *lookup = itsi_zalloc(sizeof *lookup);
    if (!lookup)
        return NULL;
    itsi_buf_init(&lookup->answer);
    lookup->all = all;
    lookup->file = -1;
    lookup->clips = itsi_clips_ref(clips);
    pthread_mutex_lock(&all->lock);
    all->owners++;
    pthread_mutex_unlock(&all->lock);
    return lookup;
}

/* Why there is no use in waiting; the lock is held. */
static int refuse(const struct itsi_lookups *all, struct its_diag *diag)
{
    if (all->stopping)
        return itsi_fail(diag, ITS_ECANCELLED, "shutting down");
    if (all->under_way >= ITSI_LOOKUPS_AT_ONCE)
        return itsi_fail(diag, ITS_EAGAIN, "the disk does not answer: %d requests wait for it already",
                         ITSI_LOOKUPS_AT_ONCE);
    return 0;
}

enum MHD_Result itsi_lookup_run(struct itsi_request *r, struct itsi_lookup *lookup,
                                enum MHD_Result (*finish)(struct itsi_request *))
{
    struct its_diag diag = {""};
    if (!lookup)
        return itsi_respond_problem(r, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
    struct itsi_lookups *all = lookup->all;
    pthread_mutex_lock(&all->lock);
    const int rc = refuse(all, &diag);
    if (rc == 0) {
        itsi_request_suspend(r, finish);
        link_in(lookup, r);
        lookup->errand.run = run;
        itsi_crew_post(all->crew, &lookup->errand);
    }
    pthread_mutex_unlock(&all->lock);
    if (rc == 0)
        return MHD_YES;
    r->status = rc;
    snprintf(r->detail, sizeof r->detail, "%s", diag.text);
    dispose(lookup);
    return finish(r);
}

void itsi_lookup_free(struct itsi_lookup *lookup)
{
    if (!lookup)
        return;
    lookup->errand.run = dispose_later;
    if (lookup->file >= 0)
        itsi_crew_post(lookup->all->crew, &lookup->errand);
    else
        dispose(lookup);
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

int itsi_lookups_create(struct itsi_lookups **out, struct itsi_serve_stats *stats, struct its_diag *diag)
{
    struct itsi_lookups *all = itsi_zalloc(sizeof *all);
    if (!all)
        return itsi_fail(diag, ITS_ENOMEM, "looking for files: out of memory");
    all->stats = stats;
    all->owners = 1;
    itsi_bucket_init(&all->lines, LINES_PER_SECOND, itsi_now_ns());
    pthread_mutex_init(&all->lock, NULL);
    const int rc = itsi_crew_create(&all->crew, "serve-disk", 1, diag);
    if (rc)
        itsi_lookups_end(all, 0);
    else
        *out = all;
    return rc;
}

/* The lock is held; returns how many were late. */
static int give_up(struct itsi_lookups *all, int64_t now)
{
    int count = 0;
    for (struct itsi_lookup *one = all->waited_for, *next; one; one = next) {
        next = one->next;
        const bool is_late = now - one->request->came_ns > ITSI_CREW_PATIENCE_NS;
        if (is_late || itsi_connection_is_gone(one->request->connection))
            release(one, ITS_EAGAIN, "the disk does not answer");
        count += is_late;
    }
    return count;
}

void itsi_lookups_look(struct itsi_lookups *all, int64_t now)
{
    int told = 0;
    pthread_mutex_lock(&all->lock);
    const int late = give_up(all, now), under_way = all->under_way;
    all->given_up += late;
    if (all->given_up && itsi_bucket_take(&all->lines, now) == 0) {
        told = all->given_up;
        all->given_up = 0;
    }
    pthread_mutex_unlock(&all->lock);
    atomic_fetch_add(&all->stats->disk_timeouts, (uint64_t)late);
    if (told)
        itsi_warn("serve", "clips: the disk does not answer: %d requests were given up, it still holds %d", told, under_way);
}

void itsi_lookups_stop(struct itsi_lookups *all)
{
    pthread_mutex_lock(&all->lock);
    all->stopping = true;
    while (all->waited_for)
        release(all->waited_for, ITS_ECANCELLED, "shutting down: the disk has not answered yet");
    pthread_mutex_unlock(&all->lock);
}

int itsi_lookups_end(struct itsi_lookups *all, int64_t until)
{
    if (!all)
        return 0;
    itsi_lookups_stop(all);
    const int left = itsi_crew_end(all->crew, until);
    pthread_mutex_lock(&all->lock);
    unlock_less_one_owner(all);
    return left;
}
