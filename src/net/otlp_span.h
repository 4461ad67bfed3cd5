/* Spans as OTLP has them (opentelemetry-proto 1.x, trace/v1/trace.proto), and their encoding. Pure.
 *
 * All memory is the caller's and borrowed for the call; text is NUL-terminated. */
#ifndef ITSI_NET_OTLP_SPAN_H
#define ITSI_NET_OTLP_SPAN_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum itsi_otlp_kind { ITSI_OTLP_INTERNAL = 1, ITSI_OTLP_SERVER = 2 };

/* Span.flags: the low byte is the W3C flags, bit 8 says that bit 9 means "the parent came from another process". */
enum { ITSI_OTLP_REMOTE_KNOWN = 0x100, ITSI_OTLP_REMOTE = 0x200 };

enum itsi_otlp_type { ITSI_OTLP_TEXT, ITSI_OTLP_INTEGER, ITSI_OTLP_NUMBER, ITSI_OTLP_TRUTH };

struct itsi_otlp_attribute {
    const char *key;
    enum itsi_otlp_type type;
    union {
        const char *text;
        int64_t integer;
        double number;
        bool truth;
    };
};

struct itsi_otlp_link {
    uint8_t trace_id[16], span_id[8];
    const char *state; /* tracestate; NULL or empty: none */
    uint32_t flags;
};

struct itsi_otlp_span {
    uint8_t trace_id[16], span_id[8];
    const uint8_t *parent_id; /* 8 bytes; NULL: a root */
    const char *state;        /* tracestate; NULL or empty: none */
    uint32_t flags;
    const char *name;
    enum itsi_otlp_kind kind;
    int64_t start_ns, end_ns; /* wall clock, since 1970 */
    const struct itsi_otlp_attribute *attributes;
    int attribute_count;
    const struct itsi_otlp_link *link; /* NULL: none */
    const char *error;                 /* status is ERROR with this description; NULL: status not set */
};

/* Appends the span as a member of ScopeSpans.spans. */
void itsi_otlp_span_encode(const struct itsi_otlp_span *span, struct itsi_buf *out);

/* Who sends. NULL leaves an attribute out. */
struct itsi_otlp_resource {
    const char *service_name, *service_version, *instance_id, *host_name;
};
/* Appends fields of ResourceSpans.resource and, separately, of ScopeSpans.scope: what stands before the spans. */
void itsi_otlp_resource_encode(const struct itsi_otlp_resource *resource, struct itsi_buf *out);
void itsi_otlp_scope_encode(const char *name, const char *version, struct itsi_buf *out);
/* A whole ExportTraceServiceRequest of the three parts above. */
void itsi_otlp_request_encode(const struct itsi_buf *resource, const struct itsi_buf *scope,
                              const struct itsi_buf *spans, struct itsi_buf *out);

/* What a collector answered a request with. */
struct itsi_otlp_partial {
    uint64_t rejected; /* spans; 0: it took all */
    char message[200]; /* may be empty; control characters replaced */
};
/* Reads an ExportTraceServiceResponse. ITS_EFORMAT: it is none; an empty one says that all were taken. */
ITS_NODISCARD int itsi_otlp_response_decode(const void *data, size_t len, struct itsi_otlp_partial *out);

#endif
