#include "store/wall_trust.h"

static bool is_near(int64_t a, int64_t b)
{
    return a - b <= ITSI_WALL_TRUST_SLACK_NS && b - a <= ITSI_WALL_TRUST_SLACK_NS;
}

void itsi_wall_trust_init(struct itsi_wall_trust *trust, int64_t now, const struct itsi_wall_known *before)
{
    *trust = (struct itsi_wall_trust){.wall_ns = before->wall_ns, .now_ns = now, .before = *before};
}

static int64_t trusted_at(const struct itsi_wall_trust *trust, int64_t now)
{
    return trust->wall_ns + (now - trust->now_ns);
}

static int64_t set(struct itsi_wall_trust *trust, int64_t now, int64_t wall_ns)
{
    itsi_wall_trust_init(trust, now, &(struct itsi_wall_known){.wall_ns = wall_ns});
    return wall_ns;
}

/* How long a clock that says so went evenly in earlier processes. */
static int64_t even_before(const struct itsi_wall_known *before, int64_t wall_ns)
{
    const int64_t pause = wall_ns - before->doubt_wall_ns;
    return before->doubt_wall_ns != 0 && pause >= 0 && pause <= ITSI_WALL_TRUST_PAUSE_NS ? before->doubt_even_ns : 0;
}

static void begin_doubt(struct itsi_wall_trust *trust, int64_t now, int64_t wall_ns)
{
    trust->is_in_doubt = true;
    trust->doubt_since_ns = now - even_before(&trust->before, wall_ns);
    trust->doubt_ahead_ns = wall_ns - now;
    trust->before.doubt_wall_ns = 0;
}

int64_t itsi_wall_trust_look(struct itsi_wall_trust *trust, int64_t now, int64_t wall_ns)
{
    const int64_t known = trusted_at(trust, now);
    if (is_near(wall_ns, known))
        return set(trust, now, wall_ns);
    if (!trust->is_in_doubt || !is_near(wall_ns - now, trust->doubt_ahead_ns))
        begin_doubt(trust, now, wall_ns);
    if (now - trust->doubt_since_ns >= ITSI_WALL_TRUST_DOUBT_NS)
        return set(trust, now, wall_ns);
    return wall_ns < known ? wall_ns : known;
}

struct itsi_wall_known itsi_wall_trust_known(const struct itsi_wall_trust *trust, int64_t now, int64_t wall_ns)
{
    return (struct itsi_wall_known){.wall_ns = trusted_at(trust, now),
                                    .doubt_wall_ns = trust->is_in_doubt ? wall_ns : 0,
                                    .doubt_even_ns = trust->is_in_doubt ? now - trust->doubt_since_ns : 0};
}
