/* A growable byte buffer, always NUL-terminated. Reset and refilled it stops allocating once it is large enough, which
 * is how hot paths write JSON without touching the allocator. */
#ifndef ITSI_BASE_BUF_H
#define ITSI_BASE_BUF_H

#include "its/error.h"

#include <stdbool.h>
#include <stddef.h>

struct itsi_buf {
    char *data; /* owned; NULL until the first append */
    size_t len;
    size_t cap;
    bool failed; /* an append ran out of memory: the content is incomplete */
};

void itsi_buf_init(struct itsi_buf *buf);
void itsi_buf_fini(struct itsi_buf *buf);
void itsi_buf_reset(struct itsi_buf *buf); /* keeps the memory */
int itsi_buf_reserve(struct itsi_buf *buf, size_t extra);
void itsi_buf_add(struct itsi_buf *buf, const void *data, size_t len);
void itsi_buf_puts(struct itsi_buf *buf, const char *text);
void itsi_buf_printf(struct itsi_buf *buf, const char *fmt, ...) ITS_PRINTF(2, 3);
/* Moves the content out (caller frees with itsi_free); NULL when an append failed. The buffer is empty afterwards. */
char *itsi_buf_take(struct itsi_buf *buf);

#endif
