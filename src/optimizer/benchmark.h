/* performance benchmark: an open-loop measurement. Cameras deliver at their own cadence whatever the system does; latency
 * counts from the intended time; warm-up is excluded; the frame ledger must balance. Where the sources are synthetic roads,
 * what was detected is held against their truth. */
#ifndef ITSI_OPTIMIZER_BENCHMARK_H
#define ITSI_OPTIMIZER_BENCHMARK_H

#include "base/buf.h"
#include "latency/compare.h"
#include "optimizer/replay.h"
#include "optimizer/score.h"
#include "pipeline/pipeline.h"

enum { ITSI_BENCHMARK_DRAIN_S = 5 }; /* for what is in flight at the end */

struct itsi_benchmark_params {
    struct itsi_pipeline_params pipeline;
    const char *model_name;  /* shown; NULL: none */
    int streams;             /* 1.. */
    double duration_s;       /* measured time, after the warm-up */
    double warmup_s;
    double ramp_s;           /* > 0: cameras are added evenly over so long, and those that do not fit are left out, by name;
                              * 0: all at once, and every one must be admitted */
    double startup_s;        /* longest wait for all cameras to give pictures before the warm-up */
    const char *source;      /* a URL or file for every stream, "{i}" in it is the stream's number, "{i%10}" its remainder; NULL: the synthetic road, a seed per stream */
    /* A flight record to run again instead: it says streams, duration and timing, and there is no warm-up. NULL: none. */
    const struct itsi_replay *replay;
    /* Called about once a second from the calling thread; may be NULL. Non-zero ends the run early. */
    int (*progress)(void *arg, const char *phase, double done_s, double of_s);
    void *progress_arg;
    /* Called when the pipeline is about to end, which lasts up to ITSI_BENCHMARK_DRAIN_S unless something hangs, and with
     * NULL once it is gone; may be NULL. */
    void (*ending)(void *arg, struct itsi_pipeline *pipeline);
    void *ending_arg;
};

struct itsi_benchmark_report {
    int streams;                      /* that were measured */
    int refused;                      /* that did not fit */
    char refusal[512];                /* which was the first, and why; empty: none */
    double duration_s;
    char model[256];
    struct itsi_engine_info engine;
    struct itsi_ledger_counts counts; /* of the measured time; in_flight is 0 */
    bool ledger_balanced;             /* at both ends and after the drain */
    double least_analysed_fps;        /* of the camera that was analysed least */
    int levels[ITSI_QUALITY_LEVELS];  /* cameras by quality level, at the end */
    double analysed_fps, on_time_ratio, on_time_admitted_ratio;
    struct itsi_latency_report latency;
    bool by_deadline;                 /* the batcher; false: the fixed one */
    double batch_mean;
    int batch_max;
    double cpu_percent;               /* of one core */
    double rss_mb, rss_start_mb;      /* at the end, and at the end of the warm-up */
    uint64_t allocations;             /* by our code during the measured time */
    int cameras_running;              /* at the end */
    bool interrupted;
    bool has_score;                   /* the sources have ground truth, and something detects */
    struct itsi_score score;          /* of the frames delivered in the measured time */
    double confidence;                /* least score of a detection */
    struct itsi_run *run;             /* for later measurements to be compared with; the caller's to destroy */
    bool has_comparison;              /* with an earlier one: the caller's to fill in before it is shown */
    struct itsi_comparison comparison;
    bool has_recorded;                /* a replay: what the record says of the same frames */
    struct itsi_replay_recorded recorded;
};

ITS_NODISCARD int itsi_benchmark_run(const struct itsi_benchmark_params *params, struct itsi_benchmark_report *out,
                                     struct its_diag *diag);
void itsi_benchmark_json(const struct itsi_benchmark_report *report, struct itsi_buf *out);
void itsi_benchmark_table(const struct itsi_benchmark_report *report, struct itsi_buf *out);

#endif
