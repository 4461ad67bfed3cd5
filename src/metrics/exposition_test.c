#include "support/check.h"

#include "base/mem.h"
#include "metrics/exposition.h"

#include <math.h>

static struct itsi_buf buf;
static struct itsi_exposition out;

static void begin(enum itsi_exposition_format format)
{
    itsi_buf_init(&buf);
    itsi_exposition_init(&out, format, &buf);
}

#define CHECK_TEXT(expected)                                                                                           \
    do {                                                                                                               \
        itsi_exposition_end(&out);                                                                                     \
        assert_string_equal(buf.data, expected);                                                                       \
        itsi_buf_fini(&buf);                                                                                           \
    } while (0)

static void write_counter(void)
{
    itsi_exposition_family(&out, ITSI_METRIC_COUNTER, "its_wait_seconds", "seconds", "A \"wait\".");
    itsi_exposition_count(&out, ITSI_LABELS({"stage", "a"}, {"why", "b"}), UINT64_C(5000000000));
    itsi_exposition_value(&out, NULL, 0.1);
}

static void a_counter_has_its_suffix_where_the_format_wants_it(void **state)
{
    (void)state;
    begin(ITSI_EXPOSITION_TEXT);
    write_counter();
    CHECK_TEXT("# HELP its_wait_seconds_total A \"wait\".\n# TYPE its_wait_seconds_total counter\n"
               "its_wait_seconds_total{stage=\"a\",why=\"b\"} 5000000000\nits_wait_seconds_total 0.1\n");
    begin(ITSI_EXPOSITION_OPENMETRICS);
    write_counter();
    CHECK_TEXT("# HELP its_wait_seconds A \\\"wait\\\".\n# TYPE its_wait_seconds counter\n"
               "# UNIT its_wait_seconds seconds\n"
               "its_wait_seconds_total{stage=\"a\",why=\"b\"} 5000000000\nits_wait_seconds_total 0.1\n# EOF\n");
}

static void an_info_is_a_gauge_to_those_who_know_none(void **state)
{
    (void)state;
    begin(ITSI_EXPOSITION_TEXT);
    itsi_exposition_family(&out, ITSI_METRIC_INFO, "its_build", NULL, "H");
    itsi_exposition_count(&out, ITSI_LABELS({"version", "1"}), 1);
    CHECK_TEXT("# HELP its_build_info H\n# TYPE its_build_info gauge\nits_build_info{version=\"1\"} 1\n");
    begin(ITSI_EXPOSITION_OPENMETRICS);
    itsi_exposition_family(&out, ITSI_METRIC_INFO, "its_build", NULL, "H");
    itsi_exposition_count(&out, ITSI_LABELS({"version", "1"}), 1);
    CHECK_TEXT("# HELP its_build H\n# TYPE its_build info\nits_build_info{version=\"1\"} 1\n# EOF\n");
}

static void labels_hold_anything(void **state)
{
    (void)state;
    begin(ITSI_EXPOSITION_TEXT);
    out.name = "x";
    out.type = ITSI_METRIC_GAUGE;
    itsi_exposition_value(&out, ITSI_LABELS({"a", "q\" b\\ n\n"}, {"b", "\xc3\xbc\xff\xc3"}, {"c", ""}), 1);
    CHECK_TEXT("x{a=\"q\\\" b\\\\ n\\n\",b=\"\xc3\xbc??\",c=\"\"} 1\n");
}

static void numbers_that_are_none(void **state)
{
    (void)state;
    begin(ITSI_EXPOSITION_TEXT);
    out.name = "x";
    out.type = ITSI_METRIC_GAUGE;
    itsi_exposition_value(&out, NULL, NAN);
    itsi_exposition_value(&out, NULL, INFINITY);
    itsi_exposition_value(&out, NULL, -INFINITY);
    CHECK_TEXT("x NaN\nx +Inf\nx -Inf\n");
}

static void write_histogram(void)
{
    static const double edges[] = {0.05, 1};
    static const uint64_t counts[] = {2, 0, 3};
    static const struct itsi_exposition_exemplar exemplars[] = {{"", 0, 0}, {"", 0, 0}, {"00ff", 1.5, 1700000000.25}};
    itsi_exposition_family(&out, ITSI_METRIC_HISTOGRAM, "h_seconds", "seconds", "H");
    itsi_exposition_histogram(&out, ITSI_LABELS({"k", "v"}),
                              &(struct itsi_exposition_histogram){edges, 2, counts, 7.25, exemplars});
}

static void a_histogram_is_cumulative_and_ends_with_its_count(void **state)
{
    (void)state;
    begin(ITSI_EXPOSITION_TEXT);
    write_histogram();
    CHECK_TEXT("# HELP h_seconds H\n# TYPE h_seconds histogram\nh_seconds_bucket{k=\"v\",le=\"0.05\"} 2\n"
               "h_seconds_bucket{k=\"v\",le=\"1.0\"} 2\nh_seconds_bucket{k=\"v\",le=\"+Inf\"} 5\n"
               "h_seconds_sum{k=\"v\"} 7.25\nh_seconds_count{k=\"v\"} 5\n");
    begin(ITSI_EXPOSITION_OPENMETRICS);
    write_histogram();
    CHECK_TEXT("# HELP h_seconds H\n# TYPE h_seconds histogram\n# UNIT h_seconds seconds\n"
               "h_seconds_bucket{k=\"v\",le=\"0.05\"} 2\nh_seconds_bucket{k=\"v\",le=\"1.0\"} 2\n"
               "h_seconds_bucket{k=\"v\",le=\"+Inf\"} 5 # {trace_id=\"00ff\"} 1.5 1700000000.250\n"
               "h_seconds_sum{k=\"v\"} 7.25\nh_seconds_count{k=\"v\"} 5\n# EOF\n");
}

static void the_format_is_the_one_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        enum itsi_exposition_format format;
    } cases[] = {
        {NULL, ITSI_EXPOSITION_TEXT},
        {"", ITSI_EXPOSITION_TEXT},
        {"*/*", ITSI_EXPOSITION_TEXT},
        {"text/html,application/xhtml+xml,*/*;q=0.8", ITSI_EXPOSITION_TEXT},
        {"application/openmetrics-text", ITSI_EXPOSITION_OPENMETRICS},
        {"application/openmetrics-text; version=1.0.0; charset=utf-8", ITSI_EXPOSITION_OPENMETRICS},
        {"Application/OpenMetrics-Text;VERSION=\"1.0.0\"", ITSI_EXPOSITION_OPENMETRICS},
        {"application/openmetrics-text;version=0.0.1", ITSI_EXPOSITION_TEXT},
        {"application/openmetrics-text;version=2.0.0,text/plain", ITSI_EXPOSITION_TEXT},
        {"application/openmetrics-text;q=0", ITSI_EXPOSITION_TEXT},
        {"text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5", ITSI_EXPOSITION_TEXT},
        {"text/plain;version=0.0.4;q=0.4 , application/openmetrics-text ; version=1.0.0 ; q=0.5",
         ITSI_EXPOSITION_OPENMETRICS},
        /* Prometheus 2.42, and 3 */
        {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
         "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         ITSI_EXPOSITION_OPENMETRICS},
        {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;"
         "version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,"
         "*/*;q=0.2",
         ITSI_EXPOSITION_OPENMETRICS},
        {";;,=,;q=,q", ITSI_EXPOSITION_TEXT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(itsi_exposition_accepted(cases[i].accept), cases[i].format);
}

static void no_memory_shows_in_the_buffer(void **state)
{
    (void)state;
    begin(ITSI_EXPOSITION_OPENMETRICS);
    itsi_alloc_fail_at(1);
    write_histogram();
    itsi_alloc_fail_at(0);
    assert_true(buf.failed);
    itsi_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_has_its_suffix_where_the_format_wants_it),
        cmocka_unit_test(an_info_is_a_gauge_to_those_who_know_none),
        cmocka_unit_test(labels_hold_anything),
        cmocka_unit_test(numbers_that_are_none),
        cmocka_unit_test(a_histogram_is_cumulative_and_ends_with_its_count),
        cmocka_unit_test(the_format_is_the_one_asked_for),
        cmocka_unit_test(no_memory_shows_in_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
