/* One connection under test, on a loop of the test's own, with everything it said. */
#ifndef ITS_TESTS_REDIS_CLIENT_H
#define ITS_TESTS_REDIS_CLIENT_H

#include "support/check.h"

#include "base/clock.h"
#include "pool/redis.h"
#include "pool/redis_command.h"

struct client {
    uv_loop_t loop;
    uv_timer_t tick; /* so that a condition is looked at even when nothing happens */
    struct itsi_redis_connection *connection;
    int opened, lost, closed; /* calls of each */
    int open_rc, lost_rc;
    struct its_diag diag;
};

static inline void client_on_opened(void *self, int rc, const struct its_diag *diag)
{
    struct client *c = self;
    c->opened++;
    c->open_rc = rc;
    if (rc)
        c->diag = *diag;
}

static inline void client_on_lost(void *self, int rc, const struct its_diag *diag)
{
    struct client *c = self;
    c->lost++;
    c->lost_rc = rc;
    c->diag = *diag;
}

static inline void client_on_closed(void *self) { ((struct client *)self)->closed++; }

static const struct itsi_redis_events client_events = {client_on_opened, client_on_lost, client_on_closed};

static inline void client_on_tick(uv_timer_t *timer) { (void)timer; }

static inline void client_init(struct client *c)
{
    memset(c, 0, sizeof *c);
    assert_int_equal(uv_loop_init(&c->loop), 0);
    uv_timer_init(&c->loop, &c->tick);
    uv_timer_start(&c->tick, client_on_tick, 2, 2);
}

/* Runs the loop until *count reaches wanted; fails the test after so many seconds. */
static inline void client_run(struct client *c, const int *count, int wanted, double seconds)
{
    int64_t until = itsi_now_ns() + (int64_t)(seconds * 1e9);
    while (*count < wanted) {
        if (itsi_now_ns() > until)
            fail_msg("after %g s it is %d, wanted %d (last: %s)", seconds, *count, wanted, c->diag.text);
        uv_run(&c->loop, UV_RUN_ONCE);
    }
}

static inline int64_t in_seconds(double seconds) { return itsi_now_ns() + (int64_t)(seconds * 1e9); }

/* What it takes to reach a server on this port; url: for user, password and the like. */
static inline struct itsi_redis_params client_params(const struct itsi_redis_url *url)
{
    return (struct itsi_redis_params){
        .stream = {.host = url->host_count ? &url->hosts[0] : NULL, .path = url->socket},
        .user = url->user,
        .password = url->password,
        .client_name = url->client_name,
        .db = url->db,
        .most_in_flight = 1 << 20,
        .most_reply = 64 << 20,
    };
}

/* Opens and waits for the outcome, which it returns. */
static inline int client_open(struct client *c, const struct itsi_redis_params *params, double seconds)
{
    CHECK_OK(itsi_redis_open(&c->connection, &c->loop, params, in_seconds(seconds), &client_events, c, &c->diag), c->diag);
    int before = c->opened;
    client_run(c, &c->opened, before + 1, seconds + 5);
    return c->open_rc;
}

static inline int client_open_url(struct client *c, const char *text, double seconds)
{
    struct itsi_redis_url url;
    CHECK_OK(itsi_redis_url_parse(&url, text, &c->diag), c->diag);
    struct itsi_tls *tls = NULL;
    struct itsi_redis_params params = client_params(&url);
    if (url.is_tls)
        CHECK_OK(itsi_tls_create(&tls, &url.tls, &c->diag), c->diag);
    params.stream.tls = tls;
    int rc = client_open(c, &params, seconds);
    itsi_tls_destroy(tls); /* sessions hold what they need of it */
    return rc;
}

static inline void client_close(struct client *c)
{
    int before = c->closed;
    itsi_redis_close(c->connection);
    client_run(c, &c->closed, before + 1, 5);
    c->connection = NULL;
}

/* All handles must be closed by now: the loop would not close otherwise. */
static inline void client_fini(struct client *c)
{
    uv_close((uv_handle_t *)&c->tick, NULL);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&c->loop), 0);
}

/* One exchange with what came of it. */
struct asked {
    struct itsi_redis_exchange exchange;
    struct itsi_buf bytes;
    char text[256]; /* of the last reply */
    enum itsi_redis_type type;
    int64_t integer;
    int replies, done, rc;
    struct its_diag diag;
};

static inline void asked_on_reply(struct itsi_redis_exchange *exchange, int index, const struct itsi_redis_reply *reply)
{
    struct asked *a = (struct asked *)exchange;
    assert_int_equal(index, a->replies);
    a->replies++;
    a->type = reply->type;
    a->integer = reply->integer;
    snprintf(a->text, sizeof a->text, "%s", reply->text ? reply->text : "");
}

static inline void asked_on_done(struct itsi_redis_exchange *exchange, int rc, const struct its_diag *diag)
{
    struct asked *a = (struct asked *)exchange;
    a->done++;
    a->rc = rc;
    if (rc)
        a->diag = *diag;
}

static inline void asked_init(struct asked *a, double seconds)
{
    memset(a, 0, sizeof *a);
    a->exchange.reply = asked_on_reply;
    a->exchange.done = asked_on_done;
    a->exchange.deadline = in_seconds(seconds);
}

static inline int asked_send(struct asked *a, struct client *c, int commands)
{
    a->exchange.bytes = a->bytes.data;
    a->exchange.len = a->bytes.len;
    a->exchange.replies = commands;
    return itsi_redis_send(c->connection, &a->exchange);
}

/* client_ask(&client, &asked, seconds, "GET", "key"): sent and answered. */
#define client_ask(client, asked, seconds, ...)                                                                        \
    do {                                                                                                               \
        asked_init(asked, seconds);                                                                                    \
        itsi_redis_words(&(asked)->bytes, __VA_ARGS__);                                                                \
        assert_int_equal(asked_send(asked, client, 1), 0);                                                             \
        client_run(client, &(asked)->done, 1, (seconds) + 5);                                                          \
        itsi_buf_fini(&(asked)->bytes);                                                                                \
    } while (0)

#endif
