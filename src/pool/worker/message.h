/* What a worker and who started it tell each other, a message a packet (SOCK_SEQPACKET). Both are of one build, so the
 * structures travel as they lie in memory. */
#ifndef ITSI_POOL_WORKER_MESSAGE_H
#define ITSI_POOL_WORKER_MESSAGE_H

#include "pool/child.h"

#include <stdint.h>

/* The worker's descriptors: 2 and 3 are its jobs' as well. */
enum { ITSI_WORKER_STDERR = 2, ITSI_WORKER_PROGRESS = 3, ITSI_WORKER_SOCKET = 4, ITSI_WORKER_FDS };

enum itsi_worker_verb {
    ITSI_WORKER_READY,   /* worker: it waits for its first job */
    ITSI_WORKER_JOB,     /* with the job's descriptors 0 and 1 */
    ITSI_WORKER_SIGNAL,  /* to the job's whole group */
    ITSI_WORKER_STARTED, /* worker: the job has a process */
    ITSI_WORKER_FAILED,  /* worker: it has none, or could not execute; ENDED follows */
    ITSI_WORKER_ENDED    /* worker: it is reaped, none of its group is left, and the next may come */
};

/* Arguments and environment may be so long in all; a packet must fit the socket's buffer (212,992 bytes by default). */
enum { ITSI_WORKER_TEXT = 120000 };

struct itsi_worker_message {
    uint32_t verb;
    uint32_t serial; /* of the job that is meant */
    union {
        struct {
            struct itsi_child_limits limits;
            uint32_t arguments, environment; /* strings in `text`, from argv[0] on, each with its NUL */
            uint32_t bytes;                  /* of `text` */
        } job;
        int32_t signal;
        int32_t pid;
        struct itsi_child_error error;
        struct {
            int32_t status; /* of wait(2) */
            int64_t cpu_ns;
            uint64_t most_rss_bytes;
        } ended;
    } u;
};

/* A JOB on its way: the text follows the message in the packet. */
struct itsi_worker_packet {
    struct itsi_worker_message message;
    char text[ITSI_WORKER_TEXT];
};

#endif
