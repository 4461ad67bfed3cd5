/* A run of FFmpeg that is waited for, with what it wrote: for callers who have a thread to spare. */
#ifndef ITSI_POOL_FFMPEG_CALL_H
#define ITSI_POOL_FFMPEG_CALL_H

#include "base/buf.h"
#include "pool/ffmpeg_pool.h"

struct itsi_ffmpeg_call {
    /* the caller's */
    const char *const *arguments; /* as of a job; NULL at the end */
    struct itsi_pool_owner owner;
    int64_t deadline;    /* waiting for a process included */
    size_t output_limit; /* of its stdout; what is beyond is read and left out */
    /* what came of it */
    enum itsi_ffmpeg_outcome outcome;
    int code; /* 0: done; else one of ours */
    int exit_code, signal;
    double seconds, cpu_seconds;
    uint64_t most_rss_bytes;
    struct itsi_buf output; /* stdout */
    uint64_t output_bytes;  /* of it in all */
    struct itsi_buf error;  /* text for a person, redacted; empty when done */
    struct itsi_buf lines;  /* last lines of stderr, redacted, each with \n */
};

/* Blocks until the run has ended, which its deadline bounds. 0: it ran, however it ended. Otherwise it did not, the code
 * says why, as does diag: ITS_ETIMEOUT: no process was free in time; ITS_EREFUSED: FFmpeg cannot be started here; ITS_EUNSUPPORTED:
 * arguments with secrets that would show (pool/ffmpeg_job.h); ITS_ELIMIT: too many wait; ITS_ENOMEM. Any thread but the
 * loop's. */
ITS_NODISCARD int itsi_ffmpeg_call(struct itsi_ffmpeg_pool *pool, struct itsi_ffmpeg_call *call, struct its_diag *diag);
void itsi_ffmpeg_call_fini(struct itsi_ffmpeg_call *call); /* takes zeroed */

#endif
