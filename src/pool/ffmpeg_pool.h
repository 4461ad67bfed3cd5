/* The FFmpeg pool: processes kept ready for jobs, so many and no more, on the lease pool (pool/lease.h); replaced after
 * so many jobs, with age, and when they grow. Where FFmpeg can be preloaded a process is FFmpeg itself, linked and
 * waiting; elsewhere it executes FFmpeg for each job (pool/spare.h). docs/ffmpeg-pool.md. */
#ifndef ITSI_POOL_FFMPEG_POOL_H
#define ITSI_POOL_FFMPEG_POOL_H

#include "config/config.h"
#include "metrics/exposition.h"
#include "pool/ffmpeg_job.h"
#include "pool/lease_stats.h"
#include "pool/linking.h"
#include "pool/restart_budget.h"
#include "pool/spare.h"

struct itsi_loop;
struct itsi_ffmpeg_pool;

struct itsi_ffmpeg_pool_params {
    const char *program; /* "ffmpeg": looked for in PATH; or a path */
    int kept, most; /* processes: kept, and at most */
    int64_t uses; /* jobs after which one is replaced */
    int64_t lifetime_ns; /* age at which it is; ITSI_NEVER: none */
    uint64_t most_worker_bytes; /* memory of its own at which it is; 0: any */
    int64_t timeout_ns, stall_ns, grace_ns; /* of a job: longest, longest without progress; from TERM to KILL */
    uint64_t most_job_bytes; /* memory of a job at which it is ended; 0: any */
    struct itsi_child_limits limits; /* of each job, unless it wants less */
    int processors; /* that a job may keep busy for all of its time; 0: any number */
    int waiters; /* jobs that may wait */
    int64_t open_timeout_ns; /* a process is ready within it; one that is linked ahead within half of it */
    struct itsi_restart_policy restarts; /* of each place in the pool */
    struct itsi_linking_policy linking;  /* when it is tried again after it failed */
    bool executes; /* never linked: for tests of that way */
};
/* All that the options do not say is set to the usual. */
void itsi_ffmpeg_pool_usual(struct itsi_ffmpeg_pool_params *params, const struct its_cfg_connection_pool *cfg);

/* The loop outlives the pool. Processes start in the background; without the program jobs are refused, and the reason
 * told. */
ITS_NODISCARD int itsi_ffmpeg_pool_create(struct itsi_ffmpeg_pool **out, struct itsi_loop *loop,
                                          const struct itsi_ffmpeg_pool_params *params, struct its_diag *diag);
/* Waiting jobs are cancelled, running ones may go on until `deadline` and are killed then; returns when no process is
 * left. Takes NULL. Not from the loop's thread. */
void itsi_ffmpeg_pool_destroy(struct itsi_ffmpeg_pool *pool, int64_t deadline);
/* The options that change while it runs. Any thread. */
void itsi_ffmpeg_pool_configure(struct itsi_ffmpeg_pool *pool, const struct its_cfg_connection_pool *cfg);

/* Runs a job when a process is free: job->done tells what came of it, once, on the loop's thread, never from within
 * this call. Any thread; never waits. */
void itsi_ffmpeg_execute(struct itsi_ffmpeg_pool *pool, struct itsi_ffmpeg_job *job);
/* Takes a job back, waiting or running: job->done comes, unless it has. The job must live until this returns. Any
 * thread that the loop's does not wait for. */
void itsi_ffmpeg_cancel_job(struct itsi_ffmpeg_pool *pool, struct itsi_ffmpeg_job *job);

/* Path of the program as it was found last; empty: never. Any thread. */
void itsi_ffmpeg_pool_program(struct itsi_ffmpeg_pool *pool, char *out, size_t size);

struct itsi_ffmpeg_pool_stats {
    struct itsi_pool_stats leases;
    enum itsi_spare_kind kind; /* of processes that are started now */
    bool is_never_linked;      /* this program cannot be, so executing it is as it should be */
    uint64_t unlinked;         /* how often linking failed and was left for executing, which is none of that */
    int running;
    uint64_t jobs[ITSI_FFMPEG_OUTCOME_COUNT], killed[ITSI_JOB_KILL_COUNT], limited[ITSI_JOB_LIMIT_COUNT];
    uint64_t deaths; /* processes that ended unasked */
    uint64_t recycled; /* replaced for their memory; for age and jobs see leases.closed */
    uint64_t seconds[ITSI_POOL_EDGE_COUNT + 1]; /* of jobs, by itsi_pool_edges; not cumulative */
    double seconds_sum, cpu_seconds;
};
/* Any thread. ITS_ENOMEM. */
ITS_NODISCARD int itsi_ffmpeg_pool_stats(struct itsi_ffmpeg_pool *pool, struct itsi_ffmpeg_pool_stats *out,
                                         struct its_diag *diag);
/* Families its_ffmpeg_*; its_pool_* are the lease pool's, with pool="ffmpeg" (itsi_put_pool_metrics). */
void itsi_put_ffmpeg_metrics(struct itsi_exposition *e, const struct itsi_ffmpeg_pool_stats *stats);

#endif
