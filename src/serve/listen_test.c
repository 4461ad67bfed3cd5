#include "serve/listen.h"

#include "support/check.h"

#include <unistd.h>

static void addresses_come_apart(void **state)
{
    (void)state;
    static const struct {
        const char *address, *host, *port;
    } cases[] = {{"127.0.0.1:8080", "127.0.0.1", "8080"}, {"[::1]:80", "::1", "80"}, {":9", "", "9"},
                 {"localhost:0", "localhost", "0"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char host[64], port[8];
        struct its_diag diag;
        CHECK_OK(itsi_listen_split(cases[i].address, host, sizeof host, port, &diag), diag);
        assert_string_equal(host, cases[i].host);
        assert_string_equal(port, cases[i].port);
    }
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "::1:80",
                                      "[::1:80", "127.0.0.1:-1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct itsi_listen listen;
        struct its_diag diag = {""};
        if (itsi_listen_open(&listen, bad[i], &diag) != ITS_EINVAL)
            fail_msg("'%s' was taken", bad[i]);
        CHECK_CONTAINS(diag.text, bad[i]);
    }
}

static void a_port_in_use_is_named(void **state)
{
    (void)state;
    struct itsi_listen first, second;
    struct its_diag diag;
    char address[64];
    CHECK_OK(itsi_listen_open(&first, "127.0.0.1:0", &diag), diag);
    assert_true(first.port > 0);
    assert_true(first.loopback);
    snprintf(address, sizeof address, "http://127.0.0.1:%d/", first.port);
    assert_string_equal(first.url, address);
    snprintf(address, sizeof address, "127.0.0.1:%d", first.port);
    assert_int_equal(itsi_listen_open(&second, address, &diag), ITS_EBUSY);
    CHECK_CONTAINS(diag.text, address);
    close(first.fd);
}

static void wildcards_are_not_loopback(void **state)
{
    (void)state;
    struct itsi_listen listen;
    struct its_diag diag;
    CHECK_OK(itsi_listen_open(&listen, "0.0.0.0:0", &diag), diag);
    assert_false(listen.loopback);
    CHECK_CONTAINS(listen.url, "http://localhost:");
    close(listen.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_come_apart),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(a_port_in_use_is_named),
        cmocka_unit_test(wildcards_are_not_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
