/* What the parts of the stand-in share. */
#ifndef ITS_TESTS_FAKE_PIPELINE_IMPL_H
#define ITS_TESTS_FAKE_PIPELINE_IMPL_H

#include "fake_pipeline.h"

#include "base/rand.h"
#include "base/thread.h"
#include "pipeline/bus.h"

#include <stdatomic.h>

enum { MOST = 1000, CARS = 7, FRAMES_PER_CAMERA = 6 };

struct car {
    double x, lane, speed;
    int cls;
};

struct fake_camera {
    struct itsi_camera config;
    struct itsi_ledger ledger;
    struct itsi_frame_pool *pool;
    struct itsi_frame *frame; /* newest */
    struct itsi_result *result;
    struct car cars[CARS];
    uint32_t index; /* of all ever added */
    uint64_t seq;
    int64_t next_ns, added_ns, added_wall_ns;
    bool dead, novideo;
    int pin, boost; /* levels; -1: none */
    int64_t boost_until;
    uint64_t quality_changes;
    int64_t quality_since, quality_since_wall;
    int tint;
};

struct itsi_pipeline {
    struct fake_params params;
    struct itsi_bus bus;
    struct itsi_latency_recorder *latency;
    struct itsi_rolling *rolling;
    struct itsi_tracer *tracer;
    struct itsi_violations violations;
    struct itsi_alerts *alerts;
    struct itsi_result_pool *results;
    struct itsi_clips *clips; /* NULL: none */
    struct itsi_ledger_counts gone;
    pthread_t thread;
    struct itsi_event stop;
    pthread_mutex_t lock;
    struct fake_camera *cameras[MOST];
    int count, next_name;
    uint32_t next_index;
    int64_t started_ns;
    uint64_t published;
    int64_t longest_ns;
    struct itsi_quality_change changes[ITSI_QUALITY_HISTORY];
    uint64_t change_count;
    atomic_int_fast64_t encode_ns;
    struct itsi_rand rng;
    bool running;
};

/* Where in p->cameras; -1: no such camera. The lock is held here and below. */
int fake_find(const struct itsi_pipeline *pipeline, const char *id);
int fake_level_of(const struct fake_camera *camera, int64_t now);
void fake_quality_of(const struct fake_camera *camera, int64_t now, struct itsi_camera_status *out);

#endif
