#include "capture/metronome.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/thread.h"

/* Whoever is due within it is called in one waking. */
#define GRAIN_NS (500 * ITSI_NS_PER_US)

struct itsi_metronome {
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed; /* somebody is due earlier, or quit */
    pthread_cond_t called;  /* beat() has returned, where somebody waits for that */
    struct itsi_heap due;
    struct itsi_metronome_member *calling; /* whose beat() runs */
    bool leaving;                          /* that one */
    bool runs, quit;
};

int itsi_metronome_create(struct itsi_metronome **out, struct its_diag *diag)
{
    struct itsi_metronome *m = itsi_zalloc(sizeof *m);
    if (!m)
        return itsi_fail(diag, ITS_ENOMEM, "metronome: out of memory");
    pthread_mutex_init(&m->mutex, NULL);
    itsi_cond_init(&m->changed);
    itsi_cond_init(&m->called);
    *out = m;
    return 0;
}

void itsi_metronome_destroy(struct itsi_metronome *m)
{
    if (!m)
        return;
    pthread_mutex_lock(&m->mutex);
    m->quit = true;
    pthread_cond_signal(&m->changed);
    pthread_mutex_unlock(&m->mutex);
    if (m->runs)
        pthread_join(m->thread, NULL);
    pthread_cond_destroy(&m->called);
    pthread_cond_destroy(&m->changed);
    pthread_mutex_destroy(&m->mutex);
    itsi_free(m);
}

/* The mutex is held, but not while it is called. */
static void call(struct itsi_metronome *m, struct itsi_metronome_member *member, int64_t now)
{
    itsi_heap_remove(&member->due);
    m->calling = member;
    pthread_mutex_unlock(&m->mutex);
    int64_t next = member->beat(member->arg, now);
    pthread_mutex_lock(&m->mutex);
    if (m->leaving)
        pthread_cond_broadcast(&m->called);
    else if (next != ITSI_NEVER)
        itsi_heap_insert(&m->due, &member->due, next, 0);
    m->leaving = false;
    m->calling = NULL;
}

static void *work(void *arg)
{
    struct itsi_metronome *m = arg;
    pthread_mutex_lock(&m->mutex);
    while (!m->quit) {
        int64_t now = itsi_now_ns();
        while (m->due.first && m->due.first->key <= now)
            call(m, ITSI_HEAP_OWNER(m->due.first, struct itsi_metronome_member, due), now);
        int64_t next = m->due.first ? m->due.first->key : ITSI_NEVER;
        if (!m->quit)
            itsi_cond_wait_until(&m->changed, &m->mutex, next > now + GRAIN_NS ? next : now + GRAIN_NS);
    }
    pthread_mutex_unlock(&m->mutex);
    return NULL;
}

int itsi_metronome_join(struct itsi_metronome *m, struct itsi_metronome_member *member, int64_t first_due,
                        struct its_diag *diag)
{
    int rc = 0;
    pthread_mutex_lock(&m->mutex);
    if (!m->runs)
        rc = itsi_thread_start(&m->thread, "its-metronome", work, m, diag);
    m->runs |= rc == 0;
    if (rc == 0) {
        itsi_heap_insert(&m->due, &member->due, first_due, 0);
        if (m->due.first == &member->due)
            pthread_cond_signal(&m->changed);
    }
    pthread_mutex_unlock(&m->mutex);
    return rc;
}

void itsi_metronome_leave(struct itsi_metronome *m, struct itsi_metronome_member *member)
{
    pthread_mutex_lock(&m->mutex);
    itsi_heap_remove(&member->due);
    while (m->calling == member) {
        m->leaving = true;
        pthread_cond_wait(&m->called, &m->mutex);
    }
    pthread_mutex_unlock(&m->mutex);
}
