/* Which time to delete by, from a wall clock that may be wrong: set by hand, not yet corrected after a start, 1970 or 2038
 * for want of a battery. Pure.
 *
 * The time that is trusted runs on with the monotonic clock. A wall clock within a day of it is right and sets it anew; one
 * further away, to either side, is in doubt until it has gone evenly for six hours: by then NTP, or who read the warning, has
 * set it right. Meanwhile the earlier of the two counts, so that too little is deleted rather than too much. */
#ifndef ITSI_STORE_WALL_TRUST_H
#define ITSI_STORE_WALL_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#define ITSI_WALL_TRUST_SLACK_NS (INT64_C(86400) * 1000000000)
#define ITSI_WALL_TRUST_DOUBT_NS (ITSI_WALL_TRUST_SLACK_NS / 4)

struct itsi_wall_trust {
    int64_t wall_ns, now_ns;  /* trusted, at that instant of the monotonic clock; wall_ns 0: no time is known yet */
    int64_t doubt_since_ns;   /* monotonic; when the clock in doubt was first seen, so far ahead of the monotonic one */
    int64_t doubt_ahead_ns;
    bool is_in_doubt;
};

/* wall_ns: trusted once before, 0: none was. */
void itsi_wall_trust_init(struct itsi_wall_trust *trust, int64_t now, int64_t wall_ns);

/* The trusted time, run on to `now`; 0: none is known. */
int64_t itsi_wall_trust_at(const struct itsi_wall_trust *trust, int64_t now);
/* The time to delete by. Both clocks are read by the caller, at least every few hours. */
int64_t itsi_wall_trust_look(struct itsi_wall_trust *trust, int64_t now, int64_t wall_ns);

#endif
