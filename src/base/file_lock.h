/* One at a time, across processes: a file that whoever has the lock holds open. */
#ifndef ITSI_BASE_FILE_LOCK_H
#define ITSI_BASE_FILE_LOCK_H

#include "its/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Makes the file where it is not there and waits for its lock until `until_ns` (itsi_now_ns's clock; ITSI_NEVER: as long as
 * it takes), or until *stop is set (NULL: nobody stops it). *fd: close() it, and the lock is free again; a process that ends
 * leaves none behind. Who has the lock may remove the file: one that waited for the old one goes on with a new one.
 * ITS_EBUSY: another has had it all the time; ITS_ECANCELLED: stopped; ITS_ENOTFOUND: the folder is not there. */
ITS_NODISCARD int itsi_file_lock(int *fd, const char *path, int64_t until_ns, const atomic_bool *stop,
                                 struct its_diag *diag);

#endif
