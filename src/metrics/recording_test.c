#include "support/check.h"

#include "base/mem.h"
#include "base/rand.h"
#include "base/thread.h"
#include "metrics/recording_impl.h"

struct fixture {
    struct itsi_recording *recording;
    struct itsi_tally tally;
};

static void begin(struct fixture *f, const struct itsi_recording_params *params)
{
    struct its_diag diag;
    CHECK_OK(itsi_recording_create(&f->recording, params, &diag), diag);
    CHECK_OK(itsi_tally_init(&f->tally, ITSI_LAYOUT_FINE, &diag), diag);
}

static void end(struct fixture *f)
{
    itsi_tally_fini(&f->tally);
    itsi_recording_destroy(f->recording);
}

static struct itsi_writer *open_writer(struct fixture *f, int first, int count)
{
    struct its_diag diag;
    struct itsi_writer *writer = NULL;
    CHECK_OK(itsi_writer_open(f->recording, first, count, &writer, &diag), diag);
    return writer;
}

/* What the interval that just ended holds of a series. */
static const struct itsi_moments *taken(struct fixture *f, int series)
{
    itsi_tally_clear(&f->tally);
    itsi_recording_take(f->recording, series, &f->tally);
    assert_int_equal(f->tally.placed, f->tally.moments.count);
    return &f->tally.moments;
}

static void an_interval_is_exact(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, &(struct itsi_recording_params){.fine = 2, .writers = 4});
    struct itsi_writer *w = open_writer(&f, 0, 2);
    static const int64_t values[] = {1234567, 99999999, 100000000, 100000001, 2500000000};
    for (int i = 0; i < 5; i++)
        itsi_writer_record(w, 1, values[i], 100000000);
    itsi_recording_swap(f.recording);
    itsi_writer_record(w, 1, 7777777, 100000000); /* the next interval's */
    const struct itsi_moments *m = taken(&f, 1);
    assert_int_equal(m->count, 5);
    assert_int_equal(m->violations, 2);
    assert_int_equal(m->min, 1234567);
    assert_int_equal(m->max, 2500000000);
    assert_int_equal(m->sum, 1234567 + 99999999 + 100000000 + 100000001 + INT64_C(2500000000));
    assert_int_equal(taken(&f, 1)->count, 0); /* taken once */
    assert_int_equal(taken(&f, 0)->count, 0);
    itsi_recording_swap(f.recording);
    m = taken(&f, 1);
    assert_int_equal(m->count, 1);
    assert_int_equal(m->min, 7777777);
    assert_int_equal(m->max, 7777777);
    itsi_writer_close(w);
    end(&f);
}

static void extremes_are_brought_into_range(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, &(struct itsi_recording_params){.fine = 1, .writers = 1});
    struct itsi_writer *w = open_writer(&f, 0, 1);
    itsi_writer_record(w, 0, INT64_MIN, 0);
    itsi_writer_record(w, 0, INT64_MAX, ITSI_LAYOUT_MAX_NS - 1);
    itsi_writer_record(w, 0, INT64_MAX, ITSI_LAYOUT_MAX_NS);
    itsi_recording_swap(f.recording);
    const struct itsi_moments *m = taken(&f, 0);
    assert_int_equal(m->min, 0);
    assert_int_equal(m->max, ITSI_LAYOUT_MAX_NS);
    assert_int_equal(m->violations, 1);
    itsi_writer_close(w);
    end(&f);
}

static void what_is_not_taken_comes_later(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, &(struct itsi_recording_params){.fine = 1, .writers = 1});
    struct itsi_writer *w = open_writer(&f, 0, 1);
    for (int i = 1; i <= 5; i++) {
        itsi_writer_record(w, 0, i * 1000000, INT64_MAX);
        itsi_recording_swap(f.recording);
    }
    uint64_t count = taken(&f, 0)->count;
    itsi_recording_swap(f.recording);
    count += taken(&f, 0)->count;
    assert_int_equal(count, 5);
    itsi_writer_close(w);
    end(&f);
}

static void a_writer_caught_inside_is_left_alone(void **state)
{
    (void)state;
    for (int locked = 0; locked < 2; locked++) {
        struct fixture f;
        begin(&f, &(struct itsi_recording_params){.fine = 2, .writers = 1, .locked = locked});
        struct itsi_writer *w = open_writer(&f, 0, 2);
        struct itsi_recording_stats stats;
        itsi_recording_stats(f.recording, &stats);
        assert_true(stats.locked || !locked);
        itsi_writer_begin(w);
        itsi_writer_put(w, 0, 1000000, INT64_MAX);
        assert_int_equal(itsi_recording_swap(f.recording), 1);
        assert_int_equal(taken(&f, 0)->count, 0);
        assert_int_equal(itsi_recording_swap(f.recording), 1); /* as long as it takes */
        assert_int_equal(taken(&f, 0)->count, 0);
        itsi_writer_put(w, 1, 2000000, INT64_MAX);
        itsi_writer_end(w);
        itsi_writer_record(w, 1, 3000000, INT64_MAX);
        assert_int_equal(itsi_recording_swap(f.recording), 0);
        assert_int_equal(taken(&f, 0)->count, 1);
        assert_int_equal(taken(&f, 1)->count, 1); /* the batch in one piece, what followed in the next */
        assert_int_equal(itsi_recording_swap(f.recording), 0);
        assert_int_equal(taken(&f, 1)->min, 3000000);
        itsi_recording_stats(f.recording, &stats);
        assert_int_equal(stats.deferred, 2);
        itsi_writer_close(w);
        end(&f);
    }
}

static void a_slot_counts_past_32_bits(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, &(struct itsi_recording_params){.fine = 1, .writers = 1});
    struct itsi_writer *w = open_writer(&f, 0, 1);
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < 6; i++) { /* more slots than carries have entries of their own */
            int64_t value = (i + 1) * 1000000;
            itsi_writer_record(w, 0, value, INT64_MAX);
            int phase = atomic_load(&w->phase);
            w->parts[0][phase]->counts[itsi_layout_slot(ITSI_LAYOUT_FINE, value)] = UINT32_MAX - 4;
            for (int k = 0; k < 10; k++)
                itsi_writer_record(w, 0, value, INT64_MAX);
        }
    itsi_recording_swap(f.recording);
    const struct itsi_moments *m = taken(&f, 0);
    uint64_t each = (UINT64_C(2) << 32) + 5;
    assert_int_equal(m->count, 6 * each);
    for (int i = 0; i < 3; i++)
        assert_int_equal(f.tally.counts[itsi_layout_slot(ITSI_LAYOUT_FINE, (i + 1) * 1000000)], each);
    itsi_recording_swap(f.recording);
    assert_int_equal(taken(&f, 0)->count, 0);
    itsi_writer_close(w);
    end(&f);
}

static void writers_run_out_and_come_back(void **state)
{
    (void)state;
    struct fixture f;
    struct its_diag diag;
    begin(&f, &(struct itsi_recording_params){.fine = 3, .coarse = 1, .writers = 2});
    struct itsi_writer *a = open_writer(&f, 0, 1), *b = open_writer(&f, 0, 3), *c = NULL;
    assert_int_equal(itsi_writer_open(f.recording, 0, 1, &c, &diag), ITS_ELIMIT);
    CHECK_CONTAINS(diag.text, "2 writers");
    assert_null(c);
    itsi_recording_record_shared(f.recording, 0, 1000000, INT64_MAX); /* without a writer nothing is lost */
    itsi_writer_record(a, 0, 2000000, INT64_MAX);
    itsi_writer_record(a, 1, 2000000, INT64_MAX); /* not among its series */
    itsi_writer_record(a, -1, 2000000, INT64_MAX);
    itsi_writer_record(a, 99, 2000000, INT64_MAX);
    itsi_writer_close(b);
    itsi_writer_close(a); /* what it recorded stays */
    struct itsi_writer *again = open_writer(&f, 1, 2);
    assert_ptr_equal(again, b); /* the one that needs no new memory */
    itsi_recording_swap(f.recording);
    assert_int_equal(taken(&f, 0)->count, 2);
    struct itsi_recording_stats stats;
    itsi_recording_stats(f.recording, &stats);
    assert_int_equal(stats.writers_open, 1);
    assert_int_equal(stats.writers_made, 2);
    assert_int_equal(stats.refused, 1);
    assert_int_equal(stats.misplaced, 3);
    size_t fine = 2 * sizeof(uint32_t) * 24576, coarse = 2 * sizeof(uint32_t) * 1792;
    assert_in_range(stats.bytes, 7 * fine + coarse, 7 * fine + coarse + 8192);
    itsi_writer_close(again);
    assert_int_equal(itsi_writer_open(f.recording, 3, 2, &c, &diag), ITS_EINVAL);
    assert_int_equal(itsi_writer_open(f.recording, -1, 2, &c, &diag), ITS_EINVAL);
    assert_int_equal(itsi_writer_open(f.recording, 0, 0, &c, &diag), ITS_EINVAL);
    end(&f);
}

static void recording_allocates_nothing(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, &(struct itsi_recording_params){.fine = 2, .coarse = 2, .writers = 2});
    struct itsi_writer *w = open_writer(&f, 0, 4);
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 5);
    uint64_t before = itsi_alloc_count();
    for (int i = 0; i < 100000; i++) {
        int64_t value = (int64_t)exp(itsi_rand_range(&rng, 0, 29));
        itsi_writer_record(w, i % 4, value, value / 2);
        itsi_recording_record_shared(f.recording, i % 4, value, value);
        if (i % 1000 == 0) {
            itsi_recording_swap(f.recording);
            taken(&f, 0);
        }
    }
    assert_int_equal(itsi_alloc_count(), before);
    itsi_writer_close(w);
    end(&f);
}

static void bad_sizes_are_refused(void **state)
{
    (void)state;
    static const struct itsi_recording_params bad[] = {
        {.fine = 0, .coarse = 0, .writers = 1}, {.fine = -1, .coarse = 5, .writers = 1}, {.fine = 1, .writers = 0},
        {.fine = 1, .writers = 5000},           {.fine = 1, .coarse = INT32_MAX, .writers = 1}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct itsi_recording *r = NULL;
        struct its_diag diag;
        assert_int_equal(itsi_recording_create(&r, &bad[i], &diag), ITS_EINVAL);
        assert_null(r);
    }
    itsi_recording_destroy(NULL);
    itsi_writer_close(NULL);
}

static void making_survives_no_memory(void **state)
{
    (void)state;
    const struct itsi_recording_params params = {.fine = 2, .coarse = 2, .writers = 2};
    int nth = 0, rc;
    do {
        struct itsi_recording *r = NULL;
        struct itsi_writer *w = NULL;
        itsi_alloc_fail_at(++nth);
        rc = itsi_recording_create(&r, &params, NULL);
        if (rc == 0)
            rc = itsi_writer_open(r, 0, 4, &w, NULL);
        itsi_alloc_fail_at(0);
        assert_true(rc == 0 || !w);
        if (r && rc != 0) { /* the one that got half its memory can still be opened */
            assert_int_equal(itsi_writer_open(r, 0, 4, &w, NULL), 0);
            itsi_writer_record(w, 3, 1000, INT64_MAX);
        }
        itsi_writer_close(w);
        itsi_recording_destroy(r);
    } while (rc == ITS_ENOMEM && nth < 100);
    assert_int_equal(rc, 0);
    assert_int_equal(nth, 1 + 2 + 8 + 2 + 8 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interval_is_exact),
        cmocka_unit_test(extremes_are_brought_into_range),
        cmocka_unit_test(what_is_not_taken_comes_later),
        cmocka_unit_test(a_writer_caught_inside_is_left_alone),
        cmocka_unit_test(a_slot_counts_past_32_bits),
        cmocka_unit_test(writers_run_out_and_come_back),
        cmocka_unit_test(recording_allocates_nothing),
        cmocka_unit_test(bad_sizes_are_refused),
        cmocka_unit_test(making_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
