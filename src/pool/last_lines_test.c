#include "support/check.h"

#include "pool/last_lines.h"

static struct itsi_last_lines lines;

static void feed(const char *text) { itsi_last_lines_feed(&lines, text, strlen(text)); }

static void check_shown(const char *const *secrets, const char *wanted)
{
    struct itsi_buf out;
    itsi_buf_init(&out);
    itsi_last_lines_show(&lines, secrets, &out);
    assert_string_equal(out.data ? out.data : "", wanted);
    itsi_buf_fini(&out);
}

static int begin(void **state)
{
    (void)state;
    itsi_last_lines_reset(&lines);
    return 0;
}

static void lines_come_in_pieces(void **state)
{
    (void)state;
    check_shown(NULL, "");
    feed("on");
    feed("e\ntwo\r\n\n\rth");
    check_shown(NULL, "one\ntwo\nth\n");
    feed("ree");
    check_shown(NULL, "one\ntwo\nthree\n");
    assert_int_equal(lines.count, 2);
}

static void a_hundred_are_kept(void **state)
{
    char text[32];
    struct itsi_buf out;
    (void)state;
    for (int i = 0; i < 100000; i++) {
        snprintf(text, sizeof text, "line %d\n", i);
        feed(text);
    }
    itsi_buf_init(&out);
    itsi_last_lines_show(&lines, NULL, &out);
    int shown = 0;
    for (const char *c = out.data; *c; c++)
        shown += *c == '\n';
    assert_int_equal(shown, ITSI_LAST_LINES);
    CHECK_CONTAINS(out.data, "line 99900\n");
    CHECK_CONTAINS(out.data, "line 99999\n");
    assert_null(strstr(out.data, "line 99899\n"));
    itsi_buf_fini(&out);
}

static void a_long_line_is_cut(void **state)
{
    char text[5000], wanted[ITSI_LAST_LINE_SIZE + 16];
    (void)state;
    memset(text, 'a', sizeof text);
    itsi_last_lines_feed(&lines, text, sizeof text);
    feed("\nnext\n");
    memset(wanted, 'a', ITSI_LAST_LINE_SIZE - 1);
    strcpy(wanted + ITSI_LAST_LINE_SIZE - 1, "...\nnext\n");
    check_shown(NULL, wanted);
    assert_int_equal(lines.bytes, 5006);
}

static void passwords_are_hidden(void **state)
{
    static const char *const secrets[] = {"s3cret", "", NULL};
    (void)state;
    feed("Input #0, rtsp, from 'rtsp://user:pa55@10.0.0.7/stream': \n");
    feed("two: rtsp://a:b@c/ and http://h/p?token=abc&x=1\n");
    feed("Authorization: s3cret s3cret\n");
    check_shown(secrets, "Input #0, rtsp, from 'rtsp://user:***@10.0.0.7/stream': \n"
                         "two: rtsp://a:***@c/ and http://h/p?token=***&x=1\n"
                         "Authorization: ****** ******\n");
}

/* FFmpeg's own ways to name more than one, or one within another. */
static void passwords_are_hidden_in_addresses_within_others(void **state)
{
    (void)state;
    feed("from 'async:http://user:pa55@h/a'\n");
    feed("Impossible to open 'concat:http://u:pa55@h/a|http://u:pa55@i/b?token=pa55'\n");
    feed("[f=flv]rtmp://u:pa55@h/a|[f=flv]rtmp://u:pa55@i/b\n");
    feed("movie=rtsp\\\\://u\\\\:pa55@h/a\n");
    feed("(rtsp://u:pa://55@h/a) http://host:80/a|b@c\n");
    check_shown(NULL, "from 'async:http://user:***@h/a'\n"
                      "Impossible to open 'concat:http://u:***@h/a|http://u:***@i/b?token=***'\n"
                      "[f=flv]rtmp://u:***@h/a|[f=flv]rtmp://u:***@i/b\n"
                      "movie=rtsp\\\\://u\\\\:***@h/a\n"
                      "(rtsp://u:***@h/a) http://host:80/a|b@c\n");
}

/* What "-loglevel debug" writes of a request: user and password, in base64. */
static void what_logs_in_is_hidden(void **state)
{
    (void)state;
    feed("GET / HTTP/1.1\nauthorization: Basic dXNlcjpwYTU1\nHost: h\n");
    check_shown(NULL, "GET / HTTP/1.1\nauthorization: Basic ***\nHost: h\n");
}

/* Wherever the cut falls: before the '@' nothing tells a password from a path. */
static void a_cut_address_shows_no_part_of_its_password(void **state)
{
    (void)state;
    for (size_t pad = 180; pad < ITSI_LAST_LINE_SIZE; pad++) {
        char text[600];
        struct itsi_buf out;
        memset(text, 'x', pad);
        strcpy(text + pad, " rtsp://user:pa55word@host/a/rather/long/path/to/a/stream/of/some/camera/of/the/fleet\n");
        itsi_last_lines_reset(&lines);
        feed(text);
        itsi_buf_init(&out);
        itsi_last_lines_show(&lines, NULL, &out);
        if (strstr(out.data, "user:p") || strstr(out.data, "pa5"))
            fail_msg("pad %zu: %s", pad, out.data);
        itsi_buf_fini(&out);
    }
}

static void a_cut_secret_shows_no_part_either(void **state)
{
    static const char *const secrets[] = {"hunter2", NULL};
    char text[600], wanted[ITSI_LAST_LINE_SIZE + 16];
    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text + ITSI_LAST_LINE_SIZE - 1 - 4, "hunter2\n", 8); /* four of it are kept */
    itsi_last_lines_feed(&lines, text, ITSI_LAST_LINE_SIZE + 3);
    memset(wanted, 'x', ITSI_LAST_LINE_SIZE - 5);
    strcpy(wanted + ITSI_LAST_LINE_SIZE - 5, "****...\n");
    check_shown(secrets, wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lines_come_in_pieces, begin),
        cmocka_unit_test_setup(a_hundred_are_kept, begin),
        cmocka_unit_test_setup(a_long_line_is_cut, begin),
        cmocka_unit_test_setup(passwords_are_hidden, begin),
        cmocka_unit_test_setup(passwords_are_hidden_in_addresses_within_others, begin),
        cmocka_unit_test_setup(what_logs_in_is_hidden, begin),
        cmocka_unit_test_setup(a_cut_address_shows_no_part_of_its_password, begin),
        cmocka_unit_test_setup(a_cut_secret_shows_no_part_either, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
