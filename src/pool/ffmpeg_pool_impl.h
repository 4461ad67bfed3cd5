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
    bool is_to_link;            /* its process was given up for one that is linked ahead */
    int64_t open_deadline;
    /* of the process in it, or that starts */
    enum itsi_spare_kind kind;
    struct itsi_linking_file file; /* that the program was when it started, */
    enum itsi_linking_runs runs;   /* and what that showed to be when it was ready; both where it is linked ahead */
    bool is_late;                  /* not ready in time, and so ended */
    struct itsi_restart_budget deaths;
    uv_timer_t timer; /* until it may start; until it must be ready */
    struct itsi_ffmpeg ffmpeg;
};

struct itsi_ffmpeg_pool {
    /* const */
    struct itsi_loop *loop;
    struct itsi_ffmpeg_pool_params params;
    struct itsi_ffmpeg_place *places; /* owned, params.most */
    struct itsi_pool *leases;
    atomic_int_fast64_t timeout_ns;

    /* loop's thread */
    int open_timers;
    bool is_missing; /* the program was not found when it was last looked for */
    struct itsi_linking linking;

    pthread_mutex_t mutex; /* a leaf: what follows */
    char program[PATH_MAX]; /* where it was found last; empty: never. Written by the loop's thread, which reads it without */
    struct itsi_ffmpeg_pool_stats stats; /* but for leases */
};

extern const struct itsi_pool_kind itsi_ffmpeg_kind;       /* ffmpeg_place.c; self: the pool */
extern const struct itsi_ffmpeg_events itsi_ffmpeg_place_events;

/* ffmpeg_pool.c */
/* Looks for the program, which may come, go and change while the pool runs. Loop's thread. ITS_ENOTFOUND. */
ITS_NODISCARD int itsi_ffmpeg_pool_find(struct itsi_ffmpeg_pool *pool, struct its_diag *diag);
/* It cannot be linked ahead, which is told once. */
void itsi_ffmpeg_pool_never_link(struct itsi_ffmpeg_pool *pool);
/* The job of a place's process has ended. */
void itsi_ffmpeg_pool_finished(struct itsi_ffmpeg_place *place, struct itsi_ffmpeg_job *job,
                               const struct itsi_ffmpeg_result *result);
/* ffmpeg_metrics.c */
void itsi_ffmpeg_count_started(struct itsi_ffmpeg_pool *pool);
void itsi_ffmpeg_count_job(struct itsi_ffmpeg_pool *pool, const struct itsi_ffmpeg_result *result);
/* What pool->linking says by now. */
void itsi_ffmpeg_count_linking(struct itsi_ffmpeg_pool *pool);
void itsi_ffmpeg_count_death(struct itsi_ffmpeg_pool *pool);
void itsi_ffmpeg_count_recycled(struct itsi_ffmpeg_pool *pool);

#endif
