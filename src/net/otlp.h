/* Sends spans to an OpenTelemetry collector: OTLP over HTTP, protobuf encoded, packed with gzip where that pays and
 * the collector takes it (https://opentelemetry.io/docs/specs/otlp/). One batch at a time; when to try again is the
 * caller's business, see net/backoff.h. An exporter belongs to one thread, but for limit(). */
#ifndef ITSI_NET_OTLP_H
#define ITSI_NET_OTLP_H

#include "net/otlp_span.h"

struct itsi_otlp_params {
    const char *endpoint; /* "http://collector:4318"; "/v1/traces" is appended to its path. User and password go into
                             an Authorization header and into no message */
    struct itsi_otlp_resource resource;
    const char *scope_name, *scope_version;
    int batch_spans;        /* add() takes no more */
    double timeout_seconds; /* of a try; 0: 10 s */
};

struct itsi_otlp;
/* ITS_EINVAL: the endpoint is no http or https URL. The params' text is copied. */
ITS_NODISCARD int itsi_otlp_create(struct itsi_otlp **out, const struct itsi_otlp_params *params,
                                   struct its_diag *diag);
void itsi_otlp_destroy(struct itsi_otlp *otlp); /* takes NULL */
/* The collector's address as people may see it: without user, password and query. */
const char *itsi_otlp_shown(const struct itsi_otlp *otlp);

/* Encodes a span into the batch. False: the batch is full, or memory ran out; the batch is as before. */
bool itsi_otlp_add(struct itsi_otlp *otlp, const struct itsi_otlp_span *span);
int itsi_otlp_count(const struct itsi_otlp *otlp); /* spans in the batch */
void itsi_otlp_clear(struct itsi_otlp *otlp);      /* empties the batch, keeps its memory */

/* What became of a try. X(NAME, "text") */
#define ITSI_OTLP_VERDICT_MAP(X)                                                                                       \
    X(TAKEN, "taken")             /* all, or all but the rejected */                                                   \
    X(UNREACHABLE, "unreachable") /* no answer; may be tried again */                                                  \
    X(BUSY, "busy")               /* 429, 502, 503, 504; may be tried again */                                         \
    X(REFUSED, "refused")         /* any other status: the same batch would be refused again */                        \
    X(CANCELLED, "cancelled")     /* cut by limit() */
enum itsi_otlp_verdict {
#define ITSI_X(name, text) ITSI_OTLP_##name,
    ITSI_OTLP_VERDICT_MAP(ITSI_X)
#undef ITSI_X
};
const char *itsi_otlp_verdict_name(enum itsi_otlp_verdict verdict);

struct itsi_otlp_result {
    enum itsi_otlp_verdict verdict;
    uint64_t rejected;          /* of a taken batch: spans the collector did not want ("partial success") */
    double retry_after_seconds; /* as the collector asked; 0: it did not */
    char text[512];             /* for a log; empty when there is nothing to say */
};
/* Tries to send the batch, which stays as it is. A collector that does not take gzip (415) gets it plain at once, and
 * all that follows. Blocks, at most timeout_seconds (twice that when such a collector is first met). */
void itsi_otlp_send(struct itsi_otlp *otlp, struct itsi_otlp_result *out);
/* No send goes beyond that instant (monotonic), the running one included. Any thread; never waits. */
void itsi_otlp_limit(struct itsi_otlp *otlp, int64_t until_ns);

/* The address to post to, "<endpoint>/v1/traces": the path is extended, a query stays behind it. ITS_EINVAL. For otlp.c
 * and its test. */
ITS_NODISCARD int itsi_otlp_address(const char *endpoint, struct itsi_buf *url, struct itsi_buf *shown,
                                    struct its_diag *diag);

#endif
