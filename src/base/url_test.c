#include "support/check.h"

#include "base/url.h"

static void parses_the_parts(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_url url;
    CHECK_OK(itsi_url_parse(&url, "RTSP://us%40er:p%3Aw@[::1]:8554/live/1?transport=udp&x=%20y", &diag), diag);
    assert_string_equal(url.scheme, "rtsp");
    assert_string_equal(url.user, "us@er");
    assert_string_equal(url.password, "p:w");
    assert_string_equal(url.host, "::1");
    assert_int_equal(url.port, 8554);
    assert_string_equal(url.path, "/live/1");
    char value[32];
    assert_int_equal(itsi_url_param(&url, "transport", value, sizeof value), 1);
    assert_string_equal(value, "udp");
    assert_int_equal(itsi_url_param(&url, "x", value, sizeof value), 1);
    assert_string_equal(value, " y");
    assert_int_equal(itsi_url_param(&url, "absent", value, sizeof value), 0);
}

static void takes_plain_paths_as_files(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_url url;
    CHECK_OK(itsi_url_parse(&url, "../clips/a b.mp4?pace=off", &diag), diag);
    assert_string_equal(url.scheme, "file");
    assert_string_equal(url.path, "../clips/a b.mp4");
    assert_string_equal(url.query, "pace=off");
    CHECK_OK(itsi_url_parse(&url, "file:///tmp/a%20b.mp4", &diag), diag);
    assert_string_equal(url.path, "/tmp/a b.mp4");
}

static void refuses_and_names(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "rtsp://h:99999/", "rtsp://h:1x/", "rtsp://[::1/"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct its_diag diag;
        struct itsi_url url;
        assert_int_equal(itsi_url_parse(&url, bad[i], &diag), ITS_EINVAL);
        CHECK_CONTAINS(diag.text, "URL '");
    }
}

static void redacts(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"rtsp://admin:s3cret@cam/live", "rtsp://admin:***@cam/live"},
        {"rtsp://admin:p@ss:w@cam/live", "rtsp://admin:***@cam/live"},
        {"http://cam/x?token=abc&b=1&Password=z", "http://cam/x?token=***&b=1&Password=***"},
        {"postgresql://h/d?sslpassword=a&sslmode=require", "postgresql://h/d?sslpassword=***&sslmode=require"},
        {"https://h/clip?X-Amz-Signature=a&keys=1&pass", "https://h/clip?X-Amz-Signature=***&keys=1&pass"},
        {"rtsp://cam/live", "rtsp://cam/live"},
        {"plain/path.mp4", "plain/path.mp4"},
        {"rtsp://user:s3c/ret@cam/live", "rtsp://user:***@cam/live"}, /* no URL, and still no password for a log */
        {"rtsp://user:s3c?r@t#x@cam/live", "rtsp://user:***@cam/live"},
        {"rtsp://user:/s3cret@cam/live", "rtsp://user:***@cam/live"},
        {"http://cam:8080/@gate?a=b@c", "http://cam:8080/@gate?a=b@c"},
        {"rtsp://cam/a\r\nb", "rtsp://cam/a??b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[128];
        itsi_url_redact(cases[i].in, out, sizeof out);
        assert_string_equal(out, cases[i].out);
    }
    char tiny[8];
    itsi_url_redact("rtsp://admin:s3cret@cam/live", tiny, sizeof tiny);
    assert_string_equal(tiny, "rtsp://");
    struct itsi_url url = {.password = "s3cret"};
    char message[] = "failed for s3cret and s3cret";
    itsi_url_scrub(&url, message);
    assert_string_equal(message, "failed for ****** and ******");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_the_parts),
        cmocka_unit_test(takes_plain_paths_as_files),
        cmocka_unit_test(refuses_and_names),
        cmocka_unit_test(redacts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
