/* What the lease pool of a node lends: connections, opened to wherever the node is now. */
#include "pool/redis_pool_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "pool/redis_command.h"

#include <stdio.h>
#include <string.h>

#define MOST_IN_FLIGHT ((size_t)8 << 20)
#define MOST_REPLY ((size_t)64 << 20)

static const struct itsi_redis_events events;

/* --- opening ------------------------------------------------------------------------------------------------------ */

/* Closed or never begun: the pool's open and close questions about it are answered. */
static void answer_gone(struct itsi_redis_link *link)
{
    struct itsi_pool_slot *slot = link->slot;
    bool was_opening = link->is_opening, is_ending = link->is_ending;
    link->is_opening = link->is_ending = false;
    slot->resource = NULL;
    if (was_opening)
        itsi_pool_open_failed(slot, link->rc, &link->diag);
    if (is_ending)
        itsi_pool_closed(slot);
}

static const struct itsi_redis_host *address_of(struct itsi_redis_node *node)
{
    struct itsi_redis *redis = node->redis;
    if (node->host.name[0])
        return &node->host;
    if (redis->url.via == ITSI_REDIS_SENTINEL)
        return &redis->master;
    return redis->url.host_count ? &redis->url.hosts[redis->preferred % redis->url.host_count] : NULL;
}

static void connect_link(struct itsi_redis_link *link)
{
    struct itsi_redis *redis = link->node->redis;
    const struct itsi_redis_params params = {
        .stream = {.host = address_of(link->node), .path = link->node->host.name[0] ? "" : redis->url.socket, .tls = redis->tls, .socket = redis->socket},
        .user = redis->url.user,
        .password = redis->url.password,
        .client_name = redis->url.client_name,
        .db = redis->url.db,
        .most_in_flight = MOST_IN_FLIGHT,
        .most_reply = MOST_REPLY,
    };
    link->epoch = link->node->epoch;
    link->tried = redis->preferred;
    link->rc = itsi_redis_open(&link->connection, itsi_loop_uv(redis->loop), &params, link->deadline, &events, link,
                               &link->diag);
    if (link->rc)
        answer_gone(link);
}

static void begin_open(void *self, struct itsi_pool_slot *slot, int64_t deadline)
{
    struct itsi_redis_node *node = self;
    struct itsi_redis *redis = node->redis;
    struct itsi_redis_link *link = &node->links[slot->index];
    *link = (struct itsi_redis_link){.node = node, .slot = slot, .deadline = deadline, .is_opening = true};
    if (redis->sentinels && !node->host.name[0] && !redis->is_master_known) {
        link->is_waiting = true;
        link->next_waiting = redis->waiting;
        redis->waiting = link;
        itsi_redis_sentinels_ask(redis->sentinels);
    } else {
        connect_link(link);
    }
}

void itsi_redis_node_turn(struct itsi_redis_node *node)
{
    node->epoch++;
    for (int i = 0; i < node->redis->pool_params.most; i++) {
        struct itsi_redis_link *link = &node->links[i];
        if (!link->is_good)
            continue;
        link->is_good = false;
        itsi_pool_lost(link->slot);
    }
}

static void begin_epoch(struct itsi_redis *redis)
{
    atomic_fetch_add(&redis->failovers, 1);
    itsi_redis_node_turn(redis->nodes[0]);
}

void itsi_redis_found_master(void *self, int rc, const struct itsi_redis_host *host, const struct its_diag *diag)
{
    struct itsi_redis *redis = self;
    struct itsi_redis_link *all = redis->waiting;
    redis->waiting = NULL;
    if (!rc) {
        bool is_another = host->port != redis->master.port || strcmp(host->name, redis->master.name) != 0;
        bool had_one = redis->master.name[0] != '\0';
        redis->master = *host;
        redis->is_master_known = true;
        if (is_another && had_one)
            begin_epoch(redis);
    }
    while (all) {
        struct itsi_redis_link *link = all;
        all = link->next_waiting;
        link->is_waiting = false;
        if (!rc) {
            connect_link(link);
            continue;
        }
        link->rc = rc;
        link->diag = *diag;
        answer_gone(link);
    }
}

void itsi_redis_fail_over(struct itsi_redis *redis, const struct itsi_redis_link *link)
{
    if (link->node != redis->nodes[0] || itsi_redis_is_stale(link))
        return; /* another has been found since */
    redis->is_master_known = false;
    if (!redis->sentinels && redis->url.host_count > 1)
        redis->preferred = (redis->preferred + 1) % redis->url.host_count;
    begin_epoch(redis);
}

static bool has_others(const struct itsi_redis_node *node)
{
    return !node->host.name[0] && (node->redis->sentinels || node->redis->url.host_count > 1);
}

/* It could not be opened: the next one asks the sentinels, or tries the next host. What is open stays so. */
static void try_elsewhere(struct itsi_redis_link *link)
{
    struct itsi_redis *redis = link->node->redis;
    if (!has_others(link->node) || link->rc == ITS_EAUTH || link->rc == ITS_ELIMIT)
        return; /* there it is, and says no */
    redis->is_master_known = false;
    if (!redis->sentinels && link->tried == redis->preferred)
        redis->preferred = (redis->preferred + 1) % redis->url.host_count;
}

static void on_opened(void *self, int rc, const struct its_diag *diag)
{
    struct itsi_redis_link *link = self;
    struct itsi_redis *redis = link->node->redis;
    link->rc = rc;
    if (rc)
        link->diag = *diag;
    else if (redis->sentinels && !link->node->host.name[0] && itsi_redis_role(link->connection) == ITSI_REDIS_REPLICA)
        link->rc = itsi_fail(&link->diag, ITS_EBUSY, "%.100s:%d is a replica, not yet the master", redis->master.name,
                             redis->master.port);
    if (link->rc) {
        try_elsewhere(link);
        itsi_redis_close(link->connection);
        return;
    }
    link->is_opening = false;
    link->is_good = true;
    link->slot->resource = link;
    itsi_pool_opened(link->slot);
}

static void give_up(struct itsi_redis_link *link)
{
    link->is_good = false;
    if (has_others(link->node))
        link->node->redis->is_master_known = false; /* the next one asks first */
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

static void on_lost(void *self, int rc, const struct its_diag *diag)
{
    (void)rc, (void)diag;
    struct itsi_redis_link *link = self;
    if (!link->is_good)
        return;
    give_up(link);
    itsi_pool_lost(link->slot);
}

static void on_closed(void *self)
{
    struct itsi_redis_link *link = self;
    link->connection = NULL;
    answer_gone(link);
}

static const struct itsi_redis_events events = {.opened = on_opened, .lost = on_lost, .closed = on_closed};

static void stop_waiting(struct itsi_redis_link *link)
{
    struct itsi_redis_link **at = &link->node->redis->waiting;
    while (*at != link)
        at = &(*at)->next_waiting;
    *at = link->next_waiting;
    link->is_waiting = false;
}

static void begin_close(void *self, struct itsi_pool_slot *slot, enum itsi_pool_closed reason)
{
    (void)reason;
    struct itsi_redis_node *node = self;
    struct itsi_redis_link *link = &node->links[slot->index];
    bool is_on_its_way = link->is_opening && link->rc; /* it failed to open, and is being closed for that */
    link->is_ending = true;
    link->is_good = false;
    if (link->is_opening && !link->rc)
        link->rc = itsi_fail(&link->diag, ITS_ECANCELLED, "closed while it was being opened");
    if (link->is_waiting) {
        stop_waiting(link);
        answer_gone(link);
    } else if (link->connection && !is_on_its_way) {
        itsi_redis_close(link->connection);
    } else if (!link->connection) {
        answer_gone(link);
    }
}

/* --- checks ------------------------------------------------------------------------------------------------------- */

static struct itsi_redis_link *of_check(struct itsi_redis_exchange *exchange)
{
    return (struct itsi_redis_link *)((char *)exchange - offsetof(struct itsi_redis_link, check));
}

static void on_check_reply(struct itsi_redis_exchange *exchange, int index, const struct itsi_redis_reply *reply)
{
    (void)index;
    struct itsi_redis_link *link = of_check(exchange);
    /* NOPERM: a user that may not ping is answered all the same */
    enum itsi_redis_problem problem = itsi_redis_problem_of(reply);
    link->rc = problem == ITSI_REDIS_AUTH && itsi_redis_says(reply, "NOPERM") ? 0 : itsi_redis_problem_code(problem);
}

static void end_check(struct itsi_redis_link *link, bool is_good)
{
    link->is_checking = false;
    if (!is_good)
        give_up(link); /* said now; not once more when the connection is lost */
    itsi_pool_checked(link->slot, is_good);
}

static void on_check_done(struct itsi_redis_exchange *exchange, int rc, const struct its_diag *diag)
{
    (void)diag;
    struct itsi_redis_link *link = of_check(exchange);
    bool is_good = !rc && !link->rc && !itsi_redis_is_stale(link);
    link->rc = 0;
    if (link->is_checking)
        end_check(link, is_good);
}

static void begin_check(void *self, struct itsi_pool_slot *slot, int64_t deadline)
{
    static const char ping[] = "*1\r\n$4\r\nPING\r\n";
    struct itsi_redis_node *node = self;
    struct itsi_redis_link *link = &node->links[slot->index];
    link->is_checking = true;
    link->check = (struct itsi_redis_exchange){.bytes = ping, .len = sizeof ping - 1, .replies = 1, .deadline = deadline,
                                               .reply = on_check_reply, .done = on_check_done};
    if (itsi_redis_send(link->connection, &link->check))
        end_check(link, false);
}

static int64_t latency_of(void *self)
{
    const struct itsi_redis_node *node = self;
    return (int64_t)node->redis->latency.estimate;
}

static const struct itsi_pool_kind kind = {.name = "redis", .open = begin_open, .check = begin_check, .close = begin_close,
                                           .latency_ns = latency_of};

/* --- nodes -------------------------------------------------------------------------------------------------------- */

int itsi_redis_node_create(struct itsi_redis *redis, const struct itsi_redis_host *host, int least, struct its_diag *diag)
{
    int index = atomic_load(&redis->node_count);
    if (index == ITSI_REDIS_NODES)
        return itsi_fail(diag, ITS_ELIMIT, "a cluster of more than %d nodes", ITSI_REDIS_NODES);
    struct itsi_redis_node *node = itsi_zalloc(sizeof *node);
    struct itsi_redis_link *links = itsi_calloc((size_t)redis->pool_params.most, sizeof *links);
    int rc = node && links ? 0 : itsi_fail(diag, ITS_ENOMEM, "Redis: out of memory");
    if (!rc) {
        struct itsi_pool_params params = redis->pool_params;
        node->redis = redis;
        node->links = links;
        node->host = *host;
        snprintf(node->name, sizeof node->name, index ? "redis-%d" : "redis", index);
        params.name = node->name;
        params.least = least;
        redis->nodes[index] = node; /* before the loop's thread opens anything, which may find another master */
        rc = itsi_pool_create(&node->pool, redis->loop, &params, &kind, node, diag);
    }
    if (rc) {
        redis->nodes[index] = NULL;
        itsi_free(links);
        itsi_free(node);
        return rc;
    }
    atomic_store(&redis->node_count, index + 1);
    return 0;
}

void itsi_redis_node_free(struct itsi_redis_node *node)
{
    itsi_free(node->links);
    itsi_free(node);
}
