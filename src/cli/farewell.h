/* A command ends when it is told to, or when it is done. What hangs beyond help (a decoder, a driver, a disk) cannot be ended from outside;
 * a thread waits beside the end and, when the time of what is being ended is over, says who hangs and ends the process. */
#ifndef ITSI_CLI_FAREWELL_H
#define ITSI_CLI_FAREWELL_H

#include "base/thread.h"
#include "pipeline/pipeline.h"

struct itsi_farewell_params {
    const char *command; /* static; who speaks */
    struct itsi_pipeline *pipeline; /* borrowed until the next step; ends first */
    double drain_s;                 /* what it may take, and a few seconds more */
    /* Done within save_ns, or not at all, where the pipeline hangs and the process is ended for it: by a thread of its own,
     * while the pipeline's may still run. NULL: there is nothing to save. */
    void (*save)(void *arg);
    void *save_arg;
    int64_t save_ns;
};

struct itsi_farewell {
    struct itsi_farewell_params params;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    /* under lock */
    pthread_cond_t changed;
    bool over, is_given_up, is_saved;
    int64_t until_ns;
    const char *step; /* static; what is being ended; NULL: the pipeline */
};

/* From now on the pipeline has its time. Where no thread can be had the end has no limit, and a warning says so. */
void itsi_farewell_begin(struct itsi_farewell *farewell, const struct itsi_farewell_params *params);
/* What was being ended has ended; this is next, and takes at most so long on a machine that has time (more is given). */
void itsi_farewell_next(struct itsi_farewell *farewell, const char *step, int64_t most_ns);
void itsi_farewell_end(struct itsi_farewell *farewell); /* in time; a farewell that never began is none */

#endif
