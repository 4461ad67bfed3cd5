/* Outgoing HTTP, one blocking request at a time (libcurl). Redirections are not followed. */
#ifndef ITSI_NET_HTTP_H
#define ITSI_NET_HTTP_H

#include "base/buf.h"

#include <stdint.h>

struct itsi_http_request {
    const char *method;     /* "GET", "POST", ... */
    const char *url;
    const char *token;      /* bearer token; NULL: none */
    const char *body;       /* NULL: none */
    double timeout_seconds; /* for the whole exchange; 0: 10 s */
    /* all below may be left out */
    size_t body_len;              /* 0: body is text and ends at its NUL */
    const char *content_type;     /* of the body; NULL: application/json */
    const char *content_encoding; /* of the body, "gzip"; NULL: none */
    double connect_seconds;       /* for the connection; 0: no bound of its own */
    const char *shown;            /* what messages call the URL; NULL: the URL, redacted */
};

struct itsi_http_reply {
    int status;
    double retry_after_seconds; /* as the server asked; 0: it did not */
};

/* Performs the request; the body of the answer is appended to `answer` and its status written to *status. An HTTP error
 * status is no failure here. ITS_EREFUSED nobody listens, ITS_ETIMEOUT, ITS_EINVAL bad URL, ITS_EIO otherwise. Answers
 * over 64 MiB are ITS_ELIMIT. */
ITS_NODISCARD int itsi_http_perform(const struct itsi_http_request *request, int *status, struct itsi_buf *answer,
                                    struct its_diag *diag);

/* A client keeps its connection between requests and can be told to stop. perform() belongs to one thread at a time. */
struct itsi_http_client;
ITS_NODISCARD int itsi_http_client_create(struct itsi_http_client **out, struct its_diag *diag);
void itsi_http_client_destroy(struct itsi_http_client *client); /* takes NULL; no request may be running */
/* As itsi_http_perform, but of the answer's body the first answer_limit bytes are kept and the rest is read past, and
 * ITS_ECANCELLED when the limit below cut the exchange. */
ITS_NODISCARD int itsi_http_client_perform(struct itsi_http_client *client, const struct itsi_http_request *request,
                                           size_t answer_limit, struct itsi_http_reply *reply, struct itsi_buf *answer,
                                           struct its_diag *diag);
/* No request of this client goes beyond that instant, the running one included; ITSI_NEVER lifts it. Any thread; never
 * waits. */
void itsi_http_client_limit(struct itsi_http_client *client, int64_t until_ns);

#endif
