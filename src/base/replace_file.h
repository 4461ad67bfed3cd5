/* Writing a file so that nobody ever sees half of it. */
#ifndef ITSI_BASE_REPLACE_FILE_H
#define ITSI_BASE_REPLACE_FILE_H

#include "base/buf.h"

/* Puts the text in place of the file, or makes it: written beside it, brought to the disk, and renamed. Mode 0600. On failure
 * the file is as it was. */
ITS_NODISCARD int itsi_replace_file(const char *path, const struct itsi_buf *text, struct its_diag *diag);

#endif
