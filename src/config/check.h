/* What single rows cannot say: options that must fit together. */
#ifndef ITSI_CONFIG_CHECK_H
#define ITSI_CONFIG_CHECK_H

#include "its/error.h"

#include <stdbool.h>

struct itsi_config;

/* ITS_EINVAL naming the keys, their values and their sources. */
ITS_NODISCARD int itsi_config_check(const struct itsi_config *config, struct its_diag *diag);

/* Takes "127.0.0.1:8080", "[::1]:8080", "localhost:8080" apart. host without brackets; port 0: any free one. */
struct itsi_listen {
    char host[256];
    int port;
    bool loopback; /* 127.0.0.0/8, ::1 or localhost */
};
ITS_NODISCARD int itsi_listen_parse(struct itsi_listen *out, const char *text, struct its_diag *diag);

#endif
