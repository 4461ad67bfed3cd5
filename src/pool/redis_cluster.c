/* Where a cluster's slots are. What is not known goes to the URL's server, whose MOVED tells; the first one that comes
 * makes us ask for all of them. */
#include "pool/redis_pool_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"

#include <string.h>

#define LEARN_EVERY_NS ITSI_NS_PER_S
#define LEARN_PATIENCE_NS (2 * ITSI_NS_PER_S)

static int node_count(const struct itsi_redis *redis) { return atomic_load(&redis->node_count); }

struct itsi_redis_node *itsi_redis_node_of(struct itsi_redis *redis, int slot)
{
    int known = slot >= 0 ? redis->slot_nodes[slot] : 0;
    return redis->nodes[known ? known - 1 : 0];
}

static bool is_same(const struct itsi_redis_host *a, const struct itsi_redis_host *b)
{
    return a->port == b->port && strcmp(a->name, b->name) == 0;
}

/* Of the URL's own node the address is what it is connected to now; a socket is on this machine. */
static const struct itsi_redis_host *address_of(const struct itsi_redis *redis, const struct itsi_redis_node *node)
{
    static const struct itsi_redis_host here = {.name = "127.0.0.1"};
    if (node->host.name[0])
        return &node->host;
    if (redis->url.via == ITSI_REDIS_UNIX)
        return &here;
    return redis->sentinels ? &redis->master : &redis->url.hosts[redis->preferred];
}

/* One that no slot is at any more, as after a restart that gave out all addresses anew. Who is on the way to it ends up at
 * the new one, which says MOVED. */
static struct itsi_redis_node *find_unused(struct itsi_redis *redis, const struct itsi_redis_node *but)
{
    bool has_slots[ITSI_REDIS_NODES] = {true}; /* the URL's stays what it is */
    for (int slot = 0; slot < ITSI_REDIS_SLOTS; slot++)
        if (redis->slot_nodes[slot])
            has_slots[redis->slot_nodes[slot] - 1] = true;
    for (int i = 0; i < node_count(redis); i++)
        if (!has_slots[i] && redis->nodes[i] != but)
            return redis->nodes[i];
    return NULL;
}

static struct itsi_redis_node *add_node(struct itsi_redis *redis, const struct itsi_redis_host *host,
                                        const struct itsi_redis_node *from)
{
    struct its_diag diag;
    struct itsi_redis_node *unused = node_count(redis) == ITSI_REDIS_NODES ? find_unused(redis, from) : NULL;
    if (unused) {
        pthread_mutex_lock(&redis->addresses);
        unused->host = *host;
        pthread_mutex_unlock(&redis->addresses);
        itsi_redis_node_turn(unused);
        return unused;
    }
    if (itsi_redis_node_create(redis, host, 0, &diag)) {
        itsi_warn("redis", "%s: node %.100s:%d: %s", redis->url.shown, host->name, host->port, diag.text);
        return NULL;
    }
    return redis->nodes[node_count(redis) - 1];
}

struct itsi_redis_node *itsi_redis_find_node(struct itsi_redis *redis, const struct itsi_redis_host *host,
                                             struct itsi_redis_node *from)
{
    struct itsi_redis_host wanted = *host;
    if (!wanted.name[0])
        memcpy(wanted.name, address_of(redis, from)->name, sizeof wanted.name);
    /* with one host in the URL its node may serve as that of this address; with several it may turn to another */
    for (int i = redis->url.host_count == 1 ? 0 : 1; i < node_count(redis); i++)
        if (is_same(address_of(redis, redis->nodes[i]), &wanted))
            return redis->nodes[i];
    return atomic_load(&redis->is_ending) ? NULL : add_node(redis, &wanted, from);
}

void itsi_redis_set_slot(struct itsi_redis *redis, int slot, const struct itsi_redis_node *node)
{
    for (int i = 0; i < node_count(redis); i++)
        if (redis->nodes[i] == node)
            redis->slot_nodes[slot] = (uint8_t)(i + 1);
}

/* [first, last, [host, port, ...], replicas...] */
static void learn_range(struct itsi_redis *redis, const struct itsi_redis_reply *range, struct itsi_redis_node *from)
{
    if (range->type != ITSI_REDIS_ARRAY || range->count < 3)
        return;
    const struct itsi_redis_reply *first = &range->elements[0], *last = &range->elements[1], *at = &range->elements[2];
    if (first->type != ITSI_REDIS_INTEGER || last->type != ITSI_REDIS_INTEGER || first->integer < 0 ||
        last->integer >= ITSI_REDIS_SLOTS || at->type != ITSI_REDIS_ARRAY || at->count < 2 ||
        at->elements[1].type != ITSI_REDIS_INTEGER || at->elements[1].integer < 1 || at->elements[1].integer > 65535)
        return;
    const struct itsi_redis_reply *name = &at->elements[0];
    struct itsi_redis_host host = {.port = (int)at->elements[1].integer};
    if (name->len >= sizeof host.name)
        return;
    if (name->text && name->text[0] != '?')
        memcpy(host.name, name->text, name->len);
    const struct itsi_redis_node *node = itsi_redis_find_node(redis, &host, from);
    for (int64_t slot = first->integer; node && slot <= last->integer; slot++)
        itsi_redis_set_slot(redis, (int)slot, node);
}

static void on_slots(struct itsi_redis_request *request, int index, const struct itsi_redis_reply *reply)
{
    (void)index;
    for (size_t i = 0; i < reply->count; i++)
        learn_range(request->redis, &reply->elements[i], request->node);
}

static void on_learned(struct itsi_redis_request *request, int rc, const struct its_diag *diag)
{
    (void)rc, (void)diag; /* the next MOVED asks again */
    request->redis->is_learning = false;
}

void itsi_redis_learn_slots(struct itsi_redis *redis, struct itsi_redis_node *node)
{
    int64_t now = itsi_now_ns();
    if (redis->is_learning || now < redis->may_learn_at || atomic_load(&redis->is_ending))
        return;
    struct itsi_redis_request *request = &redis->slots_request;
    redis->is_learning = true;
    redis->may_learn_at = now + LEARN_EVERY_NS;
    itsi_redis_request_reset(request);
    itsi_redis_request_words(request, "CLUSTER", "SLOTS");
    request->owner = (struct itsi_pool_owner){.component = "redis", .stage = "learn slots"};
    request->deadline = now + LEARN_PATIENCE_NS;
    request->is_idempotent = true;
    request->reply = on_slots;
    request->done = on_learned;
    itsi_redis_begin(redis, request, node);
}

void itsi_redis_learn_from_another(struct itsi_redis *redis, const struct itsi_redis_node *gone)
{
    int count = node_count(redis);
    for (int i = 0; i < count && count > 1; i++)
        if (redis->nodes[i] == gone) {
            redis->last_asked = (redis->last_asked + 1) % count;
            redis->last_asked += redis->last_asked == i;
            itsi_redis_learn_slots(redis, redis->nodes[redis->last_asked % count]);
            return;
        }
}
