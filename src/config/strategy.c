#include "config/strategy.h"

#include "config/option.h"

#include <string.h>

/* Balanced is the defaults themselves. */
const struct itsi_strategy_change itsi_strategy_changes[] = {
    {ITSI_STRATEGY_LATENCY, "gpu.batch_timeout_ms", "5"},
    {ITSI_STRATEGY_LATENCY, "gpu.tensorrt_opt_batch_size", "4"},
    {ITSI_STRATEGY_LATENCY, "caching.l1_cache_ttl_seconds", "3"},
    {ITSI_STRATEGY_LATENCY, "latency_monitoring.latency_sla_ms", "80"},

    {ITSI_STRATEGY_MEMORY, "gpu.tensorrt_max_batch_size", "16"},
    {ITSI_STRATEGY_MEMORY, "gpu.gpu_memory_pool_size_gb", "4"},
    {ITSI_STRATEGY_MEMORY, "caching.l1_cache_size_mb", "256"},
    /* every pool halved, and what it may grow to with it */
    {ITSI_STRATEGY_MEMORY, "connection_pool.redis_pool_size", "25"},
    {ITSI_STRATEGY_MEMORY, "connection_pool.redis_max_connections", "50"},
    {ITSI_STRATEGY_MEMORY, "connection_pool.db_pool_size", "10"},
    {ITSI_STRATEGY_MEMORY, "connection_pool.db_max_overflow", "15"},
    {ITSI_STRATEGY_MEMORY, "connection_pool.ffmpeg_pool_size", "5"},
    {ITSI_STRATEGY_MEMORY, "connection_pool.ffmpeg_max_concurrent", "10"},

    {ITSI_STRATEGY_AGGRESSIVE, "gpu.batch_timeout_ms", "15"},
    {ITSI_STRATEGY_AGGRESSIVE, "gpu.tensorrt_max_batch_size", "64"},
    {ITSI_STRATEGY_AGGRESSIVE, "caching.l1_cache_size_mb", "1024"},
    {ITSI_STRATEGY_AGGRESSIVE, "connection_pool.redis_pool_size", "100"},

    /* The frame path, its deadlines and the measurement of the whole stay: they are the product. Off goes what adds
     * engines to build, servers to speak to, background work and messages. */
    {ITSI_STRATEGY_MINIMAL, "enable_performance_profiling", "false"},
    {ITSI_STRATEGY_MINIMAL, "enable_alerts", "false"},
    {ITSI_STRATEGY_MINIMAL, "gpu.enable_tensorrt", "false"},
    {ITSI_STRATEGY_MINIMAL, "gpu.adaptive_batching", "false"},
    {ITSI_STRATEGY_MINIMAL, "gpu.enable_cuda_graphs", "false"},
    {ITSI_STRATEGY_MINIMAL, "gpu.enable_quantization", "false"},
    {ITSI_STRATEGY_MINIMAL, "caching.l2_cache_enabled", "false"},
    {ITSI_STRATEGY_MINIMAL, "caching.l3_cache_enabled", "false"},
    {ITSI_STRATEGY_MINIMAL, "caching.enable_predictive_caching", "false"},
    {ITSI_STRATEGY_MINIMAL, "caching.enable_cache_warming", "false"},
    {ITSI_STRATEGY_MINIMAL, "caching.warm_cache_on_startup", "false"},
    {ITSI_STRATEGY_MINIMAL, "latency_monitoring.enable_sla_alerts", "false"},
    {ITSI_STRATEGY_MINIMAL, "latency_monitoring.regression_detection_enabled", "false"},
    {ITSI_STRATEGY_MINIMAL, "latency_monitoring.enable_distributed_tracing", "false"},
    {ITSI_STRATEGY_MINIMAL, "adaptive_quality.enable_adaptive_quality", "false"},
    {ITSI_STRATEGY_MINIMAL, "adaptive_quality.enable_priority_streaming", "false"},
};
const size_t itsi_strategy_change_count = sizeof itsi_strategy_changes / sizeof itsi_strategy_changes[0];

static const struct {
    const char *name, *purpose;
} strategies[ITSI_STRATEGY_COUNT] = {
    [ITSI_STRATEGY_MINIMAL] = {"minimal", "Optional parts off: the plain pipeline, little to go wrong"},
    [ITSI_STRATEGY_AGGRESSIVE] = {"aggressive", "Largest batches, caches and pools: throughput before latency and memory"},
    [ITSI_STRATEGY_BALANCED] = {"balanced", "The defaults, for general production"},
    [ITSI_STRATEGY_MEMORY] = {"memory_optimized", "Half the memory and connections, for edge machines"},
    [ITSI_STRATEGY_LATENCY] = {"latency_optimized", "Shortest waits, an 80 ms promise: emergency response"},
};

const char *itsi_strategy_name(int strategy)
{
    return strategy >= 0 && strategy < ITSI_STRATEGY_COUNT ? strategies[strategy].name : NULL;
}

const char *itsi_strategy_purpose(int strategy)
{
    return strategy >= 0 && strategy < ITSI_STRATEGY_COUNT ? strategies[strategy].purpose : NULL;
}

int itsi_strategy_index(const char *name)
{
    for (int i = 0; i < ITSI_STRATEGY_COUNT; i++)
        if (strcmp(strategies[i].name, name) == 0)
            return i;
    return -1;
}
