#include "capture/source.h"

#include "capture/av.h"
#include "config/config.h"
#include "support/check.h"

#include <libavutil/error.h>
#include <libavutil/log.h>

static struct itsi_source parse(const char *text)
{
    struct itsi_source source;
    struct its_diag diag = {""};
    CHECK_OK(itsi_source_parse(&source, text, &diag), diag);
    return source;
}

static void refuse(const char *text, const char *part)
{
    struct itsi_source source;
    struct its_diag diag = {""};
    assert_int_equal(itsi_source_parse(&source, text, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, part);
}

static void ours_is_taken_and_theirs_is_kept(void **state)
{
    (void)state;
    struct itsi_source s = parse("rtsp://u:p%40ss@cam:8554/live?channel=1&transport=udp&subtype=0");
    assert_int_equal(s.kind, ITSI_SOURCE_RTSP);
    assert_int_equal(s.transport, ITSI_TRANSPORT_UDP);
    assert_string_equal(s.address, "rtsp://u:p%40ss@cam:8554/live?channel=1&subtype=0");
    assert_null(strstr(s.shown, "p%40ss"));
    s = parse("rtsp://cam/live?transport=tcp");
    assert_string_equal(s.address, "rtsp://cam/live");
    assert_int_equal(s.transport, ITSI_TRANSPORT_TCP);
    s = parse("rtsp://cam/live?transport=mcast"); /* not ours: no such value */
    assert_string_equal(s.address, "rtsp://cam/live?transport=mcast");
    assert_int_equal(s.transport, -1);
    s = parse("http://cam/video.ts?pace=off&loop=0&fps=5"); /* all the server's */
    assert_string_equal(s.address, "http://cam/video.ts?pace=off&loop=0&fps=5");
    assert_false(s.pace_off);
    assert_true(parse("rtsps://cam/x").tls);
    assert_true(parse("https://cam/x").tls);
}

static void files(void **state)
{
    (void)state;
    struct itsi_source s = parse("/videos/a b.mp4?pace=off&loop=0");
    assert_int_equal(s.kind, ITSI_SOURCE_FILE);
    assert_string_equal(s.address, "file:/videos/a b.mp4");
    assert_true(s.pace_off && s.once);
    s = parse("file:///videos/a%20b.mp4");
    assert_string_equal(s.address, "file:/videos/a b.mp4");
    assert_false(s.pace_off || s.once);
    s = parse("http:x.mp4"); /* a file's odd name stays a file */
    assert_string_equal(s.address, "file:http:x.mp4");
    refuse("/a.mp4?pace=fast", "real or off");
    refuse("/a.mp4?speed=2", "unknown parameter 'speed' (allowed: pace, loop)");
    refuse("file://", "no path");
}

static void null_and_synth(void **state)
{
    (void)state;
    struct itsi_source s = parse("null://?fps=12.5&size=640x360&pace=off&seconds=3");
    assert_int_equal(s.kind, ITSI_SOURCE_NULL);
    CHECK_NEAR(s.fps, 12.5, 0);
    CHECK_NEAR(s.seconds, 3, 0);
    assert_int_equal(s.width, 640);
    assert_int_equal(s.height, 360);
    s = parse("null://");
    CHECK_NEAR(s.fps, 30, 0);
    assert_int_equal(s.width, 1280);
    s = parse("null://?fps=5&surge=25,20,60");
    assert_true(s.surge.fps == 25 && s.surge.from == 20 && s.surge.seconds == 60);
    refuse("null://?surge=25,20", "FPS,FROM,FOR");
    refuse("null://?surge=25,20,0", "FPS,FROM,FOR");
    refuse("null://?surge=25,20,60s", "FPS,FROM,FOR");
    refuse("null://?fps=0", "0.1 to 1000");
    refuse("null://?size=640", "WIDTHxHEIGHT");
    refuse("null://?size=640x360x2", "WIDTHxHEIGHT");
    refuse("null://?loop=0", "unknown parameter 'loop'");
    s = parse("synth://crossroads?size=640x360&fps=25&seed=7&seconds=4&loop=0");
    assert_int_equal(s.kind, ITSI_SOURCE_SYNTH);
    CHECK_NEAR(s.seconds, 4, 0);
    assert_true(s.once);
    refuse("synth://crossroads?seconds=0", "1 to 600");
    refuse("synth://crossroads?wether=rain", "wether");
}

static void unknown_schemes_name_the_known(void **state)
{
    (void)state;
    refuse("ftp://cam/x", "allowed: rtsp, rtsps, http, https, file or a plain path, synth, null");
    refuse("rtmp://u:secret@cam/x", "unknown scheme 'rtmp'");
    refuse("rtsp:///x", "no host");
    refuse("http://cam/x\r\nerror forged", "control character in it (byte 0x0d)");
    assert_string_equal(parse("RTSP://Cam/Live?a=B").address, "rtsp://Cam/Live?a=B");
    struct itsi_source source;
    struct its_diag diag = {""};
    assert_int_equal(itsi_source_parse(&source, "rtmp://u:secret@cam/x", &diag), ITS_EINVAL);
    assert_null(strstr(diag.text, "secret"));
}

static void errors_are_translated(void **state)
{
    (void)state;
    assert_int_equal(itsi_av_code(AVERROR_HTTP_UNAUTHORIZED), ITS_EAUTH);
    assert_int_equal(itsi_av_code(AVERROR_HTTP_FORBIDDEN), ITS_EAUTH);
    assert_int_equal(itsi_av_code(AVERROR_HTTP_NOT_FOUND), ITS_ENOTFOUND);
    assert_int_equal(itsi_av_code(AVERROR_HTTP_SERVER_ERROR), ITS_EIO);
    assert_int_equal(itsi_av_code(AVERROR_INVALIDDATA), ITS_EFORMAT);
    assert_int_equal(itsi_av_code(AVERROR(ECONNREFUSED)), ITS_EREFUSED);
    assert_int_equal(itsi_av_code(AVERROR(ETIMEDOUT)), ITS_ETIMEOUT);
    assert_int_equal(itsi_av_code(AVERROR(ENOENT)), ITS_ENOTFOUND);
    assert_int_equal(itsi_av_code(AVERROR(ENOMEM)), ITS_ENOMEM);
    assert_int_equal(itsi_av_code(AVERROR_EOF), ITS_EEOF);
    assert_int_equal(itsi_av_code(AVERROR_DECODER_NOT_FOUND), ITS_EUNSUPPORTED);
}

static void error_texts_hold_the_last_words_and_no_password(void **state)
{
    (void)state;
    itsi_av_init();
    struct itsi_source s = parse("rtsp://user:pa55word@cam/live");
    itsi_av_about(&s.url);
    av_log(NULL, AV_LOG_ERROR, "cannot open rtsp://user:pa55word@cam/live now\n");
    struct its_diag diag;
    assert_int_equal(itsi_av_fail(&diag, AVERROR(ECONNREFUSED), "opening %s", s.shown), ITS_EREFUSED);
    CHECK_CONTAINS(diag.text, "opening rtsp://user:***@cam/live");
    CHECK_CONTAINS(diag.text, "cannot open");
    assert_null(strstr(diag.text, "pa55word"));
    itsi_av_about(NULL); /* another camera's URL is unknown here: still no password */
    av_log(NULL, AV_LOG_ERROR, "redirected to 'http://u:hunter2@x/y'\n");
    itsi_av_fail(&diag, AVERROR_EOF, "x");
    CHECK_CONTAINS(diag.text, "redirected");
    assert_null(strstr(diag.text, "hunter2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ours_is_taken_and_theirs_is_kept),
        cmocka_unit_test(files),
        cmocka_unit_test(null_and_synth),
        cmocka_unit_test(unknown_schemes_name_the_known),
        cmocka_unit_test(errors_are_translated),
        cmocka_unit_test(error_texts_hold_the_last_words_and_no_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
