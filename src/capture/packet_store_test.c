#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "capture/packet_ring.h"
#include "capture/packet_store.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CHUNKS = 256, RINGS = 4 };
#define S ITSI_NS_PER_S
static const size_t bytes = (size_t)CHUNKS * ITSI_PACKET_CHUNK;

static struct itsi_packet_store *store;
static struct itsi_packet_ring *rings[RINGS];

static int begin(void **state)
{
    struct its_diag diag;
    (void)state;
    CHECK_OK(itsi_packet_store_create(&store, bytes + 5, &diag), diag);
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (int i = 0; i < RINGS; i++) {
        itsi_packet_ring_destroy(rings[i]);
        rings[i] = NULL;
    }
    itsi_packet_store_destroy(store);
    return 0;
}

static struct itsi_packet_store_stats stats(void)
{
    struct itsi_packet_store_stats s;
    itsi_packet_store_stats(store, &s);
    return s;
}

/* Pages of the region that are in memory. */
static size_t resident(const uint8_t *region)
{
    static unsigned char pages[CHUNKS * ITSI_PACKET_CHUNK / 4096];
    size_t count = 0;
    assert_int_equal(mincore((void *)(uintptr_t)region, bytes, pages), 0);
    for (size_t i = 0; i < sizeof pages; i++)
        count += pages[i] & 1;
    return count * 4096;
}

static void chunks_are_apart_and_so_many(void **state)
{
    uint8_t *chunks[CHUNKS];
    (void)state;
    for (int i = 0; i < CHUNKS; i++) {
        assert_non_null(chunks[i] = itsi_packet_store_take(store));
        memset(chunks[i], i, ITSI_PACKET_CHUNK);
    }
    assert_null(itsi_packet_store_take(store));
    assert_int_equal(stats().used, bytes);
    for (int i = 0; i < CHUNKS; i++) {
        assert_int_equal(chunks[i][0], i & 0xff);
        assert_int_equal(chunks[i][ITSI_PACKET_CHUNK - 1], i & 0xff);
    }
    itsi_packet_store_give(store, chunks[7]);
    assert_ptr_equal(itsi_packet_store_take(store), chunks[7]);
}

static void memory_is_taken_as_needed_and_given_back(void **state)
{
    uint8_t *chunks[CHUNKS];
    (void)state;
    for (int i = 0; i < CHUNKS; i++)
        chunks[i] = itsi_packet_store_take(store);
    assert_int_equal(resident(chunks[0]), 0); /* the region begins with the first */
    for (int i = 0; i < CHUNKS; i++)
        memset(chunks[i], 1, ITSI_PACKET_CHUNK);
    assert_int_equal(resident(chunks[0]), bytes);
    for (int i = 0; i < CHUNKS; i++)
        itsi_packet_store_give(store, chunks[i]);
    assert_int_equal(stats().used, 0);
    assert_true(resident(chunks[0]) <= bytes / 4); /* a few stay, for who takes next */
}

/* --- rings that share --------------------------------------------------------------------------------------------- */

static void make_ring(int i, size_t most)
{
    const struct itsi_packet_ring_params params = {store, most, 60 * S, 10000};
    const struct itsi_packet_format format = {.codec = 27};
    struct its_diag diag;
    CHECK_OK(itsi_packet_ring_create(&rings[i], &params, &diag), diag);
    assert_int_equal(itsi_packet_ring_format(rings[i], &format), 0);
}

static void put(int i, int64_t at, size_t size)
{
    static uint8_t data[256 * 1024];
    itsi_packet_ring_put(rings[i], &(struct itsi_packet){.at = at, .dts = ITSI_PACKET_NO_DTS, .key = true}, data, size);
}

static size_t held(int i)
{
    struct itsi_packet_ring_stats s;
    itsi_packet_ring_stats(rings[i], &s);
    return s.bytes;
}

static void a_ring_takes_what_it_holds_and_no_more(void **state)
{
    (void)state;
    make_ring(0, bytes);
    for (int64_t t = 0; t < 600; t++) { /* ten minutes of 10 KB/s: more than the store in all */
        put(0, t * S, 10000);
        put(0, t * S + S / 2, 50000);
        assert_true(stats().used <= held(0) + 2 * ITSI_PACKET_CHUNK);
    }
    assert_true(held(0) >= 60 * 60000 && held(0) <= 62 * 60000);
    itsi_packet_ring_destroy(rings[0]);
    rings[0] = NULL;
    assert_int_equal(stats().used, 0);
    assert_int_equal(stats().rings, 0);
}

static void where_there_is_plenty_one_may_have_most(void **state)
{
    (void)state;
    for (int i = 0; i < RINGS; i++)
        make_ring(i, bytes);
    for (int t = 0; t < 400; t++)
        put(0, t, 25000);
    assert_true(held(0) > bytes / 2); /* the others need nothing */
}

static void short_of_memory_all_have_their_share(void **state)
{
    (void)state;
    for (int i = 0; i < RINGS; i++)
        make_ring(i, bytes);
    for (int t = 0; t < 800; t++)
        put(0, t, 25000); /* all that is to be had */
    for (int t = 0; t < 800; t++)
        for (int i = 0; i < RINGS; i++)
            put(i, 800 + t, 25000);
    for (int i = 0; i < RINGS; i++) {
        assert_true(held(i) > bytes / RINGS * 3 / 4);
        assert_true(held(i) <= bytes / RINGS);
    }
    struct itsi_packet_ring_stats s;
    itsi_packet_ring_stats(rings[1], &s);
    assert_true(s.cut_at > 0);
}

static void a_camera_that_is_down_keeps_others_from_nothing_for_ever(void **state)
{
    (void)state;
    make_ring(0, bytes);
    make_ring(1, bytes);
    for (int t = 0; t < 800; t++)
        put(0, t, 25000);
    const size_t before = held(0); /* and then nothing comes any more */
    for (int t = 0; t < 800; t++)
        put(1, t, 25000);
    assert_int_equal(held(0), before);
    assert_true(held(1) > 0 && held(1) + before <= bytes);
}

static void no_room_is_no_store(void **state)
{
    struct its_diag diag;
    struct itsi_packet_store *none;
    (void)state;
    assert_int_equal(itsi_packet_store_create(&none, ITSI_PACKET_CHUNK - 1, &diag), ITS_EINVAL);
    for (int n = 1; n <= 2; n++) {
        itsi_alloc_fail_at(n);
        assert_int_equal(itsi_packet_store_create(&none, bytes, &diag), ITS_ENOMEM);
        itsi_alloc_fail_at(0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(chunks_are_apart_and_so_many),
        TEST(memory_is_taken_as_needed_and_given_back),
        TEST(a_ring_takes_what_it_holds_and_no_more),
        TEST(where_there_is_plenty_one_may_have_most),
        TEST(short_of_memory_all_have_their_share),
        TEST(a_camera_that_is_down_keeps_others_from_nothing_for_ever),
        TEST(no_room_is_no_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
