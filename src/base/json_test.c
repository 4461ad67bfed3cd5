#include "support/check.h"

#include "base/json.h"
#include "base/mem.h"

static void writes_nested_values(void **state)
{
    (void)state;
    struct itsi_buf buf;
    itsi_buf_init(&buf);
    struct itsi_json json;
    itsi_json_init(&json, &buf);
    itsi_json_object(&json, NULL);
    itsi_json_string(&json, "a\"b", "x\\y\n\x01");
    itsi_json_array(&json, "list");
    itsi_json_int(&json, NULL, INT64_MIN);
    itsi_json_number(&json, NULL, 1.23456, 2);
    itsi_json_number(&json, NULL, NAN, 2);
    itsi_json_end(&json, ']');
    itsi_json_bool(&json, "yes", true);
    itsi_json_null(&json, "none");
    itsi_json_object(&json, "empty");
    itsi_json_end(&json, '}');
    itsi_json_raw(&json, "raw", "[1]");
    itsi_json_end(&json, '}');
    assert_string_equal(buf.data, "{\"a\\\"b\":\"x\\\\y\\n\\u0001\",\"list\":[-9223372036854775808,1.23,null],"
                                  "\"yes\":true,\"none\":null,\"empty\":{},\"raw\":[1]}");
    itsi_buf_fini(&buf);
}

static void reused_buffer_stops_allocating(void **state)
{
    (void)state;
    struct itsi_buf buf;
    itsi_buf_init(&buf);
    for (int i = 0; i < 200; i++)
        itsi_buf_printf(&buf, "number %d, ", i);
    size_t full = buf.len;
    uint64_t before = itsi_alloc_count();
    itsi_buf_reset(&buf);
    for (int i = 0; i < 200; i++)
        itsi_buf_printf(&buf, "number %d, ", i);
    assert_int_equal(buf.len, full);
    assert_int_equal(itsi_alloc_count(), before);
    itsi_buf_fini(&buf);
}

static void out_of_memory_is_remembered(void **state)
{
    (void)state;
    struct itsi_buf buf;
    itsi_buf_init(&buf);
    itsi_alloc_fail_at(1);
    itsi_buf_puts(&buf, "lost");
    itsi_alloc_fail_at(0);
    assert_true(buf.failed);
    assert_null(itsi_buf_take(&buf));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_nested_values),
        cmocka_unit_test(reused_buffer_stops_allocating),
        cmocka_unit_test(out_of_memory_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
