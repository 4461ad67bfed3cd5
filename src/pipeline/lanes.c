#include "pipeline/lanes.h"

#include <stdlib.h>
#include <string.h>

void itsi_lanes_init(struct itsi_lanes *lanes, int parallel)
{
    *lanes = (struct itsi_lanes){.parallel = parallel < ITSI_LANES_MAX ? parallel : ITSI_LANES_MAX};
    pthread_mutex_init(&lanes->mutex, NULL);
}

void itsi_lanes_fini(struct itsi_lanes *lanes) { pthread_mutex_destroy(&lanes->mutex); }

void itsi_lanes_submit(struct itsi_lanes *lanes, int64_t run_ns, int64_t now)
{
    pthread_mutex_lock(&lanes->mutex);
    const struct itsi_lane lane = {.start = now, .run_ns = run_ns};
    if (lanes->running < lanes->parallel)
        lanes->lane[lanes->running++] = lane;
    else if (lanes->pending < ITSI_LANES_PENDING)
        lanes->lane[lanes->running + lanes->pending++] = lane;
    pthread_mutex_unlock(&lanes->mutex);
}

void itsi_lanes_finish(struct itsi_lanes *lanes, int64_t started_ns, int64_t finished_ns)
{
    pthread_mutex_lock(&lanes->mutex);
    struct itsi_lane *lane = lanes->lane;
    int nearest = 0;
    for (int i = 1; i < lanes->running; i++)
        if (llabs(lane[i].start - started_ns) < llabs(lane[nearest].start - started_ns))
            nearest = i;
    if (lanes->running > 0 && lanes->pending > 0) {
        lane[nearest] = (struct itsi_lane){.start = finished_ns, .run_ns = lane[lanes->running].run_ns};
        lanes->pending--;
        memmove(&lane[lanes->running], &lane[lanes->running + 1], (size_t)lanes->pending * sizeof *lane);
    } else if (lanes->running > 0) {
        lane[nearest] = lane[--lanes->running];
    }
    pthread_mutex_unlock(&lanes->mutex);
}

int64_t itsi_lanes_free_at(struct itsi_lanes *lanes)
{
    pthread_mutex_lock(&lanes->mutex);
    int64_t first = 0;
    if (lanes->running == lanes->parallel) {
        first = INT64_MAX;
        for (int i = 0; i < lanes->running; i++)
            if (lanes->lane[i].start + lanes->lane[i].run_ns < first)
                first = lanes->lane[i].start + lanes->lane[i].run_ns;
    }
    pthread_mutex_unlock(&lanes->mutex);
    return first;
}
