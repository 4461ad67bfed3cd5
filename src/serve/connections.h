/* Open connections: how many, since when without a whole request, and whether the other side is still there. */
#ifndef ITSI_SERVE_CONNECTIONS_H
#define ITSI_SERVE_CONNECTIONS_H

#include "serve/stats.h"

#include <pthread.h>
#include <stddef.h>

struct MHD_Connection;

/* What libmicrohttpd keeps for us beside a connection. */
struct itsi_connection {
    int fd;
    int64_t deadline; /* by when a whole request must be here; ITSI_NEVER while one is answered */
    struct itsi_connection *prev, *next;
};

struct itsi_connections {
    struct itsi_serve_stats *stats;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* one was answered, or closed */
    struct itsi_connection *first;
    int count;
};

void itsi_connections_init(struct itsi_connections *connections, struct itsi_serve_stats *stats);
void itsi_connections_fini(struct itsi_connections *connections);
int itsi_connections_count(struct itsi_connections *connections);
/* Keeps fd in the list until closed() is told. NULL: out of memory. */
struct itsi_connection *itsi_connection_opened(struct itsi_connections *connections, int fd, int64_t now);
void itsi_connection_closed(struct itsi_connections *connections, struct itsi_connection *connection);
void itsi_connection_due(struct itsi_connections *connections, struct itsi_connection *connection, int64_t deadline);
/* Waits until none is answered any more, at most until that instant. */
void itsi_connections_settle(struct itsi_connections *connections, int64_t until);
/* Cuts off those that owe a request for too long. */
void itsi_connections_expire(struct itsi_connections *connections, int64_t now);

/* "127.0.0.1:51234" */
void itsi_connection_describe(struct MHD_Connection *connection, char *out, size_t size);
/* Nothing that is sent arrives any more. For suspended connections, which libmicrohttpd does not watch. A client that has
 * closed may have closed its half only, and read on: before something is sent to it the two cannot be told apart. */
bool itsi_connection_is_gone(struct MHD_Connection *connection);
/* The other side sends nothing more: it is gone, or only reads. */
bool itsi_connection_is_half_closed(struct MHD_Connection *connection);

#endif
