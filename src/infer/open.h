/* Opening an engine: which of a model's files, and so which precision.
 *
 * A model may have an int8 version beside it: NAME-int8.onnx for NAME.onnx (.xml likewise). Whether `auto` takes it follows
 * from the device alone: the same machine runs the same file at every start, whatever else keeps it busy. */
#ifndef ITSI_INFER_OPEN_H
#define ITSI_INFER_OPEN_H

#include "infer/backend.h"

#include <stddef.h>

/* Opens params->model_path on the backend, or its int8 version:
 *   auto   the int8 version, where the backend says that the device runs int8 fastest; else the model. An int8 version that
 *          cannot take the model's place (other classes, not quantised, does not open) is passed over with a warning in
 *          the log.
 *   int8   the int8 version, unless the model is quantised itself. ITS_EUNSUPPORTED when there is neither.
 *   others the model.
 * info()->model says which file runs. The null backend runs no file and opens as it is. */
ITS_NODISCARD int itsi_engine_open(struct itsi_engine **out, const struct itsi_backend *backend,
                                   const struct itsi_engine_params *params, struct its_diag *diag);

/* The name an int8 version of the model has, whether it exists or not. False: too long, or the model's own name is such
 * a one. */
bool itsi_int8_path(const char *model_path, char *out, size_t size);

#endif
