#include "net/otlp_wire.h"

#include "base/utf8.h"

#include <string.h>

enum wire_type { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };
enum { VARINT_MOST = 10 };

static size_t put_varint(uint8_t out[VARINT_MOST], uint64_t value)
{
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        out[n++] = (uint8_t)(value | 0x80);
    out[n++] = (uint8_t)value;
    return n;
}

static void add_varint(struct itsi_buf *out, uint64_t value)
{
    uint8_t bytes[VARINT_MOST];
    itsi_buf_add(out, bytes, put_varint(bytes, value));
}

static void add_tag(struct itsi_buf *out, int field, enum wire_type type)
{
    add_varint(out, (uint64_t)field << 3 | (uint64_t)type);
}

static void add_fixed(struct itsi_buf *out, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    itsi_buf_add(out, bytes, size);
}

void itsi_wire_varint(struct itsi_buf *out, int field, uint64_t value)
{
    add_tag(out, field, VARINT);
    add_varint(out, value);
}

void itsi_wire_fixed32(struct itsi_buf *out, int field, uint32_t value)
{
    add_tag(out, field, FIXED32);
    add_fixed(out, value, 4);
}

void itsi_wire_fixed64(struct itsi_buf *out, int field, uint64_t value)
{
    add_tag(out, field, FIXED64);
    add_fixed(out, value, 8);
}

void itsi_wire_double(struct itsi_buf *out, int field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    itsi_wire_fixed64(out, field, bits);
}

void itsi_wire_header(struct itsi_buf *out, int field, size_t content_len)
{
    add_tag(out, field, BYTES);
    add_varint(out, content_len);
}

void itsi_wire_bytes(struct itsi_buf *out, int field, const void *data, size_t len)
{
    itsi_wire_header(out, field, len);
    itsi_buf_add(out, data, len);
}

void itsi_wire_string(struct itsi_buf *out, int field, const char *text)
{
    itsi_wire_header(out, field, strlen(text)); /* a byte stands for each that is replaced: the length stays */
    for (const char *p = text; *p;) {
        size_t valid = 0;
        for (size_t len; p[valid] && (len = itsi_utf8_length(p + valid, SIZE_MAX)) != 0;)
            valid += len;
        itsi_buf_add(out, p, valid);
        p += valid;
        if (*p) {
            itsi_buf_add(out, "?", 1);
            p++;
        }
    }
}

size_t itsi_wire_begin(struct itsi_buf *out, int field)
{
    add_tag(out, field, BYTES);
    return out->len;
}

void itsi_wire_end(struct itsi_buf *out, size_t begun)
{
    if (out->failed)
        return;
    uint8_t length[VARINT_MOST];
    size_t content = out->len - begun;
    size_t n = put_varint(length, content);
    itsi_buf_add(out, length, n); /* makes room */
    if (out->failed)
        return;
    memmove(out->data + begun + n, out->data + begun, content);
    memcpy(out->data + begun, length, n);
}

static int take_varint(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        if (shift == 63 && byte > 1)
            return ITS_EFORMAT;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *out = value;
            return 0;
        }
    }
    return ITS_EFORMAT;
}

static int take_fixed(const uint8_t **at, const uint8_t *end, size_t size, uint64_t *out)
{
    if ((size_t)(end - *at) < size)
        return ITS_EFORMAT;
    *out = 0;
    for (size_t i = 0; i < size; i++)
        *out |= (uint64_t)(*at)[i] << (8 * i);
    *at += size;
    return 0;
}

int itsi_wire_next(const uint8_t **at, const uint8_t *end, struct itsi_wire_field *out)
{
    if (*at >= end)
        return 0;
    uint64_t tag, value = 0;
    if (take_varint(at, end, &tag) != 0 || tag >> 3 == 0 || tag >> 3 > (1u << 29) - 1)
        return ITS_EFORMAT;
    struct itsi_wire_field field = {.number = (int)(tag >> 3)};
    int rc = ITS_EFORMAT;
    switch (tag & 7) {
    case VARINT:
        rc = take_varint(at, end, &value);
        break;
    case FIXED64:
        rc = take_fixed(at, end, 8, &value);
        break;
    case FIXED32:
        rc = take_fixed(at, end, 4, &value);
        break;
    case BYTES:
        rc = take_varint(at, end, &value);
        if (rc != 0 || value > (uint64_t)(end - *at))
            return ITS_EFORMAT;
        field.data = *at;
        field.len = (size_t)value;
        *at += value;
        break;
    }
    field.value = value;
    if (rc == 0)
        *out = field;
    return rc == 0 ? 1 : rc;
}
