/* Which limit of its resources (pool/child.h) ended a job. Pure. */
#ifndef ITSI_POOL_JOB_LIMIT_H
#define ITSI_POOL_JOB_LIMIT_H

#include "pool/child.h"

#include <stdint.h>

/* X(NAME, "label", "text"): labels of its_ffmpeg_limited_total, and for a person */
#define ITSI_JOB_LIMIT_MAP(X)                                                                                          \
    X(NONE, "none", "none")                                                                                            \
    X(CPU, "processor_time", "processor time")                                                                         \
    X(MEMORY, "memory", "memory")                                                                                      \
    X(FILES, "open_files", "open files")                                                                               \
    X(FILE_SIZE, "file_size", "size of a file")

enum itsi_job_limit {
#define ITSI_X(name, label, text) ITSI_JOB_LIMIT_##name,
    ITSI_JOB_LIMIT_MAP(ITSI_X)
#undef ITSI_X
        ITSI_JOB_LIMIT_COUNT
};
const char *itsi_job_limit_name(enum itsi_job_limit limit);
const char *itsi_job_limit_text(enum itsi_job_limit limit);

/* The smaller of each; 0 is none. */
struct itsi_child_limits itsi_child_limits_within(const struct itsi_child_limits *wanted,
                                                  const struct itsi_child_limits *most);
/* How many processors a job may keep busy, of so many that this process may use: half of them, rounded up, so that no job has
 * all of two or more. */
int itsi_job_limit_processors(double cores);
/* What a job with `time_ns` to live may use that keeps at most so many processors busy, in whole seconds; 0: any. */
uint32_t itsi_job_limit_cpu(int64_t time_ns, int processors);

struct itsi_job_end {
    int signal; /* that ended it, 0: none */
    int64_t cpu_ns;
    uint64_t most_rss_bytes;
    const char *lines; /* its last of stderr */
};
/* Of a job that did not end well, and that nobody killed; `limits`: those that it had, whoever set them. The kernel tells by a
 * signal that a limit of time or of a file's size is reached; a program may heed it and say good-bye (FFmpeg does): then its words
 * or its processor time tell. That memory or descriptors are refused the program alone learns: it is known where it says so, in
 * the system's words. What it says of memory counts where it ended with that, in its last four lines, or had at least half of
 * what it might: much else fails for want of memory (a device, a picture larger than FFmpeg allows), and goes on. */
enum itsi_job_limit itsi_job_limit_find(const struct itsi_child_limits *limits, const struct itsi_job_end *end);

#endif
