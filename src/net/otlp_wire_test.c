#include "support/check.h"

#include "net/otlp_span.h"
#include "net/otlp_wire.h"

/* Against bytes written by hand after the encoding's description. The real schema is met in tests/latency. */
#define CHECK_BYTES(buf, ...)                                                                                          \
    do {                                                                                                               \
        const uint8_t wanted_[] = {__VA_ARGS__};                                                                       \
        assert_int_equal((buf).len, sizeof wanted_);                                                                   \
        assert_memory_equal((buf).data, wanted_, sizeof wanted_);                                                      \
        itsi_buf_reset(&(buf));                                                                                        \
    } while (0)

static void writes_fields(void **state)
{
    (void)state;
    struct itsi_buf buf = {0};
    itsi_wire_varint(&buf, 1, 150);
    CHECK_BYTES(buf, 0x08, 0x96, 0x01);
    itsi_wire_varint(&buf, 16, UINT64_MAX);
    CHECK_BYTES(buf, 0x80, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
    itsi_wire_fixed32(&buf, 16, 0x01020304);
    CHECK_BYTES(buf, 0x85, 0x01, 4, 3, 2, 1);
    itsi_wire_fixed64(&buf, 7, UINT64_C(0x0102030405060708));
    CHECK_BYTES(buf, 0x39, 8, 7, 6, 5, 4, 3, 2, 1);
    itsi_wire_double(&buf, 4, 1.0);
    CHECK_BYTES(buf, 0x21, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f);
    itsi_wire_string(&buf, 2, "testing");
    CHECK_BYTES(buf, 0x12, 7, 't', 'e', 's', 't', 'i', 'n', 'g');
    itsi_buf_fini(&buf);
}

static void nests_messages_of_any_length(void **state)
{
    (void)state;
    for (size_t inner = 0; inner < 70000; inner = inner * 3 + 1) {
        struct itsi_buf buf = {0};
        char *text = malloc(inner + 1);
        assert_non_null(text);
        memset(text, 'x', inner);
        text[inner] = '\0';
        size_t outer = itsi_wire_begin(&buf, 1);
        size_t middle = itsi_wire_begin(&buf, 2);
        itsi_wire_string(&buf, 3, text);
        itsi_wire_end(&buf, middle);
        itsi_wire_end(&buf, outer);
        struct itsi_wire_field field = {.data = (const uint8_t *)buf.data, .len = buf.len};
        for (int number = 1; number <= 3; number++) {
            const uint8_t *at = field.data, *end = at + field.len;
            assert_int_equal(itsi_wire_next(&at, end, &field), 1);
            assert_int_equal(field.number, number);
            assert_ptr_equal(at, end);
        }
        assert_int_equal(field.len, inner);
        assert_memory_equal(field.data, text, inner);
        free(text);
        itsi_buf_fini(&buf);
    }
}

static void makes_text_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\x97", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\x97"},
        {"\xff""a\xc3", "?a?"},
        {"\xc0\xaf", "??"},             /* overlong */
        {"\xe0\x80\xaf", "???"},        /* overlong */
        {"\xed\xa0\x80", "???"},        /* a surrogate */
        {"\xf4\x90\x80\x80", "????"},   /* beyond the last character */
        {"\xe2\x82", "??"},             /* cut off */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct itsi_buf buf = {0};
        itsi_wire_string(&buf, 1, cases[i].in);
        assert_int_equal(buf.len, 2 + strlen(cases[i].out));
        assert_string_equal(buf.data + 2, cases[i].out);
        itsi_buf_fini(&buf);
    }
}

static int read_all(const void *data, size_t len)
{
    struct itsi_wire_field field;
    const uint8_t *at = data, *end = at + len;
    int rc;
    while ((rc = itsi_wire_next(&at, end, &field)) > 0)
        ;
    return rc;
}

static void refuses_malformed_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\x08", 1},                                             /* no value */
        {"\x08\x80", 2},                                         /* a varint without end */
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11},    /* more than 64 bits */
        {"\x0a\x05" "abc", 5},                                   /* longer than there is */
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},    /* much longer */
        {"\x0d\x01\x02", 3},                                     /* half a fixed32 */
        {"\x09\x01\x02", 3},                                     /* half a fixed64 */
        {"\x0b", 1},                                             /* a group */
        {"\x00\x00", 2},                                         /* field 0 */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(read_all(bad[i].bytes, bad[i].len), ITS_EFORMAT);
}

static void reads_a_partial_success(void **state)
{
    (void)state;
    struct itsi_otlp_partial partial = {.rejected = 9};
    assert_int_equal(itsi_otlp_response_decode(NULL, 0, &partial), 0);
    assert_int_equal(partial.rejected, 0);
    static const char some[] = "\x0a\x0b\x08\xac\x02\x12\x06no\n\x01us\x9a\x06\x01x"; /* and an unknown field */
    assert_int_equal(itsi_otlp_response_decode(some, sizeof some - 1, &partial), 0);
    assert_int_equal(partial.rejected, 300);
    assert_string_equal(partial.message, "no??us");
    static const char negative[] = "\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    assert_int_equal(itsi_otlp_response_decode(negative, sizeof negative - 1, &partial), 0);
    assert_int_equal(partial.rejected, 0);
    assert_int_equal(itsi_otlp_response_decode("{\"partialSuccess\":{}}", 21, &partial), ITS_EFORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_fields),           cmocka_unit_test(nests_messages_of_any_length),
        cmocka_unit_test(makes_text_utf8),         cmocka_unit_test(refuses_malformed_bytes),
        cmocka_unit_test(reads_a_partial_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
