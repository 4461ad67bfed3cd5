/* Files as bodies of answers. The network thread never reads them: threads of their own read ahead, up to two chunks of
 * each file that is being sent, and a connection whose next chunk is not there yet is suspended until it is. So a disk
 * that is slow, or stands still, delays the files on it and nothing else. */
#ifndef ITSI_SERVE_FILE_BODY_H
#define ITSI_SERVE_FILE_BODY_H

#include "its/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct MHD_Connection;
struct MHD_Response;
struct itsi_reads;
struct itsi_serve_stats;

/* Of each file two, so memory is at most that for each of so many files at once. */
enum { ITSI_FILE_CHUNK = 256 * 1024, ITSI_FILES_AT_ONCE = 64 };

/* As pread(2). */
typedef ssize_t itsi_read_file(int fd, void *out, size_t size, off_t at);

/* The threads (serve/crew.h). read: NULL: pread. stats: borrowed until the end. */
ITS_NODISCARD int itsi_reads_create(struct itsi_reads **out, itsi_read_file *read, struct itsi_serve_stats *stats,
                                    struct its_diag *diag);
/* Nothing more is read: what is being sent ends there, and nothing stays suspended. Never waits. */
void itsi_reads_stop(struct itsi_reads *reads);
/* The end of the threads, until `until`: returns how many were left behind, in a read that the disk does not answer, with
 * what they need. After the daemon, whose responses refer to it. Takes NULL; stops first. */
int itsi_reads_end(struct itsi_reads *reads, int64_t until);
/* From time to time, any thread: ends answers whose client has gone, or that wait for the disk for too long. */
void itsi_reads_look(struct itsi_reads *reads, int64_t now);

struct itsi_file_part {
    const char *name; /* for the log; copied */
    int fd;
    uint64_t first, length;
};
/* An answer of a part of a file. Nothing is read before the network thread asks, so not for HEAD. The descriptor is taken
 * on success, and closed where that may block. Network thread. ITS_EAGAIN: too many are being sent; ITS_ECANCELLED: it
 * stops; ITS_ENOMEM. */
ITS_NODISCARD int itsi_file_response(struct itsi_reads *reads, struct MHD_Connection *connection,
                                     const struct itsi_file_part *part, struct MHD_Response **out, struct its_diag *diag);

#endif
