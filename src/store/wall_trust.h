/* Which time to delete by, from a wall clock that may be wrong: set by hand, not yet corrected after a start, 1970 or 2038
 * for want of a battery. Pure.
 *
 * The time that is trusted runs on with the monotonic clock. A wall clock within a day of it is right and sets it anew; one
 * further away, to either side, is in doubt until it has gone evenly for six hours: by then NTP, or who read the warning, has
 * set it right. Meanwhile the earlier of the two counts, so that too little is deleted rather than too much.
 *
 * The hours of several processes add up. A pause between two of them is measured by nothing but the clock in doubt, so it
 * counts for nothing; but a clock that went back over it (one that begins anew with every start), or ahead by more than a
 * month (as if by chance), has not gone evenly, and its hours begin anew. */
#ifndef ITSI_STORE_WALL_TRUST_H
#define ITSI_STORE_WALL_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#define ITSI_WALL_TRUST_SLACK_NS (INT64_C(86400) * 1000000000)
#define ITSI_WALL_TRUST_DOUBT_NS (ITSI_WALL_TRUST_SLACK_NS / 4)
#define ITSI_WALL_TRUST_PAUSE_NS (31 * ITSI_WALL_TRUST_SLACK_NS)

/* What a process leaves to the next. */
struct itsi_wall_known {
    int64_t wall_ns;       /* the trusted time */
    int64_t doubt_wall_ns; /* what the clock in doubt said when it was looked at last; 0: none is */
    int64_t doubt_even_ns; /* so long it had gone evenly */
};

struct itsi_wall_trust {
    int64_t wall_ns, now_ns; /* trusted, at that instant of the monotonic clock */
    bool is_in_doubt;
    int64_t doubt_since_ns;  /* monotonic, less what earlier processes saw: since when it has gone evenly */
    int64_t doubt_ahead_ns;  /* of the monotonic clock */
    struct itsi_wall_known before; /* its doubt, until a clock in doubt was compared with it */
};

void itsi_wall_trust_init(struct itsi_wall_trust *trust, int64_t now, const struct itsi_wall_known *before);
/* The time to delete by. Both clocks are read by the caller, at least every few hours. */
int64_t itsi_wall_trust_look(struct itsi_wall_trust *trust, int64_t now, int64_t wall_ns);
/* After a look at these clocks. */
struct itsi_wall_known itsi_wall_trust_known(const struct itsi_wall_trust *trust, int64_t now, int64_t wall_ns);

#endif
