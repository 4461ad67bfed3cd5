#include "base/thread.h"

#include "base/clock.h"
#include "base/diag.h"

#include <signal.h>
#include <time.h>

int itsi_thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *arg, struct its_diag *diag)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_t thread;
    int err = pthread_create(&thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err)
        return itsi_fail_errno(diag, err, "cannot start thread %s", name);
    char shown[16] = "";
    for (size_t i = 0; i < sizeof shown - 1 && name[i]; i++)
        shown[i] = name[i];
    pthread_setname_np(thread, shown);
    *out = thread;
    return 0;
}

int itsi_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    int err = pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
    return err ? ITS_ENOMEM : 0;
}

bool itsi_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t until_ns)
{
    if (until_ns == ITSI_NEVER) {
        pthread_cond_wait(cond, mutex);
        return true;
    }
    struct timespec ts = {.tv_sec = until_ns / ITSI_NS_PER_S, .tv_nsec = until_ns % ITSI_NS_PER_S};
    return pthread_cond_timedwait(cond, mutex, &ts) == 0;
}

void itsi_event_init(struct itsi_event *event)
{
    pthread_mutex_init(&event->mutex, NULL);
    itsi_cond_init(&event->cond);
    event->is_set = false;
}

void itsi_event_fini(struct itsi_event *event)
{
    pthread_cond_destroy(&event->cond);
    pthread_mutex_destroy(&event->mutex);
}

void itsi_event_set(struct itsi_event *event)
{
    pthread_mutex_lock(&event->mutex);
    event->is_set = true;
    pthread_cond_broadcast(&event->cond);
    pthread_mutex_unlock(&event->mutex);
}

bool itsi_event_is_set(struct itsi_event *event)
{
    pthread_mutex_lock(&event->mutex);
    bool set = event->is_set;
    pthread_mutex_unlock(&event->mutex);
    return set;
}

bool itsi_event_wait_until(struct itsi_event *event, int64_t until_ns)
{
    pthread_mutex_lock(&event->mutex);
    while (!event->is_set && itsi_cond_wait_until(&event->cond, &event->mutex, until_ns))
        ;
    bool set = event->is_set;
    pthread_mutex_unlock(&event->mutex);
    return set;
}
