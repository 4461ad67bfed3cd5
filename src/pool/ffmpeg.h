/* A process that runs FFmpeg jobs, one at a time: a worker (pool/spare.h), what it is told and how it is watched. A
 * job that hangs is noticed by its progress, and ended as one that takes too long or grows too large. Loop's thread
 * only. */
#ifndef ITSI_POOL_FFMPEG_H
#define ITSI_POOL_FFMPEG_H

#include "pool/ffmpeg_job.h"
#include "pool/spare.h"

struct itsi_ffmpeg_setup {
    const char *program; /* path */
    enum itsi_spare_kind kind;
    int64_t timeout_ns, stall_ns; /* of a job, unless it wants less; ITSI_NEVER: none */
    int64_t grace_ns;             /* from TERM to KILL */
    uint64_t most_rss_bytes;      /* of a job; 0: any */
    struct itsi_child_limits limits; /* of a job, unless it wants less */
    int processors; /* that a job may keep busy for all of its time: bounds its processor time; 0: any number */
};

/* What its owner is told; never from within a call of the owner's. */
struct itsi_ffmpeg_events {
    void (*ready)(void *arg);
    /* The job has ended, and the process is free. The owner calls job->done. result: during the call. */
    void (*finished)(void *arg, struct itsi_ffmpeg_job *job, const struct itsi_ffmpeg_result *result);
    /* It is gone; its job, if it had one, was finished as lost. lines: its last, redacted. The last event. */
    void (*gone)(void *arg, const struct itsi_process_exit *exit, const char *lines);
};

struct itsi_ffmpeg { /* lives in its owner until gone(); zeroed */
    const struct itsi_ffmpeg_events *events;
    void *arg;
    /* its own */
    struct itsi_ffmpeg_setup setup;
    struct itsi_spare worker;
    uv_timer_t timer;
    struct itsi_ffmpeg_job *job; /* NULL: none runs */
    struct itsi_child_limits limits; /* that it has */
    struct itsi_job_watch watch;
    struct itsi_progress progress;
    struct itsi_ffmpeg_secrets secrets;
    int64_t started;
    pid_t pid; /* of the job; 0: not told yet */
    int pidfd; /* likewise; -1: none */
    uv_poll_t orphan; /* the job of a worker that has died */
    struct itsi_child_error error;
    struct itsi_process_exit exit;
    struct itsi_buf text;
};

ITS_NODISCARD int itsi_ffmpeg_start(struct itsi_ffmpeg *ffmpeg, uv_loop_t *loop, const struct itsi_ffmpeg_setup *setup,
                                    struct its_diag *diag);
/* Only while none runs. Its descriptors are closed here whatever comes of it; an error: it was not taken, finished()
 * will not be called. */
ITS_NODISCARD int itsi_ffmpeg_run(struct itsi_ffmpeg *ffmpeg, struct itsi_ffmpeg_job *job, struct its_diag *diag);
/* Ends the job that runs: finished() follows. */
void itsi_ffmpeg_cancel(struct itsi_ffmpeg *ffmpeg, enum itsi_job_kill reason);
/* Ends it all, at once: gone() follows. */
void itsi_ffmpeg_end(struct itsi_ffmpeg *ffmpeg);
void itsi_ffmpeg_close_descriptors(struct itsi_ffmpeg_job *job);

#endif
