/* A token bucket: so many per second, a tenth of a second's worth of them at once at most, and at least one. Pure: `now`
 * is an argument. */
#ifndef ITSI_BASE_BUCKET_H
#define ITSI_BASE_BUCKET_H

#include <stdint.h>

struct itsi_bucket {
    double per_second, tokens, size;
    int64_t at;
};
void itsi_bucket_init(struct itsi_bucket *bucket, double per_second, int64_t now);
/* Takes a token and returns 0, or returns the instant at which one will be there. */
int64_t itsi_bucket_take(struct itsi_bucket *bucket, int64_t now);

#endif
