/* One run of FFmpeg: what is asked for, and what came of it. And the rules for its arguments, pure. */
#ifndef ITSI_POOL_FFMPEG_JOB_H
#define ITSI_POOL_FFMPEG_JOB_H

#include "pool/child.h"
#include "pool/job_limit.h"
#include "pool/job_watch.h"
#include "pool/lease.h"
#include "pool/progress.h"

#include <stdatomic.h>

/* X(NAME, "text"): labels of its_ffmpeg_jobs_total */
#define ITSI_FFMPEG_OUTCOME_MAP(X)                                                                                     \
    X(DONE, "done")                                                                                                    \
    X(FAILED, "failed")   /* it said so: its exit code is not 0 */                                                     \
    X(CRASHED, "crashed") /* a signal ended it that was not ours */                                                    \
    X(KILLED, "killed")   /* by us, for the reason given */                                                            \
    X(LIMITED, "limited") /* a limit of its resources ended it: `limit` says which */                                  \
    X(LOST, "lost")       /* the worker that it ran in died */                                                         \
    X(REFUSED, "refused") /* it never ran: `code` and `error` say why */

enum itsi_ffmpeg_outcome {
#define ITSI_X(name, text) ITSI_FFMPEG_##name,
    ITSI_FFMPEG_OUTCOME_MAP(ITSI_X)
#undef ITSI_X
        ITSI_FFMPEG_OUTCOME_COUNT
};
const char *itsi_ffmpeg_outcome_name(enum itsi_ffmpeg_outcome outcome);

struct itsi_ffmpeg_result {
    enum itsi_ffmpeg_outcome outcome;
    enum itsi_job_kill killed;
    enum itsi_job_limit limit;
    int code;        /* 0: done; else one of ours */
    const char *error; /* text for a person, redacted; empty when done */
    int exit_code, signal; /* of the process: -1 and 0 where there is none */
    double seconds, cpu_seconds; /* that it ran */
    uint64_t most_rss_bytes;
    int64_t frames, bytes, media_us; /* written, as its progress said last */
    const char *lines; /* its last lines of stderr, redacted, each with \n; valid during the call */
};

struct itsi_ffmpeg_job {
    /* the caller's; all borrowed until done() */
    const char *const *arguments;   /* behind the program's name, NULL at the end */
    const char *const *environment; /* "NAME=value", besides PATH, LANG; NULL at the end; NULL: none */
    const char *const *secrets;     /* words that show up nowhere, NULL at the end; NULL: none */
    int input, output;              /* descriptors of its stdin and stdout, taken over, always; -1: /dev/null */
    struct itsi_pool_owner owner;   /* who wants it */
    int64_t deadline;               /* waiting for a process included */
    int64_t stall_ns;               /* ended after so long without progress; 0: the pool's usual */
    struct itsi_child_limits limits; /* the pool's hold besides */
    /* Once, on the loop's thread, with no lock held; the job is the caller's again. */
    void (*done)(struct itsi_ffmpeg_job *job, const struct itsi_ffmpeg_result *result);
    void *arg;
    /* the pool's own */
    struct itsi_pool_request request;
    struct itsi_lease lease;
    struct itsi_ffmpeg_pool *pool;
    struct itsi_ffmpeg *process; /* that it runs in */
};

/* Arguments of FFmpeg that every job begins with: progress to descriptor 3, nothing read from a terminal. */
extern const char *const itsi_ffmpeg_first_arguments[];
enum { ITSI_FFMPEG_ARGUMENTS = 1000, ITSI_FFMPEG_SECRETS = 16, ITSI_FFMPEG_SECRET_SIZE = 256 };

/* What of a job's arguments nobody may see. Passwords in URLs, and values of options that are secrets. */
struct itsi_ffmpeg_secrets {
    int count;
    char words[ITSI_FFMPEG_SECRETS][ITSI_FFMPEG_SECRET_SIZE];
};
/* ITS_ELIMIT: more or longer ones than there is room for. ITS_EUNSUPPORTED: there are some, and `shown` says that
 * arguments stand in the process list. diag names the argument, redacted. */
ITS_NODISCARD int itsi_ffmpeg_secrets_find(struct itsi_ffmpeg_secrets *secrets, const char *const *arguments,
                                           bool shown, struct its_diag *diag);

#endif
