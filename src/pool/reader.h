/* The reading end of a pipe on a libuv loop: what comes goes to a sink, a bounded amount at a time, so that who floods
 * it waits and nobody else does. Loop's thread only. */
#ifndef ITSI_POOL_READER_H
#define ITSI_POOL_READER_H

#include "its/error.h"

#include <stdbool.h>
#include <uv.h>

struct itsi_reader {
    void (*sink)(void *arg, const char *data, size_t len);
    void *arg;
    /* its own */
    uv_poll_t poll;
    int fd;
    bool polled; /* the handle is the loop's */
    void (*closed)(void *arg);
};

/* A pipe for it, both ends close-on-exec and the caller's: ends[0] does not block, ends[1] is as any child expects it.
 */
ITS_NODISCARD int itsi_reader_pipe(int ends[2], struct its_diag *diag);
/* Reads `fd` from now on and owns it, also after a failure. sink and arg are set before. */
ITS_NODISCARD int itsi_reader_open(struct itsi_reader *reader, uv_loop_t *loop, int fd, struct its_diag *diag);
/* What is there already, now. */
void itsi_reader_drain(struct itsi_reader *reader);
/* closed(arg) follows from the loop, also for one that was never opened but zeroed: then at once. */
void itsi_reader_close(struct itsi_reader *reader, void (*closed)(void *arg));

#endif
