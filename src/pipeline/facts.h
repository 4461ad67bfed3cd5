/* What the quality manager is told about frames and engine, gathered between two of its ticks. Written by the
 * post-processing thread and by whoever drops a frame, taken by the quality manager's thread; nothing allocates. */
#ifndef ITSI_PIPELINE_FACTS_H
#define ITSI_PIPELINE_FACTS_H

#include "infer/backend.h"

#include <pthread.h>

enum { ITSI_FACTS_SLACKS = 512 };

/* Sums since the last taking. */
struct itsi_fact_sums {
    uint64_t frames, failed;
    int64_t latency_ns, queue_ns; /* sum end to end; longest wait for the batcher */
    uint64_t images[ITSI_ENGINE_SIZES];
    int64_t busy_ns[ITSI_ENGINE_SIZES]; /* of one lane */
};

struct itsi_facts {
    pthread_mutex_t mutex;
    /* under it */
    struct itsi_fact_sums sums;
    int64_t slack[ITSI_FACTS_SLACKS]; /* the newest */
    uint64_t slacks;                  /* ever since the last taking */
};

struct itsi_facts_taken {
    struct itsi_fact_sums sums;
    int64_t slack_p10_ns; /* ITSI_NEVER: no frame with a deadline ended */
};

void itsi_facts_init(struct itsi_facts *facts);
void itsi_facts_fini(struct itsi_facts *facts);
/* A batch that ran, at input size `size`. */
void itsi_facts_run(struct itsi_facts *facts, int size, int images, int64_t run_ns);
/* A frame that was analysed. slack_ns: what was left to its deadline, negative when late; ITSI_NEVER: it had none. */
void itsi_facts_frame(struct itsi_facts *facts, int64_t slack_ns, int64_t queue_ns, int64_t latency_ns);
void itsi_facts_failed(struct itsi_facts *facts);
/* Takes and begins anew. */
void itsi_facts_take(struct itsi_facts *facts, struct itsi_facts_taken *out);

#endif
