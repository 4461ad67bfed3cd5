#include "serve/byte_range.h"

#include <stdbool.h>
#include <string.h>

/* False: no digits, or more than any size has. */
static bool take_number(const char **at, uint64_t *out)
{
    const char *digits = *at;
    *out = 0;
    while (**at >= '0' && **at <= '9' && *at - digits < 18)
        *out = *out * 10 + (uint64_t)(*(*at)++ - '0');
    return *at != digits && !(**at >= '0' && **at <= '9');
}

static enum itsi_range_kind take(uint64_t first, uint64_t end, struct itsi_byte_range *out)
{
    if (first >= end)
        return ITSI_RANGE_NONE;
    *out = (struct itsi_byte_range){first, end - first};
    return ITSI_RANGE_PART;
}

enum itsi_range_kind itsi_byte_range_parse(const char *header, uint64_t size, struct itsi_byte_range *out)
{
    uint64_t first = 0, last = 0;
    if (!header || strncmp(header, "bytes=", 6) != 0)
        return ITSI_RANGE_WHOLE;
    const char *at = header + 6;
    const bool has_first = take_number(&at, &first);
    if (*at++ != '-')
        return ITSI_RANGE_WHOLE;
    const bool has_last = take_number(&at, &last);
    if (*at || (!has_first && !has_last) || (has_first && has_last && last < first))
        return ITSI_RANGE_WHOLE;
    if (!has_first)
        return take(last < size ? size - last : 0, last > 0 ? size : 0, out);
    return take(first, has_last && last < size ? last + 1 : size, out);
}
