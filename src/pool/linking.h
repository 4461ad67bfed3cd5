/* Whether a process of the FFmpeg pool is to be linked ahead (pool/spare.h) or to execute FFmpeg for each job. Linked is
 * better, and is left for good only where it cannot work: a program that is not linked dynamically, or one that is run by
 * another. What failed for another reason (an upgrade that was just replacing libraries, a machine short of memory) is tried
 * again, after waits that double. Pure but for looking at the program. */
#ifndef ITSI_POOL_LINKING_H
#define ITSI_POOL_LINKING_H

#include <stdbool.h>
#include <stdint.h>

struct itsi_linking_policy {
    int64_t first_ns, most_ns; /* wait after the first failure, and the longest */
};

struct itsi_linking { /* zeroed: nothing has failed */
    bool impossible;
    int failures;     /* in a row */
    int64_t again;    /* not before */
    uint64_t changes; /* how often it was left for executing, ever */
};

/* A program for the machine that is linked dynamically: not a script, nor one that is complete in itself. */
bool itsi_linking_suits(const char *program);

bool itsi_linking_is_due(const struct itsi_linking *linking, int64_t now);
/* True: this is what changes the way; several that were started together fail as one. */
bool itsi_linking_failed(struct itsi_linking *linking, const struct itsi_linking_policy *policy, int64_t now);
/* True: it was left, and works again. */
bool itsi_linking_worked(struct itsi_linking *linking);

#endif
