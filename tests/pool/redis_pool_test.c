/* The Redis pool and one real server, which dies, stops, fills up or lies behind a bad link. After each fault nothing has
 * leaked, what was acknowledged is there, and the time to recover is printed. */
#include "redis_server.h"

#include "base/mem.h"
#include "redis_load.h"
#include "support/proxy.h"

#include <netinet/tcp.h>
#include <signal.h>

#define NAME "its-pool"

static struct itsi_loop *loop;
static struct redis_server server;
static struct load load;

static void url_of(char out[160], int port, const char *more)
{
    snprintf(out, 160, "redis://127.0.0.1:%d?client_name=" NAME "%s", port, more);
}

static void prints_recovery(const char *fault, int64_t since)
{
    int64_t last = atomic_load(&load.last_failure);
    printf("%s: %d acknowledged, %d failed, the last of them %.3f s after it was over\n", fault,
           atomic_load(&load.acknowledged), atomic_load(&load.failed), last > since ? (double)(last - since) / 1e9 : 0.0);
}

static void serves_threads(void **state)
{
    (void)state;
    char url[160];
    struct itsi_redis_stats stats;
    url_of(url, server.port, "");
    struct itsi_redis *redis = load_open(loop, url, 4, 8);
    load_start(&load, redis, 5);
    load_wait_for(&load, 5000, 30);
    load_stop(&load);
    assert_int_equal(atomic_load(&load.failed), 0);
    load_check_kept(&load);
    load_check_leaks(redis, server.port, NAME);
    itsi_redis_stats(redis, &stats);
    assert_true(stats.requests >= 5000);
    assert_int_equal(stats.retries, 0);
    assert_int_equal(stats.nodes, 1);
    assert_true(stats.latency_seconds > 0);
    load_close(redis, server.port, NAME);
}

static void answers_several_commands_of_one_request(void **state)
{
    (void)state;
    char url[160];
    struct itsi_redis_request request = {0};
    struct answer answer;
    struct its_diag diag;
    url_of(url, server.port, "");
    struct itsi_redis *redis = load_open(loop, url, 1, 2);
    for (int round = 0; round < 2; round++) { /* a request is used again */
        load_prepare(&request, &answer, 5, false);
        itsi_redis_request_words(&request, "SET", "n", "1");
        itsi_redis_request_words(&request, "INCRBY", "n", "41");
        CHECK_OK(itsi_redis_command(redis, &request, &diag), diag);
        assert_int_equal(answer.replies, 2);
        assert_int_equal(answer.integer, 42);
    }
    load_prepare(&request, &answer, 5, false);
    assert_int_equal(itsi_redis_command(redis, &request, &diag), ITS_EINVAL);
    itsi_buf_fini(&request.bytes);
    load_close(redis, server.port, NAME);
}

static void a_server_killed_and_started_again(void **state)
{
    (void)state;
    char url[160];
    url_of(url, server.port, "");
    struct itsi_redis *redis = load_open(loop, url, 4, 8);
    load_start(&load, redis, 2);
    load_wait_for(&load, 500, 20);
    child_end(&server.pid, SIGKILL);
    int failed = atomic_load(&load.failed);
    int64_t until = in_seconds(10);
    while (atomic_load(&load.failed) < failed + 20 && itsi_now_ns() < until) /* callers hear of it, at once */
        itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
    assert_true(atomic_load(&load.failed) >= failed + 20);
    assert_int_equal(redis_start(&server), 0);
    int64_t back = itsi_now_ns();
    load_wait_for(&load, 500, 20);
    load_stop(&load);
    prints_recovery("killed and started again", back);
    load_check_kept(&load);
    load_check_leaks(redis, server.port, NAME);
    load_close(redis, server.port, NAME);
}

/* Two seconds without an answer: commands give up after their timeout, connections are replaced. */
static void a_server_that_stops(void **state)
{
    (void)state;
    char url[160];
    struct itsi_redis_stats stats;
    url_of(url, server.port, "&socket_timeout=0.3&socket_connect_timeout=0.3");
    struct itsi_redis *redis = load_open(loop, url, 4, 8);
    load_start(&load, redis, 1);
    load_wait_for(&load, 500, 20);
    kill(server.pid, SIGSTOP);
    itsi_sleep_until_ns(in_seconds(2)); /* the fault itself takes that long */
    kill(server.pid, SIGCONT);
    int64_t back = itsi_now_ns();
    load_wait_for(&load, 500, 20);
    load_stop(&load);
    prints_recovery("stopped for 2 s", back);
    itsi_redis_stats(redis, &stats);
    assert_true(stats.retries > 0);
    load_check_kept(&load);
    load_check_leaks(redis, server.port, NAME);
    load_close(redis, server.port, NAME);
}

/* Links that pass nothing on, lose everything, or are cut, under load, and over again. */
static void a_bad_link(void **state)
{
    (void)state;
    static const char *const faults[] = {"stall", "drop", "cut 1000", "cut"};
    struct proxy proxy;
    char url[160], target[32];
    snprintf(target, sizeof target, "127.0.0.1:%d", server.port);
    assert_int_equal(proxy_start(&proxy, target), 0);
    url_of(url, proxy.port, "&socket_timeout=0.2&socket_connect_timeout=0.2");
    struct itsi_redis *redis = load_open(loop, url, 4, 8);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        load_start(&load, redis, 1);
        load_wait_for(&load, 200, 20);
        assert_int_equal(proxy_tell(&proxy, faults[i], NULL, NULL), 0);
        if (strncmp(faults[i], "cut", 3) != 0) {
            itsi_sleep_until_ns(in_seconds(1));
            assert_int_equal(proxy_tell(&proxy, "pass", NULL, NULL), 0);
        }
        int64_t back = itsi_now_ns();
        load_wait_for(&load, 200, 20);
        load_stop(&load);
        prints_recovery(faults[i], back);
        load_check_kept(&load);
    }
    assert_int_equal(proxy_tell(&proxy, "cut", NULL, NULL), 0); /* with them what it lost the end of */
    load_check_leaks(redis, server.port, NAME);
    load_close(redis, server.port, NAME);
    proxy_end(&proxy);
}

/* Nobody uses it, nothing arrives: checks find out, every redis_health_check_interval. */
static void a_link_that_dies_while_idle(void **state)
{
    (void)state;
    struct proxy proxy;
    struct its_cfg cfg;
    struct its_diag diag;
    struct answer answer;
    struct itsi_redis *redis;
    struct itsi_pool_stats stats;
    char url[160], target[32];
    snprintf(target, sizeof target, "127.0.0.1:%d", server.port);
    assert_int_equal(proxy_start(&proxy, target), 0);
    url_of(url, proxy.port, "");
    load_config(&cfg, 2, 4)->redis_health_check_interval = 0.1;
    CHECK_OK(itsi_redis_create(&redis, loop, url, &cfg.connection_pool, &diag), diag);
    CHECK_OK(load_ask(redis, &answer, &diag, 5, "PING"), diag);
    int64_t start = itsi_now_ns();
    do { /* both, or there are no two to be found dead */
        CHECK_OK(itsi_pool_stats(itsi_redis_node_pool(redis, 0), &stats, &diag), diag);
        assert_true(itsi_now_ns() < start + 10 * ITSI_NS_PER_S);
        itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
    } while (stats.idle < 2);
    assert_int_equal(proxy_tell(&proxy, "drop", NULL, NULL), 0);
    start = itsi_now_ns();
    do {
        CHECK_OK(itsi_pool_stats(itsi_redis_node_pool(redis, 0), &stats, &diag), diag);
        assert_true(itsi_now_ns() < start + 10 * ITSI_NS_PER_S);
        itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
    } while (stats.closed[ITSI_POOL_CLOSED_CHECK] < 2);
    printf("a link that died while idle: noticed after %.2f s\n", (double)(itsi_now_ns() - start) / 1e9);
    its_cfg_fini(&cfg);
    itsi_redis_destroy(redis, 0);
    proxy_end(&proxy);
}

/* The guide's keepalive, and a bound on what is not acknowledged. */
static void watches_its_links(void **state)
{
    (void)state;
    char url[160];
    struct its_diag diag;
    struct answer answer;
    url_of(url, server.port, "");
    struct itsi_redis *redis = load_open(loop, url, 1, 2);
    CHECK_OK(load_ask(redis, &answer, &diag, 5, "PING"), diag);
    static const struct {
        int level, option, wanted;
    } options[] = {{SOL_SOCKET, SO_KEEPALIVE, 1},  {IPPROTO_TCP, TCP_KEEPIDLE, 1}, {IPPROTO_TCP, TCP_KEEPINTVL, 3},
                   {IPPROTO_TCP, TCP_KEEPCNT, 5},  {IPPROTO_TCP, TCP_NODELAY, 1},  {IPPROTO_TCP, TCP_USER_TIMEOUT, 16000}};
    int found = 0;
    for (int fd = 3; fd < 1024; fd++) {
        struct sockaddr_in peer;
        socklen_t len = sizeof peer;
        if (getpeername(fd, (struct sockaddr *)&peer, &len) || peer.sin_family != AF_INET ||
            ntohs(peer.sin_port) != server.port)
            continue;
        found++;
        for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
            int value = 0;
            socklen_t size = sizeof value;
            assert_int_equal(getsockopt(fd, options[i].level, options[i].option, &value, &size), 0);
            assert_int_equal(value, options[i].wanted);
        }
    }
    assert_true(found > 0);
    load_close(redis, server.port, NAME);
}

static void allocates_nothing_in_steady_state(void **state)
{
    (void)state;
    char url[160];
    struct its_diag diag;
    struct answer answer;
    struct itsi_redis_request request = {0};
    url_of(url, server.port, "");
    struct itsi_redis *redis = load_open(loop, url, 1, 2);
    uint64_t before = 0;
    for (int i = 0; i < 2000; i++) {
        if (i == 1000)
            before = itsi_alloc_count();
        load_prepare(&request, &answer, 5, true);
        itsi_redis_request_words(&request, "SET", "steady", "state");
        itsi_redis_request_words(&request, "GET", "steady");
        CHECK_OK(itsi_redis_command(redis, &request, &diag), diag);
    }
    assert_string_equal(answer.text, "state");
    assert_int_equal(itsi_alloc_count(), before);
    itsi_buf_fini(&request.bytes);
    load_close(redis, server.port, NAME);
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    struct its_cfg cfg;
    struct its_diag diag;
    char url[160];
    int made = 0;
    struct its_cfg_connection_pool *options = load_config(&cfg, 1, 2);
    snprintf(url, sizeof url, "redis+sentinel://127.0.0.1:%d/main", free_port());
    for (int64_t nth = 1; nth < 16; nth++) {
        struct itsi_redis *redis = NULL;
        itsi_alloc_fail_at(nth);
        int rc = itsi_redis_create(&redis, loop, url, options, &diag);
        if (rc)
            assert_int_equal(rc, ITS_ENOMEM);
        else
            itsi_redis_destroy(redis, 0);
        itsi_alloc_fail_at(0);
        made += rc == 0;
    }
    assert_true(made > 0 && made < 15);
    its_cfg_fini(&cfg);
}

static void refuses(const char *url, int rc, const char *part)
{
    struct its_diag diag = {""};
    struct answer answer;
    struct itsi_redis *redis = load_open(loop, url, 1, 2);
    /* the first may still be waiting when the first connection fails */
    (void)load_ask(redis, &answer, &diag, 0.5, "PING");
    assert_int_equal(load_ask(redis, &answer, &diag, 0.5, "PING"), rc);
    CHECK_CONTAINS(diag.text, part);
    assert_null(strstr(diag.text, "s3cret"));
    itsi_redis_destroy(redis, 0);
}

static void a_server_that_does_not_let_us_in(void **state)
{
    (void)state;
    struct redis_server guarded;
    char url[160];
    redis_prepare(&guarded, (const char *const[]){"--requirepass", "other", NULL});
    assert_int_equal(redis_start(&guarded), 0);
    snprintf(url, sizeof url, "redis://:s3cret@127.0.0.1:%d", guarded.port);
    refuses(url, ITS_EREFUSED, "WRONGPASS");
    redis_end(&guarded);
    url_of(url, free_port(), "");
    refuses(url, ITS_EREFUSED, "connection refused");
}

/* Started again with much to read: callers hear that it is loading, and are served once it has. */
static void a_server_that_loads(void **state)
{
    (void)state;
    struct redis_server slow;
    char url[160];
    struct its_diag diag = {""};
    struct answer answer;
    bool heard = false;
    redis_prepare(&slow, NULL);
    assert_int_equal(redis_start(&slow), 0);
    url_of(url, slow.port, "");
    struct itsi_redis *redis = load_open(loop, url, 2, 4);
    load_start(&load, redis, 5);
    load_wait_for(&load, 2000, 20);
    load_stop(&load);
    assert_true(redis_wait_for(slow.port, "SAVE", "+OK", 5));
    child_end(&slow.pid, SIGKILL);
    redis_word(&slow, "--key-load-delay"); /* microseconds */
    redis_word(&slow, "500");
    redis_word(&slow, "--loading-process-events-interval-bytes");
    redis_word(&slow, "1024");
    assert_int_equal(redis_start(&slow), 0);
    int64_t until = in_seconds(20);
    while (load_ask(redis, &answer, &diag, 1, "GET", "key:1") || answer.is_error) {
        heard |= strstr(diag.text, "LOADING") != NULL;
        assert_true(itsi_now_ns() < until);
        itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
    }
    assert_true(heard);
    load_check_kept(&load);
    load_check_leaks(redis, slow.port, NAME);
    load_close(redis, slow.port, NAME);
    redis_end(&slow);
}

/* Others have taken all connections but two: those serve; when the others leave, the pool grows to its size. */
static void a_full_server(void **state)
{
    (void)state;
    enum { OTHERS = 6 };
    struct redis_server small;
    char url[160];
    int others[OTHERS];
    redis_prepare(&small, (const char *const[]){"--maxclients", "8", NULL});
    assert_int_equal(redis_start(&small), 0);
    for (int i = 0; i < OTHERS; i++) {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                 .sin_port = htons((uint16_t)small.port)};
        others[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(others[i], (struct sockaddr *)&at, sizeof at), 0);
    }
    url_of(url, small.port, "");
    struct itsi_redis *redis = load_open(loop, url, 4, 6);
    load_start(&load, redis, 1);
    load_wait_for(&load, 500, 20);
    int64_t back = itsi_now_ns();
    for (int i = 0; i < OTHERS; i++)
        close(others[i]);
    load_wait_for(&load, 500, 20);
    struct itsi_pool_stats stats;
    struct its_diag diag;
    do {
        CHECK_OK(itsi_pool_stats(itsi_redis_node_pool(redis, 0), &stats, &diag), diag);
    } while (stats.size < 4 && itsi_now_ns() < back + 10 * ITSI_NS_PER_S);
    assert_true(stats.size >= 4);
    load_stop(&load);
    prints_recovery("no connection left", back);
    load_check_kept(&load);
    load_check_leaks(redis, small.port, NAME);
    load_close(redis, small.port, NAME);
    redis_end(&small);
}

static _Atomic int ended;

static void count_done(struct itsi_redis_request *request, int rc, const struct its_diag *diag)
{
    (void)diag;
    assert_int_equal(rc, ITS_ECANCELLED);
    (void)request;
    atomic_fetch_add(&ended, 1);
}

/* Ends while requests are on their way: each is answered, none twice. */
static void ends_under_load(void **state)
{
    (void)state;
    enum { COUNT = 50 };
    static struct itsi_redis_request requests[COUNT];
    static struct answer answers[COUNT];
    char url[160];
    struct its_diag diag;
    url_of(url, server.port, "");
    struct itsi_redis *redis = load_open(loop, url, 2, 3);
    struct answer answer;
    CHECK_OK(load_ask(redis, &answer, &diag, 5, "PING"), diag);
    for (int i = 0; i < COUNT; i++) {
        load_prepare(&requests[i], &answers[i], 30, true);
        itsi_redis_request_words(&requests[i], "BLPOP", "nothing", "30");
        requests[i].done = count_done;
        itsi_redis_start(redis, &requests[i]);
    }
    int64_t start = itsi_now_ns();
    load_close(redis, server.port, NAME);
    assert_int_equal(atomic_load(&ended), COUNT);
    assert_true(itsi_now_ns() - start < 5 * ITSI_NS_PER_S);
    for (int i = 0; i < COUNT; i++)
        itsi_buf_fini(&requests[i].bytes);
}

static void says_what_is_wrong_with_the_options(void **state)
{
    (void)state;
    struct its_cfg cfg;
    struct its_diag diag;
    struct itsi_redis *redis = NULL;
    struct its_cfg_connection_pool *options = load_config(&cfg, 1, 2);
    assert_int_equal(itsi_redis_create(&redis, loop, "redis://u:s3cret@h/x", options, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "db");
    assert_null(strstr(diag.text, "s3cret"));
    assert_int_equal(itsi_redis_create(&redis, loop, "rediss://h?ssl_ca_certs=/nowhere", options, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "/nowhere");
    its_cfg_fini(&cfg);
}

static int start_all(void **state)
{
    (void)state;
    struct its_diag diag;
    /* what is acknowledged is on the disk */
    redis_prepare(&server, (const char *const[]){"--appendonly", "yes", "--appendfsync", "always", NULL});
    return redis_start(&server) || itsi_loop_create(&loop, "test-loop", &diag);
}

static int end_all(void **state)
{
    (void)state;
    itsi_loop_destroy(loop);
    redis_end(&server);
    return 0;
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_threads),
        cmocka_unit_test(answers_several_commands_of_one_request),
        cmocka_unit_test(a_server_killed_and_started_again),
        cmocka_unit_test(a_server_that_stops),
        cmocka_unit_test(a_bad_link),
        cmocka_unit_test(a_link_that_dies_while_idle),
        cmocka_unit_test(watches_its_links),
        cmocka_unit_test(allocates_nothing_in_steady_state),
        cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(a_server_that_does_not_let_us_in),
        cmocka_unit_test(a_server_that_loads),
        cmocka_unit_test(a_full_server),
        cmocka_unit_test(ends_under_load),
        cmocka_unit_test(says_what_is_wrong_with_the_options),
    };
    return cmocka_run_group_tests(tests, start_all, end_all);
}
