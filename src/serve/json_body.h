/* Reading the JSON body of a request, with errors that name the key. */
#ifndef ITSI_SERVE_JSON_BODY_H
#define ITSI_SERVE_JSON_BODY_H

#include "base/buf.h"

#include <jansson.h>

/* An object with known keys only (a list that ends with NULL); *out is the caller's to json_decref, NULL on error.
 * ITS_EINVAL. */
ITS_NODISCARD int itsi_body_read(const struct itsi_buf *text, const char *const known[], json_t **out,
                                 struct its_diag *diag);
/* A field that is absent or null leaves *out as it was. ITS_EINVAL: of another type, too long, or out of range. */
ITS_NODISCARD int itsi_body_text(const json_t *body, const char *key, char *out, size_t size, struct its_diag *diag);
ITS_NODISCARD int itsi_body_number(const json_t *body, const char *key, double least, double most, double *out,
                                   struct its_diag *diag);

#endif
