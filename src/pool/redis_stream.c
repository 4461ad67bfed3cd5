#include "pool/redis_stream_impl.h"

#include "base/diag.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define READ_BYTES 65536
#define KEPT_BYTES ((size_t)1 << 20) /* of a send buffer; what was larger is given back */

int itsi_stream_fail_uv(struct its_diag *diag, int status, const char *what)
{
    int code = ITS_EIO;
    if (status == UV_ECONNREFUSED || status == UV_ENOENT || status == UV_EHOSTUNREACH || status == UV_ENETUNREACH)
        code = ITS_EREFUSED;
    else if (status == UV_ETIMEDOUT)
        code = ITS_ETIMEOUT;
    else if (status == UV_ENOMEM)
        code = ITS_ENOMEM;
    else if (status == UV_EOF)
        code = ITS_EEOF;
    else if (status <= UV_EAI_ADDRFAMILY && status >= UV_EAI_SOCKTYPE)
        code = ITS_ENOTFOUND;
    return itsi_fail(diag, code, "%s: %s", what, status == UV_EOF ? "the server closed the connection" : uv_strerror(status));
}

void itsi_stream_fail(struct itsi_redis_stream *s, int rc, const struct its_diag *diag)
{
    if (s->stage == ITSI_STREAM_ENDED || s->is_closing)
        return;
    s->stage = ITSI_STREAM_ENDED;
    s->events->failed(s->self, rc, diag);
}

void itsi_stream_fail_status(struct itsi_redis_stream *s, int status, const char *what)
{
    struct its_diag diag;
    itsi_stream_fail(s, itsi_stream_fail_uv(&diag, status, what), &diag);
}

/* --- sending ------------------------------------------------------------------------------------------------------ */

static void on_written(uv_write_t *request, int status);

static void swap(struct itsi_buf *a, struct itsi_buf *b)
{
    struct itsi_buf kept = *a;
    *a = *b;
    *b = kept;
}

static void empty(struct itsi_buf *buf)
{
    if (buf->cap > KEPT_BYTES)
        itsi_buf_fini(buf);
    else
        itsi_buf_reset(buf);
}

/* Who hung up may have said why before: reading comes to that, and to the end of it. */
static void fail_sending(struct itsi_redis_stream *s, int status)
{
    s->is_mute = status == UV_EPIPE || status == UV_ECONNRESET;
    empty(&s->wire);
    if (!s->is_mute)
        itsi_stream_fail_status(s, status, "sending");
}

/* What the kernel does not take at once is left to libuv, in `wire`, while `plain` fills again. */
static void send_wire(struct itsi_redis_stream *s)
{
    uv_buf_t piece = uv_buf_init(s->wire.data, (unsigned)s->wire.len);
    int sent = uv_try_write(&s->uv.stream, &piece, 1);
    if (sent < 0 && sent != UV_EAGAIN) {
        fail_sending(s, sent);
        return;
    }
    if (sent < 0)
        sent = 0;
    if ((size_t)sent == s->wire.len) {
        empty(&s->wire);
        return;
    }
    piece = uv_buf_init(s->wire.data + sent, (unsigned)(s->wire.len - (size_t)sent));
    int status = uv_write(&s->writing, &s->uv.stream, &piece, 1, on_written);
    if (status)
        fail_sending(s, status);
    else
        s->is_writing = true;
}

static void flush(struct itsi_redis_stream *s)
{
    if (s->is_writing || s->is_mute || s->is_closing || s->stage < ITSI_STREAM_GREETING || s->stage == ITSI_STREAM_ENDED)
        return;
    struct its_diag diag;
    if (s->plain.failed || s->wire.failed) {
        itsi_stream_fail(s, itsi_fail(&diag, ITS_ENOMEM, "sending: out of memory"), &diag);
        return;
    }
    if (!s->tls) {
        swap(&s->plain, &s->wire);
    } else {
        int rc = s->stage == ITSI_STREAM_OPEN ? itsi_tls_write(s->tls, s->plain.data, s->plain.len, &diag) : 0;
        if (rc) {
            itsi_stream_fail(s, rc, &diag);
            return;
        }
        empty(&s->plain);
        itsi_tls_take(s->tls, &s->wire);
    }
    if (s->wire.len)
        send_wire(s);
}

static void on_written(uv_write_t *request, int status)
{
    struct itsi_redis_stream *s = request->data;
    s->is_writing = false;
    empty(&s->wire);
    if (status)
        fail_sending(s, status);
    else
        flush(s);
}

static void on_turn_end(uv_prepare_t *handle)
{
    uv_prepare_stop(handle);
    flush(handle->data);
}

struct itsi_buf *itsi_redis_stream_out(struct itsi_redis_stream *s)
{
    uv_prepare_start(&s->flusher, on_turn_end);
    return &s->plain;
}

/* --- receiving ---------------------------------------------------------------------------------------------------- */

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    (void)wanted;
    struct itsi_redis_stream *s = handle->data;
    *out = uv_buf_init(s->input, READ_BYTES);
}

static void opened(struct itsi_redis_stream *s)
{
    s->stage = ITSI_STREAM_OPEN;
    s->events->opened(s->self);
}

static void read_clear(struct itsi_redis_stream *s)
{
    struct its_diag diag;
    while (!s->is_closing && s->stage == ITSI_STREAM_OPEN) {
        int got = itsi_tls_read(s->tls, s->clear, READ_BYTES, &diag);
        if (got > 0)
            s->events->data(s->self, s->clear, (size_t)got);
        else if (got == ITS_EEOF)
            itsi_stream_fail_status(s, UV_EOF, "receiving");
        else if (got < 0)
            itsi_stream_fail(s, got, &diag);
        if (got <= 0)
            break;
    }
    flush(s); /* what TLS has to say for itself */
}

static void receive_tls(struct itsi_redis_stream *s, const char *data, size_t len)
{
    struct its_diag diag = {""};
    int rc = itsi_tls_feed(s->tls, data, len, &diag);
    if (!rc && s->stage == ITSI_STREAM_GREETING) {
        rc = itsi_tls_greet(s->tls, &diag);
        flush(s);
        if (!rc)
            opened(s);
    }
    if (rc && rc != ITS_EAGAIN)
        itsi_stream_fail(s, rc, &diag);
    else if (!s->is_closing && s->stage == ITSI_STREAM_OPEN)
        read_clear(s);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct itsi_redis_stream *s = stream->data;
    if (s->is_closing || s->stage == ITSI_STREAM_ENDED || got == 0)
        return;
    if (got < 0)
        itsi_stream_fail_status(s, (int)got, s->stage == ITSI_STREAM_GREETING ? "TLS handshake" : "receiving");
    else if (s->tls)
        receive_tls(s, buf->base, (size_t)got);
    else
        s->events->data(s->self, buf->base, (size_t)got);
}

void itsi_stream_connected(struct itsi_redis_stream *s)
{
    int status = uv_read_start(&s->uv.stream, on_room, on_read);
    if (status) {
        itsi_stream_fail_status(s, status, "receiving");
        return;
    }
    if (!s->tls) {
        opened(s);
        return;
    }
    s->stage = ITSI_STREAM_GREETING;
    struct its_diag diag;
    int rc = itsi_tls_greet(s->tls, &diag);
    if (rc != ITS_EAGAIN)
        itsi_stream_fail(s, rc, &diag);
    else
        flush(s);
}

/* --- making and ending it ------------------------------------------------------------------------------------------ */

static void free_stream(struct itsi_redis_stream *s)
{
    if (s->addresses)
        uv_freeaddrinfo(s->addresses);
    itsi_tls_session_destroy(s->tls);
    itsi_buf_fini(&s->plain);
    itsi_buf_fini(&s->wire);
    itsi_free(s->input);
    itsi_free(s->clear);
    itsi_free(s);
}

void itsi_stream_closed(struct itsi_redis_stream *s)
{
    if (s->handles || s->is_resolving)
        return;
    const struct itsi_redis_stream_events *events = s->events;
    void *self = s->self;
    free_stream(s);
    events->closed(self);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct itsi_redis_stream *s = handle->data;
    s->handles--;
    itsi_stream_closed(s);
}

static int allocate(struct itsi_redis_stream *s, struct itsi_tls *tls, struct its_diag *diag)
{
    s->input = itsi_alloc(READ_BYTES);
    if (tls)
        s->clear = itsi_alloc(READ_BYTES);
    if (!s->input || (tls && !s->clear))
        return itsi_fail(diag, ITS_ENOMEM, "connecting: out of memory");
    return tls ? itsi_tls_session_create(&s->tls, tls, s->host.name, diag) : 0;
}

static void on_first_turn(uv_prepare_t *handle)
{
    uv_prepare_stop(handle);
    itsi_stream_go_on(handle->data);
}

int itsi_redis_stream_create(struct itsi_redis_stream **out, uv_loop_t *loop,
                             const struct itsi_redis_stream_params *params, int64_t deadline,
                             const struct itsi_redis_stream_events *events, void *self, struct its_diag *diag)
{
    struct itsi_redis_stream *s = itsi_zalloc(sizeof *s);
    if (!s)
        return itsi_fail(diag, ITS_ENOMEM, "connecting: out of memory");
    s->loop = loop;
    s->events = events;
    s->self = self;
    s->socket = params->socket;
    s->deadline = deadline;
    if (params->host)
        s->host = *params->host;
    else
        snprintf(s->path, sizeof s->path, "%s", params->path);
    s->flusher.data = s->patience.data = s->resolving.data = s->connecting.data = s->writing.data = s;
    int rc = allocate(s, params->tls, diag);
    if (!rc)
        rc = itsi_stream_dial(s, diag);
    if (rc) { /* no handle is open yet */
        free_stream(s);
        return rc;
    }
    uv_prepare_init(loop, &s->flusher);
    uv_timer_init(loop, &s->patience);
    s->handles += 2;
    if (s->next_address)
        uv_prepare_start(&s->flusher, on_first_turn);
    *out = s;
    return 0;
}

void itsi_redis_stream_close(struct itsi_redis_stream *s)
{
    s->is_closing = true;
    itsi_stream_hang_up(s);
    uv_close((uv_handle_t *)&s->flusher, on_handle_closed);
    uv_close((uv_handle_t *)&s->patience, on_handle_closed);
}

const char *itsi_redis_stream_stage(const struct itsi_redis_stream *s)
{
    static const char *const names[] = {"resolving", "connecting", "TLS handshake", "open", "open"};
    return names[s->stage];
}
