/* Filling a struct its_diag. */
#ifndef ITSI_BASE_DIAG_H
#define ITSI_BASE_DIAG_H

#include "its/error.h"

/* Writes the text (truncated to fit) when diag is not NULL, and returns code, so that
 * `return itsi_fail(diag, ITS_EINVAL, "...")` is the one-line failure path. */
int itsi_fail(struct its_diag *diag, int code, const char *fmt, ...) ITS_PRINTF(3, 4);

/* The same for a failing system call: appends ": " and strerror(errnum), and maps errnum to our code. */
int itsi_fail_errno(struct its_diag *diag, int errnum, const char *fmt, ...) ITS_PRINTF(3, 4);

/* Our code for a system errno value. The only place that translates them. */
int itsi_code_from_errno(int errnum);

/* Puts "prefix: " before the text already in diag. Returns code. */
int itsi_diag_prefix(struct its_diag *diag, int code, const char *fmt, ...) ITS_PRINTF(3, 4);

#endif
