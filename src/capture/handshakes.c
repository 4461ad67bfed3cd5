#include "capture/handshakes.h"

#include "base/bucket.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/thread.h"

struct waiter {
    pthread_cond_t cond;
    struct waiter *next;
};

struct itsi_handshakes {
    pthread_mutex_t mutex;
    struct waiter *first, **last; /* in the order they came; only the first may go */
    struct itsi_bucket bucket;
    int limit;
    struct itsi_handshakes_stats stats;
};

int itsi_handshakes_create(struct itsi_handshakes **out, int in_flight, double per_second, struct its_diag *diag)
{
    if (in_flight < 1 || !(per_second > 0))
        return itsi_fail(diag, ITS_EINVAL, "handshake limits must be positive (%d at once, %g per second)", in_flight,
                         per_second);
    struct itsi_handshakes *h = itsi_zalloc(sizeof *h);
    if (!h)
        return itsi_fail(diag, ITS_ENOMEM, "handshake limiter: out of memory");
    pthread_mutex_init(&h->mutex, NULL);
    h->last = &h->first;
    h->limit = in_flight;
    itsi_bucket_init(&h->bucket, per_second, itsi_now_ns());
    *out = h;
    return 0;
}

void itsi_handshakes_destroy(struct itsi_handshakes *h)
{
    if (!h)
        return;
    pthread_mutex_destroy(&h->mutex);
    itsi_free(h);
}

void itsi_handshakes_stats(struct itsi_handshakes *h, struct itsi_handshakes_stats *out)
{
    pthread_mutex_lock(&h->mutex);
    *out = h->stats;
    pthread_mutex_unlock(&h->mutex);
}

static void signal_first(struct itsi_handshakes *h)
{
    if (h->first)
        pthread_cond_signal(&h->first->cond);
}

static void leave(struct itsi_handshakes *h, struct waiter *self)
{
    struct waiter **link = &h->first;
    while (*link != self)
        link = &(*link)->next;
    *link = self->next;
    h->stats.waiting--;
    if (h->last == &self->next)
        h->last = link;
    signal_first(h);
}

int itsi_handshakes_acquire(struct itsi_handshakes *h, const atomic_bool *stop)
{
    struct waiter self = {.next = NULL};
    if (itsi_cond_init(&self.cond))
        return ITS_ENOMEM;
    int rc = ITS_ECANCELLED;
    pthread_mutex_lock(&h->mutex);
    *h->last = &self;
    h->last = &self.next;
    h->stats.waiting++;
    while (!atomic_load(stop)) {
        int64_t until = ITSI_NEVER;
        if (h->first == &self && h->stats.now < h->limit) {
            until = itsi_bucket_take(&h->bucket, itsi_now_ns());
            if (!until) {
                rc = 0;
                break;
            }
        }
        itsi_cond_wait_until(&self.cond, &h->mutex, until);
    }
    if (!rc && ++h->stats.now > h->stats.highest)
        h->stats.highest = h->stats.now;
    leave(h, &self);
    pthread_mutex_unlock(&h->mutex);
    pthread_cond_destroy(&self.cond);
    return rc;
}

void itsi_handshakes_release(struct itsi_handshakes *h)
{
    pthread_mutex_lock(&h->mutex);
    h->stats.now--;
    signal_first(h);
    pthread_mutex_unlock(&h->mutex);
}

void itsi_handshakes_wake(struct itsi_handshakes *h)
{
    pthread_mutex_lock(&h->mutex);
    for (struct waiter *w = h->first; w; w = w->next)
        pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&h->mutex);
}
