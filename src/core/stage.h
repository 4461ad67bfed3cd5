/* The stages of a frame's way and the stamps it collects. One definition of "how long and where" for the whole
 * product: waiting and service time apart per stage, and what is left is `unattributed`, so that everything sums to the
 * whole. Names are those of Python's PipelineStage. */
#ifndef ITSI_CORE_STAGE_H
#define ITSI_CORE_STAGE_H

#include <stdint.h>

/* X(NAME, "text", budget_ms) */
#define ITSI_STAGE_MAP(X)                                                                                              \
    X(CAMERA_CAPTURE, "camera_capture", 20)                                                                            \
    X(PREPROCESSING, "preprocessing", 10)                                                                              \
    X(ML_INFERENCE, "ml_inference", 50)                                                                                \
    X(POSTPROCESSING, "postprocessing", 5)                                                                             \
    X(ENCODING, "encoding", 10)                                                                                        \
    X(NETWORK_TRANSMISSION, "network_transmission", 20)

enum itsi_stage {
#define ITSI_X(name, text, budget) ITSI_STAGE_##name,
    ITSI_STAGE_MAP(ITSI_X)
#undef ITSI_X
        ITSI_STAGE_COUNT
};

const char *itsi_stage_name(enum itsi_stage stage);
double itsi_stage_budget_ms(enum itsi_stage stage);

/* Where a frame's origin comes from; the label of every end-to-end figure. */
enum itsi_origin {
    ITSI_ORIGIN_CAMERA,  /* the camera's clock, from RTCP sender reports */
    ITSI_ORIGIN_ARRIVAL, /* arrival of the complete access unit */
    ITSI_ORIGIN_SCHEDULE /* files played as cameras: the intended time of presentation */
};
const char *itsi_origin_name(enum itsi_origin origin);

/* Instants (monotonic ns) of one frame. Written only by the stage that holds the frame; 0 = not reached. In the order
 * of the way, each >= the one before. */
struct itsi_trace {
    int64_t origin;       /* see enum itsi_origin */
    int64_t decode_start; /* capture thread begins decoding the access unit */
    int64_t decode_end;   /* picture ready, put into the mailbox */
    int64_t pre_start;    /* batcher took it: letterboxing begins */
    int64_t pre_end;      /* tensor filled */
    int64_t infer_start;  /* the engine began running the batch */
    int64_t infer_end;    /* the engine finished */
    int64_t post_start;   /* box decoding begins */
    int64_t post_end;     /* boxes ready */
    int64_t handover;     /* result given to the detection bus */
};

/* A finished trace split into stages, in ns. */
struct itsi_breakdown {
    int64_t wait[ITSI_STAGE_COUNT];
    int64_t service[ITSI_STAGE_COUNT];
    int64_t unattributed;
    int64_t end_to_end; /* handover - origin = sum of all of the above, exactly */
};

/* decode is CAMERA_CAPTURE's service, the wait in the mailbox PREPROCESSING's wait, the wait for a batch and the engine
 * ML_INFERENCE's. ENCODING and NETWORK_TRANSMISSION happen after the hand-over and stay 0 here. */
void itsi_trace_breakdown(const struct itsi_trace *trace, struct itsi_breakdown *out);

#endif
