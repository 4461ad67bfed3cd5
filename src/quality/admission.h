/* Does one more camera fit? Admit first, then adapt, then shed: a camera that cannot be served is told so, with the reason
 * and what would make it fit, before it makes a hundred others worse. Pure; values only, any thread. */
#ifndef ITSI_QUALITY_ADMISSION_H
#define ITSI_QUALITY_ADMISSION_H

#include "quality/cost.h"
#include "quality/policy.h"

/* The cameras that are there: what a newcomer is expected to be like as far as nothing is known of it. Before there are any,
 * what cameras are like. */
struct itsi_quality_typical {
    double pixels;                    /* of a picture, mean; 0: none was seen yet */
    double key_fps;                   /* mean, where most have told; 0: not relied on */
    double droppable;                 /* mean */
    double decode[ITSI_DECODE_MODES]; /* processor seconds per frame of the source and pixel, mean of those that were decoded
                                       * in that way; 0: to be told from the others */
};

/* What there is, as of a controller's last step. */
struct itsi_quality_capacity {
    double free[ITSI_RESOURCES];        /* work per second that may still be filled; negative: too much is */
    double reclaimable[ITSI_RESOURCES]; /* what the cameras would give up at their floors */
    struct itsi_quality_typical typical;
    double unit[ITSI_QUALITY_INPUTS];   /* cost of one detection by input size; 0: unknown */
    struct itsi_quality_input inputs[ITSI_QUALITY_INPUTS];
    int input_count, own_input;
    bool engine_on_cpu;
};

/* X(NAME, "text") */
#define ITSI_QUALITY_ANSWER_MAP(X)                                                                                     \
    X(FITS, "fits")                                                                                                    \
    X(FITS_LOWER, "fits_lower")   /* at a lower level, nobody else gives anything up */                                \
    X(OTHERS_GIVE, "others_give") /* the controller will have to lower others */                                       \
    X(NO_ROOM, "no_room")

enum itsi_quality_answer {
#define ITSI_X(name, text) ITSI_ANSWER_##name,
    ITSI_QUALITY_ANSWER_MAP(ITSI_X)
#undef ITSI_X
};
const char *itsi_quality_answer_name(enum itsi_quality_answer answer);

struct itsi_quality_offer {
    bool admitted;
    enum itsi_quality_answer answer;
    int level;       /* admitted at (itsi_quality_camera.start); refused: what it asked for */
    int fits_at;     /* the best level that fits beside the others as they are; -1: none does */
    enum itsi_quality_resource resource; /* refused: what is short, */
    double missing;                      /* and by how much work per second */
    bool at_floor;                       /* admitted with the least it can be served with, rungs below its level included */
};

/* camera: what is known of it before it came (size, fps, sub-stream, priority, pin). What is not is taken to be as it mostly
 * is among those that are there; a size that nobody has told of, for 1080p. */
void itsi_quality_admit(const struct itsi_quality_capacity *capacity, const struct itsi_quality_policy *policy,
                        const struct itsi_quality_camera *camera, struct itsi_quality_offer *out);

/* Where that offer puts the camera, and the least it can be served with. */
struct itsi_quality_position itsi_quality_offered(const struct itsi_quality_policy *policy,
                                                  const struct itsi_quality_camera *camera,
                                                  const struct itsi_quality_offer *offer);
struct itsi_quality_position itsi_quality_floor(const struct itsi_quality_policy *policy,
                                                const struct itsi_quality_camera *camera);
/* What is done for it from the moment it is let in until a step of the controller decides: else it would have all that it gives
 * analysed until then, and cameras that come and go would never be asked for less. Its key is not set. A sub-stream waits for
 * that step. */
void itsi_quality_begin(const struct itsi_quality_capacity *capacity, const struct itsi_quality_policy *policy,
                        const struct itsi_quality_camera *camera, const struct itsi_quality_offer *offer,
                        struct itsi_quality_target *out);
/* What the camera is expected to take at a position, by what is known of it. */
void itsi_quality_expect(const struct itsi_quality_capacity *capacity, const struct itsi_quality_policy *policy,
                         const struct itsi_quality_camera *camera, const struct itsi_quality_position *at,
                         double work[ITSI_RESOURCES]);

/* "needs 0.4 of a core more; would fit at level low" */
void itsi_quality_offer_text(const struct itsi_quality_offer *offer, char *out, size_t size);

#endif
