#include "capture/nal.h"

#include <string.h>

void itsi_nal_format_init(struct itsi_nal_format *format, enum itsi_nal_codec codec, const uint8_t *extradata,
                          size_t size)
{
    *format = (struct itsi_nal_format){.known = codec != ITSI_NAL_OTHER, .hevc = codec == ITSI_NAL_HEVC};
    const size_t at = format->hevc ? 21 : 4; /* of lengthSizeMinusOne in avcC and hvcC, which begin with version 1 */
    if (format->known && size > at && extradata[0] == 1)
        format->length_size = (extradata[at] & 3) + 1;
}

/* The next NAL unit at or after *at: its first byte and how many follow; false: there is none. Moves *at behind what it
 * has looked at. */
static bool next_unit(const struct itsi_nal_format *format, const uint8_t **at, const uint8_t *end, const uint8_t **unit)
{
    if (format->length_size) {
        size_t length = 0;
        if (end - *at <= format->length_size)
            return false;
        for (int i = 0; i < format->length_size; i++)
            length = length << 8 | (*at)[i];
        *unit = *at + format->length_size;
        *at = length < (size_t)(end - *unit) ? *unit + length : end;
        return true;
    }
    for (const uint8_t *p = *at; end - p > 3; p++) {
        p = memchr(p, 1, (size_t)(end - p));
        if (!p || end - p < 2)
            break;
        if (p - *at >= 2 && p[-1] == 0 && p[-2] == 0) {
            *unit = *at = p + 1;
            return true;
        }
    }
    return false;
}

static bool hevc_is_disposable(struct itsi_nal_format *format, const uint8_t *unit)
{
    const int type = unit[0] >> 1 & 63, layer = (unit[1] & 7) - 1;
    if (layer > format->highest_layer)
        format->highest_layer = layer;
    return type <= 14 && type % 2 == 0 && layer >= format->highest_layer;
}

bool itsi_nal_is_disposable(struct itsi_nal_format *format, const uint8_t *data, size_t size)
{
    const uint8_t *at = data, *const end = data + size, *unit;
    while (format->known && next_unit(format, &at, end, &unit)) {
        if (end - unit < 2)
            return false;
        if (format->hevc && (unit[0] >> 1 & 63) < 32)
            return hevc_is_disposable(format, unit);
        const int type = unit[0] & 31;
        if (!format->hevc && type >= 1 && type <= 5)
            return (unit[0] >> 5 & 3) == 0;
    }
    return false;
}

/* --- recovery points ---------------------------------------------------------------------------------------------- */

/* The bytes of a NAL unit without those that keep start codes out of it. */
struct payload {
    const uint8_t *at, *end;
    int zeros;
};

/* The next byte; -1: the unit has ended. */
static int next_byte(struct payload *p)
{
    if (p->at < p->end && p->zeros >= 2 && *p->at == 3) {
        p->at++;
        p->zeros = 0;
    }
    if (p->at >= p->end || (p->zeros >= 2 && *p->at <= 1)) /* a start code follows */
        return -1;
    p->zeros = *p->at ? 0 : p->zeros + 1;
    return *p->at++;
}

/* A number of a message's head: as many 255 as fit in, and the rest. */
static int next_number(struct payload *p)
{
    int number = 0, byte;
    do {
        if ((byte = next_byte(p)) < 0)
            return -1;
        number += byte;
    } while (byte == 255);
    return number;
}

/* Of messages (SEI): is there a recovery point among them, with a count (Exp-Golomb, 0 is a 1 bit) above 0? */
static bool recovers_later(struct payload *p)
{
    enum { RECOVERY_POINT = 6 };
    for (;;) {
        const int type = next_number(p), size = next_number(p);
        if (type < 0 || size < 0)
            return false;
        int byte = 0;
        for (int i = 0; i < size && byte >= 0; i++) {
            byte = next_byte(p);
            if (type == RECOVERY_POINT)
                return byte >= 0 && !(byte & 0x80);
        }
    }
}

bool itsi_nal_begins_refresh(const struct itsi_nal_format *format, const uint8_t *data, size_t size)
{
    const uint8_t *at = data, *const end = data + size, *unit;
    while (format->known && !format->hevc && next_unit(format, &at, end, &unit)) {
        struct payload messages = {unit + 1, format->length_size ? at : end, 0};
        const int type = unit[0] & 31;
        if (type >= 1 && type <= 5) /* they come before its slices */
            return false;
        if (type == 6 && recovers_later(&messages))
            return true;
    }
    return false;
}
