#include "pool/redis_stream.h"

#include "base/diag.h"
#include "base/mem.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define READ_BYTES 65536
#define KEPT_BYTES ((size_t)1 << 20) /* of a send buffer; what was larger is given back */

enum stage { RESOLVING, CONNECTING, GREETING, OPEN, ENDED };

struct itsi_redis_stream {
    uv_loop_t *loop;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    uv_prepare_t flusher;
    uv_getaddrinfo_t resolving;
    uv_connect_t connecting;
    uv_write_t writing;

    struct itsi_redis_host host;
    char path[108];
    struct itsi_redis_socket socket;
    const struct itsi_redis_stream_events *events;
    void *self;

    enum stage stage;
    bool is_resolving, is_writing, is_closing, has_socket;
    bool is_mute; /* sending has failed: nothing is sent any more */
    int handles; /* not yet closed */
    struct addrinfo *addresses, *next_address;
    struct its_diag why; /* of the last address that did not answer */
    int why_code;

    struct itsi_tls_session *tls;
    struct itsi_buf plain; /* to be sent; with TLS: to be encrypted */
    struct itsi_buf wire;  /* being sent */
    char *input;           /* what the loop reads into */
    char *clear;           /* what TLS decrypts into */
};

static void connect_next(struct itsi_redis_stream *s);

/* The one place that translates libuv's statuses. */
static int fail_uv(struct its_diag *diag, int status, const char *what)
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

static void fail(struct itsi_redis_stream *s, int rc, const struct its_diag *diag)
{
    if (s->stage == ENDED || s->is_closing)
        return;
    s->stage = ENDED;
    s->events->failed(s->self, rc, diag);
}

static void fail_status(struct itsi_redis_stream *s, int status, const char *what)
{
    struct its_diag diag;
    fail(s, fail_uv(&diag, status, what), &diag);
}

/* --- sending ------------------------------------------------------------------------------------------------------- */

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
        fail_status(s, status, "sending");
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
    if (s->is_writing || s->is_mute || s->is_closing || s->stage < GREETING || s->stage == ENDED)
        return;
    struct its_diag diag;
    if (s->plain.failed || s->wire.failed) {
        fail(s, itsi_fail(&diag, ITS_ENOMEM, "sending: out of memory"), &diag);
        return;
    }
    if (!s->tls) {
        swap(&s->plain, &s->wire);
    } else {
        int rc = s->stage == OPEN ? itsi_tls_write(s->tls, s->plain.data, s->plain.len, &diag) : 0;
        if (rc) {
            fail(s, rc, &diag);
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

/* --- receiving ----------------------------------------------------------------------------------------------------- */

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    (void)wanted;
    struct itsi_redis_stream *s = handle->data;
    *out = uv_buf_init(s->input, READ_BYTES);
}

static void opened(struct itsi_redis_stream *s)
{
    s->stage = OPEN;
    s->events->opened(s->self);
}

static void read_clear(struct itsi_redis_stream *s)
{
    struct its_diag diag;
    while (!s->is_closing && s->stage == OPEN) {
        int got = itsi_tls_read(s->tls, s->clear, READ_BYTES, &diag);
        if (got > 0)
            s->events->data(s->self, s->clear, (size_t)got);
        else if (got == ITS_EEOF)
            fail_status(s, UV_EOF, "receiving");
        else if (got < 0)
            fail(s, got, &diag);
        if (got <= 0)
            break;
    }
    flush(s); /* what TLS has to say for itself */
}

static void receive_tls(struct itsi_redis_stream *s, const char *data, size_t len)
{
    struct its_diag diag = {""};
    int rc = itsi_tls_feed(s->tls, data, len, &diag);
    if (!rc && s->stage == GREETING) {
        rc = itsi_tls_greet(s->tls, &diag);
        flush(s);
        if (!rc)
            opened(s);
    }
    if (rc && rc != ITS_EAGAIN)
        fail(s, rc, &diag);
    else if (!s->is_closing && s->stage == OPEN)
        read_clear(s);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct itsi_redis_stream *s = stream->data;
    if (s->is_closing || s->stage == ENDED || got == 0)
        return;
    if (got < 0)
        fail_status(s, (int)got, s->stage == GREETING ? "TLS handshake" : "receiving");
    else if (s->tls)
        receive_tls(s, buf->base, (size_t)got);
    else
        s->events->data(s->self, buf->base, (size_t)got);
}

/* --- connecting ---------------------------------------------------------------------------------------------------- */

static int set_option(int fd, int level, int option, int value)
{
    return value > 0 ? setsockopt(fd, level, option, &value, sizeof value) : 0;
}

/* Where the system refuses one the connection still works, only less watched. */
static void watch_link(struct itsi_redis_stream *s)
{
    uv_os_fd_t fd;
    if (s->path[0] || uv_fileno(&s->uv.handle, &fd))
        return;
    uv_tcp_nodelay(&s->uv.tcp, 1);
    const struct itsi_redis_socket *o = &s->socket;
    (void)set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, o->unacknowledged_ms);
    if (!o->is_kept_alive)
        return;
    (void)set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    (void)set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, o->idle_seconds);
    (void)set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, o->interval_seconds);
    (void)set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, o->probes);
}

static void on_connected(uv_connect_t *request, int status)
{
    struct itsi_redis_stream *s = request->data;
    if (s->is_closing)
        return;
    if (status) {
        s->why_code = fail_uv(&s->why, status, "connecting");
        connect_next(s);
        return;
    }
    watch_link(s);
    status = uv_read_start(&s->uv.stream, on_room, on_read);
    if (status) {
        fail_status(s, status, "receiving");
        return;
    }
    if (!s->tls) {
        opened(s);
        return;
    }
    s->stage = GREETING;
    struct its_diag diag;
    int rc = itsi_tls_greet(s->tls, &diag);
    if (rc != ITS_EAGAIN)
        fail(s, rc, &diag);
    else
        flush(s);
}

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

static void finish_close(struct itsi_redis_stream *s)
{
    if (s->handles || s->is_resolving)
        return;
    const struct itsi_redis_stream_events *events = s->events;
    void *self = s->self;
    free_stream(s);
    events->closed(self);
}

static void on_socket_closed(uv_handle_t *handle)
{
    struct itsi_redis_stream *s = handle->data;
    s->handles--;
    if (s->is_closing)
        finish_close(s);
    else
        connect_next(s);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct itsi_redis_stream *s = handle->data;
    s->handles--;
    finish_close(s);
}

/* A socket that failed to connect is no good for another try: the next address gets one of its own. */
static void connect_next(struct itsi_redis_stream *s)
{
    if (s->has_socket) {
        s->has_socket = false;
        uv_close(&s->uv.handle, on_socket_closed);
        return;
    }
    if (!s->next_address) {
        fail(s, s->why_code, &s->why);
        return;
    }
    const struct sockaddr *address = s->next_address->ai_addr;
    s->next_address = s->next_address->ai_next;
    int status = uv_tcp_init(s->loop, &s->uv.tcp);
    if (!status) {
        s->has_socket = true;
        s->handles++;
        s->uv.handle.data = s;
        status = uv_tcp_connect(&s->connecting, &s->uv.tcp, address, on_connected);
    }
    if (status)
        fail_status(s, status, "connecting");
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct itsi_redis_stream *s = request->data;
    s->is_resolving = false;
    s->addresses = s->next_address = found;
    if (s->is_closing) {
        finish_close(s);
        return;
    }
    s->stage = CONNECTING;
    if (status)
        fail_status(s, status, "resolving");
    else
        connect_next(s);
}

static int start_tcp(struct itsi_redis_stream *s, struct its_diag *diag)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    char port[16];
    snprintf(port, sizeof port, "%d", s->host.port);
    int status = uv_getaddrinfo(s->loop, &s->resolving, on_resolved, s->host.name, port, &hints);
    if (status)
        return fail_uv(diag, status, "resolving");
    s->is_resolving = true;
    return 0;
}

static int start_unix(struct itsi_redis_stream *s, struct its_diag *diag)
{
    int status = uv_pipe_init(s->loop, &s->uv.pipe, 0);
    if (status)
        return fail_uv(diag, status, "connecting");
    s->has_socket = true;
    s->handles++;
    s->uv.handle.data = s;
    s->stage = CONNECTING;
    uv_pipe_connect(&s->connecting, &s->uv.pipe, s->path, on_connected);
    return 0;
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

int itsi_redis_stream_create(struct itsi_redis_stream **out, uv_loop_t *loop,
                             const struct itsi_redis_stream_params *params,
                             const struct itsi_redis_stream_events *events, void *self, struct its_diag *diag)
{
    struct itsi_redis_stream *s = itsi_zalloc(sizeof *s);
    if (!s)
        return itsi_fail(diag, ITS_ENOMEM, "connecting: out of memory");
    s->loop = loop;
    s->events = events;
    s->self = self;
    s->socket = params->socket;
    if (params->host)
        s->host = *params->host;
    else
        snprintf(s->path, sizeof s->path, "%s", params->path);
    s->flusher.data = s->resolving.data = s->connecting.data = s->writing.data = s;
    int rc = allocate(s, params->tls, diag);
    if (!rc)
        rc = s->path[0] ? start_unix(s, diag) : start_tcp(s, diag);
    if (rc) { /* no handle is open yet */
        free_stream(s);
        return rc;
    }
    uv_prepare_init(loop, &s->flusher);
    s->handles++;
    *out = s;
    return 0;
}

void itsi_redis_stream_close(struct itsi_redis_stream *s)
{
    s->is_closing = true;
    if (s->is_resolving)
        uv_cancel((uv_req_t *)&s->resolving); /* where it is too late for that, its answer is awaited */
    if (s->has_socket) {
        s->has_socket = false;
        uv_close(&s->uv.handle, on_socket_closed);
    }
    uv_close((uv_handle_t *)&s->flusher, on_handle_closed);
}

const char *itsi_redis_stream_stage(const struct itsi_redis_stream *s)
{
    static const char *const names[] = {"resolving", "connecting", "TLS handshake", "open", "open"};
    return names[s->stage];
}
