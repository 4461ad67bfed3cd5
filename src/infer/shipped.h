/* The detector that comes with the project: what runs where no model is named. */
#ifndef ITSI_INFER_SHIPPED_H
#define ITSI_INFER_SHIPPED_H

#include <stdbool.h>
#include <stddef.h>

#define ITSI_SHIPPED_MODEL "its-road.onnx"

/* The shipped model's path: share/its-camera-ai/models under the prefix this program or library is installed to, or, for
 * a program in its build folder, models/ of the source tree. False: it is not there (path is untouched). */
bool itsi_shipped_model(char *path, size_t size);
/* The same for a program or library at own_file, an absolute path without symbolic links. */
bool itsi_shipped_model_of(const char *own_file, char *path, size_t size);

#endif
