/* What the files of the FFmpeg pool share. */
#ifndef ITSI_POOL_FFMPEG_POOL_IMPL_H
#define ITSI_POOL_FFMPEG_POOL_IMPL_H

#include "net/loop.h"
#include "pool/ffmpeg.h"
#include "pool/ffmpeg_pool.h"
#include "pool/linking.h"

#include <limits.h>
#include <pthread.h>

/* Where the life of a place's process stands. */
enum itsi_ffmpeg_place_state {
    ITSI_FFMPEG_EMPTY,
    ITSI_FFMPEG_BACKOFF,  /* it died too often: the start waits */
    ITSI_FFMPEG_STARTING,
    ITSI_FFMPEG_READY,
    ITSI_FFMPEG_DYING,    /* it took its job along, and is about to be gone: its lease was given back as broken */
    ITSI_FFMPEG_GONE      /* by itself; the lease pool will close it */
};

/* A place in the pool and the process in it. Loop's thread. */
struct itsi_ffmpeg_place {
    struct itsi_ffmpeg_pool *pool;
    struct itsi_pool_slot *slot; /* NULL: never opened */
    enum itsi_ffmpeg_place_state state;
    bool is_closing;
    bool is_another;             /* not the program itself answers, but what runs it: a script's shell */
    enum itsi_spare_kind kind;  /* of the process in it */
    int64_t open_deadline;
    struct itsi_restart_budget deaths;
    uv_timer_t timer; /* until it may start; until it must be ready */
    struct itsi_ffmpeg ffmpeg;
};

struct itsi_ffmpeg_pool {
    /* const */
    struct itsi_loop *loop;
    struct itsi_ffmpeg_pool_params params;
    char program[PATH_MAX]; /* found once; empty: it was not, */
    struct its_diag missing; /* and why */
    struct itsi_ffmpeg_place *places; /* owned, params.most */
    struct itsi_pool *leases;
    atomic_int_fast64_t timeout_ns;

    /* loop's thread */
    int open_timers;
    struct itsi_linking linking;

    pthread_mutex_t mutex; /* a leaf: the figures */
    struct itsi_ffmpeg_pool_stats stats; /* but for leases */
};

extern const struct itsi_pool_kind itsi_ffmpeg_kind;       /* ffmpeg_place.c; self: the pool */
extern const struct itsi_ffmpeg_events itsi_ffmpeg_place_events;

/* ffmpeg_pool.c: the job of a place's process has ended. */
void itsi_ffmpeg_pool_finished(struct itsi_ffmpeg_place *place, struct itsi_ffmpeg_job *job,
                               const struct itsi_ffmpeg_result *result);
/* ffmpeg_metrics.c */
void itsi_ffmpeg_count_started(struct itsi_ffmpeg_pool *pool);
void itsi_ffmpeg_count_job(struct itsi_ffmpeg_pool *pool, const struct itsi_ffmpeg_result *result);
/* What it is now, and how often that was left. */
void itsi_ffmpeg_count_kind(struct itsi_ffmpeg_pool *pool, enum itsi_spare_kind kind);
void itsi_ffmpeg_count_death(struct itsi_ffmpeg_pool *pool);
void itsi_ffmpeg_count_recycled(struct itsi_ffmpeg_pool *pool);

#endif
