/* One Redis connection over a link that stalls, is cut or is half open, and to a server that stops or dies: every exchange
 * is answered once, by what happened. */
#include "redis_client.h"
#include "redis_server.h"
#include "support/proxy.h"

static struct redis_server server;
static struct proxy proxy;

static void open_through(struct client *c, int port)
{
    char url[128];
    snprintf(url, sizeof url, "redis://127.0.0.1:%d?client_name=its-link", port);
    client_init(c);
    CHECK_OK(client_open_url(c, url, 5), c->diag);
}

static void close_through(struct client *c)
{
    client_close(c);
    client_fini(c);
}

static void send_get(struct client *c, struct asked *a, double seconds)
{
    asked_init(a, seconds);
    itsi_redis_words(&a->bytes, "GET", "value");
    assert_int_equal(asked_send(a, c, 1), 0);
    itsi_buf_fini(&a->bytes);
}

static void tell(const char *command) { assert_int_equal(proxy_tell(&proxy, command, NULL, NULL), 0); }

/* The one whose deadline passes hears that; the one behind it, that the connection is gone. */
static void a_stalled_link_costs_a_deadline(const char *fault)
{
    struct client c;
    struct asked early, late;
    open_through(&c, proxy.port);
    tell(fault);
    int64_t start = itsi_now_ns();
    send_get(&c, &late, 30);
    send_get(&c, &early, 0.2);
    client_run(&c, &c.lost, 1, 20);
    double waited = (double)(itsi_now_ns() - start) / 1e9;
    assert_int_equal(early.done, 1);
    assert_int_equal(early.rc, ITS_ETIMEOUT);
    assert_int_equal(late.done, 1);
    assert_int_equal(late.rc, ITS_EIO);
    assert_true(waited >= 0.2 && waited < 15); /* the other had 30 s */
    printf("%s: given up after %.3f s of 0.2\n", fault, waited);
    tell("pass");
    close_through(&c);
}

static void a_stall_and_a_half_open_link(void **state)
{
    (void)state;
    a_stalled_link_costs_a_deadline("stall");
    a_stalled_link_costs_a_deadline("drop");
}

static void opening_over_a_dead_link_ends_in_time(void **state)
{
    (void)state;
    struct client c;
    char url[128];
    tell("stall");
    client_init(&c);
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", proxy.port);
    assert_int_equal(client_open_url(&c, url, 0.2), ITS_ETIMEOUT);
    CHECK_CONTAINS(c.diag.text, "introduction");
    client_close(&c);
    snprintf(url, sizeof url, "rediss://127.0.0.1:%d", proxy.port);
    assert_int_equal(client_open_url(&c, url, 0.2), ITS_ETIMEOUT);
    CHECK_CONTAINS(c.diag.text, "TLS handshake");
    client_close(&c);
    client_fini(&c);
    tell("pass");
}

static void a_cut_in_mid_reply(void **state)
{
    (void)state;
    for (int bytes = 0; bytes < 12; bytes++) { /* "$5\r\nhello\r\n" has 11 */
        struct client c;
        struct asked a[3];
        char command[32];
        open_through(&c, proxy.port);
        snprintf(command, sizeof command, "cut %d", bytes + 1);
        tell(command);
        for (int i = 0; i < 3; i++)
            send_get(&c, &a[i], 5);
        client_run(&c, &c.lost, 1, 20);
        for (int i = 0; i < 3; i++) {
            bool is_whole = (i + 1) * 11 <= bytes + 1;
            assert_int_equal(a[i].done, 1);
            assert_int_equal(a[i].replies, is_whole);
            assert_true(is_whole ? a[i].rc == 0 : a[i].rc == ITS_EIO || a[i].rc == ITS_EEOF);
        }
        close_through(&c);
    }
}

static void a_delay_delays(void **state)
{
    (void)state;
    struct client c;
    struct asked a;
    open_through(&c, proxy.port);
    tell("delay 50");
    int64_t start = itsi_now_ns();
    send_get(&c, &a, 5);
    client_run(&c, &a.done, 1, 5);
    assert_string_equal(a.text, "hello");
    assert_true(itsi_now_ns() - start >= 90 * ITSI_NS_PER_MS);
    tell("pass");
    close_through(&c);
}

/* A server that stops for two seconds is waited for by who has the time, and by nobody else. */
static void a_server_that_stops(void **state)
{
    (void)state;
    struct client patient, hasty;
    struct asked a, b;
    open_through(&patient, server.port);
    open_through(&hasty, server.port);
    kill(server.pid, SIGSTOP);
    int64_t start = itsi_now_ns();
    send_get(&patient, &a, 10);
    send_get(&hasty, &b, 0.3);
    client_run(&hasty, &hasty.lost, 1, 5);
    assert_int_equal(b.rc, ITS_ETIMEOUT);
    while (itsi_now_ns() < start + 2 * ITSI_NS_PER_S)
        uv_run(&patient.loop, UV_RUN_ONCE);
    assert_int_equal(a.done, 0);
    kill(server.pid, SIGCONT);
    client_run(&patient, &a.done, 1, 5);
    assert_int_equal(a.rc, 0);
    printf("answered %.3f s after a stop of 2 s\n", (double)(itsi_now_ns() - start) / 1e9 - 2);
    close_through(&patient);
    close_through(&hasty);
}

/* Killed with work in flight: each exchange ends once, and what was acknowledged had been done. */
static void a_server_that_dies(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    static struct asked all[COUNT];
    struct client c;
    open_through(&c, server.port);
    for (int i = 0; i < COUNT; i++) {
        asked_init(&all[i], 10);
        itsi_redis_words(&all[i].bytes, "INCR", "counted");
        assert_int_equal(asked_send(&all[i], &c, 1), 0);
        itsi_buf_fini(&all[i].bytes);
        if (i == COUNT / 2) {
            client_run(&c, &all[i / 2].done, 1, 5);
            child_end(&server.pid, SIGKILL);
        }
    }
    client_run(&c, &c.lost, 1, 20);
    int good = 0;
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(all[i].done, 1);
        if (all[i].rc == 0)
            assert_int_equal(all[i].integer, ++good);
    }
    assert_true(good > 0 && good < COUNT);
    assert_int_equal(redis_start(&server), 0);
    close_through(&c);
}

static int start_all(void **state)
{
    (void)state;
    char target[32];
    redis_prepare(&server, NULL);
    if (redis_start(&server) || !redis_wait_for(server.port, "SET value hello", "+OK", 5))
        return -1;
    snprintf(target, sizeof target, "127.0.0.1:%d", server.port);
    return proxy_start(&proxy, target);
}

static int end_all(void **state)
{
    (void)state;
    proxy_end(&proxy);
    redis_end(&server);
    return 0;
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stall_and_a_half_open_link), cmocka_unit_test(opening_over_a_dead_link_ends_in_time),
        cmocka_unit_test(a_cut_in_mid_reply),           cmocka_unit_test(a_delay_delays),
        cmocka_unit_test(a_server_that_stops),          cmocka_unit_test(a_server_that_dies),
    };
    return cmocka_run_group_tests(tests, start_all, end_all);
}
