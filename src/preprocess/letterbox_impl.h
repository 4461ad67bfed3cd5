/* Inside the letterbox: what its tests and benchmark reach besides the interface. */
#ifndef ITSI_PREPROCESS_LETTERBOX_IMPL_H
#define ITSI_PREPROCESS_LETTERBOX_IMPL_H

#include "preprocess/cpu/kernels.h"
#include "preprocess/letterbox.h"

/* Geometries whose tables are kept; the one used longest ago goes first. */
#define ITSI_LETTERBOX_GEOMETRIES 32

/* Replaces the kernels chosen for this processor. */
void itsi_letterboxer_use(struct itsi_letterboxer *boxer, const struct itsi_letterbox_kernels *kernels);

#endif
