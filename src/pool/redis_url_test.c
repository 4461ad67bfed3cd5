#include "support/check.h"

#include "pool/redis_url.h"

static void takes_addresses_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum itsi_redis_via via;
        bool is_tls;
        const char *host;
        int port;
        const char *user, *password;
        int db;
    } cases[] = {
        {"redis://localhost", ITSI_REDIS_DIRECT, false, "localhost", 6379, "", "", 0},
        {"redis://h:7000/3", ITSI_REDIS_DIRECT, false, "h", 7000, "", "", 3},
        {"redis://:s3cret@h", ITSI_REDIS_DIRECT, false, "h", 6379, "", "s3cret", 0},
        {"rediss://tom:s%40cret@[::1]:1/2?db=4", ITSI_REDIS_DIRECT, true, "::1", 1, "tom", "s@cret", 4},
        {"redis+sentinel://h/mymaster", ITSI_REDIS_SENTINEL, false, "h", 26379, "", "", 0},
        {"rediss+sentinel://u:p@h:5/mymaster/7", ITSI_REDIS_SENTINEL, true, "h", 5, "u", "p", 7},
        {"redis://h/", ITSI_REDIS_DIRECT, false, "h", 6379, "", "", 0},
        {"redis://tom:@h", ITSI_REDIS_DIRECT, false, "h", 6379, "tom", "", 0}, /* who has no password (nopass) */
        {"redis://s3cret@h", ITSI_REDIS_DIRECT, false, "h", 6379, "s3cret", "", 0}, /* a password for redis-cli */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct itsi_redis_url url;
        struct its_diag diag;
        CHECK_OK(itsi_redis_url_parse(&url, cases[i].text, &diag), diag);
        assert_int_equal(url.via, cases[i].via);
        assert_int_equal(url.is_tls, cases[i].is_tls);
        assert_int_equal(url.host_count, 1);
        assert_string_equal(url.hosts[0].name, cases[i].host);
        assert_int_equal(url.hosts[0].port, cases[i].port);
        assert_string_equal(url.user, cases[i].user);
        assert_string_equal(url.password, cases[i].password);
        assert_int_equal(url.db, cases[i].db);
        assert_null(strstr(url.shown, "cret"));
    }
}

static void knows_several_hosts_and_sockets(void **state)
{
    (void)state;
    struct itsi_redis_url url;
    struct its_diag diag;
    CHECK_OK(itsi_redis_url_parse(&url, "redis+sentinel://:pw@a,b:2,[fe80::1]:3/main/1?sentinel_password=other", &diag), diag);
    assert_int_equal(url.host_count, 3);
    assert_string_equal(url.hosts[1].name, "b");
    assert_int_equal(url.hosts[0].port, 26379);
    assert_int_equal(url.hosts[1].port, 2);
    assert_string_equal(url.hosts[2].name, "fe80::1");
    assert_string_equal(url.master, "main");
    assert_string_equal(url.sentinel_password, "other");
    assert_null(strstr(url.shown, "other"));
    assert_null(strstr(url.shown, "pw"));

    char token[129], text[256]; /* as long as hosted servers make them */
    memset(token, 'k', sizeof token - 1);
    token[sizeof token - 1] = '\0';
    snprintf(text, sizeof text, "rediss://:%s@h", token);
    CHECK_OK(itsi_redis_url_parse(&url, text, &diag), diag);
    assert_string_equal(url.password, token);
    assert_null(strstr(url.shown, "kk"));

    CHECK_OK(itsi_redis_url_parse(&url, "unix://u:p@/run/redis.sock?db=9", &diag), diag);
    assert_int_equal(url.via, ITSI_REDIS_UNIX);
    assert_int_equal(url.host_count, 0);
    assert_string_equal(url.socket, "/run/redis.sock");
    assert_int_equal(url.db, 9);
}

static void reads_its_keys(void **state)
{
    (void)state;
    struct itsi_redis_url url;
    struct its_diag diag;
    CHECK_OK(itsi_redis_url_parse(&url,
                                  "rediss://h?client_name=its&socket_timeout=0.5&socket_connect_timeout=2&ssl_ca_certs=%2Fca"
                                  "&ssl_certfile=c&ssl_keyfile=k&ssl_cert_reqs=none&ssl_check_hostname=false",
                                  &diag),
             diag);
    assert_string_equal(url.client_name, "its");
    CHECK_NEAR(url.command_seconds, 0.5, 0);
    CHECK_NEAR(url.connect_seconds, 2, 0);
    assert_string_equal(url.tls.ca_file, "/ca");
    assert_string_equal(url.tls.cert_file, "c");
    assert_string_equal(url.tls.key_file, "k");
    assert_true(url.tls.is_unchecked);
    assert_true(url.tls.any_name);
}

/* Each message names the part, and none shows the password. */
static void names_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"", "malformed"},
        {"http://u:s3cret@h", "scheme"},
        {"redis://u:s3cret@", "host"},
        {"redis://u:s3cret@h:99999", "port"},
        {"redis://u:s3cret@h,b:x", "host"},
        {"redis://u:s3cret@h,", "host"},
        {"redis://u:s3cret@h/x", "db"},
        {"redis://u:s3cret@h/-1", "db"},
        {"redis://u:s3cret@h?db=1e3", "db"},
        {"redis://u:12/s3cret@h", "%2F"},
        {"redis://:pa@s3cret/s3cret@h", "%40"},
        {"redis+sentinel://u:12/s3cret@h/main", "%2F"},
        {"redis://u:12?s3cret@h", "%3F"},
        {"s3cret@h", "scheme"},
        {"redis://u:s3cret@h?colour=red", "colour"},
        {"redis://u:s3cret@h?db", "query"},
        {"redis://u:s3cret@h?socket_timeout=-1", "socket_timeout"},
        {"redis://u:s3cret@h?socket_timeout=nan", "socket_timeout"},
        {"rediss://u:s3cret@h?ssl_cert_reqs=maybe", "ssl_cert_reqs"},
        {"redis+sentinel://u:s3cret@h", "master"},
        {"unix://u:s3cret@h/sock", "host"},
        {"unix://u:s3cret@", "path"},
        {"redis://:s3cret@1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "more than"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct itsi_redis_url url;
        struct its_diag diag;
        assert_int_equal(itsi_redis_url_parse(&url, cases[i].text, &diag), ITS_EINVAL);
        CHECK_CONTAINS(diag.text, cases[i].part);
        assert_null(strstr(diag.text, "s3cret"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_addresses_apart),
        cmocka_unit_test(knows_several_hosts_and_sockets),
        cmocka_unit_test(reads_its_keys),
        cmocka_unit_test(names_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
