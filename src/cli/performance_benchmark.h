/* performance benchmark: measures here, in this process. */
#ifndef ITSI_CLI_PERFORMANCE_BENCHMARK_H
#define ITSI_CLI_PERFORMANCE_BENCHMARK_H

#include "config/args.h"

#include <stdbool.h>

struct itsi_benchmark_request {
    struct itsi_config_args *config;
    bool json;
    long streams;                  /* 0: what fits */
    double duration, warmup, ramp; /* s; duration 0: what fits */
    double null_ms, null_image_ms; /* how long the null engine takes for a batch, and more for each image */
    const char *source, *output, *replay, *baseline; /* NULL: not said */
};
/* Runs and prints the report; what was not said is filled in. Takes SIGINT and SIGTERM. Returns an exit code of cli.h. */
int itsi_performance_benchmark(struct itsi_benchmark_request *request);

#endif
