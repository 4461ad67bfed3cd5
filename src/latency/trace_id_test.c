#include "support/check.h"

#include "latency/trace_id.h"

/* Known answers of the authors' reference: key 00..0f, input 00 01 02 ... */
static void hashes_as_the_reference_does(void **state)
{
    (void)state;
    const struct itsi_trace_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    const uint64_t words[] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908),
                              UINT64_C(0x1716151413121110)};
    uint64_t out[2];
    itsi_siphash128(&key, words, 0, out); /* a3817f04ba25a8e66df67214c7550293 */
    assert_int_equal(out[0], UINT64_C(0xe6a825ba047f81a3));
    assert_int_equal(out[1], UINT64_C(0x930255c71472f66d));
    itsi_siphash128(&key, words, 1, out); /* 3b62a9ba6258f5610f83e264f31497b4 */
    assert_int_equal(out[0], UINT64_C(0x61f55862baa9623b));
    assert_int_equal(out[1], UINT64_C(0xb49714f364e2830f));
    itsi_siphash128(&key, words, 3, out); /* 2db479ae78bd50d8882a8a178a6132ad */
    assert_int_equal(out[0], UINT64_C(0xd850bd78ae79b42d));
    assert_int_equal(out[1], UINT64_C(0xad32618a178a2a88));
}

static struct itsi_frame_info frame(uint32_t camera, uint32_t generation, uint64_t seq)
{
    return (struct itsi_frame_info){.camera = camera, .generation = generation, .seq = seq};
}

static void names_a_frame_by_who_it_is(void **state)
{
    (void)state;
    struct itsi_trace_key key, same, other;
    itsi_trace_key_init(&key, 7);
    itsi_trace_key_init(&same, 7);
    itsi_trace_key_init(&other, 8);
    struct itsi_frame_info a = frame(3, 0, 100), again = frame(3, 0, 100);
    again.width = 1920; /* and nothing else of it counts */
    again.trace.handover = 5;
    const struct itsi_frame_info others[] = {frame(4, 0, 100), frame(3, 1, 100), frame(3, 0, 101)};
    struct itsi_trace_id id = itsi_trace_id_of(&key, &a), got = itsi_trace_id_of(&same, &again);
    assert_memory_equal(&id, &got, sizeof id);
    for (size_t i = 0; i < 3; i++) {
        got = itsi_trace_id_of(&key, &others[i]);
        assert_memory_not_equal(&id, &got, sizeof id);
    }
    got = itsi_trace_id_of(&other, &a);
    assert_memory_not_equal(&id, &got, sizeof id);
}

static void spans_of_one_trace_differ(void **state)
{
    (void)state;
    struct itsi_trace_key key;
    itsi_trace_key_init(&key, 7);
    struct itsi_frame_info info = frame(1, 0, 1);
    struct itsi_span_id ids[12];
    ids[0] = itsi_trace_root_of(&key, &info);
    ids[1] = itsi_trace_serving_id(&key, 0);
    ids[2] = itsi_trace_serving_id(&key, 1);
    for (int i = 3; i < 12; i++)
        ids[i] = itsi_trace_child_of(&key, &ids[0], i);
    for (int i = 0; i < 12; i++) {
        assert_true(itsi_span_id_valid(&ids[i]));
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(&ids[i], &ids[j], sizeof ids[0]);
    }
}

static void a_random_key_differs_each_time(void **state)
{
    (void)state;
    struct itsi_trace_key a, b;
    itsi_trace_key_init(&a, 0);
    itsi_trace_key_init(&b, 0);
    assert_memory_not_equal(&a, &b, sizeof a);
}

static void keeps_the_share_asked_for(void **state)
{
    (void)state;
    enum { FRAMES = 200000 };
    static const double rates[] = {0, 0.001, 0.1, 0.5, 1};
    struct itsi_trace_key key;
    itsi_trace_key_init(&key, 42);
    int kept[5] = {0};
    for (uint64_t seq = 1; seq <= FRAMES; seq++) {
        struct itsi_frame_info info = frame((uint32_t)(seq % 100), 0, seq);
        struct itsi_trace_id id = itsi_trace_id_of(&key, &info);
        bool before = false;
        for (int r = 0; r < 5; r++) {
            bool now = itsi_trace_sampled(&id, itsi_trace_threshold(rates[r]));
            assert_true(now || !before); /* what a lower rate keeps, a higher one keeps too */
            before = now;
            kept[r] += now;
        }
    }
    for (int r = 0; r < 5; r++) /* five standard deviations of a binomial */
        CHECK_NEAR(kept[r], FRAMES * rates[r], 5 * sqrt(FRAMES * rates[r] * (1 - rates[r])));
    assert_int_equal(kept[0], 0);
    assert_int_equal(kept[4], FRAMES);
}

static void reads_the_last_56_bits(void **state)
{
    (void)state;
    struct itsi_trace_id id = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0, 0, 0}};
    assert_true(itsi_trace_sampled(&id, itsi_trace_threshold(0.5))); /* R = T */
    id.bytes[9] = 0x7f;
    assert_false(itsi_trace_sampled(&id, itsi_trace_threshold(0.5)));
    memset(id.bytes, 0xff, sizeof id.bytes);
    assert_true(itsi_trace_sampled(&id, itsi_trace_threshold(1e-12)));
    assert_true(itsi_trace_sampled(&id, itsi_trace_threshold(1e-30)));
    assert_false(itsi_trace_sampled(&id, itsi_trace_threshold(0)));
    assert_false(itsi_trace_sampled(&id, itsi_trace_threshold((double)NAN)));
}

static void writes_thresholds(void **state)
{
    (void)state;
    static const struct {
        double rate;
        const char *text;
    } cases[] = {{1, "ot=th:0"}, {0.5, "ot=th:8"}, {0.25, "ot=th:c"}, {1.0 / 65536, "ot=th:ffff"}};
    char text[ITSI_TRACE_THRESHOLD_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        itsi_trace_threshold_format(itsi_trace_threshold(cases[i].rate), text);
        assert_string_equal(text, cases[i].text);
    }
    itsi_trace_threshold_format(itsi_trace_threshold(0.1), text);
    CHECK_CONTAINS(text, "ot=th:e66666666666");
    itsi_trace_threshold_format(1, text);
    assert_string_equal(text, "ot=th:00000000000001");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_the_reference_does), cmocka_unit_test(names_a_frame_by_who_it_is),
        cmocka_unit_test(spans_of_one_trace_differ),    cmocka_unit_test(a_random_key_differs_each_time),
        cmocka_unit_test(keeps_the_share_asked_for),    cmocka_unit_test(reads_the_last_56_bits),
        cmocka_unit_test(writes_thresholds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
