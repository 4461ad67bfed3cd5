#include "serve/crew.h"

#include "base/diag.h"
#include "base/mem.h"
#include "base/thread.h"

#include <stddef.h>

struct hand {
    struct itsi_crew *crew;
    pthread_t thread;
    bool is_home; /* lock: it takes nothing more, and ends */
};

struct itsi_crew {
    struct hand hands[ITSI_CREW_MOST];
    /* lock */
    pthread_mutex_t lock;
    pthread_cond_t wake, came_home;
    struct itsi_errand *first, *last;
    int started; /* hands */
    int owners;  /* the hands that are not home, and who made the crew */
    bool ending;
};

/* Gives the lock back, for good when the last owner goes. */
static void unlock_less_one_owner(struct itsi_crew *crew)
{
    const bool last = --crew->owners == 0;
    pthread_mutex_unlock(&crew->lock);
    if (!last)
        return;
    pthread_cond_destroy(&crew->wake);
    pthread_cond_destroy(&crew->came_home);
    pthread_mutex_destroy(&crew->lock);
    itsi_free(crew);
}

static struct itsi_errand *take(struct itsi_crew *crew)
{
    struct itsi_errand *errand = crew->first;
    crew->first = errand->next;
    if (!crew->first)
        crew->last = NULL;
    return errand;
}

static void *run(void *arg)
{
    struct hand *hand = arg;
    struct itsi_crew *crew = hand->crew;
    pthread_mutex_lock(&crew->lock);
    while (crew->first || !crew->ending) {
        if (!crew->first) {
            itsi_cond_wait_until(&crew->wake, &crew->lock, ITSI_NEVER);
            continue;
        }
        struct itsi_errand *errand = take(crew);
        pthread_mutex_unlock(&crew->lock);
        errand->run(errand);
        pthread_mutex_lock(&crew->lock);
    }
    hand->is_home = true;
    pthread_cond_signal(&crew->came_home);
    unlock_less_one_owner(crew);
    return NULL;
}

int itsi_crew_create(struct itsi_crew **out, const char *name, int threads, struct its_diag *diag)
{
    struct itsi_crew *crew = itsi_zalloc(sizeof *crew);
    int rc = crew ? 0 : itsi_fail(diag, ITS_ENOMEM, "%s: out of memory", name);
    if (rc)
        return rc;
    crew->owners = 1;
    pthread_mutex_init(&crew->lock, NULL);
    itsi_cond_init(&crew->wake);
    itsi_cond_init(&crew->came_home);
    pthread_mutex_lock(&crew->lock);
    while (rc == 0 && crew->started < threads) {
        struct hand *hand = &crew->hands[crew->started];
        hand->crew = crew;
        rc = itsi_thread_start(&hand->thread, name, run, hand, diag);
        crew->started += rc == 0;
        crew->owners += rc == 0;
    }
    pthread_mutex_unlock(&crew->lock);
    if (rc)
        itsi_crew_end(crew, ITSI_NEVER); /* nothing was posted: nothing holds them */
    else
        *out = crew;
    return rc;
}

void itsi_crew_post(struct itsi_crew *crew, struct itsi_errand *errand)
{
    errand->next = NULL;
    pthread_mutex_lock(&crew->lock);
    if (crew->last)
        crew->last->next = errand;
    else
        crew->first = errand;
    crew->last = errand;
    pthread_cond_signal(&crew->wake);
    pthread_mutex_unlock(&crew->lock);
}

int itsi_crew_end(struct itsi_crew *crew, int64_t until)
{
    bool is_home[ITSI_CREW_MOST];
    int left = 0;
    if (!crew)
        return 0;
    pthread_mutex_lock(&crew->lock);
    const int started = crew->started;
    crew->ending = true;
    pthread_cond_broadcast(&crew->wake);
    for (int i = 0; i < started; i++) {
        while (!crew->hands[i].is_home && itsi_cond_wait_until(&crew->came_home, &crew->lock, until))
            ;
        is_home[i] = crew->hands[i].is_home;
        left += !is_home[i];
    }
    for (int i = 0; i < started; i++)
        if (!is_home[i])
            pthread_detach(crew->hands[i].thread); /* here: one that comes home later takes the crew with it */
    pthread_mutex_unlock(&crew->lock);
    for (int i = 0; i < started; i++)
        if (is_home[i])
            pthread_join(crew->hands[i].thread, NULL);
    pthread_mutex_lock(&crew->lock);
    unlock_less_one_owner(crew);
    return left;
}
