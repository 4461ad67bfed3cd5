/* Frames into batches: per stage the mean of log(us) over about a second.
 *
 * Why a second: long enough to average over the frames of every camera and over the batches an engine makes of them, so
 * that what is left is close to normal; short enough for a verdict within a minute at a few dozen batches. Where a
 * second holds few frames (a single camera at 1 frame/s), the batch stays open until it has ITSI_BATCH_LEAST_FRAMES.
 *
 * Beside the mean, the floor: the mean over groups of ITSI_BATCH_GROUP frames of the fastest one's log(us), about the
 * tenth percentile of any number of frames, without keeping them. A frame that its core's neighbours, an
 * interrupt or a cold cache slowed has no part in it, so where the mean wanders with the share of such frames, the
 * floor shows what the stage itself takes (Chen, Revels: "Robust benchmarking in noisy environments", 2016).
 *
 * A service time of 0 means that the frame did not pass the stage (see core/stage.h) and says nothing. Waits are
 * short or zero when all is well, so 0.1 ms is added to each before the logarithm: ten times of next to nothing is
 * still nothing.
 *
 * Plain values; one thread at a time; time is an argument. */
#ifndef ITSI_LATENCY_REGRESSION_BATCH_H
#define ITSI_LATENCY_REGRESSION_BATCH_H

#include "latency/baseline.h"
#include "its/error.h"

#define ITSI_BATCH_NS INT64_C(1000000000)
#define ITSI_BATCH_WAIT_FLOOR_NS INT64_C(100000)
/* Without a frame for so long, what came before and what comes after belong to different batches. */
#define ITSI_BATCH_GAP_NS (10 * ITSI_BATCH_NS)
enum { ITSI_BATCH_LEAST_FRAMES = 8, ITSI_BATCH_GROUP = 8 };
/* A stage that became slower by less than two microseconds is nobody's concern, whatever that is in percent: it is the
 * caches' and the clock's doing. */
#define ITSI_REGRESSION_LEAST_MS 0.002

struct itsi_batch {
    int64_t begin, end; /* of its frames, monotonic ns */
    uint32_t frames;
    bool after_gap;     /* time is missing before it */
    bool present[ITSI_SERIES_KIND_COUNT][ITSI_STAGE_COUNT];
    double mean[ITSI_SERIES_KIND_COUNT][ITSI_STAGE_COUNT]; /* of log(us), where present */
};

/* The floor of one second still wanders where undisturbed frames are rare for seconds; that of several does less. */
enum { ITSI_FLOOR_BATCHES = 8 };
struct itsi_floor {
    double recent[ITSI_FLOOR_BATCHES]; /* a ring; zeroed: empty */
    int count, next;
};
/* The least of the newest floors, this one included. */
double itsi_floor_push(struct itsi_floor *floor, double value);

/* Zeroed: empty. */
struct itsi_open_batch {
    int64_t begin, last;
    uint32_t frames;
    bool after_gap;
    uint32_t count[ITSI_TIME_KIND_COUNT][ITSI_STAGE_COUNT];
    double sum[ITSI_TIME_KIND_COUNT][ITSI_STAGE_COUNT];
    struct {
        double fastest, sum; /* of the group that is open; of the full ones' fastest */
        uint32_t frames, groups;
    } floor[ITSI_STAGE_COUNT];
};

/* Adds a frame handed over at `now`. Returns 1 with *out when the frame closed a batch (the frame itself begins the
 * next), 0 when not, ITS_EINVAL for a negative time (nothing is added). `now` before the last frame's counts as a
 * gap. */
ITS_NODISCARD int itsi_batch_add(struct itsi_open_batch *open, const struct itsi_breakdown *frame, int64_t now,
                                 struct itsi_batch *out);
/* Every mean present is a finite number, frames were counted, and time runs forward. */
bool itsi_batch_valid(const struct itsi_batch *batch);

#endif
