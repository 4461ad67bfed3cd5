/* The Redis pool where there are several servers: sentinels that name another master, a cluster that redirects. */
#include "redis_server.h"

#include "pool/redis_slot.h"
#include "redis_load.h"
#include "redis_loop.h"

#include <signal.h>

#define NAME "its-topology"

enum { SENTINELS = 3, NODES = 3 };

static struct load load;

/* --- sentinels ---------------------------------------------------------------------------------------------------- */

struct watched {
    struct redis_server master, replica;
    struct redis_server sentinels[SENTINELS];
};

static void start_sentinel(struct redis_server *s, int master_port)
{
    char path[96];
    redis_prepare(s, NULL);
    snprintf(path, sizeof path, "%s/sentinel.conf", s->folder);
    FILE *file = fopen(path, "w");
    fprintf(file,
            "port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor main 127.0.0.1 %d 2\n"
            "sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n",
            s->port, s->folder, master_port);
    fclose(file);
    s->argc = 0;
    redis_word(s, "redis-server");
    redis_word(s, path);
    redis_word(s, "--sentinel");
    assert_int_equal(redis_start(s), 0);
}

static void start_watched(struct watched *w)
{
    char port[16];
    redis_prepare(&w->master, (const char *const[]){"--repl-diskless-sync-delay", "0", NULL});
    assert_int_equal(redis_start(&w->master), 0);
    snprintf(port, sizeof port, "%d", w->master.port);
    redis_prepare(&w->replica, (const char *const[]){"--replicaof", "127.0.0.1", port, "--repl-diskless-sync-delay", "0", NULL});
    assert_int_equal(redis_start(&w->replica), 0);
    assert_true(redis_wait_for(w->replica.port, "INFO replication", "master_link_status:up", 10));
    for (int i = 0; i < SENTINELS; i++)
        start_sentinel(&w->sentinels[i], w->master.port);
    for (int i = 0; i < SENTINELS; i++) {
        assert_true(redis_wait_for(w->sentinels[i].port, "SENTINEL MASTER main", "num-slaves\r\n$1\r\n1\r\n", 15));
        assert_true(redis_wait_for(w->sentinels[i].port, "SENTINEL MASTER main", "num-other-sentinels\r\n$1\r\n2\r\n", 15));
    }
}

static void end_watched(struct watched *w)
{
    for (int i = 0; i < SENTINELS; i++)
        redis_end(&w->sentinels[i]);
    redis_end(&w->replica);
    redis_end(&w->master);
}

static void watched_url(const struct watched *w, char out[256])
{
    /* the first has nobody behind it: the next is asked */
    snprintf(out, 256, "redis+sentinel://127.0.0.1:%d,127.0.0.1:%d,127.0.0.1:%d,127.0.0.1:%d/main?client_name=" NAME
             "&socket_timeout=0.5&socket_connect_timeout=0.5",
             free_port(), w->sentinels[0].port, w->sentinels[1].port, w->sentinels[2].port);
}

static void report(const char *what, int64_t since)
{
    int64_t last = atomic_load(&load.last_failure);
    printf("%s: %d acknowledged, %d failed, the last of them %.2f s after it\n", what, atomic_load(&load.acknowledged),
           atomic_load(&load.failed), last > since ? (double)(last - since) / 1e9 : 0.0);
}

/* Killed: what it had acknowledged with its replica is there, and writes go on at the new master. */
static void the_master_dies(void **state)
{
    (void)state;
    static struct watched w;
    char url[256];
    struct itsi_redis_stats stats;
    start_watched(&w);
    watched_url(&w, url);
    struct itsi_redis *redis = load_open(loop, url, 4, 8);
    atomic_store(&load.with_wait, true);
    load_start(&load, redis, 1);
    load_wait_for(&load, 200, 20);
    atomic_store(&load.with_wait, false); /* the new master has no replica */
    child_end(&w.master.pid, SIGKILL);
    int64_t killed = itsi_now_ns();
    load_wait_for(&load, 200, 60);
    load_stop(&load);
    report("the master died (down after 0.5 s)", killed);
    assert_true(redis_wait_for(w.replica.port, "ROLE", "master", 1));
    load_check_kept(&load);
    itsi_redis_stats(redis, &stats);
    assert_true(stats.failovers > 0);
    load_check_leaks(redis, w.replica.port, NAME);
    load_close(redis, w.replica.port, NAME);
    end_watched(&w);
}

/* Two hosts in the URL. Demoted without a word: connections to it live on, and it answers READONLY; the other takes over. */
static void the_master_becomes_a_replica(void **state)
{
    (void)state;
    struct redis_server one, other;
    struct its_diag diag;
    struct answer answer;
    struct itsi_redis_stats stats;
    char url[160], port[16], line[64];
    redis_prepare(&one, NULL);
    assert_int_equal(redis_start(&one), 0);
    snprintf(port, sizeof port, "%d", one.port);
    redis_prepare(&other, (const char *const[]){"--replicaof", "127.0.0.1", port, NULL});
    assert_int_equal(redis_start(&other), 0);
    assert_true(redis_wait_for(other.port, "INFO replication", "master_link_status:up", 10));
    snprintf(url, sizeof url, "redis://127.0.0.1:%d,127.0.0.1:%d?client_name=" NAME, one.port, other.port);
    struct itsi_redis *redis = load_open(loop, url, 4, 8);
    load_start(&load, redis, 2);
    load_wait_for(&load, 500, 20);
    assert_true(redis_wait_for(other.port, "REPLICAOF NO ONE", "+OK", 1));
    snprintf(line, sizeof line, "REPLICAOF 127.0.0.1 %d", other.port);
    assert_true(redis_wait_for(one.port, line, "+OK", 1));
    int64_t swapped = itsi_now_ns();
    load_wait_for(&load, 500, 20);
    load_stop(&load);
    report("master and replica changed places", swapped);
    itsi_redis_stats(redis, &stats);
    assert_true(stats.failovers > 0 && stats.redirects > 0);
    CHECK_OK(load_ask(redis, &answer, &diag, 5, "SET", "after", "all"), diag);
    assert_string_equal(answer.text, "OK");
    assert_true(redis_wait_for(other.port, "GET after", "all", 1));
    load_check_leaks(redis, other.port, NAME);
    load_close(redis, other.port, NAME);
    assert_int_equal(redis_clients(one.port, NAME), 0);
    redis_end(&other);
    redis_end(&one);
}

static void no_sentinel_knows(void **state)
{
    (void)state;
    char url[160];
    struct its_diag diag;
    struct answer answer;
    snprintf(url, sizeof url, "redis+sentinel://127.0.0.1:%d,127.0.0.1:%d/main", free_port(), free_port());
    struct itsi_redis *redis = load_open(loop, url, 2, 4);
    (void)load_ask(redis, &answer, &diag, 0.5, "PING");
    assert_int_equal(load_ask(redis, &answer, &diag, 0.5, "PING"), ITS_EREFUSED);
    CHECK_CONTAINS(diag.text, "no sentinel knows");
    itsi_redis_destroy(redis, 0);
}

/* --- a cluster ---------------------------------------------------------------------------------------------------- */

static struct redis_server nodes[NODES];

static int start_cluster(void **state)
{
    (void)state;
    char address[NODES][32];
    for (int i = 0; i < NODES; i++) {
        redis_prepare(&nodes[i], (const char *const[]){"--cluster-enabled", "yes", "--cluster-node-timeout", "2000", NULL});
        char bus[16];
        snprintf(bus, sizeof bus, "%d", free_port()); /* the usual one, port + 10000, may not exist */
        redis_word(&nodes[i], "--cluster-port");
        redis_word(&nodes[i], bus);
        if (redis_start(&nodes[i]))
            return -1;
        snprintf(address[i], sizeof address[i], "127.0.0.1:%d", nodes[i].port);
    }
    const char *const create[] = {"redis-cli",  "--cluster",          "create", address[0],     address[1],
                                  address[2],   "--cluster-replicas", "0",      "--cluster-yes", NULL};
    if (run_program(create))
        return -1;
    for (int i = 0; i < NODES; i++)
        if (!redis_wait_for(nodes[i].port, "CLUSTER INFO", "cluster_state:ok", 20))
            return -1;
    return 0;
}

static int end_cluster(void **state)
{
    (void)state;
    for (int i = 0; i < NODES; i++)
        redis_end(&nodes[i]);
    return 0;
}

static struct itsi_redis *open_cluster(void)
{
    char url[160];
    snprintf(url, sizeof url, "redis://127.0.0.1:%d?client_name=" NAME, nodes[0].port);
    return load_open(loop, url, 2, 4);
}

/* Through a node's socket: the others are called as they say, which is over TCP. */
static void a_socket_may_be_a_cluster_s(void **state)
{
    (void)state;
    struct its_diag diag;
    struct answer answer;
    char url[160], key[16];
    snprintf(url, sizeof url, "unix://%s/redis.sock?client_name=" NAME, nodes[0].folder);
    struct itsi_redis *redis = load_open(loop, url, 2, 4);
    for (int i = 0; i < 50; i++) {
        snprintf(key, sizeof key, "socket%d", i);
        CHECK_OK(load_ask(redis, &answer, &diag, 5, "SET", key, "v"), diag);
        assert_string_equal(answer.text, "OK");
        CHECK_OK(load_ask(redis, &answer, &diag, 5, "DEL", key), diag);
        assert_int_equal(answer.integer, 1);
    }
    itsi_redis_destroy(redis, in_seconds(1));
}

static void finds_keys_where_they_are(void **state)
{
    (void)state;
    struct itsi_redis_stats stats;
    struct itsi_redis *redis = open_cluster();
    atomic_store(&load.with_wait, false);
    load_start(&load, redis, 5);
    load_wait_for(&load, 3000, 30);
    load_stop(&load);
    assert_int_equal(atomic_load(&load.failed), 0);
    load_check_kept(&load);
    itsi_redis_stats(redis, &stats);
    printf("cluster: %d writes, %d redirects, %d nodes\n", atomic_load(&load.acknowledged), (int)stats.redirects, stats.nodes);
    assert_int_equal(stats.nodes, NODES);
    /* the first few, until the slots have been learnt */
    assert_true(stats.redirects > 0 && stats.redirects < 500);
    int keys = 0;
    for (int i = 0; i < NODES; i++) {
        char size[64];
        assert_true(redis_ask(nodes[i].port, "DBSIZE", size, sizeof size));
        keys += atoi(size + 1);
        assert_true(atoi(size + 1) > 0);
    }
    assert_int_equal(keys, atomic_load(&load.acknowledged));
    itsi_redis_destroy(redis, in_seconds(1));
    for (int i = 0; i < NODES; i++)
        assert_int_equal(redis_clients(nodes[i].port, NAME), 0);
}

static void tell_node(int port, const char *format, int slot, const char *more)
{
    char line[160];
    snprintf(line, sizeof line, format, slot, more);
    assert_true(redis_wait_for(port, line, "+OK", 2));
}

/* A slot on its way from one node to another: keys that are not there yet are asked for at the other, and no more. */
static void asks_where_a_slot_goes(void **state)
{
    (void)state;
    const char *key = "asked";
    int slot = itsi_redis_slot(key, strlen(key)), from = -1;
    char ids[NODES][48], line[96], out[256];
    for (int i = 0; i < NODES; i++) {
        assert_true(redis_ask(nodes[i].port, "CLUSTER MYID", out, sizeof out));
        snprintf(ids[i], sizeof ids[i], "%.40s", strchr(out, '\n') + 1);
        snprintf(line, sizeof line, "GET %s", key);
        assert_true(redis_ask(nodes[i].port, line, out, sizeof out));
        if (out[0] == '$')
            from = i;
    }
    assert_true(from >= 0);
    int to = (from + 1) % NODES;
    tell_node(nodes[to].port, "CLUSTER SETSLOT %d IMPORTING %s", slot, ids[from]);
    tell_node(nodes[from].port, "CLUSTER SETSLOT %d MIGRATING %s", slot, ids[to]);

    struct its_diag diag;
    struct answer answer;
    struct itsi_redis *redis = open_cluster();
    CHECK_OK(load_ask(redis, &answer, &diag, 5, "SET", key, "there"), diag);
    assert_string_equal(answer.text, "OK");
    CHECK_OK(load_ask(redis, &answer, &diag, 5, "GET", key), diag);
    assert_string_equal(answer.text, "there");
    snprintf(line, sizeof line, "CLUSTER COUNTKEYSINSLOT %d", slot);
    assert_true(redis_wait_for(nodes[to].port, line, ":1", 1));
    assert_true(redis_wait_for(nodes[from].port, line, ":0", 1));
    for (int i = 0; i < NODES; i++) /* the move ends; what we knew is corrected by MOVED */
        tell_node(nodes[i].port, "CLUSTER SETSLOT %d NODE %s", slot, ids[to]);
    CHECK_OK(load_ask(redis, &answer, &diag, 5, "GET", key), diag);
    assert_string_equal(answer.text, "there");
    itsi_redis_destroy(redis, in_seconds(1));
}

/* A node is killed: its slots are refused by name and at once, the others' are served; when it is back so are its. */
static void a_node_dies(void **state)
{
    (void)state;
    struct its_diag diag;
    struct answer answer;
    struct itsi_redis *redis = open_cluster();
    for (int i = 0; i < 100; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        CHECK_OK(load_ask(redis, &answer, &diag, 5, "SET", key, "v"), diag);
        assert_string_equal(answer.text, "OK");
    }
    child_end(&nodes[2].pid, SIGKILL);
    int served = 0, refused = 0;
    for (int i = 0; i < 100; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        int rc = load_ask(redis, &answer, &diag, 1, "GET", key);
        served += rc == 0 && answer.type == ITSI_REDIS_STRING;
        refused += rc != 0 || answer.type == ITSI_REDIS_ERROR;
    }
    assert_int_equal(served + refused, 100);
    assert_true(refused > 0);
    assert_int_equal(redis_start(&nodes[2]), 0);
    int64_t back = itsi_now_ns();
    for (int i = 0; i < NODES; i++)
        assert_true(redis_wait_for(nodes[i].port, "CLUSTER INFO", "cluster_state:ok", 20));
    int64_t agreed = itsi_now_ns(), whole = 0;
    while (!whole) {
        int good = 0;
        for (int i = 0; i < 100; i++) {
            char key[16];
            snprintf(key, sizeof key, "k%d", i);
            good += load_ask(redis, &answer, &diag, 1, "SET", key, "w") == 0 && answer.type == ITSI_REDIS_STATUS;
        }
        whole = good == 100 ? itsi_now_ns() : 0;
        assert_true(itsi_now_ns() < agreed + 20 * ITSI_NS_PER_S);
    }
    printf("a node died: %d of 100 served meanwhile; all of them again %.2f s after it was back, %.2f s after the cluster said so\n",
           served, (double)(whole - back) / 1e9, (double)(whole - agreed) / 1e9);
    itsi_redis_destroy(redis, in_seconds(1));
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest sentinels[] = {
        cmocka_unit_test_setup_teardown(the_master_dies, start_loop, end_loop),
        cmocka_unit_test_setup_teardown(the_master_becomes_a_replica, start_loop, end_loop),
        cmocka_unit_test_setup_teardown(no_sentinel_knows, start_loop, end_loop),
    };
    const struct CMUnitTest cluster[] = {
        cmocka_unit_test_setup_teardown(a_socket_may_be_a_cluster_s, start_loop, end_loop),
        cmocka_unit_test_setup_teardown(finds_keys_where_they_are, start_loop, end_loop),
        cmocka_unit_test_setup_teardown(asks_where_a_slot_goes, start_loop, end_loop),
        cmocka_unit_test_setup_teardown(a_node_dies, start_loop, end_loop),
    };
    int failed = cmocka_run_group_tests(sentinels, NULL, NULL);
    return cmocka_run_group_tests(cluster, start_cluster, end_cluster) + failed;
}
