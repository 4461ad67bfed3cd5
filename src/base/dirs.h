/* Folders. */
#ifndef ITSI_BASE_DIRS_H
#define ITSI_BASE_DIRS_H

#include "its/error.h"

/* Makes the folder and those above it; what is there already is fine. purpose: for the error's text, "for rendered clips". */
ITS_NODISCARD int itsi_make_dirs(const char *path, const char *purpose, struct its_diag *diag);

#endif
