/* A camera's position: one rung per knob, and what the rungs mean for this camera.
 *
 * Rung 0 is ultra_high, rung 4 ultra_low; detection goes on below that, ever rarer, down to the policy's floor. A level
 * is the lowest of the three knobs', so that a result never claims more than it had. The knobs are apart since only the
 * one that fits the bottleneck is turned: the wrong one costs quality and gains nothing. Pure. */
#ifndef ITSI_QUALITY_LADDER_H
#define ITSI_QUALITY_LADDER_H

#include "core/decode_mode.h"
#include "quality/snapshot.h"

enum itsi_quality_knob {
    ITSI_KNOB_DECODE,  /* sub-stream, then reference frames only, then key frames only */
    ITSI_KNOB_COMPUTE, /* input size, detection interval, analysed frames per second */
    ITSI_KNOB_ENCODE,  /* height and JPEG quality of pictures, bit rate of video */
    ITSI_KNOBS
};
const char *itsi_quality_knob_name(enum itsi_quality_knob knob);

enum { ITSI_QUALITY_RUNGS = 8 };

struct itsi_quality_position {
    int rung[ITSI_KNOBS];
};

/* What the pipeline shall do for one camera. */
struct itsi_quality_target {
    uint64_t key;
    int level;                     /* goes with every result */
    struct itsi_quality_position position;
    bool sub_stream;               /* what the decode rung comes to, by what the camera's streams are like */
    enum itsi_decode_mode decode;
    double analysed_fps;           /* frames per second that get a result; more arrive perhaps and are skipped */
    int detect_interval;           /* every n-th of those is detected on average, the tracker fills in between */
    int input;                     /* index of the input size */
    int encode_height, jpeg_quality, bitrate_kbps;
};

int itsi_quality_rung_of(int level);
int itsi_quality_level_of(int rung);
int itsi_quality_deepest(enum itsi_quality_knob knob); /* its last rung */
/* Of the width and height of the model's own input, how much the compute rung asks for. */
double itsi_quality_input_share(int rung);
/* All knobs at a level. */
struct itsi_quality_position itsi_quality_position_at(int level);
int itsi_quality_position_level(const struct itsi_quality_position *position);

/* Fills everything but the key from a position. floor_fps: detections per second that no rung goes below, as far as the
 * camera gives them; a decode rung that would is taken for the one above it. */
void itsi_quality_target_make(const struct itsi_quality_snapshot *snapshot, const struct itsi_quality_camera *camera,
                              const struct itsi_quality_position *position, double floor_fps,
                              struct itsi_quality_target *out);

/* Frames per second that come out of the decoder in a mode. */
double itsi_quality_decoded_fps(const struct itsi_quality_camera *camera, enum itsi_decode_mode mode);

#endif
