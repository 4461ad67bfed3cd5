#include "quality/profile.h"

/* Cadence goes before size: a tracker makes up for frames between better than anything makes up for pixels that are gone
 * (docs/tracking.md has both). Standard ML keeps every pixel and detects on every second frame; from simplified on both
 * give way. */
static const struct itsi_quality_profile profiles[ITSI_QUALITY_LEVELS] = {
    [ITSI_QUALITY_ULTRA_LOW] = {426, 240, 15, 200, "minimal", "ultrafast", 0.75, 4, 50},
    [ITSI_QUALITY_LOW] = {640, 360, 20, 500, "simple", "fast", 0.75, 3, 65},
    [ITSI_QUALITY_MEDIUM] = {1280, 720, 25, 1500, "standard", "medium", 1.0, 2, 75},
    [ITSI_QUALITY_HIGH] = {1920, 1080, 30, 3000, "full", "medium", 1.0, 1, 80},
    [ITSI_QUALITY_ULTRA_HIGH] = {3840, 2160, 30, 8000, "enhanced", "slow", 1.5, 1, 90},
};

const struct itsi_quality_profile *itsi_quality_profile(int level)
{
    if (level < ITSI_QUALITY_ULTRA_LOW)
        level = ITSI_QUALITY_ULTRA_LOW;
    if (level > ITSI_QUALITY_ULTRA_HIGH)
        level = ITSI_QUALITY_ULTRA_HIGH;
    return &profiles[level];
}

static double pixels_per_second(const struct itsi_quality_profile *p)
{
    return p->input_share * p->input_share * p->fps / p->detect_interval;
}

double itsi_quality_profile_cost(int level)
{
    return pixels_per_second(itsi_quality_profile(level)) / pixels_per_second(&profiles[ITSI_QUALITY_HIGH]);
}
