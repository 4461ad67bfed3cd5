#include "serve/crew.h"

#include "base/mem.h"
#include "base/thread.h"

#include "support/check.h"

#include <stdatomic.h>

/* An errand that a disk holds until it is let go. */
struct held {
    struct itsi_errand errand;
    struct itsi_event begun, let_go, done;
};

static void hold(struct itsi_errand *errand)
{
    struct held *held = (struct held *)errand;
    itsi_event_set(&held->begun);
    itsi_event_wait_until(&held->let_go, ITSI_NEVER);
    itsi_event_set(&held->done);
}

static void init(struct held *held)
{
    held->errand.run = hold;
    itsi_event_init(&held->begun);
    itsi_event_init(&held->let_go);
    itsi_event_init(&held->done);
}

static void fini(struct held *held)
{
    itsi_event_fini(&held->begun);
    itsi_event_fini(&held->let_go);
    itsi_event_fini(&held->done);
}

struct noted {
    struct itsi_errand errand;
    int place;
};
static atomic_int turn;

static void note(struct itsi_errand *errand) { ((struct noted *)errand)->place = atomic_fetch_add(&turn, 1); }

static void all_is_done_in_order_and_at_the_end_too(void **state)
{
    (void)state;
    struct itsi_crew *crew;
    struct its_diag diag;
    struct held held;
    struct noted noted[20] = {0};
    atomic_store(&turn, 0);
    init(&held);
    CHECK_OK(itsi_crew_create(&crew, "test", 1, &diag), diag);
    itsi_crew_post(crew, &held.errand);
    assert_true(itsi_event_wait_until(&held.begun, ITSI_NEVER));
    for (int i = 0; i < 20; i++) {
        noted[i].errand.run = note;
        itsi_crew_post(crew, &noted[i].errand);
    }
    itsi_event_set(&held.let_go);
    assert_int_equal(itsi_crew_end(crew, ITSI_NEVER), 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(noted[i].place, i);
    fini(&held);
}

static void who_does_not_come_back_is_left_behind_and_goes_on_later(void **state)
{
    (void)state;
    struct itsi_crew *crew;
    struct its_diag diag;
    struct held held[2], after;
    for (int i = 0; i < 2; i++)
        init(&held[i]);
    init(&after);
    CHECK_OK(itsi_crew_create(&crew, "test", 2, &diag), diag);
    for (int i = 0; i < 2; i++) {
        itsi_crew_post(crew, &held[i].errand);
        assert_true(itsi_event_wait_until(&held[i].begun, ITSI_NEVER));
    }
    itsi_event_set(&after.let_go);
    itsi_crew_post(crew, &after.errand);
    assert_int_equal(itsi_crew_end(crew, itsi_now_ns()), 2); /* the time is over: at once */
    assert_false(itsi_event_is_set(&after.begun));
    itsi_event_set(&held[1].let_go);
    assert_true(itsi_event_wait_until(&after.done, ITSI_NEVER)); /* by the one that came back */
    itsi_event_set(&held[0].let_go);
    assert_true(itsi_event_wait_until(&held[0].done, ITSI_NEVER));
    fini(&held[0]);
    fini(&held[1]);
    fini(&after);
}

static void one_of_two_that_is_held_does_not_hold_the_other(void **state)
{
    (void)state;
    struct itsi_crew *crew;
    struct its_diag diag;
    struct held held, other;
    init(&held);
    init(&other);
    CHECK_OK(itsi_crew_create(&crew, "test", 2, &diag), diag);
    itsi_crew_post(crew, &held.errand);
    assert_true(itsi_event_wait_until(&held.begun, ITSI_NEVER));
    itsi_event_set(&other.let_go);
    itsi_crew_post(crew, &other.errand);
    assert_true(itsi_event_wait_until(&other.done, ITSI_NEVER));
    /* it is waited for in vain, and the other has that time to come home */
    assert_int_equal(itsi_crew_end(crew, itsi_now_ns() + 2 * ITSI_NS_PER_S), 1);
    itsi_event_set(&held.let_go);
    assert_true(itsi_event_wait_until(&held.done, ITSI_NEVER));
    fini(&held);
    fini(&other);
}

static void no_memory_is_no_crew(void **state)
{
    (void)state;
    struct itsi_crew *crew;
    struct its_diag diag;
    itsi_alloc_fail_at(1);
    assert_int_equal(itsi_crew_create(&crew, "test", 2, &diag), ITS_ENOMEM);
    itsi_alloc_fail_at(0);
    assert_int_equal(itsi_crew_end(NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_done_in_order_and_at_the_end_too),
        cmocka_unit_test(who_does_not_come_back_is_left_behind_and_goes_on_later),
        cmocka_unit_test(one_of_two_that_is_held_does_not_hold_the_other),
        cmocka_unit_test(no_memory_is_no_crew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
