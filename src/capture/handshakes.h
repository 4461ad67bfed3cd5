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

#endif
