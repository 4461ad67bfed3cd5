#include "pipeline/lanes.h"

#include <stdlib.h>

void itsi_lanes_init(struct itsi_lanes *lanes, int parallel)
{
    *lanes = (struct itsi_lanes){.parallel = parallel < ITSI_LANES_MAX ? parallel : ITSI_LANES_MAX};
    pthread_mutex_init(&lanes->mutex, NULL);
}

void itsi_lanes_fini(struct itsi_lanes *lanes) { pthread_mutex_destroy(&lanes->mutex); }

void itsi_lanes_submit(struct itsi_lanes *lanes, int64_t now)
{
    pthread_mutex_lock(&lanes->mutex);
    if (lanes->running < lanes->parallel)
        lanes->start[lanes->running++] = now;
    else
        lanes->pending++;
    pthread_mutex_unlock(&lanes->mutex);
}

void itsi_lanes_finish(struct itsi_lanes *lanes, int64_t started_ns, int64_t finished_ns)
{
    pthread_mutex_lock(&lanes->mutex);
    int nearest = 0;
    for (int i = 1; i < lanes->running; i++)
        if (llabs(lanes->start[i] - started_ns) < llabs(lanes->start[nearest] - started_ns))
            nearest = i;
    if (lanes->running > 0)
        lanes->start[nearest] = lanes->start[--lanes->running];
    if (lanes->pending > 0) {
        lanes->pending--;
        lanes->start[lanes->running++] = finished_ns;
    }
    pthread_mutex_unlock(&lanes->mutex);
}

int64_t itsi_lanes_free_at(struct itsi_lanes *lanes, int64_t run_ns)
{
    pthread_mutex_lock(&lanes->mutex);
    int64_t first = 0;
    if (lanes->running == lanes->parallel) {
        first = lanes->start[0];
        for (int i = 1; i < lanes->running; i++)
            if (lanes->start[i] < first)
                first = lanes->start[i];
        first += run_ns;
    }
    pthread_mutex_unlock(&lanes->mutex);
    return first;
}
