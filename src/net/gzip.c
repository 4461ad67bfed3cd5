#include "net/gzip.h"

#include "base/diag.h"
#include "base/mem.h"

#include <limits.h>
#include <zlib.h>

/* zlib's: the largest window, "+ 16" for gzip's header and trailer, and its usual memory (256 KiB in all). */
enum { WINDOW_BITS = 15 + 16, MEMORY_LEVEL = 8 };

struct itsi_gzip {
    z_stream stream;
};

static void *give(void *arg, unsigned count, unsigned size)
{
    (void)arg;
    return itsi_calloc(count, size);
}

static void take_back(void *arg, void *memory)
{
    (void)arg;
    itsi_free(memory);
}

int itsi_gzip_create(struct itsi_gzip **out, struct its_diag *diag)
{
    struct itsi_gzip *gzip = itsi_zalloc(sizeof *gzip);
    if (!gzip)
        return itsi_fail(diag, ITS_ENOMEM, "gzip: out of memory");
    gzip->stream.zalloc = give;
    gzip->stream.zfree = take_back;
    if (deflateInit2(&gzip->stream, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        itsi_free(gzip); /* zlib has freed what it took */
        return itsi_fail(diag, ITS_ENOMEM, "gzip: out of memory");
    }
    *out = gzip;
    return 0;
}

void itsi_gzip_destroy(struct itsi_gzip *gzip)
{
    if (!gzip)
        return;
    deflateEnd(&gzip->stream);
    itsi_free(gzip);
}

bool itsi_gzip_pack(struct itsi_gzip *gzip, const void *body, size_t len, struct itsi_buf *out)
{
    z_stream *z = &gzip->stream;
    if (len > UINT_MAX || itsi_buf_reserve(out, len) != 0) {
        out->failed = false;
        return false;
    }
    deflateReset(z);
    z->next_in = (Bytef *)(uintptr_t)body; /* only read */
    z->avail_in = (uInt)len;
    z->next_out = (Bytef *)out->data + out->len;
    z->avail_out = (uInt)len;
    if (deflate(z, Z_FINISH) != Z_STREAM_END)
        return false; /* as long as the body, and not yet at its end */
    out->len += len - z->avail_out;
    out->data[out->len] = '\0';
    return true;
}
