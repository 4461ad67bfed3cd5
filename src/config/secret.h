/* What may stand for a secret (a token, a server's URL, a camera's URL): the text itself, {"file": PATH} whose content
 * it is, or {"env": NAME}. */
#ifndef ITSI_CONFIG_SECRET_H
#define ITSI_CONFIG_SECRET_H

#include "its/error.h"

#include <jansson.h>
#include <stdbool.h>

/* *text: the secret (caller frees with itsi_free), NULL for null or "". dir: where relative paths start ("": here). env:
 * "NAME=value" entries, NULL-terminated; NULL: none. A file's trailing line ends are cut. Fails naming the file or the
 * variable, never the secret; the "***" of a redacted dump is refused. */
ITS_NODISCARD int itsi_secret_resolve(const json_t *given, const char *dir, char *const *env, char **text,
                                      struct its_diag *diag);

/* The same reference with a relative file made absolute, so that it means the same wherever it is written to later;
 * everything else comes back as it is. New reference; NULL when out of memory. */
json_t *itsi_secret_anchor(json_t *given, const char *dir);

/* Value of a variable in env; NULL: not set. */
const char *itsi_env_get(char *const *env, const char *name);

/* Reads a whole file of at most `most` bytes; NUL-terminated, caller frees with itsi_free. */
ITS_NODISCARD int itsi_read_file(const char *path, size_t most, char **out, size_t *len, struct its_diag *diag);

#endif
