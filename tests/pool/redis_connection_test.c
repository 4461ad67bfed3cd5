/* One Redis connection against a real server: order, addresses, users, bounds. */
#include "redis_client.h"
#include "redis_one.h"

#define COMMANDS 100000

static void url_to(char out[128], const char *rest)
{
    snprintf(out, 128, "redis://127.0.0.1:%d%s", server.port, rest);
}

static void open_usual(struct client *c)
{
    char url[128];
    url_to(url, "/0?client_name=its-test");
    client_init(c);
    CHECK_OK(client_open_url(c, url, 5), c->diag);
}

/* Nothing of ours is left at the server. */
static void close_usual(struct client *c)
{
    client_close(c);
    client_fini(c);
    int64_t until = in_seconds(5);
    while (redis_clients(server.port, "its-test") > 0 && itsi_now_ns() < until)
        usleep(2000);
    assert_int_equal(redis_clients(server.port, "its-test"), 0);
}

/* --- order -------------------------------------------------------------------------------------------------------- */

struct pipeline {
    struct itsi_redis_exchange exchange;
    int64_t got;
    int *answered;
};

static void keep_number(struct itsi_redis_exchange *exchange, int index, const struct itsi_redis_reply *reply)
{
    (void)index;
    ((struct pipeline *)exchange)->got = reply->integer;
}

static void count_answer(struct itsi_redis_exchange *exchange, int rc, const struct its_diag *diag)
{
    (void)diag;
    if (!rc)
        ++*((struct pipeline *)exchange)->answered;
}

static void answers_come_in_order(void **state)
{
    (void)state;
    struct client c;
    open_usual(&c);
    struct pipeline *all = calloc(COMMANDS, sizeof *all);
    struct itsi_buf incr = {0};
    itsi_redis_words(&incr, "INCR", "order");
    int answered = 0, sent = 0, refused = 0;
    int64_t start = itsi_now_ns();
    while (answered < COMMANDS) {
        for (; sent < COMMANDS; sent++) {
            struct pipeline *p = &all[sent];
            *p = (struct pipeline){.answered = &answered,
                                   .exchange = {.bytes = incr.data, .len = incr.len, .replies = 1,
                                                .deadline = start + 60 * ITSI_NS_PER_S, .reply = keep_number,
                                                .done = count_answer}};
            int rc = itsi_redis_send(c.connection, &p->exchange);
            if (rc == ITS_EAGAIN) {
                refused++;
                break;
            }
            assert_int_equal(rc, 0);
        }
        assert_true(itsi_redis_in_flight(c.connection) <= 1 << 20);
        assert_true(itsi_now_ns() < start + 60 * ITSI_NS_PER_S);
        uv_run(&c.loop, UV_RUN_ONCE);
    }
    double seconds = (double)(itsi_now_ns() - start) / 1e9;
    for (int i = 0; i < COMMANDS; i++)
        assert_int_equal(all[i].got, i + 1);
    assert_true(refused > 0); /* the bound was reached, and kept */
    assert_int_equal(itsi_redis_in_flight(c.connection), 0);
    printf("%d commands in order in %.2f s\n", COMMANDS, seconds);
    itsi_buf_fini(&incr);
    free(all);
    close_usual(&c);
}

static void several_replies_belong_to_one_exchange(void **state)
{
    (void)state;
    struct client c;
    struct asked a;
    open_usual(&c);
    asked_init(&a, 5);
    itsi_redis_words(&a.bytes, "SET", "x", "1");
    itsi_redis_words(&a.bytes, "INCRBY", "x", "41");
    itsi_redis_words(&a.bytes, "LPUSH", "x", "no list");
    assert_int_equal(asked_send(&a, &c, 3), 0);
    client_run(&c, &a.done, 1, 5);
    assert_int_equal(a.replies, 3);
    assert_int_equal(a.rc, 0); /* an error is an answer */
    assert_int_equal(a.type, ITSI_REDIS_ERROR);
    CHECK_CONTAINS(a.text, "WRONGTYPE");
    itsi_buf_fini(&a.bytes);
    assert_int_equal(itsi_redis_role(c.connection), ITSI_REDIS_MASTER);
    assert_false(itsi_redis_is_cluster(c.connection));
    close_usual(&c);
}

/* --- addresses and users ------------------------------------------------------------------------------------------ */

static void reaches_a_socket_and_a_database(void **state)
{
    (void)state;
    struct client c;
    struct asked a;
    char url[160];
    snprintf(url, sizeof url, "unix://%s/redis.sock?db=3&client_name=its-test", server.folder);
    client_init(&c);
    CHECK_OK(client_open_url(&c, url, 5), c.diag);
    client_ask(&c, &a, 5, "CLIENT", "INFO");
    CHECK_CONTAINS(a.text, "name=its-test");
    client_ask(&c, &a, 5, "SET", "where", "three");
    close_usual(&c);
    open_usual(&c);
    client_ask(&c, &a, 5, "EXISTS", "where");
    assert_int_equal(a.integer, 0);
    client_ask(&c, &a, 5, "SELECT", "3");
    client_ask(&c, &a, 5, "GET", "where");
    assert_string_equal(a.text, "three");
    close_usual(&c);
}

static void cannot_open(const char *url, int rc, const char *part)
{
    struct client c;
    client_init(&c);
    assert_int_equal(client_open_url(&c, url, 2), rc);
    CHECK_CONTAINS(c.diag.text, part);
    assert_null(strstr(c.diag.text, "s3cret"));
    client_close(&c);
    client_fini(&c);
}

static void says_why_it_cannot_open(void **state)
{
    (void)state;
    char url[128];
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", free_port());
    cannot_open(url, ITS_EREFUSED, "connecting");
    cannot_open("unix:///nowhere/at.all", ITS_EREFUSED, "connecting");
    cannot_open("redis://no-such-host.invalid", ITS_ENOTFOUND, "resolving");
    url_to(url, "/999");
    cannot_open(url, ITS_EINVAL, "SELECT");
}

static void one_ask(const char *url, const char *wanted)
{
    struct client c;
    struct asked a;
    client_init(&c);
    CHECK_OK(client_open_url(&c, url, 5), c.diag);
    client_ask(&c, &a, 5, "ACL", "WHOAMI");
    assert_string_equal(a.text, wanted);
    client_close(&c);
    client_fini(&c);
}

/* With HELLO and, where a server does not offer it, with AUTH. */
static void signs_in(const char *const *options)
{
    struct redis_server guarded;
    struct client c;
    struct asked a;
    char url[128];
    redis_prepare(&guarded, options);
    assert_int_equal(redis_start(&guarded), 0);
    snprintf(url, sizeof url, "redis://:s3cret@127.0.0.1:%d?client_name=x", guarded.port);
    one_ask(url, "default");
    snprintf(url, sizeof url, "redis://reader:its%%40own@127.0.0.1:%d", guarded.port);
    one_ask(url, "reader");
    snprintf(url, sizeof url, "redis://reader:s3cret@127.0.0.1:%d", guarded.port);
    cannot_open(url, ITS_EAUTH, "WRONGPASS");
    snprintf(url, sizeof url, "redis://reader@127.0.0.1:%d", guarded.port);
    cannot_open(url, ITS_EAUTH, "WRONGPASS");
    snprintf(url, sizeof url, "redis://open@127.0.0.1:%d", guarded.port);
    one_ask(url, "open");
    snprintf(url, sizeof url, "redis://open:@127.0.0.1:%d", guarded.port);
    one_ask(url, "open");
    snprintf(url, sizeof url, "redis://127.0.0.1:%d/1", guarded.port);
    cannot_open(url, ITS_EAUTH, "NOAUTH");

    snprintf(url, sizeof url, "redis://reader:its%%40own@127.0.0.1:%d", guarded.port);
    client_init(&c);
    CHECK_OK(client_open_url(&c, url, 5), c.diag);
    client_ask(&c, &a, 5, "SET", "k", "v"); /* which this user may not */
    const struct itsi_redis_reply reply = {.type = a.type, .text = a.text, .len = strlen(a.text)};
    assert_int_equal(itsi_redis_problem_of(&reply), ITSI_REDIS_AUTH);
    client_close(&c);
    client_fini(&c);
    redis_end(&guarded);
}

#define READER "--user", "reader", "on", ">its@own", "~*", "+@read", "+@connection", "+acl|whoami"
#define OPEN "--user", "open", "on", "nopass", "+@connection", "+acl|whoami"

static void signs_in_as_a_user(void **state)
{
    (void)state;
    signs_in((const char *const[]){"--requirepass", "s3cret", READER, OPEN, NULL});
    signs_in((const char *const[]){"--requirepass", "s3cret", READER, OPEN, "--rename-command", "HELLO", "", NULL});
}

/* It repeats the arguments of what it does not know, among them the password. */
static void keeps_the_password_from_messages(void **state)
{
    (void)state;
    struct redis_server strange;
    char url[256];
    redis_prepare(&strange, (const char *const[]){"--rename-command", "HELLO", "", "--rename-command", "AUTH", "", NULL});
    assert_int_equal(redis_start(&strange), 0);
    snprintf(url, sizeof url, "redis://tom:s3cret@127.0.0.1:%d", strange.port);
    cannot_open(url, ITS_EINVAL, "unknown command");
    /* nor the beginning of a long one, at which it stops */
    snprintf(url, sizeof url, "redis://tom:s3cret%0120d@127.0.0.1:%d", 1, strange.port);
    cannot_open(url, ITS_EINVAL, "unknown command");
    redis_end(&strange);
}

static void says_that_a_server_is_full(void **state)
{
    (void)state;
    struct redis_server small;
    struct client c[3];
    char url[128];
    redis_prepare(&small, (const char *const[]){"--maxclients", "2", NULL});
    assert_int_equal(redis_start(&small), 0);
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", small.port);
    for (int i = 0; i < 3; i++)
        client_init(&c[i]);
    CHECK_OK(client_open_url(&c[0], url, 5), c[0].diag);
    CHECK_OK(client_open_url(&c[1], url, 5), c[1].diag);
    assert_int_equal(client_open_url(&c[2], url, 5), ITS_ELIMIT);
    CHECK_CONTAINS(c[2].diag.text, "max number of clients");
    client_close(&c[2]);
    client_close(&c[1]);
    int64_t until = in_seconds(5);
    while (client_open_url(&c[2], url, 5) && itsi_now_ns() < until) /* until the server has noticed */
        client_close(&c[2]);
    assert_int_equal(c[2].open_rc, 0);
    client_close(&c[2]);
    client_close(&c[0]);
    for (int i = 0; i < 3; i++)
        client_fini(&c[i]);
    redis_end(&small);
}

/* --- bounds ------------------------------------------------------------------------------------------------------- */

static void large_values_pass_and_larger_ones_do_not(void **state)
{
    (void)state;
    struct client c;
    struct asked a;
    open_usual(&c);
    client_ask(&c, &a, 5, "SETRANGE", "large", "10485759", "x");
    assert_int_equal(a.integer, 10 << 20);
    client_ask(&c, &a, 5, "GET", "large");
    assert_int_equal(a.type, ITSI_REDIS_STRING);
    client_ask(&c, &a, 30, "SETRANGE", "larger", "104857599", "x");
    client_ask(&c, &a, 30, "GET", "larger");
    assert_int_equal(a.rc, ITS_ELIMIT);
    assert_int_equal(c.lost, 1);
    asked_init(&a, 1);
    itsi_redis_words(&a.bytes, "PING");
    assert_int_equal(asked_send(&a, &c, 1), ITS_EEOF);
    itsi_buf_fini(&a.bytes);
    close_usual(&c);
}

static void closing_answers_what_is_in_flight(void **state)
{
    (void)state;
    struct client c;
    struct asked a[3];
    open_usual(&c);
    for (int i = 0; i < 3; i++) {
        asked_init(&a[i], 5);
        itsi_redis_words(&a[i].bytes, "BLPOP", "nothing", "5");
        assert_int_equal(asked_send(&a[i], &c, 1), 0);
    }
    close_usual(&c);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(a[i].done, 1);
        assert_int_equal(a[i].rc, ITS_ECANCELLED);
        itsi_buf_fini(&a[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_in_order),
        cmocka_unit_test(several_replies_belong_to_one_exchange),
        cmocka_unit_test(reaches_a_socket_and_a_database),
        cmocka_unit_test(says_why_it_cannot_open),
        cmocka_unit_test(signs_in_as_a_user),
        cmocka_unit_test(keeps_the_password_from_messages),
        cmocka_unit_test(says_that_a_server_is_full),
        cmocka_unit_test(large_values_pass_and_larger_ones_do_not),
        cmocka_unit_test(closing_answers_what_is_in_flight),
    };
    return cmocka_run_group_tests(tests, start_server, end_server);
}
