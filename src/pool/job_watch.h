/* When a job is to be ended, and how hard: its deadline, silence, memory, or somebody's wish; then TERM, after a while
 * KILL, and at last the worker that it runs in. Pure: `now` is an argument, nothing is done here. */
#ifndef ITSI_POOL_JOB_WATCH_H
#define ITSI_POOL_JOB_WATCH_H

#include <stdint.h>

/* X(NAME, "text"): labels of its_ffmpeg_killed_total */
#define ITSI_JOB_KILL_MAP(X)                                                                                           \
    X(NONE, "none")                                                                                                    \
    X(TIMEOUT, "timeout")     /* it took too long */                                                                   \
    X(STALLED, "stalled")     /* it made no progress */                                                                \
    X(MEMORY, "memory")       /* it grew too large */                                                                  \
    X(CANCELLED, "cancelled") /* its owner wanted it no more */                                                        \
    X(SHUTDOWN, "shutdown")

enum itsi_job_kill {
#define ITSI_X(name, text) ITSI_JOB_KILL_##name,
    ITSI_JOB_KILL_MAP(ITSI_X)
#undef ITSI_X
        ITSI_JOB_KILL_COUNT
};
const char *itsi_job_kill_name(enum itsi_job_kill reason);

struct itsi_job_watch_params {
    int64_t deadline;       /* instant; ITSI_NEVER: none */
    int64_t stall_ns;       /* longest without progress; ITSI_NEVER: any */
    int64_t grace_ns;       /* between TERM and KILL, and from there to the worker's end */
    uint64_t most_rss_bytes; /* 0: any */
};

enum itsi_job_action { ITSI_JOB_GOES_ON, ITSI_JOB_TERM, ITSI_JOB_KILL, ITSI_JOB_ABANDON };

struct itsi_job_watch {
    struct itsi_job_watch_params params;
    int64_t progressed; /* last, or its start */
    enum itsi_job_kill reason;
    enum itsi_job_action last; /* what was done so far */
    int64_t acted;
    int64_t looked; /* at its memory */
};

void itsi_job_watch_begin(struct itsi_job_watch *watch, const struct itsi_job_watch_params *params, int64_t now);
void itsi_job_watch_progress(struct itsi_job_watch *watch, int64_t now);
/* Somebody wants it ended; the first reason stays. */
void itsi_job_watch_end(struct itsi_job_watch *watch, enum itsi_job_kill reason);
/* What to do now: each action comes once. rss: of the job, 0: not known. */
enum itsi_job_action itsi_job_watch_look(struct itsi_job_watch *watch, uint64_t rss, int64_t now);
/* When to look next, unless something happens before. */
int64_t itsi_job_watch_due(const struct itsi_job_watch *watch);

#endif
