/* The listening socket, made by ourselves so that its errors are ours to explain. */
#ifndef ITSI_SERVE_LISTEN_H
#define ITSI_SERVE_LISTEN_H

#include "its/error.h"

#include <stdbool.h>
#include <stddef.h>

struct itsi_listen {
    int fd;
    int port;      /* bound */
    bool loopback; /* reachable from this machine only */
    char url[320]; /* "http://127.0.0.1:8080/"; a wildcard address shows as localhost */
};

/* address: "127.0.0.1:8080", "[::1]:0", "localhost:8080", ":8080" or "0.0.0.0:8080" (every interface). */
ITS_NODISCARD int itsi_listen_open(struct itsi_listen *out, const char *address, struct its_diag *diag);
/* "host:port" apart; the host may be empty. ITS_EINVAL says what is wrong. */
ITS_NODISCARD int itsi_listen_split(const char *address, char *host, size_t host_size, char port[8],
                                    struct its_diag *diag);

#endif
