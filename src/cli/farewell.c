#include "cli/farewell.h"

#include "base/clock.h"
#include "base/log.h"
#include "cli/cli.h"

#include <stdio.h>
#include <unistd.h>

/* Beyond the drain: the last spans, alerts and clips take up to a few seconds. */
#define GRACE_NS (5 * ITSI_NS_PER_S)
/* Beyond the bounds that what comes after has itself: a machine may have no time. */
#define SLACK_NS (2 * ITSI_NS_PER_S)

static void *save(void *arg)
{
    struct itsi_farewell *f = arg;
    f->params.save(f->params.save_arg);
    pthread_mutex_lock(&f->lock);
    f->is_saved = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static void save_in_time(struct itsi_farewell *f)
{
    pthread_t thread;
    const int64_t until = itsi_now_ns() + f->params.save_ns + SLACK_NS;
    if (!f->params.save || itsi_thread_start(&thread, "its-save", save, f, NULL) != 0)
        return;
    pthread_detach(thread); /* it may hang too */
    while (!f->is_saved && itsi_cond_wait_until(&f->changed, &f->lock, until))
        ;
}

/* The lock is held. Without exit handlers: what hangs may hold what they would wait for. */
_Noreturn static void give_up(struct itsi_farewell *f)
{
    char who[256] = "something besides the stages hangs", stage[256] = "";
    if (f->step)
        snprintf(who, sizeof who, "the pipeline has stopped, %s does not end", f->step);
    else
        itsi_pipeline_hang(f->params.pipeline, stage, sizeof stage);
    fprintf(stderr, "its-camera-ai: %s: cannot end: %s; the process is ended\n", f->params.command, stage[0] ? stage : who);
    f->is_given_up = true;
    if (!f->step)
        save_in_time(f);
    _exit(ITSI_EXIT_HANGS);
}

static void *watch(void *arg)
{
    struct itsi_farewell *f = arg;
    pthread_mutex_lock(&f->lock);
    while (!f->over) {
        if (itsi_now_ns() >= f->until_ns)
            give_up(f);
        itsi_cond_wait_until(&f->changed, &f->lock, f->until_ns);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

void itsi_farewell_begin(struct itsi_farewell *f, const struct itsi_farewell_params *params)
{
    struct its_diag diag;
    *f = (struct itsi_farewell){.params = *params};
    pthread_mutex_init(&f->lock, NULL);
    itsi_cond_init(&f->changed);
    f->until_ns = itsi_now_ns() + (int64_t)(params->drain_s * 1e9) + GRACE_NS;
    f->running = itsi_thread_start(&f->thread, "its-farewell", watch, f, &diag) == 0;
    if (!f->running)
        itsi_warn(params->command, "%s: should the end hang, nobody ends it", diag.text);
}

void itsi_farewell_next(struct itsi_farewell *f, const char *step, int64_t most_ns)
{
    if (!f->running)
        return;
    pthread_mutex_lock(&f->lock);
    while (f->is_given_up) /* too late: what comes next is being saved, and the process ends */
        itsi_cond_wait_until(&f->changed, &f->lock, ITSI_NEVER);
    f->step = step;
    f->until_ns = itsi_now_ns() + most_ns + SLACK_NS;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

void itsi_farewell_end(struct itsi_farewell *f)
{
    if (!f->running)
        return;
    pthread_mutex_lock(&f->lock);
    f->over = true;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->thread, NULL);
    f->running = false;
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
}
