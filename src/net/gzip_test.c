#include "support/check.h"

#include "base/mem.h"
#include "base/rand.h"
#include "net/gzip.h"

#include <zlib.h>

enum { LEN = 100000 };

static struct itsi_gzip *packer(void)
{
    struct itsi_gzip *gzip;
    struct its_diag diag;
    CHECK_OK(itsi_gzip_create(&gzip, &diag), diag);
    return gzip;
}

/* As a receiver reads it: one member of gzip, whole, with nothing behind it. */
static void check_unpacks(const char *packed, size_t len, const char *wanted, size_t wanted_len)
{
    char *got = malloc(wanted_len + 1);
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed, .avail_in = (uInt)len, .next_out = (Bytef *)got,
                  .avail_out = (uInt)wanted_len + 1};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    assert_int_equal(z.total_out, wanted_len);
    assert_memory_equal(got, wanted, wanted_len);
    inflateEnd(&z);
    free(got);
}

static void comes_back_as_it_was(void **state)
{
    (void)state;
    static char body[LEN];
    struct itsi_gzip *gzip = packer();
    struct itsi_buf out;
    itsi_buf_init(&out);
    for (size_t i = 0; i < LEN; i++)
        body[i] = (char)(i * i / 1000);
    static const size_t lengths[] = {LEN, ITSI_GZIP_LEAST_BYTES, 50000, LEN}; /* one after the other */
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        itsi_buf_reset(&out);
        itsi_buf_puts(&out, "before");
        assert_true(itsi_gzip_pack(gzip, body, lengths[i], &out));
        assert_true(out.len < lengths[i]);
        assert_memory_equal(out.data, "before", 6);
        check_unpacks(out.data + 6, out.len - 6, body, lengths[i]);
    }
    itsi_buf_fini(&out);
    itsi_gzip_destroy(gzip);
}

static void what_does_not_shrink_is_left_alone(void **state)
{
    (void)state;
    static char noise[LEN];
    struct itsi_gzip *gzip = packer();
    struct itsi_rand rng;
    struct itsi_buf out;
    itsi_buf_init(&out);
    itsi_rand_seed(&rng, 1);
    for (size_t i = 0; i < LEN; i++)
        noise[i] = (char)itsi_rand_u64(&rng);
    itsi_buf_puts(&out, "before");
    assert_false(itsi_gzip_pack(gzip, noise, LEN, &out));
    assert_false(itsi_gzip_pack(gzip, "a", 1, &out));
    assert_int_equal(out.len, 6);
    memset(noise, 'x', LEN);
    assert_true(itsi_gzip_pack(gzip, noise, LEN, &out)); /* and what comes then is not spoiled by it */
    check_unpacks(out.data + 6, out.len - 6, noise, LEN);
    itsi_buf_fini(&out);
    itsi_gzip_destroy(gzip);
}

static void memory_is_taken_once(void **state)
{
    (void)state;
    static char body[LEN];
    struct itsi_gzip *gzip = packer();
    struct itsi_buf out;
    itsi_buf_init(&out);
    assert_true(itsi_gzip_pack(gzip, body, LEN, &out));
    uint64_t before = itsi_alloc_count();
    for (int i = 0; i < 10; i++) {
        itsi_buf_reset(&out);
        assert_true(itsi_gzip_pack(gzip, body, LEN, &out));
    }
    assert_int_equal(itsi_alloc_count(), before);
    itsi_buf_fini(&out);
    itsi_buf_init(&out);
    itsi_alloc_fail_at(1);
    assert_false(itsi_gzip_pack(gzip, body, LEN, &out));
    itsi_alloc_fail_at(0);
    assert_false(out.failed);
    itsi_buf_fini(&out);
    itsi_gzip_destroy(gzip);
}

static void creation_survives_no_memory(void **state)
{
    (void)state;
    struct itsi_gzip *gzip = NULL;
    int64_t nth = 0;
    for (int rc = ITS_ENOMEM; rc != 0;) {
        itsi_alloc_fail_at(++nth);
        rc = itsi_gzip_create(&gzip, NULL);
        itsi_alloc_fail_at(0);
        if (rc != 0)
            assert_int_equal(rc, ITS_ENOMEM);
        assert_true(nth < 20);
    }
    assert_true(nth > 3);
    itsi_gzip_destroy(gzip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_as_it_was),
        cmocka_unit_test(what_does_not_shrink_is_left_alone),
        cmocka_unit_test(memory_is_taken_once),
        cmocka_unit_test(creation_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
