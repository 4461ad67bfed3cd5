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

/* Of each file two, so memory is at most that for each of so many files at once. */
enum { ITSI_FILE_CHUNK = 256 * 1024, ITSI_FILES_AT_ONCE = 64 };

/* As pread(2). */
typedef ssize_t itsi_read_file(int fd, void *out, size_t size, off_t at);

/* The threads. read: NULL: pread. */
ITS_NODISCARD int itsi_reads_create(struct itsi_reads **out, itsi_read_file *read, struct its_diag *diag);
/* Nothing more is read: what is being sent ends there, and nothing stays suspended. A read that the disk does not answer
 * is left behind after a moment, with what it needs. */
void itsi_reads_stop(struct itsi_reads *reads);
void itsi_reads_destroy(struct itsi_reads *reads); /* takes NULL; stops first; after the daemon, whose responses refer to it */
/* From time to time, any thread: ends answers whose client has gone, or that wait for the disk for too long. */
void itsi_reads_look(struct itsi_reads *reads, int64_t now);

/* An answer of `length` bytes of the file from `first` on. fd is taken in any case. Nothing is read before the network thread
 * asks, so not for HEAD. Network thread. ITS_EAGAIN: too many are being sent; ITS_ENOMEM. */
ITS_NODISCARD int itsi_file_response(struct itsi_reads *reads, struct MHD_Connection *connection, int fd, uint64_t first,
                                     uint64_t length, struct MHD_Response **out, struct its_diag *diag);

#endif
