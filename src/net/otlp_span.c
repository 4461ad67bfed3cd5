#include "net/otlp_span.h"

#include "net/otlp_wire.h"

#include <string.h>

/* Field numbers of the schema, by message. */
enum { REQUEST_RESOURCE_SPANS = 1 };
enum { RESOURCE_SPANS_RESOURCE = 1, RESOURCE_SPANS_SCOPE_SPANS = 2 };
enum { RESOURCE_ATTRIBUTES = 1 };
enum { SCOPE_SPANS_SCOPE = 1, SCOPE_SPANS_SPANS = 2 };
enum { SCOPE_NAME = 1, SCOPE_VERSION = 2 };
enum {
    SPAN_TRACE_ID = 1,
    SPAN_SPAN_ID = 2,
    SPAN_TRACE_STATE = 3,
    SPAN_PARENT_SPAN_ID = 4,
    SPAN_NAME = 5,
    SPAN_KIND = 6,
    SPAN_START = 7,
    SPAN_END = 8,
    SPAN_ATTRIBUTES = 9,
    SPAN_LINKS = 13,
    SPAN_STATUS = 15,
    SPAN_FLAGS = 16
};
enum { LINK_TRACE_ID = 1, LINK_SPAN_ID = 2, LINK_TRACE_STATE = 3, LINK_FLAGS = 6 };
enum { STATUS_MESSAGE = 2, STATUS_CODE = 3, STATUS_CODE_ERROR = 2 };
enum { PAIR_KEY = 1, PAIR_VALUE = 2 };
enum { VALUE_STRING = 1, VALUE_BOOL = 2, VALUE_INT = 3, VALUE_DOUBLE = 4 };
enum { RESPONSE_PARTIAL_SUCCESS = 1, PARTIAL_REJECTED = 1, PARTIAL_MESSAGE = 2 };

static void encode_attribute(const struct itsi_otlp_attribute *attribute, int field, struct itsi_buf *out)
{
    size_t pair = itsi_wire_begin(out, field);
    itsi_wire_string(out, PAIR_KEY, attribute->key);
    size_t value = itsi_wire_begin(out, PAIR_VALUE);
    switch (attribute->type) {
    case ITSI_OTLP_TEXT:
        itsi_wire_string(out, VALUE_STRING, attribute->text);
        break;
    case ITSI_OTLP_INTEGER:
        itsi_wire_varint(out, VALUE_INT, (uint64_t)attribute->integer);
        break;
    case ITSI_OTLP_NUMBER:
        itsi_wire_double(out, VALUE_DOUBLE, attribute->number);
        break;
    case ITSI_OTLP_TRUTH:
        itsi_wire_varint(out, VALUE_BOOL, attribute->truth);
        break;
    }
    itsi_wire_end(out, value);
    itsi_wire_end(out, pair);
}

static void encode_link(const struct itsi_otlp_link *link, struct itsi_buf *out)
{
    size_t begun = itsi_wire_begin(out, SPAN_LINKS);
    itsi_wire_bytes(out, LINK_TRACE_ID, link->trace_id, sizeof link->trace_id);
    itsi_wire_bytes(out, LINK_SPAN_ID, link->span_id, sizeof link->span_id);
    if (link->state && link->state[0])
        itsi_wire_string(out, LINK_TRACE_STATE, link->state);
    itsi_wire_fixed32(out, LINK_FLAGS, link->flags);
    itsi_wire_end(out, begun);
}

static void encode_error(const char *message, struct itsi_buf *out)
{
    size_t begun = itsi_wire_begin(out, SPAN_STATUS);
    itsi_wire_string(out, STATUS_MESSAGE, message);
    itsi_wire_varint(out, STATUS_CODE, STATUS_CODE_ERROR);
    itsi_wire_end(out, begun);
}

void itsi_otlp_span_encode(const struct itsi_otlp_span *span, struct itsi_buf *out)
{
    size_t begun = itsi_wire_begin(out, SCOPE_SPANS_SPANS);
    itsi_wire_bytes(out, SPAN_TRACE_ID, span->trace_id, sizeof span->trace_id);
    itsi_wire_bytes(out, SPAN_SPAN_ID, span->span_id, sizeof span->span_id);
    if (span->state && span->state[0])
        itsi_wire_string(out, SPAN_TRACE_STATE, span->state);
    if (span->parent_id)
        itsi_wire_bytes(out, SPAN_PARENT_SPAN_ID, span->parent_id, 8);
    itsi_wire_string(out, SPAN_NAME, span->name);
    itsi_wire_varint(out, SPAN_KIND, (uint64_t)span->kind);
    itsi_wire_fixed64(out, SPAN_START, (uint64_t)span->start_ns);
    itsi_wire_fixed64(out, SPAN_END, (uint64_t)span->end_ns);
    for (int i = 0; i < span->attribute_count; i++)
        encode_attribute(&span->attributes[i], SPAN_ATTRIBUTES, out);
    if (span->link)
        encode_link(span->link, out);
    if (span->error)
        encode_error(span->error, out);
    itsi_wire_fixed32(out, SPAN_FLAGS, span->flags);
    itsi_wire_end(out, begun);
}

static void encode_known(const char *key, const char *text, struct itsi_buf *out)
{
    if (text)
        encode_attribute(&(struct itsi_otlp_attribute){.key = key, .type = ITSI_OTLP_TEXT, .text = text},
                         RESOURCE_ATTRIBUTES, out);
}

void itsi_otlp_resource_encode(const struct itsi_otlp_resource *resource, struct itsi_buf *out)
{
    encode_known("service.name", resource->service_name, out);
    encode_known("service.version", resource->service_version, out);
    encode_known("service.instance.id", resource->instance_id, out);
    encode_known("host.name", resource->host_name, out);
}

void itsi_otlp_scope_encode(const char *name, const char *version, struct itsi_buf *out)
{
    itsi_wire_string(out, SCOPE_NAME, name);
    itsi_wire_string(out, SCOPE_VERSION, version);
}

void itsi_otlp_request_encode(const struct itsi_buf *resource, const struct itsi_buf *scope,
                              const struct itsi_buf *spans, struct itsi_buf *out)
{
    size_t resource_spans = itsi_wire_begin(out, REQUEST_RESOURCE_SPANS);
    itsi_wire_bytes(out, RESOURCE_SPANS_RESOURCE, resource->data, resource->len);
    size_t scope_spans = itsi_wire_begin(out, RESOURCE_SPANS_SCOPE_SPANS);
    itsi_wire_bytes(out, SCOPE_SPANS_SCOPE, scope->data, scope->len);
    itsi_buf_add(out, spans->data, spans->len);
    itsi_wire_end(out, scope_spans);
    itsi_wire_end(out, resource_spans);
}

static void take_message(const struct itsi_wire_field *field, char *out, size_t size)
{
    size_t len = field->len < size - 1 ? field->len : size - 1;
    for (size_t i = 0; i < len; i++) /* it goes to a log: no control characters, no broken UTF-8 */
        out[i] = field->data[i] < 0x20 || field->data[i] > 0x7e ? '?' : (char)field->data[i];
    out[len] = '\0';
}

static int decode_partial(const struct itsi_wire_field *message, struct itsi_otlp_partial *out)
{
    struct itsi_wire_field field;
    const uint8_t *at = message->data, *end = message->data + message->len;
    int rc;
    while ((rc = itsi_wire_next(&at, end, &field)) > 0) {
        if (field.number == PARTIAL_REJECTED && !field.data)
            out->rejected = (int64_t)field.value > 0 ? field.value : 0;
        else if (field.number == PARTIAL_MESSAGE && field.data)
            take_message(&field, out->message, sizeof out->message);
    }
    return rc;
}

int itsi_otlp_response_decode(const void *data, size_t len, struct itsi_otlp_partial *out)
{
    struct itsi_otlp_partial got = {0};
    if (!len) {
        *out = got;
        return 0;
    }
    struct itsi_wire_field field;
    const uint8_t *at = data, *end = at + len;
    int rc;
    while ((rc = itsi_wire_next(&at, end, &field)) > 0)
        if (field.number == RESPONSE_PARTIAL_SUCCESS && field.data && decode_partial(&field, &got) != 0)
            return ITS_EFORMAT;
    if (rc == 0)
        *out = got;
    return rc;
}
