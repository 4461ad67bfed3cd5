/* Threads that write through a Redis pool while something is done to the server, and the books on what was acknowledged. */
#ifndef ITS_TESTS_REDIS_LOAD_H
#define ITS_TESTS_REDIS_LOAD_H

#include "support/check.h"

#include "base/clock.h"
#include "config/config.h"
#include "pool/lease_stats.h"
#include "pool/redis_pool.h"

#include <pthread.h>
#include <stdatomic.h>

enum { LOAD_THREADS = 8, LOAD_KEYS = 20000 };

struct load {
    struct itsi_redis *redis;
    double patience; /* seconds a request has */
    _Atomic bool with_wait; /* acknowledged only when a replica has it too */
    _Atomic bool stop;
    _Atomic int acknowledged, failed;
    _Atomic int64_t last_failure; /* when a request failed last */
    pthread_t threads[LOAD_THREADS];
    _Atomic int next_key;
    _Atomic unsigned char is_kept[LOAD_KEYS]; /* acknowledged */
    struct its_diag diag[LOAD_THREADS];       /* each one's last failure */
    _Atomic int next_thread;
};

static inline int64_t in_seconds(double seconds) { return itsi_now_ns() + (int64_t)(seconds * 1e9); }

/* Defaults of the options, with fewer connections. */
static inline struct its_cfg_connection_pool *load_config(struct its_cfg *cfg, int size, int most)
{
    struct its_diag diag;
    CHECK_OK(its_cfg_init(cfg, &diag), diag);
    cfg->connection_pool.redis_pool_size = size;
    cfg->connection_pool.redis_max_connections = most;
    return &cfg->connection_pool;
}

static inline struct itsi_redis *load_open(struct itsi_loop *loop, const char *url, int size, int most)
{
    struct its_cfg cfg;
    struct its_diag diag;
    struct itsi_redis *redis = NULL;
    CHECK_OK(itsi_redis_create(&redis, loop, url, load_config(&cfg, size, most), &diag), diag);
    its_cfg_fini(&cfg);
    return redis;
}

struct answer {
    enum itsi_redis_type type;
    int64_t integer;
    char text[128];
    int replies;
    bool is_error; /* one of them was */
};

static inline void load_on_reply(struct itsi_redis_request *request, int index, const struct itsi_redis_reply *reply)
{
    struct answer *a = request->self;
    if (index == 0)
        *a = (struct answer){0};
    a->replies++;
    a->type = reply->type;
    a->integer = reply->integer;
    a->is_error |= reply->type == ITSI_REDIS_ERROR;
    snprintf(a->text, sizeof a->text, "%s", reply->text ? reply->text : "");
}

static inline void load_prepare(struct itsi_redis_request *request, struct answer *answer, double seconds, bool is_idempotent)
{
    itsi_redis_request_reset(request);
    request->owner = (struct itsi_pool_owner){.component = "test", .stage = "load"};
    request->self = answer;
    request->deadline = in_seconds(seconds);
    request->is_idempotent = is_idempotent;
    request->reply = load_on_reply;
}

/* One command, waited for. */
#define load_ask(redis, answer, diag, seconds, ...)                                                                    \
    load_ask_words(redis, answer, diag, seconds, (const char *[]){__VA_ARGS__, NULL})

static inline int load_ask_words(struct itsi_redis *redis, struct answer *answer, struct its_diag *diag, double seconds,
                                 const char *const *words)
{
    struct itsi_redis_request request = {0};
    int argc = 0;
    while (words[argc])
        argc++;
    load_prepare(&request, answer, seconds, true);
    itsi_redis_request_add(&request, argc, words, NULL);
    int rc = itsi_redis_command(redis, &request, diag);
    itsi_buf_fini(&request.bytes);
    return rc;
}

static inline void load_write(struct load *load, struct itsi_redis_request *request, struct its_diag *diag, int key)
{
    struct answer answer = {0};
    char name[32], value[32];
    bool with_wait = atomic_load(&load->with_wait);
    snprintf(name, sizeof name, "key:%d", key);
    snprintf(value, sizeof value, "%d", key);
    load_prepare(request, &answer, load->patience, true);
    itsi_redis_request_words(request, "SET", name, value);
    if (with_wait)
        itsi_redis_request_words(request, "WAIT", "1", "300");
    int rc = itsi_redis_command(load->redis, request, diag);
    if (rc == 0 && !answer.is_error && (!with_wait || answer.integer >= 1)) {
        atomic_store(&load->is_kept[key], 1);
        atomic_fetch_add(&load->acknowledged, 1);
        return;
    }
    if (rc == 0)
        snprintf(diag->text, sizeof diag->text, "%s", answer.text);
    atomic_store(&load->last_failure, itsi_now_ns());
    atomic_fetch_add(&load->failed, 1);
    itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS); /* as a caller does whose work failed at once */
}

static inline void *load_run(void *arg)
{
    struct load *load = arg;
    struct itsi_redis_request request = {0};
    int me = atomic_fetch_add(&load->next_thread, 1);
    while (!atomic_load(&load->stop))
        load_write(load, &request, &load->diag[me], atomic_fetch_add(&load->next_key, 1) % LOAD_KEYS);
    itsi_buf_fini(&request.bytes);
    return NULL;
}

static inline void load_start(struct load *load, struct itsi_redis *redis, double patience)
{
    bool with_wait = atomic_load(&load->with_wait);
    memset(load, 0, sizeof *load);
    atomic_store(&load->with_wait, with_wait);
    load->redis = redis;
    load->patience = patience;
    for (int i = 0; i < LOAD_THREADS; i++)
        assert_int_equal(pthread_create(&load->threads[i], NULL, load_run, load), 0);
}

/* Waits until so many more have been acknowledged than there were. */
static inline void load_wait_for(struct load *load, int more, double seconds)
{
    int wanted = atomic_load(&load->acknowledged) + more;
    int64_t until = in_seconds(seconds);
    while (atomic_load(&load->acknowledged) < wanted) {
        if (itsi_now_ns() > until)
            fail_msg("%d acknowledged of %d after %g s, %d failed: %s", atomic_load(&load->acknowledged), wanted, seconds,
                     atomic_load(&load->failed), load->diag[0].text);
        itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
    }
}

static inline void load_stop(struct load *load)
{
    atomic_store(&load->stop, true);
    for (int i = 0; i < LOAD_THREADS; i++)
        pthread_join(load->threads[i], NULL);
}

/* Every acknowledged write is there. */
static inline void load_check_kept(struct load *load)
{
    struct its_diag diag;
    struct answer answer;
    char name[32];
    int kept = 0;
    for (int key = 0; key < LOAD_KEYS; key++) {
        if (!atomic_load(&load->is_kept[key]))
            continue;
        snprintf(name, sizeof name, "key:%d", key);
        CHECK_OK(load_ask(load->redis, &answer, &diag, 5, "GET", name), diag);
        if (answer.type != ITSI_REDIS_STRING || atoi(answer.text) != key)
            fail_msg("%s was acknowledged and is not there: %s", name, answer.text);
        kept++;
    }
    assert_true(kept > 0);
}

/* No lease is out, nobody waits, and the server has as many connections of ours as the pool knows of. */
static inline void load_check_leaks(struct itsi_redis *redis, int port, const char *name)
{
    struct itsi_pool_stats stats = {0};
    struct its_diag diag;
    int there = -1;
    int64_t until = in_seconds(5);
    do { /* opened and closed ones pass by: both counts are to agree at some time */
        CHECK_OK(itsi_pool_stats(itsi_redis_node_pool(redis, 0), &stats, &diag), diag);
        there = redis_clients(port, name);
        if (stats.in_use == 0 && stats.waiting == 0 && there == stats.size && there == stats.idle)
            break;
        itsi_sleep_until_ns(itsi_now_ns() + 5 * ITSI_NS_PER_MS);
    } while (itsi_now_ns() < until);
    assert_int_equal(stats.in_use, 0);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal(there, stats.size);
    assert_true(stats.size <= stats.most);
    assert_int_equal(stats.stale, 0);
    assert_int_equal(stats.leaks, 0);
}

static inline void load_close(struct itsi_redis *redis, int port, const char *name)
{
    itsi_redis_destroy(redis, in_seconds(1));
    int64_t until = in_seconds(5);
    while (redis_clients(port, name) > 0 && itsi_now_ns() < until)
        itsi_sleep_until_ns(itsi_now_ns() + 2 * ITSI_NS_PER_MS);
    assert_int_equal(redis_clients(port, name), 0);
}

#endif
