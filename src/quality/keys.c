#include "quality/keys.h"

#include "base/clock.h"
#include "metrics/rate.h"

#define FIRST_WAIT (30 * ITSI_NS_PER_S)
#define MOST_DOUBLINGS 5 /* a quarter of an hour */
#define FORGIVEN_AFTER (30 * 60 * ITSI_NS_PER_S)

static void lose_trust(struct itsi_quality_keys *keys, int64_t time)
{
    if (time - keys->changed >= FORGIVEN_AFTER)
        keys->losses = 0;
    keys->losses++;
    keys->distrusted = true;
}

static int64_t wait_of(const struct itsi_quality_keys *keys)
{
    const int doublings = keys->losses - 1 < MOST_DOUBLINGS ? keys->losses - 1 : MOST_DOUBLINGS;
    return FIRST_WAIT << doublings;
}

bool itsi_quality_keys_follow(struct itsi_quality_keys *keys, double key_fps, double floor_fps, int64_t time)
{
    if (key_fps <= 0)
        return keys->distrusted;
    if (!itsi_rate_reaches(key_fps, floor_fps)) {
        if (!keys->distrusted)
            lose_trust(keys, time);
        keys->changed = time;
    } else if (keys->distrusted && time - keys->changed >= wait_of(keys)) {
        keys->distrusted = false;
        keys->changed = time;
    }
    return keys->distrusted;
}
