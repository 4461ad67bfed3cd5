/* A byte stream to a Redis server: TCP or a unix socket over libuv, TLS where asked for, TCP's own watch over dead links
 * switched on. What is sent within one turn of the loop leaves in one write. Everything on the loop's thread. */
#ifndef ITSI_POOL_REDIS_STREAM_H
#define ITSI_POOL_REDIS_STREAM_H

#include "pool/redis_url.h"

#include <uv.h>

struct itsi_redis_stream;

/* 0 everywhere: the system's defaults. */
struct itsi_redis_socket {
    bool is_kept_alive;                                     /* TCP keepalive */
    int idle_seconds, interval_seconds, probes;             /* of it */
    int unacknowledged_ms; /* TCP_USER_TIMEOUT: what was sent and not acknowledged for so long ends the connection, which
                              keepalive, that waits for silence, does not see */
};

struct itsi_redis_stream_params {
    const struct itsi_redis_host *host; /* NULL: path */
    const char *path;                   /* of a unix socket */
    struct itsi_tls *tls;               /* NULL: none; outlives the stream */
    struct itsi_redis_socket socket;
};

/* Called from the loop, never from within a call of this header. After itsi_redis_stream_close only `closed` comes. */
struct itsi_redis_stream_events {
    void (*opened)(void *self);                            /* connected, TLS included */
    void (*data)(void *self, const char *bytes, size_t len);
    void (*failed)(void *self, int rc, const struct its_diag *diag); /* once: it could not be opened, or has ended */
    void (*closed)(void *self);                            /* once, after close: all memory is free */
};

/* Begins to connect. params and its strings are copied; events outlive the stream. Nothing fails at `deadline`, which is
 * the caller's to watch: of the time until then each address of a name gets its share, so that one that is silent leaves
 * some to the next. */
ITS_NODISCARD int itsi_redis_stream_create(struct itsi_redis_stream **out, uv_loop_t *loop,
                                           const struct itsi_redis_stream_params *params, int64_t deadline,
                                           const struct itsi_redis_stream_events *events, void *self,
                                           struct its_diag *diag);
/* Once; also after `failed`. */
void itsi_redis_stream_close(struct itsi_redis_stream *stream);

/* Room for what is to be sent: appended to it, it leaves with the end of this turn of the loop. Once opened. */
struct itsi_buf *itsi_redis_stream_out(struct itsi_redis_stream *stream);

/* What it is busy with, for messages: "resolving", "connecting", "TLS handshake", "open". */
const char *itsi_redis_stream_stage(const struct itsi_redis_stream *stream);

#endif
