/* A Redis server's bytes: the first byte says into which pieces the rest is cut. */
#include "fuzz.h"

#include "pool/redis_reader.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 1 << 16 };

/* Touches all there is, so that a sanitizer sees what is not; the sum of what it claims must be within the bound. */
static size_t weigh(const struct itsi_redis_reply *reply)
{
    size_t weight = sizeof *reply;
    if (reply->text) {
        if (strnlen(reply->text, reply->len + 1) > reply->len)
            abort();
        weight += reply->len + 1;
    }
    for (size_t i = 0; i < reply->count; i++)
        weight += weigh(&reply->elements[i]);
    return weight;
}

static bool take(void *self, const struct itsi_redis_reply *reply)
{
    (void)self;
    struct itsi_redis_host host;
    int slot;
    if (weigh(reply) > LIMIT)
        abort();
    (void)itsi_redis_problem_of(reply);
    if (reply->type == ITSI_REDIS_ERROR && itsi_redis_redirect(reply, &slot, &host) == 0 && (host.port < 1 || slot < 0))
        abort();
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct itsi_redis_reader *reader;
    if (size < 2 || size > LIMIT || itsi_redis_reader_create(&reader, LIMIT, NULL))
        return 0;
    size_t step = data[0] ? data[0] : 4096;
    int rc = 0;
    for (size_t at = 1; at < size && !rc; at += step)
        rc = itsi_redis_reader_feed(reader, (const char *)data + at, size - at < step ? size - at : step, take, NULL, NULL);
    itsi_redis_reader_destroy(reader);
    return 0;
}
