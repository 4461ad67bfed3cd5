/* The stream from inside: redis_stream.c sends and receives, redis_dial.c connects. */
#ifndef ITSI_POOL_REDIS_STREAM_IMPL_H
#define ITSI_POOL_REDIS_STREAM_IMPL_H

#include "base/buf.h"
#include "pool/redis_stream.h"

enum itsi_stream_stage {
    ITSI_STREAM_RESOLVING,
    ITSI_STREAM_CONNECTING,
    ITSI_STREAM_GREETING, /* TLS's handshake */
    ITSI_STREAM_OPEN,
    ITSI_STREAM_ENDED
};

struct itsi_redis_stream {
    uv_loop_t *loop;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    uv_prepare_t flusher;
    uv_timer_t patience; /* with an address, while there is another */
    uv_getaddrinfo_t resolving;
    uv_connect_t connecting;
    uv_write_t writing;

    struct itsi_redis_host host;
    char path[108];
    struct itsi_redis_socket socket;
    const struct itsi_redis_stream_events *events;
    void *self;

    enum itsi_stream_stage stage;
    bool is_resolving, is_writing, is_closing, has_socket;
    bool is_mute; /* sending has failed: nothing is sent any more */
    int handles; /* not yet closed */
    struct addrinfo *addresses, *next_address;
    int64_t deadline; /* of connecting */
    struct its_diag why; /* of the last address that did not answer */
    int why_code;

    struct itsi_tls_session *tls;
    struct itsi_buf plain; /* to be sent; with TLS: to be encrypted */
    struct itsi_buf wire;  /* being sent */
    char *input;           /* what the loop reads into */
    char *clear;           /* what TLS decrypts into */
};

/* redis_dial.c: begins to connect. A stream that could not even begin has no handle open. One whose address is known
 * already (next_address) goes on in a later turn of the loop, with itsi_stream_go_on: what comes of it may not be told
 * before the caller has the stream. */
ITS_NODISCARD int itsi_stream_dial(struct itsi_redis_stream *s, struct its_diag *diag);
void itsi_stream_go_on(struct itsi_redis_stream *s);
/* The socket, if there is one, is closed; itsi_stream_closed is called when it is. */
void itsi_stream_hang_up(struct itsi_redis_stream *s);

/* redis_stream.c: connected; reading begins, and TLS. */
void itsi_stream_connected(struct itsi_redis_stream *s);
/* After close: frees it once no handle and no question is open any more. */
void itsi_stream_closed(struct itsi_redis_stream *s);
/* It has ended, which is told once. */
void itsi_stream_fail(struct itsi_redis_stream *s, int rc, const struct its_diag *diag);
void itsi_stream_fail_status(struct itsi_redis_stream *s, int status, const char *what);
/* The one place that translates libuv's statuses. */
int itsi_stream_fail_uv(struct its_diag *diag, int status, const char *what);

#endif
