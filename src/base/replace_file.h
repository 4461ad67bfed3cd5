/* Writing a file so that nobody ever sees half of it. */
#ifndef ITSI_BASE_REPLACE_FILE_H
#define ITSI_BASE_REPLACE_FILE_H

#include "base/buf.h"

/* Puts the text in place of the file, or makes it: written beside it, brought to the disk, and renamed. Mode 0600. On failure
 * the file is as it was. */
ITS_NODISCARD int itsi_replace_file(const char *path, const struct itsi_buf *text, struct its_diag *diag);

/* The same beneath a folder, with a name for it until it is whole (of which what a crash leaves is found again), and durable:
 * the folder is brought to the disk as well. 0 or an errno value; on failure there is nothing under `name`. */
ITS_NODISCARD int itsi_replace_file_at(int folder, const char *part, const char *name, const void *bytes, size_t size);

#endif
