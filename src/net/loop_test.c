#include "net/loop.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "support/check.h"

#include <stdatomic.h>

static struct itsi_loop *make_loop(void)
{
    struct itsi_loop *loop = NULL;
    struct its_diag diag = {""};
    CHECK_OK(itsi_loop_create(&loop, "test-loop", &diag), diag);
    return loop;
}

/* --- tasks --------------------------------------------------------------------------------------------------------- */

enum { POSTERS = 4, EACH = 2000 };

struct numbered {
    struct itsi_loop_task task;
    struct itsi_loop *loop;
    int *last; /* of its poster */
    int number;
    atomic_int *out_of_order, *elsewhere;
};

static void run_numbered(struct itsi_loop_task *task)
{
    struct numbered *n = (struct numbered *)task;
    *n->out_of_order += *n->last != n->number - 1;
    *n->elsewhere += !itsi_loop_is_here(n->loop);
    *n->last = n->number;
}

static void *post_all(void *arg)
{
    struct numbered *all = arg;
    for (int i = 0; i < EACH; i++)
        itsi_loop_post(all[i].loop, &all[i].task);
    return NULL;
}

static void every_poster_s_tasks_run_in_order_on_the_loop(void **state)
{
    (void)state;
    static struct numbered tasks[POSTERS][EACH];
    static int last[POSTERS];
    static atomic_int out_of_order, elsewhere;
    struct itsi_loop *loop = make_loop();
    pthread_t threads[POSTERS];
    assert_false(itsi_loop_is_here(loop));
    for (int p = 0; p < POSTERS; p++) {
        for (int i = 0; i < EACH; i++)
            tasks[p][i] = (struct numbered){{.run = run_numbered}, loop, &last[p], i + 1, &out_of_order, &elsewhere};
        assert_int_equal(itsi_thread_start(&threads[p], "poster", post_all, tasks[p], NULL), 0);
    }
    for (int p = 0; p < POSTERS; p++)
        pthread_join(threads[p], NULL);
    itsi_loop_destroy(loop); /* runs what was posted */
    assert_int_equal(out_of_order, 0);
    assert_int_equal(elsewhere, 0);
    for (int p = 0; p < POSTERS; p++)
        assert_int_equal(last[p], EACH);
}

struct again {
    struct itsi_loop_task task;
    struct itsi_loop *loop;
    uv_timer_t timer;
    bool has_fired;
    int turns;
};

static void on_again_timer(uv_timer_t *timer)
{
    ((struct again *)timer->data)->has_fired = true;
    uv_close((uv_handle_t *)timer, NULL);
}

/* Posts itself until the timer has had its turn: it would never get one if the loop emptied its list before looking. */
static void run_again(struct itsi_loop_task *task)
{
    struct again *again = (struct again *)task;
    if (again->turns++ == 0) {
        uv_timer_init(itsi_loop_uv(again->loop), &again->timer);
        again->timer.data = again;
        uv_timer_start(&again->timer, on_again_timer, 1, 0);
    }
    if (!again->has_fired)
        itsi_loop_post(again->loop, task);
}

static void a_task_may_post_itself_and_starves_nobody(void **state)
{
    (void)state;
    static struct again again;
    again = (struct again){.task.run = run_again, .loop = make_loop()};
    itsi_loop_post(again.loop, &again.task);
    itsi_loop_destroy(again.loop);
    assert_true(again.has_fired);
    assert_true(again.turns > 1);
}

/* --- calls --------------------------------------------------------------------------------------------------------- */

struct nested {
    struct itsi_loop *loop;
    int depth;
};

static void call_nested(void *arg)
{
    struct nested *nested = arg;
    assert_true(itsi_loop_is_here(nested->loop));
    if (nested->depth++ == 0)
        itsi_loop_call(nested->loop, call_nested, nested);
}

static void a_call_returns_when_it_has_run_also_from_the_loop_itself(void **state)
{
    (void)state;
    struct nested nested = {.loop = make_loop()};
    itsi_loop_call(nested.loop, call_nested, &nested);
    assert_int_equal(nested.depth, 2);
    itsi_loop_destroy(nested.loop);
}

/* --- the end ------------------------------------------------------------------------------------------------------- */

struct owner {
    struct itsi_loop *loop;
    uv_timer_t timer;
    uv_idle_t idle;
    atomic_bool is_closed;
};

static void on_owner_closed(uv_handle_t *handle) { ((struct owner *)handle->data)->is_closed = true; }

/* The owner closes its other handle only now: not active, but a handle. */
static void on_owner_timer(uv_timer_t *timer)
{
    struct owner *owner = timer->data;
    uv_close((uv_handle_t *)timer, NULL);
    uv_close((uv_handle_t *)&owner->idle, on_owner_closed);
}

static void own_handles(void *arg)
{
    struct owner *owner = arg;
    uv_timer_init(itsi_loop_uv(owner->loop), &owner->timer);
    uv_idle_init(itsi_loop_uv(owner->loop), &owner->idle);
    owner->timer.data = owner->idle.data = owner;
    uv_timer_start(&owner->timer, on_owner_timer, 20, 0);
}

static void the_end_waits_for_handles_to_be_closed(void **state)
{
    (void)state;
    struct owner owner = {.loop = make_loop()};
    itsi_loop_call(owner.loop, own_handles, &owner);
    itsi_loop_destroy(owner.loop);
    assert_true(owner.is_closed);
}

struct child {
    struct itsi_loop *loop;
    uv_process_t process;
    int rc;
    int64_t status;
};

static void on_exit_of_child(uv_process_t *process, int64_t status, int signal)
{
    (void)signal;
    ((struct child *)process->data)->status = status;
    uv_close((uv_handle_t *)process, NULL);
}

static void spawn(void *arg)
{
    struct child *child = arg;
    char *argv[] = {"sh", "-c", "exit 7", NULL};
    const uv_process_options_t options = {.file = "/bin/sh", .args = argv, .exit_cb = on_exit_of_child};
    child->process.data = child;
    child->rc = uv_spawn(itsi_loop_uv(child->loop), &child->process, &options);
}

/* All other threads block SIGCHLD, as the daemon's do. */
static void the_end_of_a_process_is_heard_of(void **state)
{
    (void)state;
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    struct child child = {.loop = make_loop(), .status = -1};
    itsi_loop_call(child.loop, spawn, &child);
    itsi_loop_destroy(child.loop);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    assert_int_equal(child.rc, 0);
    assert_int_equal(child.status, 7);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    struct itsi_loop *loop = NULL;
    struct its_diag diag;
    itsi_alloc_fail_at(1);
    assert_int_equal(itsi_loop_create(&loop, "test-loop", &diag), ITS_ENOMEM);
    itsi_alloc_fail_at(0);
    assert_null(loop);
    itsi_loop_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_poster_s_tasks_run_in_order_on_the_loop),
        cmocka_unit_test(a_task_may_post_itself_and_starves_nobody),
        cmocka_unit_test(a_call_returns_when_it_has_run_also_from_the_loop_itself),
        cmocka_unit_test(the_end_waits_for_handles_to_be_closed),
        cmocka_unit_test(the_end_of_a_process_is_heard_of),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
