#include "pool/redis_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "pool/redis_command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char asking[] = "*1\r\n$6\r\nASKING\r\n";

/* --- deadlines ---------------------------------------------------------------------------------------------------- */

static void on_alarm(uv_timer_t *timer);

/* The timer fires at the earliest deadline it was told of; what has been answered since is found out then, so that an
 * exchange costs no timer of its own. */
static void watch(struct itsi_redis_connection *c, int64_t deadline)
{
    if (deadline >= c->alarm)
        return;
    c->alarm = deadline;
    int64_t left = deadline - itsi_now_ns();
    /* libuv counts from the start of this turn of the loop, in whole milliseconds: rather late than early */
    uint64_t ms = left > 0 ? (uint64_t)(left / ITSI_NS_PER_MS) + 1 : 0;
    uv_update_time(c->loop);
    uv_timer_start(&c->timer, on_alarm, ms, 0);
}

static void watch_all(struct itsi_redis_connection *c)
{
    int64_t earliest = c->state < ITSI_REDIS_READY ? c->open_deadline : ITSI_NEVER;
    for (const struct itsi_redis_exchange *x = c->first; x; x = x->next)
        if (x->deadline < earliest)
            earliest = x->deadline;
    c->alarm = ITSI_NEVER;
    watch(c, earliest);
}

/* --- the end of exchanges and of the connection ------------------------------------------------------------------- */

static struct itsi_redis_exchange *take_first(struct itsi_redis_connection *c)
{
    struct itsi_redis_exchange *x = c->first;
    c->first = x->next;
    if (!c->first)
        c->last = NULL;
    c->in_flight -= x->len;
    x->next = NULL;
    return x;
}

/* Nothing in flight will be answered. Those whose own deadline has passed hear that, the others why. */
static void end_exchanges(struct itsi_redis_connection *c, int rc, const struct its_diag *diag, int64_t now)
{
    struct itsi_redis_exchange *all = c->first;
    c->first = c->last = NULL;
    c->in_flight = 0;
    while (all) {
        struct itsi_redis_exchange *x = all;
        all = x->next;
        x->next = NULL;
        struct its_diag late;
        if (rc != ITS_ECANCELLED && x->deadline <= now)
            x->done(x, itsi_fail(&late, ITS_ETIMEOUT, "no answer in time"), &late);
        else
            x->done(x, rc, diag);
    }
}

static void lose(struct itsi_redis_connection *c, int rc, const struct its_diag *diag)
{
    if (c->state >= ITSI_REDIS_LOST)
        return;
    bool was_ready = c->state == ITSI_REDIS_READY;
    c->state = ITSI_REDIS_LOST;
    if (!was_ready && itsi_redis_greeting_failed(c)) { /* it said why before it hung up */
        rc = c->greeting.rc;
        diag = &c->greeting.diag;
    }
    struct its_diag why = *diag;
    if (was_ready) {
        end_exchanges(c, rc, &why, itsi_now_ns());
        if (c->state == ITSI_REDIS_LOST)
            c->events->lost(c->self, rc, &why);
    } else {
        c->first = c->last = NULL; /* the greeting at most, which is ours */
        c->in_flight = 0;
        c->events->opened(c->self, rc, &why);
    }
}

static void on_alarm(uv_timer_t *timer)
{
    struct itsi_redis_connection *c = timer->data;
    int64_t now = itsi_now_ns();
    struct its_diag diag;
    c->alarm = ITSI_NEVER;
    if (c->state < ITSI_REDIS_READY && c->open_deadline <= now) {
        const char *stage = c->state == ITSI_REDIS_GREETING ? "introduction" : itsi_redis_stream_stage(c->stream);
        lose(c, itsi_fail(&diag, ITS_ETIMEOUT, "%s: timed out", stage), &diag);
        return;
    }
    for (const struct itsi_redis_exchange *x = c->first; x; x = x->next)
        if (x->deadline <= now) {
            lose(c, itsi_fail(&diag, ITS_EIO, "closed, since an earlier command was not answered in time"), &diag);
            return;
        }
    if (c->state < ITSI_REDIS_LOST)
        watch_all(c);
}

/* --- what the stream says ----------------------------------------------------------------------------------------- */

static void on_opened(void *self)
{
    struct itsi_redis_connection *c = self;
    if (c->state != ITSI_REDIS_OPENING)
        return;
    c->state = ITSI_REDIS_GREETING;
    itsi_redis_greet(c);
}

void itsi_redis_greeted(struct itsi_redis_connection *c, int rc, const struct its_diag *diag)
{
    if (c->state != ITSI_REDIS_GREETING)
        return;
    if (rc) {
        lose(c, rc, diag);
        return;
    }
    c->state = ITSI_REDIS_READY;
    itsi_buf_fini(&c->greeting.bytes);
    c->events->opened(c->self, 0, NULL);
}

static bool on_reply(void *self, const struct itsi_redis_reply *reply)
{
    struct itsi_redis_connection *c = self;
    struct itsi_redis_exchange *x = c->first;
    if (!x) { /* nobody asked: what a full or ending server says before it hangs up */
        struct its_diag diag;
        int rc = itsi_redis_problem_code(itsi_redis_problem_of(reply));
        lose(c, itsi_fail(&diag, rc ? rc : ITS_EFORMAT, "unasked: %.200s", reply->text ? reply->text : "a reply"), &diag);
        return false;
    }
    int index = x->seen++ - x->is_asking;
    bool is_last = index + 1 == x->replies;
    if (index >= 0 && x->reply)
        x->reply(x, index, reply);
    if (is_last && c->state < ITSI_REDIS_LOST) {
        take_first(c);
        x->done(x, 0, NULL);
    }
    return c->state < ITSI_REDIS_LOST;
}

static void on_data(void *self, const char *bytes, size_t len)
{
    struct itsi_redis_connection *c = self;
    if (c->state >= ITSI_REDIS_LOST)
        return;
    struct its_diag diag;
    int rc = itsi_redis_reader_feed(c->reader, bytes, len, on_reply, c, &diag);
    if (rc && rc != ITS_ECANCELLED)
        lose(c, rc, &diag);
}

static void on_failed(void *self, int rc, const struct its_diag *diag) { lose(self, rc, diag); }

static void free_connection(struct itsi_redis_connection *c)
{
    itsi_redis_reader_destroy(c->reader);
    itsi_buf_fini(&c->greeting.bytes);
    explicit_bzero(c->password, sizeof c->password);
    itsi_free(c);
}

static void finish_close(struct itsi_redis_connection *c)
{
    if (--c->open_handles)
        return;
    const struct itsi_redis_events *events = c->events;
    void *self = c->self;
    free_connection(c);
    events->closed(self);
}

static void on_stream_closed(void *self) { finish_close(self); }

static void on_timer_closed(uv_handle_t *handle) { finish_close(handle->data); }

static const struct itsi_redis_stream_events stream_events = {
    .opened = on_opened, .data = on_data, .failed = on_failed, .closed = on_stream_closed};

/* --- the interface ------------------------------------------------------------------------------------------------ */

static void copy_text(char *out, size_t size, const char *text) { snprintf(out, size, "%s", text ? text : ""); }

int itsi_redis_open(struct itsi_redis_connection **out, uv_loop_t *loop, const struct itsi_redis_params *params,
                    int64_t deadline, const struct itsi_redis_events *events, void *self, struct its_diag *diag)
{
    struct itsi_redis_connection *c = itsi_zalloc(sizeof *c);
    if (!c)
        return itsi_fail(diag, ITS_ENOMEM, "connecting: out of memory");
    c->loop = loop;
    c->events = events;
    c->self = self;
    copy_text(c->user, sizeof c->user, params->user);
    copy_text(c->password, sizeof c->password, params->password);
    copy_text(c->client_name, sizeof c->client_name, params->client_name);
    c->db = params->db;
    c->most_in_flight = params->most_in_flight;
    c->open_deadline = deadline;
    int rc = itsi_redis_reader_create(&c->reader, params->most_reply, diag);
    if (!rc)
        rc = itsi_redis_stream_create(&c->stream, loop, &params->stream, deadline, &stream_events, c, diag);
    if (rc) {
        free_connection(c);
        return rc;
    }
    uv_timer_init(loop, &c->timer);
    c->timer.data = c;
    c->open_handles = 2;
    c->alarm = ITSI_NEVER;
    watch(c, deadline);
    *out = c;
    return 0;
}

void itsi_redis_close(struct itsi_redis_connection *c)
{
    bool has_exchanges = c->state == ITSI_REDIS_READY;
    c->state = ITSI_REDIS_CLOSING;
    uv_close((uv_handle_t *)&c->timer, on_timer_closed);
    itsi_redis_stream_close(c->stream);
    struct its_diag diag;
    if (has_exchanges)
        end_exchanges(c, itsi_fail(&diag, ITS_ECANCELLED, "the connection was closed"), &diag, 0);
}

enum itsi_redis_role itsi_redis_role(const struct itsi_redis_connection *c) { return c->role; }

bool itsi_redis_is_cluster(const struct itsi_redis_connection *c) { return c->is_cluster; }

size_t itsi_redis_in_flight(const struct itsi_redis_connection *c) { return c->in_flight; }

void itsi_redis_put(struct itsi_redis_connection *c, struct itsi_redis_exchange *x)
{
    struct itsi_buf *out = itsi_redis_stream_out(c->stream);
    if (x->is_asking)
        itsi_buf_add(out, asking, sizeof asking - 1);
    itsi_buf_add(out, x->bytes, x->len);
    x->seen = 0;
    x->next = NULL;
    if (c->last)
        c->last->next = x;
    else
        c->first = x;
    c->last = x;
    c->in_flight += x->len;
    watch(c, x->deadline);
}

int itsi_redis_send(struct itsi_redis_connection *c, struct itsi_redis_exchange *x)
{
    if (c->state != ITSI_REDIS_READY)
        return ITS_EEOF;
    /* one that is larger than the bound goes alone */
    if (c->in_flight && c->in_flight + x->len > c->most_in_flight)
        return ITS_EAGAIN;
    itsi_redis_put(c, x);
    return 0;
}
