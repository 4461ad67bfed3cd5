/* A command ends when it is told to, or when it is done. What hangs beyond help (a decoder, a driver, a disk) cannot be ended from outside;
 * a thread waits beside the end and, when its time is over, says who hangs and ends the process. */
#ifndef ITSI_CLI_FAREWELL_H
#define ITSI_CLI_FAREWELL_H

#include "base/thread.h"
#include "pipeline/pipeline.h"

struct itsi_farewell {
    const char *command; /* static; who speaks */
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    /* under lock */
    pthread_cond_t changed;
    bool over;
    int64_t until_ns;
    struct itsi_pipeline *pipeline; /* borrowed; NULL: not to be asked any more */
};

/* From now on the process has drain_s and a few seconds to stop its pipeline. Where no thread can be had the end has no
 * limit, and a warning says so. */
void itsi_farewell_begin(struct itsi_farewell *farewell, const char *command, struct itsi_pipeline *pipeline,
                         double drain_s);
/* The pipeline has stopped and is asked no more: a few seconds are left for the rest. */
void itsi_farewell_stopped(struct itsi_farewell *farewell);
void itsi_farewell_end(struct itsi_farewell *farewell); /* in time; a farewell that never began is none */

#endif
