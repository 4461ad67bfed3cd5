/* Small ONNX models made byte by byte, so that tests need no model file, no Python and no network.
 *
 * The graph is a real one: it averages the picture over the cells of the three grids (strides 8, 16, 32), which gives
 * anchors as a YOLO head has them, and repeats the three channel means to fill 4 + classes rows:
 * row r, anchor a = mean of channel r % 3 over cell a, 0..1. */
#ifndef ITS_TESTS_ONNX_TINY_H
#define ITS_TESTS_ONNX_TINY_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct onnx_spec {
    int64_t input[8], output[8]; /* as declared; -1: a named dimension; -2: a dimension left blank */
    int input_rank, output_rank; /* -1: no shape at all */
    int input_type;              /* 1: f32, 10: f16, 2: u8 */
    int extra_inputs, extra_outputs;
    bool weights_as_inputs; /* list the initialisers among the inputs, as old exporters do */
    bool quantized;         /* the input passes QuantizeLinear and DequantizeLinear, steps of 1/255 */
    bool fails_on_white;    /* inference raises an error when a white pixel comes (64x64 only) */
    const char *names, *task, *end2end, *description, *license, *version; /* metadata; NULL: none */
};

/* [batch, 3, height, width] -> [batch, 4 + classes, anchors], all dynamic but the rows; classes a multiple of 3 less 4
 * (5, 8, 11, ...). */
struct onnx_spec onnx_spec_dynamic(int classes);
/* The same with everything fixed. */
struct onnx_spec onnx_spec_fixed(int batch, int classes, int width, int height);
/* Appends the file's bytes; fails the test when memory is short. */
void onnx_build(struct itsi_buf *out, const struct onnx_spec *spec);

/* A directory of its own for one test program, removed with everything in it by temp_dir_remove. */
void temp_dir_create(char out[64]);
void temp_dir_remove(const char *dir);
/* Writes dir/name and puts its path into `path`. */
void temp_file(char path[256], const char *dir, const char *name, const void *data, size_t len);
void temp_model(char path[256], const char *dir, const char *name, const struct onnx_spec *spec);

#endif
