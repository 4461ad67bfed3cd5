#include "pipeline/engine_load.h"

#include <math.h>

static double run_seconds(const struct itsi_engine_info *info, struct itsi_batcher *batcher, int size, int doublings)
{
    const int64_t run = itsi_batcher_shortest_run(batcher, size, 1 << doublings);
    return (double)(run > 0 ? run : info->warm_ns[size][doublings]) / 1e9;
}

double itsi_engine_seconds(const struct itsi_engine_info *info, struct itsi_batcher *batcher, int size)
{
    double least = run_seconds(info, batcher, size, 0);
    for (int k = 1; info->batch_efficient && k < ITSI_WARM_SIZES && 1 << k <= info->max_batch; k++) {
        const double each = run_seconds(info, batcher, size, k) / (1 << k);
        if (each > 0 && (least <= 0 || each < least))
            least = each;
    }
    return least;
}

double itsi_engine_runs_ahead_ms(const struct itsi_engine_info *info, struct itsi_batcher *batcher,
                                 const struct itsi_fact_sums *sums)
{
    int doublings = 0;
    double seconds = 0;
    while (doublings + 1 < ITSI_WARM_SIZES && 1 << (doublings + 1) <= info->max_batch)
        doublings++;
    for (int i = 0; i < ITSI_ENGINE_SIZES; i++)
        if (sums->images[i])
            seconds += run_seconds(info, batcher, i, doublings);
    return info->batch_efficient ? seconds * 1e3 : 0;
}

double itsi_engine_busy(const struct itsi_engine_info *info, const struct itsi_fact_sums *sums, double seconds)
{
    int64_t busy_ns = 0;
    for (int i = 0; i < ITSI_ENGINE_SIZES; i++)
        busy_ns += sums->busy_ns[i];
    return fmin(1, (double)busy_ns / 1e9 / seconds / info->parallel);
}

double itsi_engine_needed(const struct itsi_engine_info *info, struct itsi_batcher *batcher, const struct itsi_fact_sums *sums,
                          double seconds)
{
    double needed = 0;
    for (int i = 0; i < ITSI_ENGINE_SIZES; i++)
        if (sums->images[i])
            needed += fmin((double)sums->busy_ns[i] / 1e9, (double)sums->images[i] * itsi_engine_seconds(info, batcher, i));
    return fmin(1, needed / seconds / info->parallel);
}
