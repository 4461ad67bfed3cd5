/* What the controller is told in every step: facts, gathered by the caller. Nothing here is taken from what a camera
 * announces; rates and costs are those measured since the last tick or over about the last second. Values only. */
#ifndef ITSI_QUALITY_SNAPSHOT_H
#define ITSI_QUALITY_SNAPSHOT_H

#include "quality/load.h"

enum { ITSI_QUALITY_INPUTS = 8 };

/* An input size of the network that is built and warm: switching to it loads and allocates nothing. */
struct itsi_quality_input {
    int width, height;
    double seconds; /* learned cost of one picture: processor time where the engine runs on the processors, else share of
                     * the engine's time. 0: not known yet, estimated from the other sizes */
    double warm;    /* the same as warming up measured it, alone on the machine: goes until something is learned, and says how
                     * sizes compare. 0: not measured, they compare by area */
};

/* Work of the three kinds, per second: processor seconds (cores), or engine seconds for `infer` on an engine of its own. */
struct itsi_quality_work {
    double decode, infer, encode;
};

struct itsi_quality_camera {
    uint64_t key;      /* never used for another camera: index and generation */
    int weight;        /* 0 ordinary .. 9; the lowest degrades first */
    bool is_priority;  /* degrades last, and never below its floor where policy protects it */
    int pin;           /* a level that an operator fixed; -1: none */
    int boost;         /* a level that an incident asks for at least, until boost_until; -1: none */
    int64_t boost_until;
    int start;         /* first seen: the level it was admitted at; -1: where its peers are */
    bool start_at_floor; /* the same: with the least it can be served with */

    int width, height; /* of the main stream; 0: not known yet */
    double fps;        /* cadence measured at the source; 0: nothing comes */
    bool has_sub;      /* it has a smaller stream that can be had, as far as is known, */
    bool sub_lost;     /* or one that could not be had when it was last tried */
    int sub_width, sub_height; /* 0: not known, taken for 640x360 */
    double key_fps;    /* key frames per second; 0: not known, and then never relied on, */
    bool irregular_keys; /* nor while they come irregularly: found by the controller (quality/keys.h), false in what it is told */
    bool undecoded;    /* its frames need no decoder */
    bool reordered;    /* pictures are not decoded in the order they are shown in: key frames stay alone */
    double droppable;  /* share of frames that no other frame refers to, 0..1 */
    int max_interval;  /* longest detection interval over which its tracks hold; 0: no limit known */

    /* What was done, by whole frames counted over so many seconds (0: a mean, of no whole frames). A second at least: of a
     * camera that is decoded once a second every other half would say nothing, and the next twice what it takes. */
    double decoded_fps, detected_fps, counted_s;
    struct itsi_quality_work cost;    /* and what it took */
};

struct itsi_quality_snapshot {
    int64_t now;
    struct itsi_quality_load load;
    double cores;         /* processors this process may use */
    bool engine_on_cpu;   /* inference takes from the same cores */
    double engine;        /* else: engine seconds there are per second, mostly 1 */
    int encoders;         /* threads that make pictures; 0: counts like one */
    double oldest_run_ms; /* how long the engine has been at its oldest run; 0: at none */
    const struct itsi_quality_input *inputs; /* largest first */
    int input_count;      /* 1 .. ITSI_QUALITY_INPUTS */
    int own_input;        /* index of the model's own size: what `high` means */
    const struct itsi_quality_camera *cameras; /* in any order that mostly stays */
    int count;
};

#endif
