#include "serve/listen.h"

#include "base/diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int itsi_listen_split(const char *address, char *host, size_t host_size, char port[8], struct its_diag *diag)
{
    const char *colon = strrchr(address, ':');
    const char *end = colon;
    const char *begin = address;
    if (!colon || !colon[1])
        return itsi_fail(diag, ITS_EINVAL, "listen address '%.100s': wanted ADDRESS:PORT, as 127.0.0.1:8080", address);
    char *rest;
    const long number = strtol(colon + 1, &rest, 10);
    if (*rest || number < 0 || number > 65535)
        return itsi_fail(diag, ITS_EINVAL, "listen address '%.100s': the port must be 0..65535", address);
    if (begin[0] == '[') {
        if (end[-1] != ']')
            return itsi_fail(diag, ITS_EINVAL, "listen address '%.100s': ']' is missing", address);
        begin++;
        end--;
    } else if (memchr(begin, ':', (size_t)(end - begin))) {
        return itsi_fail(diag, ITS_EINVAL, "listen address '%.100s': write IPv6 addresses as [::1]:8080", address);
    }
    const size_t len = (size_t)(end - begin);
    if (len >= host_size)
        return itsi_fail(diag, ITS_EINVAL, "listen address '%.100s': too long", address);
    memcpy(host, begin, len);
    host[len] = '\0';
    snprintf(port, 8, "%ld", number);
    return 0;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, address, sizeof in6);
    return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

static bool is_wildcard(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return in.sin_addr.s_addr == htonl(INADDR_ANY);
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, address, sizeof in6);
    return IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr);
}

static void describe(struct itsi_listen *out)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof bound;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    out->url[0] = '\0';
    if (getsockname(out->fd, (struct sockaddr *)&bound, &len) != 0 ||
        getnameinfo((struct sockaddr *)&bound, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    out->port = atoi(port);
    if (is_wildcard((struct sockaddr *)&bound))
        snprintf(host, sizeof host, "localhost");
    const bool brackets = strchr(host, ':') != NULL;
    snprintf(out->url, sizeof out->url, "http://%s%.200s%s:%s/", brackets ? "[" : "", host, brackets ? "]" : "", port);
}

static int bind_one(const struct addrinfo *info)
{
    const int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, 512) == 0)
        return fd;
    const int err = errno;
    close(fd);
    errno = err;
    return -1;
}

int itsi_listen_open(struct itsi_listen *out, const char *address, struct its_diag *diag)
{
    char host[256], port[8];
    int rc = itsi_listen_split(address, host, sizeof host, port, diag);
    if (rc != 0)
        return rc;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found;
    const int err = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
    if (err)
        return itsi_fail(diag, ITS_EINVAL, "listen address '%.100s': %s", address, gai_strerror(err));
    out->fd = bind_one(found);
    const int why = errno;
    out->loopback = is_loopback(found->ai_addr);
    freeaddrinfo(found);
    if (out->fd < 0)
        return itsi_fail_errno(diag, why, "cannot listen on %s", address);
    describe(out);
    return 0;
}
