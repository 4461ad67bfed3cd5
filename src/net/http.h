/* Outgoing HTTP, one blocking request at a time (libcurl). */
#ifndef ITSI_NET_HTTP_H
#define ITSI_NET_HTTP_H

#include "base/buf.h"

struct itsi_http_request {
    const char *method;     /* "GET", "POST", ... */
    const char *url;
    const char *token;      /* bearer token; NULL: none */
    const char *body;       /* JSON; NULL: none */
    double timeout_seconds; /* for the whole exchange; 0: 10 s */
};

/* Performs the request; the body of the answer is appended to `answer` and its status written to *status. An HTTP error
 * status is no failure here. ITS_EREFUSED nobody listens, ITS_ETIMEOUT, ITS_EINVAL bad URL, ITS_EIO otherwise. Answers
 * over 64 MiB are ITS_ELIMIT. */
ITS_NODISCARD int itsi_http_perform(const struct itsi_http_request *request, int *status, struct itsi_buf *answer,
                                    struct its_diag *diag);

#endif
