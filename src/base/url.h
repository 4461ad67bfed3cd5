/* URLs of cameras and servers: taking them apart, and the one place where their passwords are hidden. */
#ifndef ITSI_BASE_URL_H
#define ITSI_BASE_URL_H

#include "its/error.h"

#include <stddef.h>

struct itsi_url {
    char scheme[16];    /* lower case; "file" when the text has no scheme */
    char user[128];     /* percent-decoded; empty when absent */
    char password[256]; /* access tokens of hosted servers have 128 and more */
    char host[256];     /* without brackets; empty for file, null and synth paths */
    int port;           /* 0 when absent */
    char path[2048];    /* for file: the file's path, percent-decoding only after file:// */
    char query[1024];   /* without '?' */
};

/* Splits text. Fails with ITS_EINVAL naming what is wrong; the text in diag is redacted. */
ITS_NODISCARD int itsi_url_parse(struct itsi_url *out, const char *text, struct its_diag *diag);

/* Value of a query parameter, percent-decoded into out. 1: found, 0: absent, ITS_EINVAL: too long. */
int itsi_url_param(const struct itsi_url *url, const char *name, char *out, size_t size);

/* Copies text with the password (and any query value whose name ends as a secret's: password, token, key, secret, signature)
 * replaced by "***". THE redaction point: whatever shows a URL to a person, a log, an API or a child process passes it. Never
 * fails. */
void itsi_url_redact(const char *text, char *out, size_t size);

/* The first secret of a text that may hold several addresses, or one within another ("concat:http://a|http://b"): a
 * password or a secret-looking query value, as it stands there. NULL: none; the next is looked for from its end on. */
const char *itsi_url_find_secret(const char *text, size_t *len);

/* Replaces every occurrence of the URL's password in a foreign message (libav's, say). In place. */
void itsi_url_scrub(const struct itsi_url *url, char *message);

#endif
