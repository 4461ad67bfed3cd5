/* Does one more camera fit? Admit first, then adapt, then shed: a camera that cannot be served is told so, with the reason
 * and what would make it fit, before it makes a hundred others worse. Pure; values only, any thread. */
#ifndef ITSI_QUALITY_ADMISSION_H
#define ITSI_QUALITY_ADMISSION_H

#include "quality/cost.h"
#include "quality/policy.h"

/* What there is, as of a controller's last step. */
struct itsi_quality_capacity {
    double free[ITSI_RESOURCES];        /* work per second that may still be filled; negative: too much is */
    double reclaimable[ITSI_RESOURCES]; /* what the cameras would give up at their floors */
    double decode_per_pixel;            /* processor seconds, mean of the fleet; 0: no camera was measured yet */
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
};

/* camera: what is known of it before it came (size, fps, sub-stream, priority, pin); an unknown size is taken for
 * 1080p. */
void itsi_quality_admit(const struct itsi_quality_capacity *capacity, const struct itsi_quality_policy *policy,
                        const struct itsi_quality_camera *camera, struct itsi_quality_offer *out);

/* "needs 0.4 of a core more; would fit at level low" */
void itsi_quality_offer_text(const struct itsi_quality_offer *offer, char *out, size_t size);

#endif
