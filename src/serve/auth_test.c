#include "serve/auth.h"

#include "support/check.h"

static void equality(void **state)
{
    (void)state;
    assert_true(itsi_auth_equal("secret", "secret"));
    assert_false(itsi_auth_equal("secret", "secreT"));
    assert_false(itsi_auth_equal("secret", "secretsecret")); /* a repetition must not pass */
    assert_false(itsi_auth_equal("secret", "secre"));
    assert_false(itsi_auth_equal("secret", ""));
    assert_false(itsi_auth_equal("secret", NULL));
    assert_false(itsi_auth_equal(NULL, NULL));
}

static bool shows(const char *authorization, const char *query, const char *cookie)
{
    const struct itsi_credentials shown = {authorization, query, cookie};
    return itsi_auth_check("to ken;", &shown);
}

static void any_way_of_showing_the_token_will_do(void **state)
{
    (void)state;
    assert_true(shows("Bearer to ken;", NULL, NULL));
    assert_true(shows("bearer  to ken;", NULL, NULL));
    assert_true(shows(NULL, "to ken;", NULL));
    assert_true(shows(NULL, NULL, "746f206b656e3b"));
    assert_true(shows("Bearer wrong", "to ken;", NULL));
    assert_false(shows(NULL, NULL, NULL));
    assert_false(shows("to ken;", NULL, NULL));
    assert_false(shows("Basic to ken;", NULL, NULL));
    assert_false(shows("Bearer ", "", ""));
    assert_false(shows(NULL, NULL, "to ken;")); /* the cookie holds another form */
}

static void long_tokens_fit_the_cookie(void **state)
{
    (void)state;
    char token[2000], cookie[ITSI_AUTH_COOKIE_SIZE];
    memset(token, 'x', sizeof token - 1);
    token[sizeof token - 1] = '\0';
    itsi_auth_cookie(token, cookie);
    assert_true(strlen(cookie) < ITSI_AUTH_COOKIE_SIZE);
    assert_true(strspn(cookie, "0123456789abcdef") == strlen(cookie));
}

static void only_local_hosts(void **state)
{
    (void)state;
    static const char *const good[] = {"localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:1", "127.9.8.7:80", "[::1]",
                                       "[::1]:8080"};
    static const char *const bad[] = {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1:80",
                                      "[::2]:80", "", "localhost:80:80", "localhost:8x", "[::1", "127.0.0.1@evil:80",
                                      "127.0.0.999", "::1"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!itsi_auth_host_is_local(good[i]))
            fail_msg("%s was refused", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (itsi_auth_host_is_local(bad[i]))
            fail_msg("%s was taken", bad[i]);
    assert_false(itsi_auth_host_is_local(NULL));
}

static void origins(void **state)
{
    (void)state;
    assert_true(itsi_auth_origin_matches(NULL, "localhost:8080"));
    assert_true(itsi_auth_origin_matches("http://localhost:8080", "localhost:8080"));
    assert_false(itsi_auth_origin_matches("http://evil.example", "localhost:8080"));
    assert_false(itsi_auth_origin_matches("null", "localhost:8080"));
    assert_false(itsi_auth_origin_matches("http://localhost:8080", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality),
        cmocka_unit_test(any_way_of_showing_the_token_will_do),
        cmocka_unit_test(long_tokens_fit_the_cookie),
        cmocka_unit_test(only_local_hosts),
        cmocka_unit_test(origins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
