/* The five quality levels of the guide and what each means here. A level is a promise in words (4K, "enhanced" ML); the
 * profile is what is decoded, analysed and encoded for it. Constant data, any thread. */
#ifndef ITSI_QUALITY_PROFILE_H
#define ITSI_QUALITY_PROFILE_H

/* In the order of core's itsi_quality_name(). */
enum itsi_quality_level {
    ITSI_QUALITY_ULTRA_LOW,
    ITSI_QUALITY_LOW,
    ITSI_QUALITY_MEDIUM,
    ITSI_QUALITY_HIGH,
    ITSI_QUALITY_ULTRA_HIGH,
    ITSI_QUALITY_LEVELS
};

struct itsi_quality_profile {
    /* the guide's words, shown to users */
    int width, height, fps, bitrate_kbps;
    const char *ml, *preset;
    /* what they mean here */
    double input_share;  /* of the width and height of the model's own input */
    int detect_interval; /* every n-th analysed frame is detected on average, the tracker carries the boxes between */
    int jpeg_quality;    /* pictures are encoded at `height`, or at the camera's own where that is less */
};

/* A level out of range is clamped. */
const struct itsi_quality_profile *itsi_quality_profile(int level);

/* Pixels of network input per second, as a multiple of what `high` asks for: what Python calls computational_cost. */
double itsi_quality_profile_cost(int level);

#endif
