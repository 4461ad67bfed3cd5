/* Where the workers' files are: beside the installed library, or in the build that this program is of. */
#ifndef ITSI_POOL_WORKER_FILES_H
#define ITSI_POOL_WORKER_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* The path of the file of that name ("its-process-worker"); false: it is not there. */
bool itsi_worker_file(const char *name, char *path, size_t size);

#endif
