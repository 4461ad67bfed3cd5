#include "pool/redis_sentinel.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "pool/redis_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For each of them: what a dead one costs a failover. */
#define PATIENCE_NS (ITSI_NS_PER_S / 2)
#define MOST_REPLY 65536

struct itsi_redis_sentinels {
    uv_loop_t *loop;
    const struct itsi_redis_url *url;
    struct itsi_tls *tls;
    struct itsi_redis_socket socket;
    void (*found)(void *self, int rc, const struct itsi_redis_host *host, const struct its_diag *diag);
    void (*closed)(void *self);
    void *self;

    struct itsi_redis_connection *connection; /* to the one being asked */
    struct itsi_redis_exchange exchange;
    struct itsi_buf question;
    int first;    /* asked first */
    int asked;    /* so many in this round, the present one included */
    bool is_asking, is_answered, is_hung_up;
    struct itsi_redis_host host;
    int rc; /* of the last one asked */
    struct its_diag diag;
};

static void ask_next(struct itsi_redis_sentinels *s);

static struct itsi_redis_sentinels *owner(struct itsi_redis_exchange *exchange)
{
    return (struct itsi_redis_sentinels *)((char *)exchange - offsetof(struct itsi_redis_sentinels, exchange));
}

static void free_sentinels(struct itsi_redis_sentinels *s)
{
    itsi_buf_fini(&s->question);
    itsi_free(s);
}

static void hang_up(struct itsi_redis_sentinels *s)
{
    if (s->is_hung_up)
        return;
    s->is_hung_up = true;
    itsi_redis_close(s->connection);
}

static int place(const struct itsi_redis_sentinels *s) { return (s->first + s->asked - 1) % s->url->host_count; }

static void read_address(struct itsi_redis_sentinels *s, const struct itsi_redis_reply *reply)
{
    if (reply->type == ITSI_REDIS_ERROR) {
        s->rc = itsi_fail(&s->diag, itsi_redis_problem_code(itsi_redis_problem_of(reply)), "%.200s", reply->text);
        return;
    }
    if (reply->type == ITSI_REDIS_NIL) {
        s->rc = itsi_fail(&s->diag, ITS_ENOTFOUND, "it knows no master '%s'", s->url->master);
        return;
    }
    const struct itsi_redis_reply *pair = reply->type == ITSI_REDIS_ARRAY && reply->count == 2 ? reply->elements : NULL;
    bool is_address = pair && pair[0].type == ITSI_REDIS_STRING && pair[1].type == ITSI_REDIS_STRING && pair[0].len > 0 &&
                      pair[0].len < sizeof s->host.name;
    long number = is_address ? strtol(pair[1].text, NULL, 10) : 0;
    if (number < 1 || number > 65535) {
        s->rc = itsi_fail(&s->diag, ITS_EFORMAT, "its answer is no address");
        return;
    }
    memset(&s->host, 0, sizeof s->host);
    memcpy(s->host.name, pair[0].text, pair[0].len);
    s->host.port = (int)number;
    s->is_answered = true;
}

static void on_reply(struct itsi_redis_exchange *exchange, int index, const struct itsi_redis_reply *reply)
{
    (void)index;
    read_address(owner(exchange), reply);
}

static void on_done(struct itsi_redis_exchange *exchange, int rc, const struct its_diag *diag)
{
    struct itsi_redis_sentinels *s = owner(exchange);
    if (rc == ITS_ECANCELLED)
        return;
    if (rc) {
        s->rc = rc;
        s->diag = *diag;
    }
    hang_up(s);
}

static void on_opened(void *self, int rc, const struct its_diag *diag)
{
    struct itsi_redis_sentinels *s = self;
    if (!rc) {
        s->exchange = (struct itsi_redis_exchange){.bytes = s->question.data, .len = s->question.len, .replies = 1,
                                                   .deadline = itsi_now_ns() + PATIENCE_NS, .reply = on_reply,
                                                   .done = on_done};
        rc = itsi_redis_send(s->connection, &s->exchange);
        if (!rc)
            return;
        (void)itsi_fail(&s->diag, rc, "not connected");
    } else {
        s->diag = *diag;
    }
    s->rc = rc;
    hang_up(s);
}

/* `done` has closed it before: an exchange is always in flight. */
static void on_lost(void *self, int rc, const struct its_diag *diag) { (void)self, (void)rc, (void)diag; }

static void on_closed(void *self)
{
    struct itsi_redis_sentinels *s = self;
    s->connection = NULL;
    if (s->closed) {
        void (*closed)(void *) = s->closed;
        void *owned = s->self;
        free_sentinels(s);
        closed(owned);
    } else if (s->is_answered) {
        s->first = place(s);
        s->is_asking = false;
        s->found(s->self, 0, &s->host, NULL);
    } else {
        ask_next(s);
    }
}

static const struct itsi_redis_events events = {.opened = on_opened, .lost = on_lost, .closed = on_closed};

static int connect_to(struct itsi_redis_sentinels *s, const struct itsi_redis_host *host)
{
    const struct itsi_redis_params params = {
        .stream = {.host = host, .tls = s->tls, .socket = s->socket},
        .user = s->url->sentinel_user,
        .password = s->url->sentinel_password,
        .client_name = s->url->client_name,
        .most_in_flight = MOST_REPLY,
        .most_reply = MOST_REPLY,
    };
    s->is_hung_up = false;
    return itsi_redis_open(&s->connection, s->loop, &params, itsi_now_ns() + PATIENCE_NS, &events, s, &s->diag);
}

static void ask_next(struct itsi_redis_sentinels *s)
{
    while (s->asked < s->url->host_count) {
        s->asked++;
        s->rc = connect_to(s, &s->url->hosts[place(s)]);
        if (!s->rc)
            return;
    }
    const struct itsi_redis_host *last = &s->url->hosts[place(s)];
    struct its_diag diag = s->diag;
    s->is_asking = false;
    s->found(s->self, itsi_diag_prefix(&diag, s->rc, "no sentinel knows, the last asked was %.100s:%d", last->name, last->port),
             NULL, &diag);
}

int itsi_redis_sentinels_create(struct itsi_redis_sentinels **out, uv_loop_t *loop, const struct itsi_redis_url *url,
                                struct itsi_tls *tls, const struct itsi_redis_socket *socket,
                                void (*found)(void *self, int rc, const struct itsi_redis_host *host,
                                              const struct its_diag *diag),
                                void *self, struct its_diag *diag)
{
    struct itsi_redis_sentinels *s = itsi_zalloc(sizeof *s);
    if (!s)
        return itsi_fail(diag, ITS_ENOMEM, "sentinels: out of memory");
    itsi_redis_words(&s->question, "SENTINEL", "get-master-addr-by-name", url->master);
    if (s->question.failed) {
        free_sentinels(s);
        return itsi_fail(diag, ITS_ENOMEM, "sentinels: out of memory");
    }
    s->loop = loop;
    s->url = url;
    s->tls = tls;
    s->socket = *socket;
    s->found = found;
    s->self = self;
    *out = s;
    return 0;
}

void itsi_redis_sentinels_close(struct itsi_redis_sentinels *s, void (*closed)(void *self))
{
    void *self = s->self;
    if (s->connection) {
        s->closed = closed;
        hang_up(s);
        return;
    }
    free_sentinels(s);
    closed(self);
}

void itsi_redis_sentinels_ask(struct itsi_redis_sentinels *s)
{
    if (s->is_asking)
        return;
    s->is_asking = true;
    s->is_answered = false;
    s->asked = 0;
    ask_next(s);
}
