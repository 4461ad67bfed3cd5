/* What a model file says about itself, read without any inference engine (OpenVINO's C API does not show the metadata).
 *
 * ONNX is protobuf: a small bounded reader of our own takes just the fields needed. An OpenVINO IR (.xml beside .bin)
 * carries names in rt_info. */
#ifndef ITSI_INFER_MODEL_H
#define ITSI_INFER_MODEL_H

#include "its/error.h"

#include <stdbool.h>
#include <stdint.h>

#define ITSI_MAX_CLASSES 1024

enum itsi_model_format { ITSI_MODEL_ONNX, ITSI_MODEL_IR };

struct itsi_model {
    enum itsi_model_format format;
    char path[4096];
    int64_t input[4];   /* batch, 3, height, width; -1: dynamic */
    int64_t output[3];  /* batch, 4 + classes, anchors; -1: dynamic */
    char input_name[128], output_name[128];
    bool quantized;     /* holds QuantizeLinear/FakeQuantize nodes */
    int classes;
    char **names;       /* owned, `classes` strings; "class_17" where the model names none */
    bool has_names;     /* false: made up */
    char description[256]; /* metadata "description", may be empty */
    char license[256];     /* metadata "license", may be empty */
    char version[64];      /* metadata "version", may be empty; the float and the int8 file of one model share it */
    uint64_t file_bytes;
};

/* Reads and checks a YOLOv8/YOLO11 detection model: one image input [b,3,H,W], one output [b,4+classes,N].
 * ITS_ENOTFOUND no such file, ITS_EFORMAT not such a model (diag says what is wrong and what was expected). */
ITS_NODISCARD int itsi_model_open(struct itsi_model *out, const char *path, struct its_diag *diag);
void itsi_model_fini(struct itsi_model *model);
/* Replaces the class names by a text file's lines. ITS_EINVAL when the count differs from the model's. */
ITS_NODISCARD int itsi_model_load_labels(struct itsi_model *model, const char *path, struct its_diag *diag);

/* The input size to run at. want_w/want_h of 0: the model's own if fixed, else 640x384. ITS_EINVAL when not a multiple
 * of 32 or not what a fixed model takes. */
ITS_NODISCARD int itsi_model_input_size(const struct itsi_model *model, int want_w, int want_h, int *width, int *height,
                                        struct its_diag *diag);

#endif
