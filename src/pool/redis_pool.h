/* Redis for everybody: commands go through a lease pool (pool/lease.h) to wherever they belong, be it one server, the
 * master that sentinels name, or a node of a cluster, and are tried again where that is safe.
 *
 *   request ──▶ node (by key's slot) ──▶ lease ──▶ exchange ──▶ replies
 *                 ▲                                   │ MOVED, ASK: that node    READONLY: the new master
 *                 └───────────────────────────────────┘ timed out, connection lost: once more, if idempotent
 *
 * A request holds a connection only while its commands are on their way. Its memory is its owner's and used again, so
 * that a steady state allocates nothing. */
#ifndef ITSI_POOL_REDIS_POOL_H
#define ITSI_POOL_REDIS_POOL_H

#include "base/buf.h"
#include "config/config.h"
#include "net/loop.h"
#include "pool/lease.h"
#include "pool/redis.h"

struct itsi_redis;

/* url: `redis_url`. Connects in the background: success says nothing about the server. Neither from the loop's thread.
 * ITS_EINVAL names the part of the URL or the file that is wrong. */
ITS_NODISCARD int itsi_redis_create(struct itsi_redis **out, struct itsi_loop *loop, const char *url,
                                    const struct its_cfg_connection_pool *cfg, struct its_diag *diag);
/* Requests on their way have until `deadline`, then end with ITS_ECANCELLED; all are done when it returns. Takes NULL. */
void itsi_redis_destroy(struct itsi_redis *redis, int64_t deadline);

/* Live options. Any thread but the loop's. */
void itsi_redis_configure(struct itsi_redis *redis, const struct its_cfg_connection_pool *cfg);

/* Commands to be carried out together on one connection, in order. In a cluster they go to the slot of the first one's
 * first argument, and a redirect is followed where there is one command; several should share a {tag}. */
struct itsi_redis_request {
    /* the owner's: zeroed, then set before each start */
    struct itsi_pool_owner owner;
    int64_t deadline; /* for all of it: waiting for a connection, tries, redirects */
    bool is_idempotent; /* may be carried out twice */
    struct itsi_buf bytes; /* by itsi_redis_request_add; the owner frees it in the end (itsi_buf_fini) */
    int commands, slot;
    /* Each on the loop's thread. `reply` (may be NULL) for each command, valid during the call; after a retry it begins
     * at index 0 again. `done` once; rc 0: each command was answered, if only by an error. Else, of a request that is not
     * idempotent, it is not known whether it was carried out, unless ITS_EREFUSED says that it never left. `done` may free
     * the request or start it again. */
    void (*reply)(struct itsi_redis_request *request, int index, const struct itsi_redis_reply *reply);
    void (*done)(struct itsi_redis_request *request, int rc, const struct its_diag *diag);
    void *self;

    /* the pool's own */
    struct itsi_redis *redis;
    struct itsi_redis_node *node;
    struct itsi_loop_task task;
    struct itsi_pool_request borrowing;
    struct itsi_lease lease;
    struct itsi_redis_exchange exchange;
    void *waiting; /* the thread in itsi_redis_command */
    int64_t sent_ns;
    int hops;     /* redirects and connections found stale so far */
    bool retried; /* once is all */
    bool is_replica; /* it was asked to write, and may not: the master is elsewhere */
    int verdict;  /* enum itsi_redis_problem of a reply that is kept back, to be followed */
    struct itsi_redis_host target;
};

/* Forgets the commands; the memory stays. */
void itsi_redis_request_reset(struct itsi_redis_request *request);
/* lens NULL: text. */
void itsi_redis_request_add(struct itsi_redis_request *request, int argc, const char *const *argv, const size_t *lens);
#define itsi_redis_request_words(request, ...)                                                                         \
    itsi_redis_request_add(request, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                     \
                           (const char *[]){__VA_ARGS__}, NULL)

/* Any thread. Without commands, or when there was no memory for them: done with ITS_EINVAL, ITS_ENOMEM. */
void itsi_redis_start(struct itsi_redis *redis, struct itsi_redis_request *request);
/* The same for a thread that waits (any but the loop's): returns what `done` would be told, and calls none. `reply` still
 * runs on the loop's thread, while this one waits. */
ITS_NODISCARD int itsi_redis_command(struct itsi_redis *redis, struct itsi_redis_request *request, struct its_diag *diag);

struct itsi_redis_stats {
    uint64_t requests, retries, redirects, failovers; /* failovers: the master had become another */
    double latency_seconds; /* moving median of an exchange; 0: none yet */
    int nodes;
};
/* Any thread. */
void itsi_redis_stats(struct itsi_redis *redis, struct itsi_redis_stats *out);
/* The lease pools under it, for metrics and health: node 0 is the server or master, others are a cluster's; NULL beyond
 * the last. They live as long as `redis`. Any thread. */
struct itsi_pool *itsi_redis_node_pool(struct itsi_redis *redis, int index);
/* Where that is: `redis_url` without user and passwords, or a cluster's "host:port". Any thread. */
void itsi_redis_node_address(struct itsi_redis *redis, int index, char *out, size_t size);

#endif
