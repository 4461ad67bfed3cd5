#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "capture/metronome.h"

#include <stdatomic.h>
#include <stdbool.h>

#define MS ITSI_NS_PER_MS
enum { MEMBERS = 200 };

struct member {
    struct itsi_metronome_member metronome;
    int64_t due, period;
    atomic_int beats;
    int most;            /* leaves by itself after so many */
    atomic_bool gone;    /* must not be called again */
    atomic_bool wrong;
    int64_t takes;       /* how long a call lasts */
};

static int64_t beat(void *arg, int64_t now)
{
    struct member *m = arg;
    if (atomic_load(&m->gone) || now < m->due)
        atomic_store(&m->wrong, true);
    m->due += m->period;
    itsi_sleep_until_ns(m->takes ? itsi_now_ns() + m->takes : 0);
    return atomic_fetch_add(&m->beats, 1) + 1 == m->most ? ITSI_NEVER : m->due;
}

static void join(struct itsi_metronome *metronome, struct member *m, int64_t first)
{
    struct its_diag diag;
    m->metronome = (struct itsi_metronome_member){.beat = beat, .arg = m};
    m->due = first;
    CHECK_OK(itsi_metronome_join(metronome, &m->metronome, first, &diag), diag);
}

static struct itsi_metronome *create(void)
{
    struct itsi_metronome *metronome;
    struct its_diag diag;
    CHECK_OK(itsi_metronome_create(&metronome, &diag), diag);
    return metronome;
}

static void await_beats(struct member *m, int beats)
{
    for (int64_t until = itsi_now_ns() + 30 * ITSI_NS_PER_S; atomic_load(&m->beats) < beats && itsi_now_ns() < until;)
        itsi_sleep_until_ns(itsi_now_ns() + 5 * MS);
}

/* Nobody misses a beat and none comes early, however many there are and whatever their periods. */
static void everybody_is_called_when_due(void **state)
{
    (void)state;
    static struct member members[MEMBERS];
    struct itsi_metronome *metronome = create();
    int64_t start = itsi_now_ns();
    for (int i = 0; i < MEMBERS; i++) {
        members[i] = (struct member){.period = (5 + i % 20) * MS};
        join(metronome, &members[i], start + i % 7 * MS);
    }
    /* the one with the longest period tells the time: who is due earlier has been called by then */
    struct member *slowest = &members[19];
    await_beats(slowest, 20);
    int64_t at_least = 19 * slowest->period;
    for (int i = 0; i < MEMBERS; i++) {
        itsi_metronome_leave(metronome, &members[i].metronome);
        atomic_store(&members[i].gone, true);
        int most = (int)((itsi_now_ns() - start) / members[i].period) + 1;
        assert_in_range(atomic_load(&members[i].beats), (at_least - 7 * MS) / members[i].period, most);
        assert_false(atomic_load(&members[i].wrong));
    }
    itsi_sleep_until_ns(itsi_now_ns() + 50 * MS);
    for (int i = 0; i < MEMBERS; i++)
        assert_false(atomic_load(&members[i].wrong));
    itsi_metronome_destroy(metronome);
}

static void one_may_leave_by_itself_and_join_again(void **state)
{
    (void)state;
    struct itsi_metronome *metronome = create();
    struct member m = {.period = MS, .most = 3};
    join(metronome, &m, itsi_now_ns());
    await_beats(&m, 3);
    itsi_sleep_until_ns(itsi_now_ns() + 20 * MS);
    assert_int_equal(atomic_load(&m.beats), 3);
    itsi_metronome_leave(metronome, &m.metronome); /* once more does no harm */
    m.most = 5;
    join(metronome, &m, itsi_now_ns());
    await_beats(&m, 5);
    assert_int_equal(atomic_load(&m.beats), 5);
    itsi_metronome_destroy(metronome);
}

/* Leaving waits for the call that runs. */
static void none_is_called_after_it_left(void **state)
{
    (void)state;
    struct itsi_metronome *metronome = create();
    for (int i = 0; i < 20; i++) {
        struct member m = {.period = MS, .takes = 3 * MS};
        join(metronome, &m, itsi_now_ns());
        itsi_sleep_until_ns(itsi_now_ns() + 2 * MS);
        itsi_metronome_leave(metronome, &m.metronome);
        atomic_store(&m.gone, true);
        itsi_sleep_until_ns(itsi_now_ns() + 2 * MS);
        assert_false(atomic_load(&m.wrong));
    }
    itsi_metronome_destroy(metronome);
}

static void creation_survives_no_memory(void **state)
{
    (void)state;
    struct itsi_metronome *metronome = NULL;
    itsi_alloc_fail_at(1);
    assert_int_equal(itsi_metronome_create(&metronome, NULL), ITS_ENOMEM);
    itsi_alloc_fail_at(0);
    assert_null(metronome);
    itsi_metronome_destroy(NULL);
    itsi_metronome_destroy(create()); /* without anybody ever joining */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_is_called_when_due),
        cmocka_unit_test(one_may_leave_by_itself_and_join_again),
        cmocka_unit_test(none_is_called_after_it_left),
        cmocka_unit_test(creation_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
