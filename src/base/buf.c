#include "base/buf.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void itsi_buf_init(struct itsi_buf *buf) { *buf = (struct itsi_buf){0}; }

void itsi_buf_fini(struct itsi_buf *buf)
{
    itsi_free(buf->data);
    *buf = (struct itsi_buf){0};
}

void itsi_buf_reset(struct itsi_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

int itsi_buf_reserve(struct itsi_buf *buf, size_t extra)
{
    size_t need = buf->len + extra + 1;
    if (need <= buf->cap)
        return 0;
    size_t cap = buf->cap ? buf->cap : 256;
    while (cap < need)
        cap += cap / 2 + 64;
    char *data = itsi_realloc(buf->data, cap);
    if (!data) {
        buf->failed = true;
        return ITS_ENOMEM;
    }
    buf->data = data;
    buf->cap = cap;
    return 0;
}

void itsi_buf_add(struct itsi_buf *buf, const void *data, size_t len)
{
    if (itsi_buf_reserve(buf, len) != 0)
        return;
    if (len)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void itsi_buf_puts(struct itsi_buf *buf, const char *text) { itsi_buf_add(buf, text, strlen(text)); }

void itsi_buf_printf(struct itsi_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    size_t room = buf->cap > buf->len ? buf->cap - buf->len : 0;
    int used = vsnprintf(room ? buf->data + buf->len : NULL, room, fmt, args);
    va_end(args);
    if (used > 0 && (size_t)used >= room) {
        if (itsi_buf_reserve(buf, (size_t)used) == 0)
            vsnprintf(buf->data + buf->len, buf->cap - buf->len, fmt, again);
        else
            used = 0;
    }
    va_end(again);
    if (used > 0)
        buf->len += (size_t)used;
}

char *itsi_buf_take(struct itsi_buf *buf)
{
    if (!buf->failed)
        itsi_buf_reserve(buf, 0);
    char *data = buf->failed ? NULL : buf->data;
    if (data)
        data[buf->len] = '\0';
    else
        itsi_free(buf->data);
    *buf = (struct itsi_buf){0};
    return data;
}
