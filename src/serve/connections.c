#include "serve/connections.h"

#include "base/mem.h"
#include "base/thread.h"

#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

/* From connecting, or from the last answer, to the headers of a request. */
#define HEADERS_NS (15 * ITSI_NS_PER_S)

void itsi_connections_init(struct itsi_connections *c, struct itsi_serve_stats *stats)
{
    *c = (struct itsi_connections){.stats = stats};
    pthread_mutex_init(&c->mutex, NULL);
    itsi_cond_init(&c->changed);
}

void itsi_connections_fini(struct itsi_connections *c)
{
    while (c->first) {
        struct itsi_connection *one = c->first;
        c->first = one->next;
        itsi_free(one);
    }
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->mutex);
}

int itsi_connections_count(struct itsi_connections *c)
{
    pthread_mutex_lock(&c->mutex);
    const int count = c->count;
    pthread_mutex_unlock(&c->mutex);
    return count;
}

/* A peer whose cable is pulled is found out within about a minute. And the kernel holds little that is not sent: what a
 * slow viewer is behind by must wait in its queue, where it is dropped and counted, not in megabytes of socket buffer. */
static void tune(int fd)
{
    const int on = 1, idle = 30, every = 10, times = 3, unacknowledged_ms = 30000, unsent_bytes = 128 * 1024;
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes, sizeof unsent_bytes);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof unacknowledged_ms);
}

struct itsi_connection *itsi_connection_opened(struct itsi_connections *c, int fd, int64_t now)
{
    struct itsi_connection *one = itsi_zalloc(sizeof *one);
    if (!one)
        return NULL;
    tune(fd);
    one->fd = fd;
    one->deadline = now + HEADERS_NS;
    pthread_mutex_lock(&c->mutex);
    one->next = c->first;
    if (one->next)
        one->next->prev = one;
    c->first = one;
    c->count++;
    pthread_mutex_unlock(&c->mutex);
    atomic_fetch_add(&c->stats->connections, 1);
    atomic_fetch_add(&c->stats->connections_total, 1);
    return one;
}

void itsi_connection_closed(struct itsi_connections *c, struct itsi_connection *one)
{
    if (!one)
        return;
    pthread_mutex_lock(&c->mutex);
    if (one->prev)
        one->prev->next = one->next;
    else
        c->first = one->next;
    if (one->next)
        one->next->prev = one->prev;
    c->count--;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->mutex);
    atomic_fetch_sub(&c->stats->connections, 1);
    itsi_free(one);
}

void itsi_connection_due(struct itsi_connections *c, struct itsi_connection *one, int64_t deadline)
{
    if (!one)
        return;
    pthread_mutex_lock(&c->mutex);
    one->deadline = deadline;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}

/* The lock is held. */
static bool is_one_answered(const struct itsi_connections *c)
{
    const struct itsi_connection *one = c->first;
    while (one && one->deadline != ITSI_NEVER)
        one = one->next;
    return one != NULL;
}

void itsi_connections_settle(struct itsi_connections *c, int64_t until)
{
    pthread_mutex_lock(&c->mutex);
    while (is_one_answered(c) && itsi_cond_wait_until(&c->changed, &c->mutex, until))
        ;
    pthread_mutex_unlock(&c->mutex);
}

/* shutdown() makes the network thread see the end and clean up; the descriptor stays valid until it has told us. */
void itsi_connections_expire(struct itsi_connections *c, int64_t now)
{
    pthread_mutex_lock(&c->mutex);
    for (struct itsi_connection *one = c->first; one; one = one->next)
        if (now > one->deadline) {
            one->deadline = ITSI_NEVER;
            shutdown(one->fd, SHUT_RDWR);
            atomic_fetch_add(&c->stats->timeouts, 1);
        }
    pthread_mutex_unlock(&c->mutex);
}

void itsi_connection_describe(struct MHD_Connection *connection, char *out, size_t size)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char host[64] = "?", port[16] = "?";
    if (info && info->client_addr) {
        const socklen_t len =
            info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
        getnameinfo(info->client_addr, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    }
    snprintf(out, size, "%s:%s", host, port);
}

static bool poll_for(struct MHD_Connection *connection, short events)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pollfd one = {.fd = info ? info->connect_fd : -1, .events = events};
    return poll(&one, 1, 0) > 0 && (one.revents & (events | POLLHUP | POLLERR)) != 0;
}

bool itsi_connection_is_gone(struct MHD_Connection *connection) { return poll_for(connection, 0); }
bool itsi_connection_is_half_closed(struct MHD_Connection *connection) { return poll_for(connection, POLLRDHUP); }
