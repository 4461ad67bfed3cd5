#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/thread.h"
#include "capture/packet_ring.h"
#include "capture/packet_store.h"

#define S ITSI_NS_PER_S

static struct itsi_packet_store *store;
static struct itsi_packet_ring *ring;
static const struct itsi_packet_format h264 = {
    .codec = 27, .width = 640, .height = 360, .config_size = 3, .config = {1, 2, 3}};

static void make(size_t bytes, int64_t keep_ns, int pictures)
{
    const struct itsi_packet_ring_params params = {store, bytes, keep_ns, pictures};
    struct its_diag diag;
    CHECK_OK(itsi_packet_ring_create(&ring, &params, &diag), diag);
    assert_int_equal(itsi_packet_ring_format(ring, &h264), 0);
}

static int begin(void **state)
{
    struct its_diag diag;
    (void)state;
    CHECK_OK(itsi_packet_store_create(&store, 1 << 20, &diag), diag);
    return 0;
}

static int end(void **state)
{
    (void)state;
    itsi_packet_ring_destroy(ring);
    itsi_packet_store_destroy(store);
    ring = NULL;
    return 0;
}

/* A picture whose every byte is its number. */
static void put(int number, bool key, size_t size, int64_t when)
{
    uint8_t data[4096];
    memset(data, number, sizeof data);
    const struct itsi_packet packet = {.at = when, .pts = number, .dts = ITSI_PACKET_NO_DTS, .key = key};
    itsi_packet_ring_put(ring, &packet, data, size);
}

/* The numbers of all that is read from the cursor on; every byte is checked. */
static const char *numbers(struct itsi_packet_cursor *cursor)
{
    static char text[4096];
    struct itsi_packet packet;
    struct itsi_buf data;
    itsi_buf_init(&data);
    text[0] = '\0';
    while (itsi_packet_ring_read(ring, cursor, &packet, &data) == 0) {
        for (size_t i = 0; i < data.len; i++)
            assert_int_equal((uint8_t)data.data[i], (uint8_t)packet.pts);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d", packet.key ? " K" : " ", (int)packet.pts);
    }
    itsi_buf_fini(&data);
    return text;
}

static const char *all(void) { return numbers(&(struct itsi_packet_cursor){0}); }

static struct itsi_packet_ring_stats stats(void)
{
    struct itsi_packet_ring_stats s;
    itsi_packet_ring_stats(ring, &s);
    return s;
}

static void it_begins_at_a_key_frame(void **state)
{
    (void)state;
    make(10000, 60 * S, 100);
    assert_string_equal(all(), "");
    put(1, false, 10, 0);
    assert_string_equal(all(), "");
    put(2, true, 10, 0);
    put(3, false, 10, 0);
    assert_string_equal(all(), " K2 3");
}

static void memory_is_bounded_by_whole_groups(void **state)
{
    (void)state;
    make(100, 60 * S, 100);
    for (int i = 0; i < 9; i++)
        put(i, i % 3 == 0, 11, i);
    assert_string_equal(all(), " K0 1 2 K3 4 5 K6 7 8"); /* 99 bytes */
    put(9, true, 11, 9);
    assert_string_equal(all(), " K3 4 5 K6 7 8 K9");
    assert_int_equal(stats().bytes, 77);
}

static void time_is_bounded_and_covered(void **state)
{
    (void)state;
    make(100000, 10 * S, 1000);
    for (int i = 0; i <= 100; i++) {
        put(i, i % 4 == 0, 10, i * S);
        assert_true(i < 10 || stats().span_ns >= 10 * S);
        assert_true(stats().span_ns < 14 * S);
    }
}

static void pictures_are_bounded(void **state)
{
    (void)state;
    make(100000, 60 * S, 5);
    for (int i = 0; i < 7; i++)
        put(i, i % 3 == 0, 10, i);
    assert_string_equal(all(), " K3 4 5 K6");
}

static void a_group_too_long_gives_way_and_the_next_is_waited_for(void **state)
{
    (void)state;
    make(100, 60 * S, 100);
    put(0, true, 60, 0);
    put(1, false, 30, 1);
    put(2, false, 30, 2); /* no room but by its own key frame's */
    assert_string_equal(all(), "");
    put(3, false, 10, 3);
    assert_string_equal(all(), "");
    put(4, true, 10, 4);
    assert_string_equal(all(), " K4");
    put(5, false, 101, 5);
    put(6, false, 10, 6);
    assert_string_equal(all(), "");
}

static void another_format_begins_anew(void **state)
{
    struct itsi_packet_format other = h264, now;
    (void)state;
    make(1000, 60 * S, 100);
    put(0, true, 10, 0);
    assert_int_equal(itsi_packet_ring_format(ring, &h264), 0); /* the same: a new connection */
    assert_string_equal(all(), " K0");
    other.config[0] = 9;
    assert_int_equal(itsi_packet_ring_format(ring, &other), 0);
    assert_string_equal(all(), "");
    put(1, true, 10, 1);
    itsi_packet_ring_get_format(ring, &now);
    assert_int_equal(now.config[0], 9);
    other.config_size = ITSI_PACKET_CONFIG_SIZE + 1;
    assert_int_equal(itsi_packet_ring_format(ring, &other), ITS_ELIMIT);
    put(2, true, 10, 2);
    assert_string_equal(all(), "");
}

static void seeking_finds_the_key_frame_before(void **state)
{
    struct itsi_packet_cursor cursor;
    (void)state;
    make(10000, 60 * S, 100);
    for (int i = 0; i < 9; i++)
        put(i, i % 3 == 0, 10, i * S);
    itsi_packet_ring_seek(ring, 5 * S, &cursor);
    assert_string_equal(numbers(&cursor), " K3 4 5 K6 7 8");
    put(9, true, 10, 9 * S);
    assert_string_equal(numbers(&cursor), " K9"); /* it goes on */
    itsi_packet_ring_seek(ring, -1, &cursor);
    assert_int_equal(strncmp(numbers(&cursor), " K0 1", 5), 0);
    itsi_packet_ring_seek(ring, 100 * S, &cursor);
    assert_string_equal(numbers(&cursor), " K9");
}

static void a_reader_that_is_overtaken_goes_on_at_a_key_frame(void **state)
{
    struct itsi_packet_cursor cursor = {0};
    struct itsi_packet packet;
    struct itsi_buf data;
    (void)state;
    make(1000, 60 * S, 6);
    itsi_buf_init(&data);
    for (int i = 0; i < 6; i++)
        put(i, i % 3 == 0, 10, i);
    assert_int_equal(itsi_packet_ring_read(ring, &cursor, &packet, &data), 0);
    for (int i = 6; i < 12; i++)
        put(i, i % 3 == 0, 10, i);
    assert_string_equal(numbers(&cursor), " K6 7 8 K9 10 11");
    itsi_buf_fini(&data);
}

/* Against what a list of all that was put says. */
static void random_puts_keep_the_promises(void **state)
{
    static struct {
        bool key;
        size_t size;
        int64_t at;
    } history[20000];
    struct itsi_rand rng;
    int64_t now = 0;
    (void)state;
    make(20000, 8 * S, 150);
    itsi_rand_seed(&rng, 7);
    for (int i = 0; i < 20000; i++) {
        now += itsi_rand_below(&rng, 100) * ITSI_NS_PER_MS;
        history[i].key = itsi_rand_below(&rng, 25) == 0;
        history[i].size = itsi_rand_below(&rng, 400);
        history[i].at = now;
        put(i & 0xff, history[i].key, history[i].size, now);
        const struct itsi_packet_ring_stats s = stats();
        size_t bytes = 0;
        for (int k = i; k > i - s.pictures; k--)
            bytes += history[k].size;
        assert_int_equal(s.bytes, bytes); /* the newest without a gap */
        assert_true(s.bytes <= 20000 && s.pictures <= 150);
        if (s.pictures)
            assert_true(history[i - s.pictures + 1].key);
    }
    (void)all();
}

static void allocations_that_fail_are_survived(void **state)
{
    const struct itsi_packet_ring_params params = {store, 1000, S, 10};
    struct its_diag diag;
    (void)state;
    for (int n = 1; n <= 3; n++) {
        itsi_alloc_fail_at(n);
        assert_int_equal(itsi_packet_ring_create(&ring, &params, &diag), ITS_ENOMEM);
        itsi_alloc_fail_at(0);
    }
    const uint64_t before = itsi_alloc_count();
    make(1000, S, 10);
    const uint64_t made = itsi_alloc_count();
    assert_int_equal(made - before, 3);
    for (int i = 0; i < 100; i++)
        put(i, i % 3 == 0, 10, i);
    assert_int_equal(itsi_alloc_count(), made);
}

/* Pictures lie across the borders of chunks, and the numbers of chunks come round. */
static void large_pictures_are_whole(void **state)
{
    static uint8_t data[100000];
    struct itsi_packet_cursor cursor = {0};
    struct itsi_packet packet;
    struct itsi_buf read;
    (void)state;
    make(300000, 60 * S, 100);
    itsi_buf_init(&read);
    for (int i = 0; i < 200; i++) {
        const size_t size = 100000 - (size_t)i * 31;
        memset(data, i, size);
        itsi_packet_ring_put(ring, &(struct itsi_packet){.at = i, .pts = i, .dts = i, .key = true}, data, size);
        assert_int_equal(itsi_packet_ring_read(ring, &cursor, &packet, &read), 0);
        assert_int_equal(packet.pts, i);
        assert_int_equal(read.len, size);
        for (size_t k = 0; k < size; k += 997)
            assert_int_equal((uint8_t)read.data[k], i);
    }
    itsi_buf_fini(&read);
}

/* --- a reader beside the writer ------------------------------------------------------------------------------------
 */

static void *read_on(void *stop)
{
    struct itsi_packet_cursor cursor = {0};
    struct itsi_packet packet;
    struct itsi_buf data;
    itsi_buf_init(&data);
    while (!itsi_event_is_set(stop))
        while (itsi_packet_ring_read(ring, &cursor, &packet, &data) == 0)
            for (size_t i = 0; i < data.len; i++)
                if ((uint8_t)data.data[i] != (uint8_t)packet.pts)
                    abort();
    itsi_buf_fini(&data);
    return NULL;
}

static void a_reader_sees_whole_pictures_only(void **state)
{
    struct itsi_event stop;
    struct its_diag diag;
    pthread_t thread;
    (void)state;
    make(3000, 60 * S, 100);
    itsi_event_init(&stop);
    CHECK_OK(itsi_thread_start(&thread, "reader", read_on, &stop, &diag), diag);
    for (int i = 0; i < 30000; i++)
        put(i, i % 7 == 0, (size_t)(i % 400), i);
    itsi_event_set(&stop);
    pthread_join(thread, NULL);
    itsi_event_fini(&stop);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_begins_at_a_key_frame),
        TEST(memory_is_bounded_by_whole_groups),
        TEST(time_is_bounded_and_covered),
        TEST(pictures_are_bounded),
        TEST(a_group_too_long_gives_way_and_the_next_is_waited_for),
        TEST(another_format_begins_anew),
        TEST(seeking_finds_the_key_frame_before),
        TEST(a_reader_that_is_overtaken_goes_on_at_a_key_frame),
        TEST(random_puts_keep_the_promises),
        TEST(allocations_that_fail_are_survived),
        TEST(large_pictures_are_whole),
        TEST(a_reader_sees_whole_pictures_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
