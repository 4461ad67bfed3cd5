/* GETs through the Redis pool: so many callers, each with one request of so many commands on its way at any time, as
 * redis-benchmark -c -P does it on bare connections. Every request takes a lease and gives it back.
 *
 * usage: bench_redis PORT CALLERS COMMANDS SECONDS KEY      prints one JSON line */
#include "base/clock.h"
#include "base/thread.h"
#include "config/config.h"
#include "pool/redis_pool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MOST_CALLERS = 1000 };

struct run {
    struct itsi_redis *redis;
    int64_t until;
    int callers;
    uint64_t replies, bytes, failed; /* the loop's thread */
    struct itsi_event over;
};

static void on_reply(struct itsi_redis_request *request, int index, const struct itsi_redis_reply *reply)
{
    (void)index;
    struct run *run = request->self;
    if (reply->type == ITSI_REDIS_STRING) {
        run->replies++;
        run->bytes += reply->len;
    } else {
        run->failed++;
    }
}

static void on_done(struct itsi_redis_request *request, int rc, const struct its_diag *diag)
{
    struct run *run = request->self;
    int64_t now = itsi_now_ns();
    if (rc) {
        fprintf(stderr, "%s\n", diag->text);
        run->failed++;
    }
    if (now < run->until && !rc) {
        request->deadline = now + 5 * ITSI_NS_PER_S;
        itsi_redis_start(run->redis, request);
    } else if (--run->callers == 0) {
        itsi_event_set(&run->over);
    }
}

static int64_t cpu_so_far(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * ITSI_NS_PER_S +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * ITSI_NS_PER_US;
}

/* Keeps all callers busy for so long. */
static int spin(struct run *run, struct itsi_redis_request *requests, int callers, double seconds)
{
    run->callers = callers;
    run->replies = run->bytes = 0;
    itsi_event_init(&run->over);
    run->until = itsi_now_ns() + (int64_t)(seconds * 1e9);
    for (int i = 0; i < callers; i++) {
        requests[i].deadline = itsi_now_ns() + 10 * ITSI_NS_PER_S;
        itsi_redis_start(run->redis, &requests[i]);
    }
    itsi_event_wait_until(&run->over, ITSI_NEVER);
    itsi_event_fini(&run->over);
    return run->failed ? -1 : 0;
}

int main(int argc, char **argv)
{
    static struct itsi_redis_request requests[MOST_CALLERS];
    static struct run run;
    struct its_diag diag;
    struct its_cfg cfg;
    struct itsi_loop *loop;
    char url[64];
    int callers = argc == 6 ? atoi(argv[2]) : 0, commands = argc == 6 ? atoi(argv[3]) : 0;
    if (callers < 1 || callers > MOST_CALLERS || commands < 1) {
        fprintf(stderr, "usage: bench_redis PORT CALLERS COMMANDS SECONDS KEY\n");
        return 2;
    }
    snprintf(url, sizeof url, "redis://127.0.0.1:%s", argv[1]);
    if (its_cfg_init(&cfg, &diag) || itsi_loop_create(&loop, "bench-loop", &diag)) {
        fprintf(stderr, "%s\n", diag.text);
        return 1;
    }
    cfg.connection_pool.redis_pool_size = cfg.connection_pool.redis_max_connections = callers;
    if (itsi_redis_create(&run.redis, loop, url, &cfg.connection_pool, &diag)) {
        fprintf(stderr, "%s\n", diag.text);
        return 1;
    }
    for (int i = 0; i < callers; i++) {
        requests[i].owner = (struct itsi_pool_owner){"bench", "get", 0};
        requests[i].reply = on_reply;
        requests[i].done = on_done;
        requests[i].self = &run;
        itsi_redis_request_reset(&requests[i]);
        for (int k = 0; k < commands; k++)
            itsi_redis_request_words(&requests[i], "GET", argv[5]);
    }
    int rc = spin(&run, requests, callers, 0.5); /* all connections are open after it */
    int64_t start = itsi_now_ns(), cpu = cpu_so_far();
    if (!rc)
        rc = spin(&run, requests, callers, atof(argv[4]));
    double seconds = (double)(itsi_now_ns() - start) / 1e9;
    printf("{\"gets_per_second\": %.0f, \"cpu_us_per_get\": %.3f, \"bytes\": %" PRIu64 "}\n", (double)run.replies / seconds,
           (double)(cpu_so_far() - cpu) / 1e3 / (double)run.replies, run.bytes);
    itsi_redis_destroy(run.redis, itsi_now_ns() + ITSI_NS_PER_S);
    itsi_loop_destroy(loop);
    for (int i = 0; i < callers; i++)
        itsi_buf_fini(&requests[i].bytes);
    its_cfg_fini(&cfg);
    return rc ? 1 : 0;
}
