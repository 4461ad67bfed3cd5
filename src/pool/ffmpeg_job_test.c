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
    static const char *const cases[][3] = {
        {"-i", "rtsp://user:pa55@host/path", NULL},
        {"-i", "http://host/path?token=pa55", NULL},
        {"-headers", "Authorization: pa55", NULL},
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
    const char *const arguments[] = {"-headers", "Authorization: abc", "-i", "rtsp://user:p%40ss@host/path", NULL};
    struct itsi_ffmpeg_secrets secrets;
    struct its_diag diag;
    (void)state;
    CHECK_OK(itsi_ffmpeg_secrets_find(&secrets, arguments, false, &diag), diag);
    assert_int_equal(secrets.count, 2);
    assert_string_equal(secrets.words[0], "Authorization: abc");
    assert_string_equal(secrets.words[1], "p@ss");
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
