/* The protobuf encoding, as much of it as OTLP needs (https://protobuf.dev/programming-guides/encoding/): writing into
 * a buffer, and reading from untrusted bytes. Pure. */
#ifndef ITSI_NET_OTLP_WIRE_H
#define ITSI_NET_OTLP_WIRE_H

#include "base/buf.h"

#include <stdint.h>

/* --- writing ----------------------------------------------------------------------------------------------------- */

void itsi_wire_varint(struct itsi_buf *out, int field, uint64_t value);
void itsi_wire_fixed32(struct itsi_buf *out, int field, uint32_t value);
void itsi_wire_fixed64(struct itsi_buf *out, int field, uint64_t value);
void itsi_wire_double(struct itsi_buf *out, int field, double value);
void itsi_wire_bytes(struct itsi_buf *out, int field, const void *data, size_t len);
/* A string field must be UTF-8: bytes that are not become '?'. */
void itsi_wire_string(struct itsi_buf *out, int field, const char *text);

/* A message inside: begin, its fields, end. The length is put before the content when it is known. */
size_t itsi_wire_begin(struct itsi_buf *out, int field);
void itsi_wire_end(struct itsi_buf *out, size_t begun);
/* Tag and length of a message whose content follows from elsewhere. */
void itsi_wire_header(struct itsi_buf *out, int field, size_t content_len);

/* --- reading ----------------------------------------------------------------------------------------------------- */

struct itsi_wire_field {
    int number;
    uint64_t value;      /* of a varint or fixed field */
    const uint8_t *data; /* of a length-delimited field; NULL otherwise */
    size_t len;
};
/* The next field at *at, moving it on. 1: read, 0: the end, ITS_EFORMAT: malformed. */
int itsi_wire_next(const uint8_t **at, const uint8_t *end, struct itsi_wire_field *out);

#endif
