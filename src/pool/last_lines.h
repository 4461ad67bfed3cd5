/* The last lines that a program wrote, in a fixed amount of memory, however much it writes: a ring of lines, long ones
 * cut. What is shown of them carries no passwords. One thread. */
#ifndef ITSI_POOL_LAST_LINES_H
#define ITSI_POOL_LAST_LINES_H

#include "base/buf.h"

#include <stdint.h>

enum { ITSI_LAST_LINES = 100, ITSI_LAST_LINE_SIZE = 256 };

struct itsi_last_lines {
    uint64_t count; /* lines ended so far, kept or not */
    uint64_t bytes; /* seen so far */
    struct itsi_last_line {
        uint16_t len;
        bool cut;
        char text[ITSI_LAST_LINE_SIZE];
    } ring[ITSI_LAST_LINES + 1]; /* with the one that is coming */
};

void itsi_last_lines_reset(struct itsi_last_lines *lines);
/* Lines end with \n or \r (how progress is redrawn); empty ones are left out. */
void itsi_last_lines_feed(struct itsi_last_lines *lines, const char *data, size_t len);
/* All that is kept, oldest first, each with \n; passwords in URLs are hidden, and so is every word of `secrets` (NULL
 * at the end; or NULL). What is cut in the middle of an address is left out from its scheme on: where its password
 * would end is not known. */
void itsi_last_lines_show(const struct itsi_last_lines *lines, const char *const *secrets, struct itsi_buf *out);

#endif
