#include "base/bucket.h"

#include "base/clock.h"

void itsi_bucket_init(struct itsi_bucket *bucket, double per_second, int64_t now)
{
    bucket->per_second = per_second;
    /* a tenth of a second's worth: a crowd that starts at once spreads out, a lone one does not wait */
    bucket->size = per_second > 10.0 ? per_second / 10.0 : 1.0;
    bucket->tokens = bucket->size;
    bucket->at = now;
}

int64_t itsi_bucket_take(struct itsi_bucket *bucket, int64_t now)
{
    if (now > bucket->at) {
        bucket->tokens += (double)(now - bucket->at) / ITSI_NS_PER_S * bucket->per_second;
        if (bucket->tokens > bucket->size)
            bucket->tokens = bucket->size;
        bucket->at = now;
    }
    /* the small slack keeps rounding from asking for a wait of nothing */
    if (bucket->tokens >= 1.0 - 1e-6) {
        bucket->tokens -= 1.0;
        return 0;
    }
    return now + (int64_t)((1.0 - bucket->tokens) / bucket->per_second * ITSI_NS_PER_S) + 1;
}
