#include "pool/redis_slot.h"

#include <stdint.h>
#include <string.h>

static uint16_t crc16(const char *data, size_t len)
{
    uint16_t crc = 0;
    for (size_t i = 0; i < len; i++) {
        crc = (uint16_t)(crc ^ ((unsigned)(unsigned char)data[i] << 8));
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 0x8000 ? ((unsigned)crc << 1) ^ 0x1021U : (unsigned)crc << 1);
    }
    return crc;
}

int itsi_redis_slot(const char *key, size_t len)
{
    const char *open = memchr(key, '{', len);
    if (open) {
        const char *tag = open + 1;
        const char *close = memchr(tag, '}', len - (size_t)(tag - key));
        if (close && close > tag) {
            key = tag;
            len = (size_t)(close - tag);
        }
    }
    return crc16(key, len) % ITSI_REDIS_SLOTS;
}
