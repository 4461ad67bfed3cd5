/* The fleet's limiter on handshakes, first come first served. The interface for others is in capture.h. */
#ifndef ITSI_CAPTURE_HANDSHAKES_H
#define ITSI_CAPTURE_HANDSHAKES_H

#include "capture/capture.h"

#include <stdatomic.h>

/* Waits for a place; ITS_ECANCELLED when *stop becomes true (call itsi_handshakes_wake after setting it). Every success
 * needs one release. */
ITS_NODISCARD int itsi_handshakes_acquire(struct itsi_handshakes *handshakes, const atomic_bool *stop);
void itsi_handshakes_release(struct itsi_handshakes *handshakes);
void itsi_handshakes_wake(struct itsi_handshakes *handshakes);

/* The token bucket alone, pure: a tenth of a second's worth of tokens at most, and at least one. */
struct itsi_bucket {
    double per_second, tokens, size;
    int64_t at;
};
void itsi_bucket_init(struct itsi_bucket *bucket, double per_second, int64_t now);
/* Takes a token and returns 0, or returns the instant at which one will be there. */
int64_t itsi_bucket_take(struct itsi_bucket *bucket, int64_t now);

#endif
