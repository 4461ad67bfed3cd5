#include "support/check.h"

#include "latency/trace_context.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static void reads_and_writes_traceparent(void **state)
{
    (void)state;
    struct itsi_trace_context context;
    char text[ITSI_TRACEPARENT_SIZE];
    assert_true(itsi_traceparent_parse(&context, "00-" TRACE "-" SPAN "-01"));
    assert_int_equal(context.trace_id.bytes[0], 0x4b);
    assert_int_equal(context.trace_id.bytes[15], 0x36);
    assert_int_equal(context.span_id.bytes[7], 0xb7);
    assert_int_equal(context.flags, ITSI_TRACE_SAMPLED);
    assert_string_equal(context.state, "");
    itsi_traceparent_format(&context, text);
    assert_string_equal(text, "00-" TRACE "-" SPAN "-01");
    assert_true(itsi_traceparent_parse(&context, "00-" TRACE "-" SPAN "-fe"));
    assert_int_equal(context.flags, 0);
}

static void takes_what_later_versions_add(void **state)
{
    (void)state;
    static const char *const good[] = {
        "cc-" TRACE "-" SPAN "-01", "cc-" TRACE "-" SPAN "-01-what-the-future-brings", "01-" TRACE "-" SPAN "-01-",
        " \t00-" TRACE "-" SPAN "-01 \t"};
    struct itsi_trace_context context;
    char text[ITSI_TRACEPARENT_SIZE];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!itsi_traceparent_parse(&context, good[i]))
            fail_msg("\"%s\" was not taken", good[i]);
        itsi_traceparent_format(&context, text);
        assert_string_equal(text, "00-" TRACE "-" SPAN "-01");
    }
}

static void refuses_malformed_traceparents(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "00",
        "ff-" TRACE "-" SPAN "-01",
        "00-00000000000000000000000000000000-" SPAN "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01",
        "00-" TRACE "-00F067AA0BA902B7-01",
        "0G-" TRACE "-" SPAN "-01",
        "00-" TRACE "-" SPAN "-1",
        "00-" TRACE "-" SPAN "-0x",
        "00-" TRACE "-" SPAN "-01-",
        "00-" TRACE "-" SPAN "-01-extra",
        "00-" TRACE "-" SPAN "-01.",
        "cc-" TRACE "-" SPAN "-01.extra",
        "cc-" TRACE "-" SPAN "-01extra",
        "00_" TRACE "-" SPAN "-01",
        "00-" TRACE "_" SPAN "-01",
        "00-" TRACE "-" SPAN "_01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-" SPAN "-01",
        "00-" TRACE "4-" SPAN "-01",
        "00-" TRACE "-" SPAN,
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct itsi_trace_context context = {.flags = 77};
        if (itsi_traceparent_parse(&context, bad[i]))
            fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(context.flags, 77);
    }
}

static void keeps_valid_members(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
        int dropped;
    } cases[] = {
        {"", "", 0},
        {"rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", 0},
        {" foo=1 ,\tbar=2\t,, ", "foo=1,bar=2", 0},
        {"foo=1,foo=2,bar=3", "foo=1,bar=3", 1},
        {"foo@bar=1,0a*/_-@sys-tem=2", "foo@bar=1,0a*/_-@sys-tem=2", 0},
        {"foo@=1,@foo=1,foo@@bar=1,foo@bar@baz=1,ok=1", "ok=1", 4},
        {"Foo=1,0foo=1,foo =1,=1,foo=,foo,ok=1", "ok=1", 6},
        {"foo=a=b,ok=1", "ok=1", 1},
        {"foo=\x7f,foo=\xc3\xa9,foo=\x01,ok=1", "ok=1", 3},
        {"foo= a b", "foo= a b", 0},
        {"a@system-id-of15x=1,a@fourteen-chars=2", "a@fourteen-chars=2", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct itsi_trace_context context = {0};
        int dropped = itsi_tracestate_parse(&context, cases[i].in);
        if (strcmp(context.state, cases[i].out) != 0 || dropped != cases[i].dropped)
            fail_msg("\"%s\" became \"%s\", %d dropped", cases[i].in, context.state, dropped);
    }
}

static void bounds_members_and_length(void **state)
{
    (void)state;
    struct itsi_trace_context context = {0};
    char text[4096] = "";
    for (int i = 0; i < 40; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%sk%d=v", i ? "," : "", i);
    assert_int_equal(itsi_tracestate_parse(&context, text), 40 - ITSI_TRACESTATE_MEMBERS);
    CHECK_CONTAINS(context.state, ",k31=v");
    assert_null(strstr(context.state, "k32"));

    /* a key and a value of 256 characters each are the longest there may be */
    char key[258], value[258];
    memset(key, 'k', sizeof key);
    memset(value, 'v', sizeof value);
    snprintf(text, sizeof text, "%.256s=%.257s,b=1", key, value);
    assert_int_equal(itsi_tracestate_parse(&context, text), 1);
    snprintf(text, sizeof text, "%.257s=%.256s,b=1", key, value);
    assert_int_equal(itsi_tracestate_parse(&context, text), 1);
    assert_string_equal(context.state, "b=1");
    snprintf(text, sizeof text, "%.255s=%.256s", key, value);
    assert_int_equal(itsi_tracestate_parse(&context, text), 0);
    assert_int_equal(strlen(context.state), ITSI_TRACESTATE_MOST);
}

static void leaves_out_the_large_first_and_then_the_last(void **state)
{
    (void)state;
    struct itsi_trace_context context = {0};
    char large[201], small[101], text[2048];
    memset(large, 'v', 200);
    memset(small, 'v', 100);
    large[200] = small[100] = '\0';
    snprintf(text, sizeof text, "a=%s,b=%s,c=%s,d=%s,e=1", large, small, large, small);
    assert_int_equal(itsi_tracestate_parse(&context, text), 1); /* 200 + 100 + 100 fit */
    CHECK_CONTAINS(context.state, "a=v");
    assert_null(strstr(context.state, ",c="));
    CHECK_CONTAINS(context.state, ",e=1");
    snprintf(text, sizeof text, "a=%s,b=%s,c=%s,d=%s,e=%s,f=%s", small, small, small, small, small, small);
    assert_int_equal(itsi_tracestate_parse(&context, text), 2);
    CHECK_CONTAINS(context.state, ",d=v");
    assert_null(strstr(context.state, ",e="));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_traceparent),
        cmocka_unit_test(takes_what_later_versions_add),
        cmocka_unit_test(refuses_malformed_traceparents),
        cmocka_unit_test(keeps_valid_members),
        cmocka_unit_test(bounds_members_and_length),
        cmocka_unit_test(leaves_out_the_large_first_and_then_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
