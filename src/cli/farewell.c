#include "cli/farewell.h"

#include "base/clock.h"
#include "base/log.h"
#include "cli/cli.h"

#include <stdio.h>
#include <unistd.h>

/* Beyond the drain: the last spans, alerts and goodbyes to viewers take up to two seconds each. */
#define GRACE_NS (5 * ITSI_NS_PER_S)
/* Once the pipeline has stopped: a question to the database and the last rows take up to three each. */
#define LAST_NS (8 * ITSI_NS_PER_S)

/* The lock is held. Without exit handlers: what hangs may hold what they would wait for. */
_Noreturn static void give_up(struct itsi_farewell *f)
{
    char who[256] = "";
    if (f->pipeline)
        itsi_pipeline_hang(f->pipeline, who, sizeof who);
    fprintf(stderr, "its-camera-ai: %s: cannot end: %s; the process is ended\n", f->command,
            who[0]        ? who
            : f->pipeline ? "something besides the stages hangs"
                          : "the pipeline has stopped, something after it hangs");
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

void itsi_farewell_begin(struct itsi_farewell *f, const char *command, struct itsi_pipeline *pipeline, double drain_s)
{
    struct its_diag diag;
    pthread_mutex_init(&f->lock, NULL);
    itsi_cond_init(&f->changed);
    f->over = false;
    f->command = command;
    f->pipeline = pipeline;
    f->until_ns = itsi_now_ns() + (int64_t)(drain_s * 1e9) + GRACE_NS;
    f->running = itsi_thread_start(&f->thread, "its-farewell", watch, f, &diag) == 0;
    if (!f->running)
        itsi_warn(command, "%s: should the end hang, nobody ends it", diag.text);
}

void itsi_farewell_stopped(struct itsi_farewell *f)
{
    if (!f->running)
        return;
    pthread_mutex_lock(&f->lock);
    f->pipeline = NULL;
    f->until_ns = itsi_now_ns() + LAST_NS;
    pthread_cond_signal(&f->changed);
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
