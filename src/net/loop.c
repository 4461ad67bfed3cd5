#include "net/loop.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/thread.h"

#include <signal.h>

struct itsi_loop {
    /* const */
    pthread_t thread;

    /* the loop's thread */
    uv_loop_t uv;
    uv_async_t wake;

    /* mutex: a leaf; nothing is called with it held but uv_async_send */
    pthread_mutex_t mutex;
    struct itsi_loop_task *first, **last; /* in the order posted */
    bool is_ending;
};

static _Thread_local const struct itsi_loop *loop_here;

uv_loop_t *itsi_loop_uv(struct itsi_loop *loop) { return &loop->uv; }
bool itsi_loop_is_here(const struct itsi_loop *loop) { return loop_here == loop; }

/* --- posting ------------------------------------------------------------------------------------------------------ */

void itsi_loop_post(struct itsi_loop *loop, struct itsi_loop_task *task)
{
    task->next = NULL;
    pthread_mutex_lock(&loop->mutex);
    const bool was_empty = !loop->first;
    *loop->last = task;
    loop->last = &task->next;
    /* with the lock held, so that nobody is still in there when the loop is freed */
    if (was_empty)
        uv_async_send(&loop->wake);
    pthread_mutex_unlock(&loop->mutex);
}

/* What was posted until now and no more: a task that posts itself again comes after the loop has looked at its sockets. */
static void on_wake(uv_async_t *wake)
{
    struct itsi_loop *loop = wake->data;
    pthread_mutex_lock(&loop->mutex);
    struct itsi_loop_task *task = loop->first;
    loop->first = NULL;
    loop->last = &loop->first;
    pthread_mutex_unlock(&loop->mutex);
    while (task) {
        struct itsi_loop_task *next = task->next; /* run() may free it */
        task->run(task);
        task = next;
    }
}

struct call {
    struct itsi_loop_task task; /* first */
    void (*call)(void *arg);
    void *arg;
    struct itsi_event done;
};

static void run_call(struct itsi_loop_task *task)
{
    struct call *call = (struct call *)task;
    call->call(call->arg);
    itsi_event_set(&call->done);
}

void itsi_loop_call(struct itsi_loop *loop, void (*call)(void *arg), void *arg)
{
    if (itsi_loop_is_here(loop)) {
        call(arg);
        return;
    }
    struct call waiting = {.task = {.run = run_call}, .call = call, .arg = arg};
    itsi_event_init(&waiting.done);
    itsi_loop_post(loop, &waiting.task);
    itsi_event_wait_until(&waiting.done, ITSI_NEVER);
    itsi_event_fini(&waiting.done);
}

/* --- the thread --------------------------------------------------------------------------------------------------- */

static void count_handle(uv_handle_t *handle, void *count)
{
    (void)handle;
    ++*(int *)count;
}

/* Nothing is left but the handle that wakes the loop, and nobody posted anything. */
static bool is_over(struct itsi_loop *loop)
{
    pthread_mutex_lock(&loop->mutex);
    const bool is_ending = loop->is_ending && !loop->first;
    pthread_mutex_unlock(&loop->mutex);
    int handles = 0;
    if (is_ending)
        uv_walk(&loop->uv, count_handle, &handles);
    return is_ending && handles == 1 && !loop->uv.active_reqs.count;
}

static void *run(void *arg)
{
    struct itsi_loop *loop = arg;
    sigset_t children;
    loop_here = loop;
    /* our threads block all signals, and libuv hears of the end of a process by one */
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    pthread_sigmask(SIG_UNBLOCK, &children, NULL);
    do {
        uv_run(&loop->uv, UV_RUN_ONCE);
    } while (!is_over(loop));
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    return NULL;
}

/* --- making it ---------------------------------------------------------------------------------------------------- */

static int init_uv(struct itsi_loop *loop, struct its_diag *diag)
{
    int status = uv_loop_init(&loop->uv);
    if (status)
        return itsi_fail_errno(diag, -status, "cannot make an event loop");
    status = uv_async_init(&loop->uv, &loop->wake, on_wake);
    if (status) {
        uv_loop_close(&loop->uv);
        return itsi_fail_errno(diag, -status, "cannot make an event loop");
    }
    loop->wake.data = loop;
    return 0;
}

int itsi_loop_create(struct itsi_loop **out, const char *name, struct its_diag *diag)
{
    struct itsi_loop *loop = itsi_zalloc(sizeof *loop);
    if (!loop)
        return itsi_fail(diag, ITS_ENOMEM, "event loop: out of memory");
    int rc = init_uv(loop, diag);
    if (rc)
        goto free_it;
    pthread_mutex_init(&loop->mutex, NULL);
    loop->last = &loop->first;
    rc = itsi_thread_start(&loop->thread, name, run, loop, diag);
    if (rc)
        goto close_it;
    *out = loop;
    return 0;

close_it:
    pthread_mutex_destroy(&loop->mutex);
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->uv);
free_it:
    itsi_free(loop);
    return rc;
}

void itsi_loop_destroy(struct itsi_loop *loop)
{
    if (!loop)
        return;
    pthread_mutex_lock(&loop->mutex);
    loop->is_ending = true;
    uv_async_send(&loop->wake);
    pthread_mutex_unlock(&loop->mutex);
    pthread_join(loop->thread, NULL);
    uv_loop_close(&loop->uv);
    /* who posted last may just be leaving */
    pthread_mutex_lock(&loop->mutex);
    pthread_mutex_unlock(&loop->mutex);
    pthread_mutex_destroy(&loop->mutex);
    itsi_free(loop);
}
