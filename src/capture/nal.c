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
