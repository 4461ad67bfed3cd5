/* The Redis pool and servers that no real one is: a cluster whose nodes move on and on, redirects that lead nowhere,
 * sentinels that answer nonsense. */
#include "redis_fake.h"
#include "redis_server.h"

#include "redis_load.h"
#include "redis_loop.h"

#include <sched.h>
#include <signal.h>

static struct fake fake;

/* --- a cluster ------------------------------------------------------------------------------------------------------ */

static _Atomic int owner; /* of all slots: 127.0.0.owner */

/* As after each rolling restart where addresses are given out anew. */
static void answer_as_a_cluster_that_moves(int fd, const struct fake_command *command)
{
    if (strcmp(command->words[0], "CLUSTER") == 0)
        dprintf(fd, "-ERR not now\r\n");
    else if (command->host != atomic_load(&owner))
        dprintf(fd, "-MOVED 1 127.0.0.%d:%d\r\n", atomic_load(&owner), fake.port);
    else
        dprintf(fd, "$5\r\nvalue\r\n");
}

/* As the metrics do: where each node is, again and again. */
struct looker {
    struct itsi_redis *redis;
    _Atomic bool stop;
    int looked, strange;
};

static void *look_at_addresses(void *arg)
{
    struct looker *l = arg;
    do {
        for (int i = 0; itsi_redis_node_pool(l->redis, i); i++) {
            char address[300];
            int host, port = 0;
            itsi_redis_node_address(l->redis, i, address, sizeof address);
            l->strange += sscanf(address, i ? "127.0.0.%d:%d" : "redis://127.0.0.%d:%d", &host, &port) != 2 || port != fake.port;
            l->looked++;
        }
    } while (!atomic_load(&l->stop));
    return NULL;
}

static void the_nodes_of_a_cluster_may_change_for_ever(void **state)
{
    (void)state;
    pthread_t thread;
    struct answer answer;
    struct its_diag diag;
    char url[64];
    struct itsi_redis_stats stats;
    fake_start(&fake, answer_as_a_cluster_that_moves);
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", fake.port);
    struct itsi_redis *redis = load_open(loop, url, 1, 2);
    struct looker looker = {.redis = redis};
    assert_int_equal(pthread_create(&thread, NULL, look_at_addresses, &looker), 0);
    for (int host = 1; host <= 100; host++) {
        atomic_store(&owner, host);
        CHECK_OK(load_ask(redis, &answer, &diag, 5, "GET", "key"), diag);
        assert_string_equal(answer.text, "value");
    }
    atomic_store(&looker.stop, true);
    pthread_join(thread, NULL);
    assert_true(looker.looked >= 100);
    assert_int_equal(looker.strange, 0);
    itsi_redis_stats(redis, &stats);
    assert_true(stats.nodes <= 32);
    itsi_redis_destroy(redis, in_seconds(1));
    fake_end(&fake);
}

/* Each says that the other has it: the caller hears that, in the end. */
static void answer_as_two_that_disagree(int fd, const struct fake_command *command)
{
    if (strcmp(command->words[0], "CLUSTER") == 0)
        dprintf(fd, "-ERR not now\r\n");
    else
        dprintf(fd, "-%s 1 127.0.0.%d:%d\r\n", strcmp(command->words[1], "asked") == 0 ? "ASK" : "MOVED",
                command->host == 1 ? 2 : 1, fake.port);
}

static void redirects_that_go_round_come_to_an_end(void **state)
{
    (void)state;
    static const char *const keys[] = {"moved", "asked"};
    struct answer answer;
    struct its_diag diag;
    char url[64];
    struct itsi_redis_stats stats;
    fake_start(&fake, answer_as_two_that_disagree);
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", fake.port);
    struct itsi_redis *redis = load_open(loop, url, 1, 2);
    for (size_t i = 0; i < 2; i++) {
        CHECK_OK(load_ask(redis, &answer, &diag, 5, "GET", keys[i]), diag);
        assert_int_equal(answer.type, ITSI_REDIS_ERROR);
    }
    itsi_redis_stats(redis, &stats);
    assert_true(stats.redirects <= 16);
    itsi_redis_destroy(redis, in_seconds(1));
    fake_end(&fake);
}

/* --- sentinels ------------------------------------------------------------------------------------------------------ */

static const char *_Atomic nonsense;

static void answer_with_nonsense(int fd, const struct fake_command *command)
{
    (void)command;
    dprintf(fd, "%s", nonsense);
}

static void a_sentinel_s_nonsense_is_no_address(void **state)
{
    (void)state;
    static const char *const all[] = {"+OK\r\n",
                                      ":7\r\n",
                                      "*0\r\n",
                                      "*1\r\n$9\r\n127.0.0.1\r\n",
                                      "*2\r\n:1\r\n:2\r\n",
                                      "*2\r\n$0\r\n\r\n$4\r\n6379\r\n",
                                      "*2\r\n$9\r\n127.0.0.1\r\n$6\r\n637900\r\n",
                                      "*2\r\n$9\r\n127.0.0.1\r\n$2\r\n-1\r\n",
                                      "*2\r\n*0\r\n*0\r\n"};
    struct answer answer;
    struct its_diag diag;
    char url[64];
    fake_start(&fake, answer_with_nonsense);
    snprintf(url, sizeof url, "redis+sentinel://127.0.0.1:%d/main", fake.port);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        nonsense = all[i];
        struct itsi_redis *redis = load_open(loop, url, 1, 2);
        assert_int_equal(load_ask(redis, &answer, &diag, 5, "PING"), ITS_EREFUSED);
        CHECK_CONTAINS(diag.text, "its answer is no address");
        itsi_redis_destroy(redis, 0);
    }
    fake_end(&fake);
}

static _Atomic int questions, delay_us;

/* Each time another, and nobody is there. */
static void answer_with_another_master(int fd, const struct fake_command *command)
{
    (void)command;
    int port = 1 + atomic_fetch_add(&questions, 1) % 2;
    usleep((unsigned)atomic_load(&delay_us));
    dprintf(fd, "*2\r\n$9\r\n127.0.0.1\r\n$1\r\n%d\r\n", port);
}

/* An answer that comes while everything is put away finds nothing to tell it to. */
static void ends_while_a_sentinel_answers(void **state)
{
    (void)state;
    char url[64];
    fake_start(&fake, answer_with_another_master);
    snprintf(url, sizeof url, "redis+sentinel://127.0.0.1:%d/main", fake.port);
    for (int round = 0; round < 20; round++) {
        struct itsi_redis *redis = load_open(loop, url, 1, 2);
        int64_t until = in_seconds(5);
        atomic_store(&questions, 0);
        atomic_store(&delay_us, 200 * round); /* sooner and later within the end */
        while (atomic_load(&questions) < 2) {
            assert_true(itsi_now_ns() < until);
            sched_yield();
        }
        itsi_redis_destroy(redis, 0);
    }
    fake_end(&fake);
}

/* Sentinel and masters in one: says who is the master, or which host it is itself. */
static void answer_who_is_master(int fd, const struct fake_command *command)
{
    if (strcmp(command->words[0], "SENTINEL") == 0)
        dprintf(fd, "*2\r\n$9\r\n127.0.0.%d\r\n$%d\r\n%d\r\n", atomic_load(&owner), fake.port > 9999 ? 5 : 4, fake.port);
    else
        dprintf(fd, ":%d\r\n", command->host);
}

/* Nobody uses the connection; the check that fails is what tells of the master's end. */
static void the_sentinels_are_asked_again_when_a_check_fails(void **state)
{
    (void)state;
    struct its_cfg cfg;
    struct its_diag diag;
    struct answer answer;
    struct itsi_redis *redis;
    struct itsi_pool_stats stats;
    char url[64];
    fake_start(&fake, answer_who_is_master);
    atomic_store(&owner, 1);
    snprintf(url, sizeof url, "redis+sentinel://127.0.0.9:%d/main", fake.port);
    load_config(&cfg, 1, 1)->redis_health_check_interval = 0.1;
    CHECK_OK(itsi_redis_create(&redis, loop, url, &cfg.connection_pool, &diag), diag);
    CHECK_OK(load_ask(redis, &answer, &diag, 5, "WHO"), diag);
    assert_int_equal(answer.integer, 1);
    atomic_store(&owner, 2);
    atomic_store(&fake.mute, 1);
    const int64_t until = in_seconds(10);
    do {
        CHECK_OK(itsi_pool_stats(itsi_redis_node_pool(redis, 0), &stats, &diag), diag);
        assert_true(itsi_now_ns() < until);
        itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
    } while (stats.closed[ITSI_POOL_CLOSED_CHECK] < 1);
    CHECK_OK(load_ask(redis, &answer, &diag, 1, "WHO"), diag);
    assert_int_equal(answer.integer, 2);
    its_cfg_fini(&cfg);
    itsi_redis_destroy(redis, 0);
    fake_end(&fake);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nodes_of_a_cluster_may_change_for_ever),
        cmocka_unit_test(redirects_that_go_round_come_to_an_end),
        cmocka_unit_test(a_sentinel_s_nonsense_is_no_address),
        cmocka_unit_test(ends_while_a_sentinel_answers),
        cmocka_unit_test(the_sentinels_are_asked_again_when_a_check_fails),
    };
    return cmocka_run_group_tests(tests, start_loop, end_loop);
}
