/* The introduction. HELLO does the most in one exchange and tells what the server is; a server without it (before Redis 6,
 * or where it was renamed away) says so, and is spoken to as of old. */
#include "pool/redis_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/url.h"
#include "pool/redis_command.h"

#include <stdio.h>
#include <string.h>

static void on_reply(struct itsi_redis_exchange *exchange, int index, const struct itsi_redis_reply *reply);
static void on_done(struct itsi_redis_exchange *exchange, int rc, const struct its_diag *diag);

static struct itsi_redis_connection *owner(struct itsi_redis_exchange *exchange)
{
    char *at = (char *)exchange - offsetof(struct itsi_redis_connection, greeting.exchange);
    return (struct itsi_redis_connection *)at;
}

/* A user may have no password (nopass): it is signed in with an empty one. */
static bool has_credentials(const struct itsi_redis_connection *c) { return c->user[0] || c->password[0]; }

static void add_hello(struct itsi_redis_connection *c)
{
    const char *argv[8] = {"HELLO", "2"};
    int argc = 2;
    if (has_credentials(c)) {
        argv[argc++] = "AUTH";
        argv[argc++] = c->user[0] ? c->user : "default";
        argv[argc++] = c->password;
    }
    if (c->client_name[0]) {
        argv[argc++] = "SETNAME";
        argv[argc++] = c->client_name;
    }
    itsi_redis_command_add(&c->greeting.bytes, argc, argv, NULL);
}

/* Before Redis 6 there is no user either: AUTH with two words would be refused. */
static void add_old(struct itsi_redis_connection *c, struct itsi_redis_greeting *g)
{
    if (c->user[0])
        itsi_redis_words(&g->bytes, "AUTH", c->user, c->password);
    else if (c->password[0])
        itsi_redis_words(&g->bytes, "AUTH", c->password);
    if (has_credentials(c))
        g->auth = g->exchange.replies++;
    if (c->client_name[0]) {
        itsi_redis_words(&g->bytes, "CLIENT", "SETNAME", c->client_name);
        g->name = g->exchange.replies++;
    }
}

void itsi_redis_greet(struct itsi_redis_connection *c)
{
    struct itsi_redis_greeting *g = &c->greeting;
    itsi_buf_reset(&g->bytes);
    g->exchange = (struct itsi_redis_exchange){.deadline = c->open_deadline, .reply = on_reply, .done = on_done};
    g->hello = g->auth = g->name = g->select = g->ping = -1;
    g->rc = 0;
    if (g->without_hello) {
        add_old(c, g);
    } else {
        add_hello(c);
        g->hello = g->exchange.replies++;
    }
    if (c->db) {
        char db[16];
        snprintf(db, sizeof db, "%d", c->db);
        itsi_redis_words(&g->bytes, "SELECT", db);
        g->select = g->exchange.replies++;
    }
    itsi_redis_words(&g->bytes, "PING"); /* refused by a server that is loading, which greets all the same */
    g->ping = g->exchange.replies++;
    struct its_diag diag;
    if (g->bytes.failed) {
        itsi_redis_greeted(c, itsi_fail(&diag, ITS_ENOMEM, "introduction: out of memory"), &diag);
        return;
    }
    g->exchange.bytes = g->bytes.data;
    g->exchange.len = g->bytes.len;
    itsi_redis_put(c, &g->exchange);
}

/* "role" and "mode" among pairs of names and values. */
static void learn(struct itsi_redis_connection *c, const struct itsi_redis_reply *reply)
{
    for (size_t i = 0; i + 1 < reply->count; i += 2) {
        const struct itsi_redis_reply *key = &reply->elements[i], *value = &reply->elements[i + 1];
        if (itsi_redis_says(key, "role"))
            c->role = itsi_redis_says(value, "master") ? ITSI_REDIS_MASTER : ITSI_REDIS_REPLICA;
        else if (itsi_redis_says(key, "mode"))
            c->is_cluster = itsi_redis_says(value, "cluster");
    }
}

static bool is_unknown_command(const struct itsi_redis_reply *reply)
{
    return itsi_redis_says(reply, "ERR unknown command") || itsi_redis_says(reply, "NOPROTO");
}

static const char *part(const struct itsi_redis_greeting *g, int index)
{
    const struct {
        int place;
        const char *name;
    } parts[] = {{g->hello, "HELLO"}, {g->auth, "AUTH"}, {g->name, "CLIENT SETNAME"}, {g->select, "SELECT"}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i].place == index)
            return parts[i].name;
    return "PING";
}

/* A server that does not know a command repeats its arguments: of the last one the beginning, which is no less secret. */
static void hide_password(const struct itsi_redis_connection *c, char *message)
{
    char *arguments = strstr(message, ", with args");
    if (arguments)
        *arguments = '\0';
    struct itsi_url secret = {.scheme = ""};
    memcpy(secret.password, c->password, sizeof secret.password);
    itsi_url_scrub(&secret, message);
}

static void on_reply(struct itsi_redis_exchange *exchange, int index, const struct itsi_redis_reply *reply)
{
    struct itsi_redis_connection *c = owner(exchange);
    struct itsi_redis_greeting *g = &c->greeting;
    if (index == g->hello && reply->type == ITSI_REDIS_ARRAY)
        learn(c, reply);
    enum itsi_redis_problem problem = itsi_redis_problem_of(reply);
    if (problem == ITSI_REDIS_FINE || g->rc)
        return;
    if (index == g->hello && is_unknown_command(reply)) {
        g->rc = ITS_EUNSUPPORTED;
        return;
    }
    if (index == g->name && problem != ITSI_REDIS_FULL) /* a name is a courtesy */
        return;
    if (index == g->ping && itsi_redis_says(reply, "NOPERM")) /* a user that may not ask is answered all the same */
        return;
    g->rc = itsi_fail(&g->diag, itsi_redis_problem_code(problem), "%s: %.200s", part(g, index), reply->text);
    hide_password(c, g->diag.text);
}

static void on_done(struct itsi_redis_exchange *exchange, int rc, const struct its_diag *diag)
{
    struct itsi_redis_connection *c = owner(exchange);
    struct itsi_redis_greeting *g = &c->greeting;
    if (rc) {
        itsi_redis_greeted(c, rc, diag);
    } else if (g->rc == ITS_EUNSUPPORTED && !g->without_hello) {
        g->without_hello = true;
        itsi_redis_greet(c);
    } else {
        itsi_redis_greeted(c, g->rc, &g->diag);
    }
}
