#include "capture/freeze.h"

#include "base/hash.h"

#define GRID_X 64
#define GRID_Y 36
#define RECONNECT_AFTER 10 /* timeouts */

void itsi_freeze_init(struct itsi_freeze *f, int64_t timeout_ns) { *f = (struct itsi_freeze){.timeout_ns = timeout_ns}; }

enum itsi_freeze_verdict itsi_freeze_feed(struct itsi_freeze *f, uint64_t hash, int64_t now)
{
    if (!f->timeout_ns)
        return ITSI_FREEZE_NO;
    if (!f->same_since || hash != f->hash) {
        f->hash = hash;
        f->same_since = now;
        f->reconnected = now;
        f->frozen = false;
        return ITSI_FREEZE_NO;
    }
    if (now - f->same_since < f->timeout_ns)
        return ITSI_FREEZE_NO;
    if (!f->frozen) {
        f->frozen = true;
        return ITSI_FREEZE_BEGINS;
    }
    if (now - f->reconnected >= RECONNECT_AFTER * f->timeout_ns) {
        f->reconnected = now;
        return ITSI_FREEZE_RECONNECT;
    }
    return ITSI_FREEZE_STILL;
}

uint64_t itsi_freeze_hash(const struct itsi_picture *picture)
{
    uint64_t hash = ITSI_HASH_START;
    if (picture->layout == ITSI_LAYOUT_NONE)
        return hash;
    for (int gy = 0; gy < GRID_Y; gy++) {
        int y = (int)((int64_t)picture->height * gy / GRID_Y);
        const uint8_t *row = picture->plane[0] + (int64_t)y * picture->stride[0];
        for (int gx = 0; gx < GRID_X; gx++)
            hash = itsi_hash_bytes(hash, &row[(int64_t)picture->width * gx / GRID_X], 1);
    }
    return hash;
}
