/* Resolving and connecting: every address of a name is tried in turn. */
#include "pool/redis_stream_impl.h"

#include "base/clock.h"
#include "base/diag.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

static void connect_next(struct itsi_redis_stream *s);

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

static void give_up_address(struct itsi_redis_stream *s, int status)
{
    uv_timer_stop(&s->patience);
    s->why_code = itsi_stream_fail_uv(&s->why, status, "connecting");
    connect_next(s);
}

static void on_connected(uv_connect_t *request, int status)
{
    struct itsi_redis_stream *s = request->data;
    if (s->is_closing || !s->has_socket) /* given up: its closing is awaited */
        return;
    if (status) {
        give_up_address(s, status);
        return;
    }
    uv_timer_stop(&s->patience);
    watch_link(s);
    itsi_stream_connected(s);
}

static void on_socket_closed(uv_handle_t *handle)
{
    struct itsi_redis_stream *s = handle->data;
    s->handles--;
    if (s->is_closing)
        itsi_stream_closed(s);
    else
        connect_next(s);
}

static int connect_to(struct itsi_redis_stream *s, const struct sockaddr *address)
{
    int status = uv_tcp_init(s->loop, &s->uv.tcp);
    if (status)
        return status;
    s->has_socket = true;
    s->handles++;
    s->uv.handle.data = s;
    return uv_tcp_connect(&s->connecting, &s->uv.tcp, address, on_connected);
}

static void lose_patience(uv_timer_t *timer)
{
    struct itsi_redis_stream *s = timer->data;
    if (s->stage == ITSI_STREAM_CONNECTING && s->has_socket)
        give_up_address(s, UV_ETIMEDOUT);
}

/* The time left, in equal parts to this address and those after it; the last may use up what there is. */
static void be_patient(struct itsi_redis_stream *s)
{
    int64_t left = s->deadline - itsi_now_ns();
    int addresses = 0;
    for (const struct addrinfo *a = s->next_address; a; a = a->ai_next)
        addresses++;
    if (addresses < 2)
        return;
    uv_update_time(s->loop);
    uv_timer_start(&s->patience, lose_patience, left > 0 ? (uint64_t)(left / addresses / ITSI_NS_PER_MS) : 0, 0);
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
        itsi_stream_fail(s, s->why_code, &s->why);
        return;
    }
    int status = connect_to(s, s->next_address->ai_addr);
    be_patient(s);
    s->next_address = s->next_address->ai_next;
    if (status) /* there is no way to it; to the next there may be */
        give_up_address(s, status);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct itsi_redis_stream *s = request->data;
    s->is_resolving = false;
    s->addresses = s->next_address = found;
    if (s->is_closing) {
        itsi_stream_closed(s);
        return;
    }
    s->stage = ITSI_STREAM_CONNECTING;
    if (status)
        itsi_stream_fail_status(s, status, "resolving");
    else
        connect_next(s);
}

static int start_tcp(struct itsi_redis_stream *s, struct its_diag *diag)
{
    const struct addrinfo numeric = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    char port[16];
    snprintf(port, sizeof port, "%d", s->host.port);
    /* an address is not looked up: libuv's threads may all be waiting for names or disks of others */
    if (getaddrinfo(s->host.name, port, &numeric, &s->addresses) == 0) {
        s->stage = ITSI_STREAM_CONNECTING;
        s->next_address = s->addresses;
        return 0;
    }
    s->addresses = NULL;
    int status = uv_getaddrinfo(s->loop, &s->resolving, on_resolved, s->host.name, port, &hints);
    if (status)
        return itsi_stream_fail_uv(diag, status, "resolving");
    s->is_resolving = true;
    return 0;
}

static int start_unix(struct itsi_redis_stream *s, struct its_diag *diag)
{
    int status = uv_pipe_init(s->loop, &s->uv.pipe, 0);
    if (status)
        return itsi_stream_fail_uv(diag, status, "connecting");
    s->has_socket = true;
    s->handles++;
    s->uv.handle.data = s;
    s->stage = ITSI_STREAM_CONNECTING;
    uv_pipe_connect(&s->connecting, &s->uv.pipe, s->path, on_connected);
    return 0;
}

void itsi_stream_go_on(struct itsi_redis_stream *s) { connect_next(s); }

int itsi_stream_dial(struct itsi_redis_stream *s, struct its_diag *diag)
{
    return s->path[0] ? start_unix(s, diag) : start_tcp(s, diag);
}

void itsi_stream_hang_up(struct itsi_redis_stream *s)
{
    if (s->is_resolving)
        uv_cancel((uv_req_t *)&s->resolving); /* where it is too late for that, its answer is awaited */
    if (s->has_socket) {
        s->has_socket = false;
        uv_close(&s->uv.handle, on_socket_closed);
    }
}
