/* The Redis pool from inside. redis_pool.c: making, ending, statistics; redis_request.c: a request's way; redis_node.c: the
 * lease pool's kind; redis_cluster.c: slots and nodes; redis_sentinel.c: which server is the master.
 *
 * Everything is the loop's thread's, but what is said to be atomic. */
#ifndef ITSI_POOL_REDIS_POOL_IMPL_H
#define ITSI_POOL_REDIS_POOL_IMPL_H

#include "metrics/quantile.h"
#include "pool/redis_pool.h"
#include "pool/redis_sentinel.h"
#include "pool/redis_slot.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ITSI_REDIS_NODES = 32 };

/* One resource of a node's lease pool. */
struct itsi_redis_link {
    struct itsi_redis_node *node;
    struct itsi_pool_slot *slot;
    struct itsi_redis_connection *connection; /* NULL: none, or waiting for the sentinels */
    struct itsi_redis_link *next_waiting;
    int64_t deadline;                /* of opening */
    unsigned epoch;                  /* of the node, when it was opened */
    int tried;                       /* of the URL's hosts */
    bool is_opening, is_checking;    /* an answer is due */
    bool is_waiting;                 /* for the sentinels */
    bool is_ending;                  /* the pool wants to hear that it is closed */
    bool is_good;                    /* open, and not known to be lost */
    int rc;                          /* why opening failed */
    struct its_diag diag;
    struct itsi_redis_exchange check;
    int64_t asked_ns;
};

struct itsi_redis_node {
    struct itsi_redis *redis;
    struct itsi_redis_host host; /* of a cluster's; name "": the URL's. Changes with redis->addresses held; the loop reads it without */
    unsigned epoch;              /* counts the servers it has been: links to an earlier one are not lent any more */
    char name[32];               /* of its pool: "redis", "redis-1" */
    struct itsi_pool *pool;
    struct itsi_redis_link *links; /* one for each slot of the pool */
};

struct itsi_redis {
    /* const */
    struct itsi_loop *loop;
    struct itsi_redis_url url;
    struct itsi_tls *tls;
    struct itsi_redis_socket socket;
    struct itsi_pool_params pool_params;
    int64_t command_timeout_ns;

    /* the loop's thread */
    int preferred;         /* of the URL's hosts, the one that is tried */
    struct itsi_redis_sentinels *sentinels; /* NULL: none */
    struct itsi_event *sentinels_closed;    /* who waits for that */
    struct itsi_redis_host master;          /* as they said last */
    bool is_master_known;
    struct itsi_redis_link *waiting; /* for them */
    struct itsi_quantile latency;    /* ns */
    struct itsi_redis_request slots_request; /* CLUSTER SLOTS */
    bool is_learning;
    int64_t may_learn_at;
    int last_asked; /* of the nodes, for their slots, when one was away */
    uint8_t slot_nodes[ITSI_REDIS_SLOTS]; /* 1 + index of the node; 0: not known */

    pthread_mutex_t addresses; /* of the nodes, which others than the loop's thread read */
    struct itsi_redis_node *nodes[ITSI_REDIS_NODES]; /* filled in order, never emptied; when full, one is used again */

    /* atomic */
    _Atomic int node_count;
    _Atomic bool is_ending, retry_on_timeout;
    _Atomic uint64_t requests, retries, redirects, failovers;
    _Atomic int64_t latency_shown;
};

/* Was it opened to what has since been found to be the master no more, or a node of a cluster that is another now? */
static inline bool itsi_redis_is_stale(const struct itsi_redis_link *link) { return link->epoch != link->node->epoch; }

/* redis_node.c */
/* least: connections kept open. */
ITS_NODISCARD int itsi_redis_node_create(struct itsi_redis *redis, const struct itsi_redis_host *host, int least,
                                         struct its_diag *diag);
void itsi_redis_node_free(struct itsi_redis_node *node); /* its pool is destroyed */
/* The master is a replica now: connections to it are given up, the next master is looked for. link: the connection that
 * learnt it. */
void itsi_redis_fail_over(struct itsi_redis *redis, const struct itsi_redis_link *link);
/* The node is another server from now on: what was opened to the one before is closed, as soon as nobody has it. */
void itsi_redis_node_turn(struct itsi_redis_node *node);
/* The sentinels have answered. */
void itsi_redis_found_master(void *redis, int rc, const struct itsi_redis_host *host, const struct its_diag *diag);

/* redis_cluster.c */
struct itsi_redis_node *itsi_redis_node_of(struct itsi_redis *redis, int slot);
/* The node at that address, new where it is not known; NULL: too many with slots, or no memory. from: whom "" means. */
struct itsi_redis_node *itsi_redis_find_node(struct itsi_redis *redis, const struct itsi_redis_host *host,
                                             struct itsi_redis_node *from);
void itsi_redis_set_slot(struct itsi_redis *redis, int slot, const struct itsi_redis_node *node);
/* Asks a node how all slots are spread, once a second at most. */
void itsi_redis_learn_slots(struct itsi_redis *redis, struct itsi_redis_node *node);
/* This one is away: of a cluster's others one is asked who has its slots now. */
void itsi_redis_learn_from_another(struct itsi_redis *redis, const struct itsi_redis_node *gone);

/* redis_request.c: on the loop's thread, to this node; NULL: where its slot is. */
void itsi_redis_begin(struct itsi_redis *redis, struct itsi_redis_request *request, struct itsi_redis_node *node);

#endif
