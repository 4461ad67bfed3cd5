#include "support/check.h"

#include "pool/server_url.h"

static void shows_no_part_of_a_password(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
        bool is_torn;
    } cases[] = {
        {"redis://host:1/2", "redis://host:1/2", false},
        {"redis://u:s3cret@host/2?password=s3cret", "redis://u:***@host/2?password=***", false},
        {"redis://u:s3@cret@host", "redis://u:***@host", false},
        {"redis://u:12/s3cret@host", "redis://***", true}, /* "12" looks like a port */
        {"redis://u:12?s3cret@host", "redis://***", true},
        {"redis://u:12#s3cret@host", "redis://***", true},
        {"redis://:s3@cret/s3cret@host", "redis://***", true},
        {"redis://host?sentinel_password=s3@cret", "redis://***", true},
        {"unix:///run/a@b.sock", "unix:///run/a@b.sock", false},
        {"host=h password=s3cret", "***", false},
        {"u:s3cret@host", "***", false},
        {"host=h password=s3cret://x", "***", false},
        {"://u:s3cret@host", "***", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char shown[256];
        assert_int_equal(itsi_server_url_is_torn(cases[i].text), cases[i].is_torn);
        itsi_server_url_show(cases[i].text, shown, sizeof shown);
        assert_string_equal(shown, cases[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shows_no_part_of_a_password)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
