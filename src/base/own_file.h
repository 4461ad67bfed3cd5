/* Which file this code was loaded from. */
#ifndef ITSI_BASE_OWN_FILE_H
#define ITSI_BASE_OWN_FILE_H

#include <limits.h>
#include <stdbool.h>

/* The program, or the shared library inside somebody else's; its real path. False: it cannot be told. */
bool itsi_own_file(char out[PATH_MAX]);

#endif
