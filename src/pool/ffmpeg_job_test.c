#include "support/check.h"

#include "pool/ffmpeg_job.h"

static void arguments_without_secrets_may_be_shown(void **state)
{
    const char *const arguments[] = {"-i", "rtsp://host/path?x=1", "-c", "copy", "out.mp4", NULL};
    struct itsi_ffmpeg_secrets secrets;
    struct its_diag diag;
    (void)state;
    CHECK_OK(itsi_ffmpeg_secrets_find(&secrets, arguments, true, &diag), diag);
    assert_int_equal(secrets.count, 0);
}

static void those_with_secrets_are_refused_where_they_would_be_shown(void **state)
{
    static char long_address[5000] = "http://host/";
    memset(long_address + strlen(long_address), 'a', 4000);
    strcat(long_address, "?token=pa55");
    const char *const cases[][3] = {
        {"-i", "rtsp://user:pa55@host/path", NULL},
        {"-i", "http://host/path?token=pa55", NULL},
        {"-headers", "Authorization: pa55", NULL},
        {"-i", "concat:http://host/a|http://user:pa55@host/b", NULL},
        {"-i", "async:http://user:pa55@host/a", NULL},
        {"-vf", "movie=rtsp\\\\://user\\\\:pa55@host/a", NULL},
        {"-f", "[f=flv]rtmp://host/a|[f=flv]rtmp://user:pa55@host/b", NULL},
        {"-i", long_address, NULL},
        {"-hls_enc_key", "pa55", NULL},
        {"-ftp-password", "pa55", NULL},
        {"-srtp_out_params", "pa55", NULL},
        {"-key", "pa55", NULL},
    };
    struct itsi_ffmpeg_secrets secrets;
    struct its_diag diag;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(itsi_ffmpeg_secrets_find(&secrets, cases[i], true, &diag), ITS_EUNSUPPORTED);
        CHECK_CONTAINS(diag.text, "argument 1 (");
        assert_null(strstr(diag.text, "pa55"));
    }
}

static void elsewhere_they_are_known(void **state)
{
    const char *const arguments[] = {"-headers", "Authorization: abc\r\nX-Key: def\r\n", "-i",
                                     "concat:rtsp://user:p%40ss@host/path|http://host/?token=t0ken", NULL};
    static const char *const words[] = {"Authorization: abc", "X-Key: def", "p%40ss", "p@ss", "t0ken"};
    struct itsi_ffmpeg_secrets secrets;
    struct its_diag diag;
    (void)state;
    CHECK_OK(itsi_ffmpeg_secrets_find(&secrets, arguments, false, &diag), diag);
    assert_int_equal(secrets.count, sizeof words / sizeof words[0]);
    for (int i = 0; i < secrets.count; i++)
        assert_string_equal(secrets.words[i], words[i]);
}

static void more_than_can_be_hidden_are_refused(void **state)
{
    const char *arguments[2 * ITSI_FFMPEG_SECRETS + 3] = {0};
    struct itsi_ffmpeg_secrets secrets;
    struct its_diag diag;
    (void)state;
    for (int i = 0; i <= ITSI_FFMPEG_SECRETS; i++) {
        arguments[2 * i] = "-headers";
        arguments[2 * i + 1] = "x";
    }
    assert_int_equal(itsi_ffmpeg_secrets_find(&secrets, arguments, false, &diag), ITS_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_without_secrets_may_be_shown),
        cmocka_unit_test(those_with_secrets_are_refused_where_they_would_be_shown),
        cmocka_unit_test(elsewhere_they_are_known),
        cmocka_unit_test(more_than_can_be_hidden_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
