/* Are a camera's key frames to be relied on? Where they come irregularly, now twice a second and now every three, a camera
 * that lives on them alone would be decoded that way and another by turns. Once they came too rarely they are relied on again
 * only after they were frequent for a while, and each time longer. Pure. */
#ifndef ITSI_QUALITY_KEYS_H
#define ITSI_QUALITY_KEYS_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: nothing is known yet. */
struct itsi_quality_keys {
    bool distrusted;
    int losses;      /* of trust, not long ago */
    int64_t changed; /* distrusted: when they last were too rare; else since when they have not been */
};

/* key_fps: as measured, 0: not known. Returns whether they are not to be relied on now, however many they are. Time is the
 * controller's. */
bool itsi_quality_keys_follow(struct itsi_quality_keys *keys, double key_fps, double floor_fps, int64_t time);

#endif
