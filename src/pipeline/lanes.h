/* When will the engine be free again? Follows the requests that run side by side, so that the batcher can take a frame at
 * the last moment that still keeps the engine busy: a frame taken earlier would only age in front of it while fresher ones
 * replace its neighbours. */
#ifndef ITSI_PIPELINE_LANES_H
#define ITSI_PIPELINE_LANES_H

#include <pthread.h>
#include <stdint.h>

enum { ITSI_LANES_MAX = 256, ITSI_LANES_PENDING = 8 };

struct itsi_lane {
    int64_t start;  /* of one that runs */
    int64_t run_ns; /* how long it will take at least */
};

struct itsi_lanes {
    pthread_mutex_t mutex;
    int parallel, running, pending;
    struct itsi_lane lane[ITSI_LANES_MAX + ITSI_LANES_PENDING]; /* those that run, in no order; then the pending, first in front */
};

void itsi_lanes_init(struct itsi_lanes *lanes, int parallel);
void itsi_lanes_fini(struct itsi_lanes *lanes);
/* A request that will take run_ns at least (0: unknown) was submitted: it runs at once when a lane is free, else after the
 * next completion. */
void itsi_lanes_submit(struct itsi_lanes *lanes, int64_t run_ns, int64_t now);
/* One that began at about started_ns is done; a pending one began in its place. */
void itsi_lanes_finish(struct itsi_lanes *lanes, int64_t started_ns, int64_t finished_ns);
/* When the first lane becomes free, not earlier than that; 0 when one is free already. */
int64_t itsi_lanes_free_at(struct itsi_lanes *lanes);

#endif
