/* Talking to a running daemon from the command line. */
#ifndef ITSI_CLI_DAEMON_H
#define ITSI_CLI_DAEMON_H

#include "base/buf.h"

#include <jansson.h>

#define ITSI_DEFAULT_URL "http://127.0.0.1:8080"

struct itsi_daemon {
    const char *url;   /* base, without a trailing slash */
    char token[1024];  /* empty: none */
};

/* Token from a file (--token-file); the first line counts. ITS_ENOTFOUND and the like name the file. */
ITS_NODISCARD int itsi_daemon_token_file(struct itsi_daemon *daemon, const char *path, struct its_diag *diag);
/* Fills url and, from PERFORMANCE__TOKEN, the token. */
void itsi_daemon_init(struct itsi_daemon *daemon);

/* Performs the request and parses the answer (NULL for an empty body; caller json_decref's). Returns an exit code of
 * cli.h after printing what went wrong: ITSI_EXIT_NOT_RUNNING when nobody answers, ITSI_EXIT_FAILURE with the server's
 * own words for an HTTP error. */
int itsi_daemon_ask(const struct itsi_daemon *daemon, const char *method, const char *path, const char *body,
                    json_t **answer);

#endif
