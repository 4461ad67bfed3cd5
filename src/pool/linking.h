/* Whether a process of the FFmpeg pool is to be linked ahead (pool/spare.h) or to execute FFmpeg for each job. Linked is
 * better, and is left for good only where it cannot work: a program that is not linked dynamically, or one that is run by
 * another. Pure but for looking at the program.
 *
 *              a start did not come to work             after the wait: one start, which
 *     WORKS ---------------------------------> FAILING  has failed until it has worked
 *       ^                                        |      (the next wait is twice as long)
 *       `--------------- one has worked ---------'
 *
 * Why it did not (time, a signal, a file that is missing, no process to be had) makes no difference: what passes, as an upgrade
 * that was just replacing libraries, is found out by trying. While it fails, processes execute and work: only the one that tries
 * is given up for it, all others when linking has been shown to work. */
#ifndef ITSI_POOL_LINKING_H
#define ITSI_POOL_LINKING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct itsi_linking_policy {
    int64_t first_ns, most_ns; /* wait after the first failure, and the longest */
};

struct itsi_linking { /* zeroed: it is taken to work */
    bool impossible;
    int failures;     /* in a row; a start that tries counts as one from its beginning */
    int64_t again;    /* while there are some: the next may try then */
    uint64_t changes; /* how often it was left for executing though it should work, ever */
};

/* Whether a process that is about to start is to be linked; also whether one that executes is to be replaced by a linked one. While
 * it fails that is said to one, who is then to try. */
bool itsi_linking_try(struct itsi_linking *linking, const struct itsi_linking_policy *policy, int64_t now);
/* A linked start did not come to work. True: this is what changes the way; several that were started together fail as one. */
bool itsi_linking_failed(struct itsi_linking *linking, const struct itsi_linking_policy *policy, int64_t now);
/* One has come to work. True: it was left, and works again. */
bool itsi_linking_worked(struct itsi_linking *linking);
/* It never will: no failure, and not counted as one. True: that is news. */
bool itsi_linking_rule_out(struct itsi_linking *linking);

/* --- the program ---------------------------------------------------------------------------------------------------- */

/* A program for the machine that is linked dynamically: not a script, nor one that is complete in itself. */
bool itsi_linking_suits(const char *program);

/* Which file that is, whatever its name by now; zeroed: not known. */
struct itsi_linking_file {
    dev_t device;
    ino_t inode;
};
struct itsi_linking_file itsi_linking_file(const char *path);
struct itsi_linking_file itsi_linking_file_of(pid_t pid); /* that a process runs */

enum itsi_linking_runs {
    ITSI_LINKING_PROGRAM,  /* what was started runs */
    ITSI_LINKING_REPLACED, /* another file has the program's name meanwhile, or nobody can tell: that passes */
    ITSI_LINKING_ANOTHER   /* another program runs it: a script's shell. That stays so */
};
/* before, after: what has the program's name before the start and by now. */
enum itsi_linking_runs itsi_linking_compare(struct itsi_linking_file before, struct itsi_linking_file after,
                                            struct itsi_linking_file runs);

#endif
