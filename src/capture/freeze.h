/* Pictures that come but do not change: a stuck encoder or a dead sensor. Pure.
 *
 * A hash over a grid of the luma must stay the same for freeze_timeout. Frames are delivered all the same. A stuck
 * encoder is often cured by a new session, and a test card or a parked scene is hurt by one: so a frozen camera is
 * reconnected once every ten timeouts, no more often. */
#ifndef ITSI_CAPTURE_FREEZE_H
#define ITSI_CAPTURE_FREEZE_H

#include "core/frame.h"

struct itsi_freeze {
    int64_t timeout_ns; /* 0: no such test */
    uint64_t hash;
    int64_t same_since; /* 0: no picture yet */
    int64_t reconnected; /* when a reconnect was last asked for */
    bool frozen;
};
enum itsi_freeze_verdict { ITSI_FREEZE_NO, ITSI_FREEZE_BEGINS, ITSI_FREEZE_STILL, ITSI_FREEZE_RECONNECT };

void itsi_freeze_init(struct itsi_freeze *f, int64_t timeout_ns);
enum itsi_freeze_verdict itsi_freeze_feed(struct itsi_freeze *f, uint64_t hash, int64_t now);
uint64_t itsi_freeze_hash(const struct itsi_picture *picture);

#endif
