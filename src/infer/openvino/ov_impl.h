/* Private to the OpenVINO backend: from a model file to a compiled model. */
#ifndef ITSI_INFER_OV_IMPL_H
#define ITSI_INFER_OV_IMPL_H

#include "infer/backend.h"

#include <openvino/c/openvino.h>

#include <stddef.h>

/* The one device this backend drives today. */
#define ITSI_OV_DEVICE "CPU"

/* THE translation of OpenVINO's statuses: fills diag with what failed and OpenVINO's own words, returns our code. */
int itsi_ov_fail(struct its_diag *diag, ov_status_e status, const char *what);

/* The model at one input size. */
struct itsi_ov_compiled {
    ov_compiled_model_t *model;
    int parallel;      /* streams it was compiled for */
    char precision[8]; /* the one really used */
    char device[64];
    int rows, anchors; /* of the output */
};

/* Reads, reshapes to [max_batch, 3, height, width] (of size 0), adds u8 NHWC -> model type NCHW / 255, compiles. */
ITS_NODISCARD int itsi_ov_compile(struct itsi_ov_compiled *out, ov_core_t *core,
                                  const struct itsi_engine_params *params, struct its_diag *diag);
void itsi_ov_compiled_fini(struct itsi_ov_compiled *compiled); /* takes zeroed */

#endif
