#include "store/wall_trust.h"

static bool is_near(int64_t a, int64_t b)
{
    return a - b <= ITSI_WALL_TRUST_SLACK_NS && b - a <= ITSI_WALL_TRUST_SLACK_NS;
}

void itsi_wall_trust_init(struct itsi_wall_trust *trust, int64_t now, int64_t wall_ns)
{
    *trust = (struct itsi_wall_trust){.wall_ns = wall_ns, .now_ns = now};
}

int64_t itsi_wall_trust_at(const struct itsi_wall_trust *trust, int64_t now)
{
    return trust->wall_ns ? trust->wall_ns + (now - trust->now_ns) : 0;
}

static int64_t set(struct itsi_wall_trust *trust, int64_t now, int64_t wall_ns)
{
    itsi_wall_trust_init(trust, now, wall_ns);
    return wall_ns;
}

int64_t itsi_wall_trust_look(struct itsi_wall_trust *trust, int64_t now, int64_t wall_ns)
{
    const int64_t known = itsi_wall_trust_at(trust, now), ahead = wall_ns - now;
    if (is_near(wall_ns, known))
        return set(trust, now, wall_ns);
    if (!trust->is_in_doubt || !is_near(ahead, trust->doubt_ahead_ns)) {
        trust->is_in_doubt = true;
        trust->doubt_since_ns = now;
        trust->doubt_ahead_ns = ahead;
    }
    if (now - trust->doubt_since_ns >= ITSI_WALL_TRUST_DOUBT_NS)
        return set(trust, now, wall_ns);
    return wall_ns < known ? wall_ns : known;
}
