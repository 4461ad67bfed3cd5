/* Which bytes of a file a request asks for (RFC 9110, 14.2): one range. Pure. */
#ifndef ITSI_SERVE_BYTE_RANGE_H
#define ITSI_SERVE_BYTE_RANGE_H

#include <stdint.h>

struct itsi_byte_range {
    uint64_t first, length;
};

enum itsi_range_kind {
    ITSI_RANGE_WHOLE, /* none is asked for, or more than one, or in a way that is not known: all of it is the answer */
    ITSI_RANGE_PART,
    ITSI_RANGE_NONE, /* there are no such bytes */
};
/* header: "bytes=0-499", "bytes=500-", "bytes=-500"; NULL: none. */
enum itsi_range_kind itsi_byte_range_parse(const char *header, uint64_t size, struct itsi_byte_range *out);

#endif
