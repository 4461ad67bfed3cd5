/* Raw frames on standard input through letterbox, engine and box decoder; one JSON line of detections per frame on
 * standard output. What the accuracy tests compare with an implementation that shares nothing with it.
 *
 *   ffmpeg -i clip.mp4 -f rawvideo -pix_fmt yuv420p - |
 *       its_detect --model yolo11n.onnx --frames "i420 1280 720 bt709 limited"
 *
 * Without --frames each frame is preceded by such a line of its own: format (i420, i422, i444, nv12, gray), width, height,
 * matrix (bt601, bt709, bt2020), range (limited, full). Planes follow without gaps. */
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "infer/backend.h"
#include "postprocess/yolo.h"
#include "preprocess/letterbox.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_SKIP = 77 };

struct options {
    const char *frames, *tensors;
    struct itsi_engine_params engine;
    struct itsi_yolo_params yolo;
};

struct tool {
    struct options options;
    const struct itsi_backend *backend;
    struct itsi_engine *engine;
    struct itsi_letterboxer *boxer;
    struct itsi_yolo *yolo;
    struct itsi_picture picture;
    uint8_t *pixels; /* of the current frame */
    size_t room;
    FILE *tensors; /* every tensor as it went into the engine, or NULL */
};

static const char usage[] =
    "usage: its_detect --model FILE [--tensor 640x384] [--precision auto|fp32|bf16|fp16|int8] [--confidence 0.25]\n"
    "                  [--iou 0.7] [--frames \"i420 W H bt601 limited\"] [--tensors FILE] < frames > lines\n";

static int find(const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static bool parse_options(struct options *o, int argc, char **argv)
{
    static const char *const precisions[] = {"auto", "fp32", "bf16", "fp16", "int8", NULL};
    static const struct option table[] = {
        {"model", 1, NULL, 'm'},  {"tensor", 1, NULL, 't'}, {"precision", 1, NULL, 'p'}, {"confidence", 1, NULL, 'c'},
        {"iou", 1, NULL, 'i'},    {"frames", 1, NULL, 'f'}, {"tensors", 1, NULL, 'o'},   {0}};
    *o = (struct options){
        .engine = {.width = 640, .height = 384, .max_batch = 1, .parallel = 1, .precision = ITSI_PRECISION_AUTO},
        .yolo = {.confidence = 0.25f, .iou = 0.7f, .max_detections = ITSI_MAX_DETECTIONS}};
    for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;) {
        if (c == 'm') {
            o->engine.model_path = optarg;
        } else if (c == 't') {
            if (sscanf(optarg, "%dx%d", &o->engine.width, &o->engine.height) != 2)
                return false;
        } else if (c == 'p') {
            int precision = find(precisions, optarg);
            if (precision < 0)
                return false;
            o->engine.precision = (enum itsi_precision)precision;
        } else if (c == 'c') {
            o->yolo.confidence = strtof(optarg, NULL);
        } else if (c == 'i') {
            o->yolo.iou = strtof(optarg, NULL);
        } else if (c == 'f') {
            o->frames = optarg;
        } else if (c == 'o') {
            o->tensors = optarg;
        } else {
            return false;
        }
    }
    return o->engine.model_path && optind == argc;
}

/* Turns a frame line into the picture's description, planes laid out in tool->pixels. */
static bool describe(struct tool *tool, const char *line, size_t *size)
{
    static const char *const formats[] = {"i420", "i422", "i444", "nv12", "gray", NULL};
    static const char *const matrices[] = {"bt601", "bt709", "bt2020", NULL};
    static const char *const ranges[] = {"limited", "full", NULL};
    char format[16], matrix[16], range[16];
    int w, h;
    if (sscanf(line, "%15s %d %d %15s %15s", format, &w, &h, matrix, range) != 5)
        return false;
    const int f = find(formats, format), m = find(matrices, matrix), r = find(ranges, range);
    if (f < 0 || m < 0 || r < 0 || w < 1 || h < 1 || w > 16384 || h > 16384)
        return false;
    const int shift_x = f == 2 ? 0 : 1, shift_y = f == 1 || f == 2 ? 0 : 1;
    const size_t cw = (size_t)(w + shift_x) >> shift_x, ch = (size_t)(h + shift_y) >> shift_y;
    const size_t luma = (size_t)w * (size_t)h;
    *size = luma + (f == 4 ? 0 : 2 * cw * ch);
    if (*size > tool->room) {
        uint8_t *grown = itsi_realloc(tool->pixels, *size);
        if (!grown)
            return false;
        tool->pixels = grown;
        tool->room = *size;
    }
    tool->picture = (struct itsi_picture){
        .layout = f == 4 ? ITSI_LAYOUT_GRAY : f == 3 ? ITSI_LAYOUT_SEMI : ITSI_LAYOUT_PLANAR,
        .width = w, .height = h, .chroma_shift_x = (uint8_t)shift_x, .chroma_shift_y = (uint8_t)shift_y,
        .matrix = (enum itsi_matrix)m, .full_range = r == 1,
        .plane = {tool->pixels, tool->pixels + luma, tool->pixels + luma + cw * ch},
        .stride = {w, f == 3 ? (int)(2 * cw) : (int)cw, (int)cw}};
    return true;
}

/* 1: a frame is there; 0: end of input; -1: input that is no frame. */
static int read_frame(struct tool *tool)
{
    char line[128];
    const char *header = tool->options.frames;
    if (!header) {
        if (!fgets(line, sizeof line, stdin))
            return 0;
        header = line;
    }
    size_t size;
    if (!describe(tool, header, &size))
        return -1;
    size_t got = fread(tool->pixels, 1, size, stdin);
    return got == size ? 1 : got == 0 && tool->options.frames ? 0 : -1;
}

static int detect(struct tool *tool, struct itsi_detection *boxes, int *count)
{
    const struct itsi_backend *b = tool->backend;
    const struct itsi_engine_info *info = b->info(tool->engine);
    const int slot = b->acquire(tool->engine);
    struct itsi_image_tensor tensor = {b->input(tool->engine, slot, 0), info->width, info->height};
    struct itsi_letterbox box;
    int rc = itsi_letterbox_run(tool->boxer, &tool->picture, &tensor, &box);
    const size_t bytes = (size_t)info->width * (size_t)info->height * 3;
    if (rc == 0 && tool->tensors && fwrite(tensor.data, 1, bytes, tool->tensors) != bytes)
        rc = ITS_EIO;
    if (rc == 0)
        rc = b->submit(tool->engine, slot, 1);
    struct itsi_completion done = {.status = rc};
    if (rc == 0)
        rc = b->collect(tool->engine, INT64_MAX, &done);
    if (rc == 0)
        rc = done.status;
    if (rc == 0) {
        struct itsi_output_tensor output;
        b->output(tool->engine, slot, 0, &output);
        *count = itsi_yolo_run(tool->yolo, &output, &box, &tool->options.yolo, boxes);
        rc = *count < 0 ? *count : 0;
    }
    b->release(tool->engine, slot);
    return rc;
}

static void print_boxes(struct itsi_buf *text, int64_t frame, const struct itsi_detection *boxes, int count)
{
    struct itsi_json json;
    itsi_buf_reset(text);
    itsi_json_init(&json, text);
    itsi_json_object(&json, NULL);
    itsi_json_int(&json, "frame", frame);
    itsi_json_array(&json, "boxes");
    for (int i = 0; i < count; i++) {
        itsi_json_array(&json, NULL);
        itsi_json_number(&json, NULL, (double)boxes[i].x1, 4);
        itsi_json_number(&json, NULL, (double)boxes[i].y1, 4);
        itsi_json_number(&json, NULL, (double)boxes[i].x2, 4);
        itsi_json_number(&json, NULL, (double)boxes[i].y2, 4);
        itsi_json_number(&json, NULL, (double)boxes[i].score, 7);
        itsi_json_int(&json, NULL, boxes[i].cls);
        itsi_json_end(&json, ']');
    }
    itsi_json_end(&json, ']');
    itsi_json_end(&json, '}');
    puts(text->data);
}

static int open_all(struct tool *tool, struct its_diag *diag)
{
    int rc = tool->backend->open(&tool->engine, &tool->options.engine, diag);
    if (rc == 0)
        rc = itsi_letterboxer_create(&tool->boxer, diag);
    if (rc == 0)
        rc = itsi_yolo_create(&tool->yolo, diag);
    if (rc == 0 && tool->options.tensors && !(tool->tensors = fopen(tool->options.tensors, "wb"))) {
        snprintf(diag->text, sizeof diag->text, "%s: cannot be written", tool->options.tensors);
        rc = ITS_EIO;
    }
    return rc;
}

static int run(struct tool *tool)
{
    static struct itsi_detection boxes[ITSI_MAX_DETECTIONS];
    struct itsi_buf text;
    itsi_buf_init(&text);
    int rc = 0, count = 0, more;
    int64_t frame = 0;
    while ((more = read_frame(tool)) > 0) {
        rc = detect(tool, boxes, &count);
        if (rc < 0) {
            fprintf(stderr, "its_detect: frame %lld: %s\n", (long long)frame, its_strerror(rc));
            break;
        }
        print_boxes(&text, frame++, boxes, count);
    }
    if (more < 0)
        fprintf(stderr, "its_detect: frame %lld: not a frame line, or cut short\n", (long long)frame);
    itsi_buf_fini(&text);
    return rc < 0 || more < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct tool tool = {0};
    struct its_diag diag = {0};
    if (!parse_options(&tool.options, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    tool.backend = itsi_backend_find("openvino");
    if (!tool.backend || tool.backend->probe(&diag) < 0) {
        fprintf(stderr, "skipped: no OpenVINO here: %s\n", tool.backend ? diag.text : "built without");
        return EXIT_SKIP;
    }
    int status = EXIT_FAILURE;
    if (open_all(&tool, &diag) < 0) {
        fprintf(stderr, "its_detect: %s\n", diag.text);
    } else {
        fprintf(stderr, "its_detect: %s, %s\n", tool.backend->info(tool.engine)->device,
                tool.backend->info(tool.engine)->precision);
        status = run(&tool);
    }
    if (tool.tensors && fclose(tool.tensors) != 0)
        status = EXIT_FAILURE;
    itsi_yolo_destroy(tool.yolo);
    itsi_letterboxer_destroy(tool.boxer);
    tool.backend->close(tool.engine);
    itsi_free(tool.pixels);
    return status;
}
