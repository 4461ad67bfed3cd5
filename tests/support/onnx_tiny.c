#include "support/onnx_tiny.h"

#include "support/check.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- protobuf ------------------------------------------------------------------------------------------------- */

static void put_varint(struct itsi_buf *b, uint64_t value)
{
    do {
        uint8_t byte = (uint8_t)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
        itsi_buf_add(b, &byte, 1);
        value >>= 7;
    } while (value);
}

static void put_int(struct itsi_buf *b, unsigned field, int64_t value)
{
    put_varint(b, field << 3);
    put_varint(b, (uint64_t)value);
}

static void put_bytes(struct itsi_buf *b, unsigned field, const void *data, size_t len)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, len);
    itsi_buf_add(b, data, len);
}

static void put_text(struct itsi_buf *b, unsigned field, const char *text) { put_bytes(b, field, text, strlen(text)); }

/* Puts a finished message into its parent and empties it. */
static void put_message(struct itsi_buf *parent, unsigned field, struct itsi_buf *message)
{
    put_bytes(parent, field, message->len ? message->data : "", message->len);
    itsi_buf_fini(message);
    itsi_buf_init(message);
}

/* --- ONNX, by the field numbers of onnx.proto3 ----------------------------------------------------------------- */

static void put_port(struct itsi_buf *graph, unsigned field, const char *name, int type, const int64_t *dims, int rank)
{
    static const char *const symbols[] = {"batch", "channels", "height", "width", "d4", "d5", "d6", "d7"};
    struct itsi_buf shape = {0}, tensor = {0}, whole = {0}, port = {0};
    for (int i = 0; i < rank; i++) {
        struct itsi_buf dim = {0};
        if (dims[i] >= 0)
            put_int(&dim, 1, dims[i]);
        else if (dims[i] == -1)
            put_text(&dim, 2, symbols[i]);
        put_message(&shape, 1, &dim);
        itsi_buf_fini(&dim);
    }
    put_int(&tensor, 1, type);
    if (rank >= 0)
        put_message(&tensor, 2, &shape);
    put_message(&whole, 1, &tensor);
    put_text(&port, 1, name);
    put_message(&port, 2, &whole);
    put_message(graph, field, &port);
    itsi_buf_fini(&shape);
    itsi_buf_fini(&tensor);
    itsi_buf_fini(&whole);
    itsi_buf_fini(&port);
}

static void put_int64s(struct itsi_buf *graph, const char *name, const int64_t *values, int count)
{
    struct itsi_buf tensor = {0};
    put_int(&tensor, 1, count);
    put_int(&tensor, 2, 7);
    put_text(&tensor, 8, name);
    put_bytes(&tensor, 9, values, sizeof *values * (size_t)count);
    put_message(graph, 5, &tensor);
}

static void put_scalar(struct itsi_buf *graph, const char *name, int type, const void *raw, size_t size)
{
    struct itsi_buf tensor = {0};
    put_int(&tensor, 2, type);
    put_text(&tensor, 8, name);
    put_bytes(&tensor, 9, raw, size);
    put_message(graph, 5, &tensor);
}

/* Begins a node; attributes may follow before end_node. inputs: separated by spaces. */
static void begin_node(struct itsi_buf *node, const char *op, const char *inputs, const char *output)
{
    while (*inputs) {
        size_t len = strcspn(inputs, " ");
        put_bytes(node, 1, inputs, len);
        inputs += len + (inputs[len] == ' ');
    }
    put_text(node, 2, output);
    put_text(node, 3, output);
    put_text(node, 4, op);
}

static void put_attribute(struct itsi_buf *node, const char *name, const int64_t *values, int count)
{
    struct itsi_buf attribute = {0};
    put_text(&attribute, 1, name);
    if (count < 0) { /* one integer */
        put_int(&attribute, 3, *values);
        put_int(&attribute, 20, 2);
    } else {
        for (int i = 0; i < count; i++)
            put_int(&attribute, 8, values[i]);
        put_int(&attribute, 20, 7);
    }
    put_message(node, 5, &attribute);
}

static void put_node(struct itsi_buf *graph, const char *op, const char *inputs, const char *output,
                     const char *attribute, int64_t value)
{
    struct itsi_buf node = {0};
    begin_node(&node, op, inputs, output);
    if (attribute)
        put_attribute(&node, attribute, &value, -1);
    put_message(graph, 1, &node);
}

/* One grid: cell means, flattened. */
static void put_grid(struct itsi_buf *graph, const char *input, int64_t stride, const char *output)
{
    const int64_t window[2] = {stride, stride};
    char pooled[16];
    snprintf(pooled, sizeof pooled, "pool%d", (int)stride);
    struct itsi_buf node = {0};
    begin_node(&node, "AveragePool", input, pooled);
    put_attribute(&node, "kernel_shape", window, 2);
    put_attribute(&node, "strides", window, 2);
    put_message(graph, 1, &node);
    char inputs[32];
    snprintf(inputs, sizeof inputs, "%s flat", pooled);
    put_node(graph, "Reshape", inputs, output, NULL, 0);
}

static void put_nodes(struct itsi_buf *graph, const struct onnx_spec *spec)
{
    const char *input = "images";
    if (spec->quantized) {
        put_node(graph, "QuantizeLinear", "images scale zero", "coarse", NULL, 0);
        put_node(graph, "DequantizeLinear", "coarse scale zero", "steps", NULL, 0);
        input = "steps";
    }
    put_grid(graph, input, 8, "cells8");
    put_grid(graph, input, 16, "cells16");
    put_grid(graph, input, 32, "cells32");
    put_node(graph, "Concat", "cells8 cells16 cells32", "cells", "axis", 2);
    char parts[512] = "cells";
    int64_t rows = spec->output_rank == 3 && spec->output[1] > 0 ? spec->output[1] : 9;
    for (int64_t r = 6; r <= rows && strlen(parts) < sizeof parts - 8; r += 3)
        strcat(parts, " cells");
    put_node(graph, "Concat", parts, spec->fails_on_white ? "rows" : "output0", "axis", 1);
    if (spec->fails_on_white) { /* [9 + 1, -1] does not divide 9 x 84 values */
        put_node(graph, "ReduceMax", "images", "brightest", "keepdims", 0);
        put_node(graph, "Floor", "brightest", "is_white", NULL, 0);
        put_node(graph, "Cast", "is_white", "one_if_white", "to", 7);
        put_node(graph, "Add", "nine_any one_if_white", "asked", NULL, 0);
        put_node(graph, "Reshape", "rows asked", "reshaped", NULL, 0);
        put_node(graph, "Reshape", "reshaped result_shape", "output0", NULL, 0);
    }
}

static void put_weights(struct itsi_buf *graph, const struct onnx_spec *spec)
{
    static const int64_t flat[3] = {0, 3, -1}, nine_any[2] = {9, 83}, result[3] = {1, 9, 84};
    put_int64s(graph, "flat", flat, 3);
    if (spec->quantized) {
        float scale = 1.0F / 255.0F;
        uint8_t zero = 0;
        put_scalar(graph, "scale", 1, &scale, sizeof scale);
        put_scalar(graph, "zero", 2, &zero, 1);
    }
    if (spec->fails_on_white) {
        int64_t shape[2] = {nine_any[0], nine_any[1] + 1};
        put_int64s(graph, "nine_any", shape, 2);
        put_int64s(graph, "result_shape", result, 3);
    }
    static const int64_t three[1] = {3};
    if (spec->weights_as_inputs)
        put_port(graph, 11, "flat", 7, three, 1);
}

static void put_metadata(struct itsi_buf *model, const char *key, const char *value)
{
    if (!value)
        return;
    struct itsi_buf entry = {0};
    put_text(&entry, 1, key);
    put_text(&entry, 2, value);
    put_message(model, 14, &entry);
}

void onnx_build(struct itsi_buf *out, const struct onnx_spec *spec)
{
    struct itsi_buf graph = {0}, opset = {0};
    put_nodes(&graph, spec);
    put_text(&graph, 2, "tiny");
    put_weights(&graph, spec);
    put_port(&graph, 11, "images", spec->input_type, spec->input, spec->input_rank);
    for (int i = 0; i < spec->extra_inputs; i++)
        put_port(&graph, 11, "more", spec->input_type, spec->input, spec->input_rank);
    put_port(&graph, 12, "output0", 1, spec->output, spec->output_rank);
    for (int i = 0; i < spec->extra_outputs; i++)
        put_port(&graph, 12, "output1", 1, spec->output, spec->output_rank);
    put_int(out, 1, 8); /* ir_version */
    put_text(out, 2, "its tests");
    put_message(out, 7, &graph);
    put_int(&opset, 2, 13);
    put_message(out, 8, &opset);
    put_metadata(out, "names", spec->names);
    put_metadata(out, "task", spec->task);
    put_metadata(out, "end2end", spec->end2end);
    put_metadata(out, "description", spec->description);
    put_metadata(out, "license", spec->license);
    put_metadata(out, "version", spec->version);
    assert_false(out->failed);
}

struct onnx_spec onnx_spec_dynamic(int classes)
{
    return (struct onnx_spec){
        .input = {-1, 3, -1, -1}, .input_rank = 4, .output = {-1, 4 + classes, -1}, .output_rank = 3, .input_type = 1};
}

struct onnx_spec onnx_spec_fixed(int batch, int classes, int width, int height)
{
    int cells = (width / 32) * (height / 32);
    return (struct onnx_spec){.input = {batch, 3, height, width}, .input_rank = 4,
                              .output = {batch, 4 + classes, cells * 21}, .output_rank = 3, .input_type = 1};
}

/* --- files ------------------------------------------------------------------------------------------------------ */

void temp_dir_create(char out[64])
{
    snprintf(out, 64, "/tmp/its-test-XXXXXX");
    assert_non_null(mkdtemp(out));
}

void temp_dir_remove(const char *dir)
{
    DIR *d = opendir(dir);
    if (!d)
        return;
    struct dirent *entry;
    while ((entry = readdir(d)) != NULL) {
        char path[400];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (remove(path) != 0)
            temp_dir_remove(path);
    }
    closedir(d);
    rmdir(dir);
}

void temp_file(char path[256], const char *dir, const char *name, const void *data, size_t len)
{
    snprintf(path, 256, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

void temp_model(char path[256], const char *dir, const char *name, const struct onnx_spec *spec)
{
    struct itsi_buf bytes;
    itsi_buf_init(&bytes);
    onnx_build(&bytes, spec);
    temp_file(path, dir, name, bytes.data, bytes.len);
    itsi_buf_fini(&bytes);
}
