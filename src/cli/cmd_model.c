/* its-camera-ai model info: what a model file says about itself, and what can run it here. */
#include "cli/cli.h"

#include "base/buf.h"
#include "base/json.h"
#include "infer/backend.h"
#include "infer/model.h"
#include "infer/open.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage_text[] =
    "usage: its-camera-ai model info FILE [OPTIONS]\n\n"
    "Describes a YOLOv8/YOLO11 detection model (ONNX, or OpenVINO .xml with its .bin): inputs, outputs, classes, and\n"
    "which backends and precisions can run it on this machine.\n\n"
    "options:\n"
    "  --labels FILE            class names, one a line, instead of the model's own\n"
    "  --format table|json      how it is written (default table)\n"
    "  --help                   this text\n\n"
    "Exit codes: 0 done, 1 failed, 2 bad arguments or not such a model.\n";

struct request {
    const char *file, *labels;
    bool json;
};

enum { PRECISIONS = ITSI_PRECISION_INT8 + 1 };

/* One backend's answer: which precisions run the model, or why none does. */
struct verdict {
    const struct itsi_backend *backend;
    bool runs[PRECISIONS];
    char device[64];
    char automatic[8]; /* what precision auto comes to, and on which file */
    char automatic_file[256];
    char reason[sizeof((struct its_diag *)0)->text]; /* when even auto does not run */
};

static int complain(int code, const char *what, const struct its_diag *diag)
{
    fprintf(stderr, "its-camera-ai: %s: %s\n", what, diag->text);
    return code;
}

static int misuse(const char *what, const char *detail)
{
    fprintf(stderr, "its-camera-ai: model: %s%s (see its-camera-ai model --help)\n", what, detail);
    return ITSI_EXIT_USAGE;
}

/* Opens the model with each precision, at the smallest size it takes, and closes it again. */
static void try_backend(struct verdict *v, const struct itsi_backend *backend, const struct itsi_model *model)
{
    *v = (struct verdict){.backend = backend};
    struct its_diag diag = {""};
    int fixed_w = model->input[3] > 0 ? (int)model->input[3] : 64;
    int fixed_h = model->input[2] > 0 ? (int)model->input[2] : 64;
    struct itsi_engine_params params = {.model_path = model->path, .width = fixed_w, .height = fixed_h, .max_batch = 1,
                                        .parallel = 1, .classes = model->classes};
    if (model->input[0] > 0)
        params.max_batch = (int)model->input[0];
    if (backend->probe(&diag) != 0) {
        snprintf(v->reason, sizeof v->reason, "%s", diag.text);
        return;
    }
    for (int p = ITSI_PRECISION_AUTO; p < PRECISIONS; p++) {
        struct itsi_engine *engine;
        params.precision = (enum itsi_precision)p;
        if (itsi_engine_open(&engine, backend, &params, &diag) == 0) {
            const struct itsi_engine_info *info = backend->info(engine);
            v->runs[p] = true;
            memcpy(v->device, info->device, sizeof v->device);
            if (p == ITSI_PRECISION_AUTO) {
                memcpy(v->automatic, info->precision, sizeof v->automatic);
                memcpy(v->automatic_file, info->model, sizeof v->automatic_file);
            }
            backend->close(engine);
        } else if (p == ITSI_PRECISION_AUTO) {
            snprintf(v->reason, sizeof v->reason, "%s", diag.text);
            return; /* damaged or unsupported: no precision mends that */
        }
    }
}

/* The int8 version beside the model, or NULL. */
static const char *int8_version(const struct itsi_model *model, char *room, size_t size)
{
    return itsi_int8_path(model->path, room, size) && access(room, R_OK) == 0 ? room : NULL;
}

static void shape_text(const int64_t *dims, int rank, char *out, size_t size)
{
    size_t used = 0;
    for (int i = 0; i < rank && used < size; i++) {
        const char *before = i ? ", " : "[";
        if (dims[i] < 0)
            used += (size_t)snprintf(out + used, size - used, "%s?", before);
        else
            used += (size_t)snprintf(out + used, size - used, "%s%lld", before, (long long)dims[i]);
    }
    if (used < size)
        snprintf(out + used, size - used, "]");
}

static const char *format_name(const struct itsi_model *model)
{
    return model->format == ITSI_MODEL_ONNX ? "onnx" : "openvino";
}

static void print_verdict(const struct verdict *v)
{
    if (v->reason[0]) {
        printf("  %-12s no: %s\n", v->backend->name, v->reason);
        return;
    }
    printf("  %-12s", v->backend->name);
    for (int p = ITSI_PRECISION_FP32; p < PRECISIONS; p++)
        if (v->runs[p])
            printf(" %s", itsi_precision_name((enum itsi_precision)p));
    printf(" (auto: %s, runs %s) on %s\n", v->automatic, v->automatic_file, v->device);
}

static void print_table(const struct itsi_model *model, const struct verdict *verdicts, int count, const int size[2])
{
    char input[96], output[96], int8[sizeof model->path];
    shape_text(model->input, 4, input, sizeof input);
    shape_text(model->output, 3, output, sizeof output);
    printf("%-13s %s\n", "file", model->path);
    printf("%-13s %s, %.1f MB\n", "format", format_name(model), (double)model->file_bytes / 1e6);
    if (model->description[0])
        printf("%-13s %s\n", "description", model->description);
    if (model->license[0])
        printf("%-13s %s\n", "licence", model->license);
    if (model->version[0])
        printf("%-13s %s\n", "version", model->version);
    printf("%-13s %s %s   (batch, channels, height, width; ? is free)\n", "input", model->input_name, input);
    printf("%-13s %s %s   (batch, 4 + classes, anchors)\n", "output", model->output_name, output);
    printf("%-13s %dx%d unless told otherwise\n", "runs at", size[0], size[1]);
    printf("%-13s %s\n", "quantized", model->quantized ? "yes" : "no");
    if (int8_version(model, int8, sizeof int8))
        printf("%-13s %s\n", "int8 version", int8);
    printf("%-13s %d%s\n", "classes", model->classes, model->has_names ? "" : " (the file names none; see --labels)");
    for (int i = 0; i < model->classes && model->has_names; i++)
        printf("  %-4d %s\n", i, model->names[i]);
    printf("backends here\n");
    for (int i = 0; i < count; i++)
        print_verdict(&verdicts[i]);
}

static void json_dims(struct itsi_json *json, const int64_t *dims, int rank)
{
    itsi_json_array(json, "shape");
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0)
            itsi_json_null(json, NULL);
        else
            itsi_json_int(json, NULL, dims[i]);
    }
    itsi_json_end(json, ']');
}

static void json_verdict(struct itsi_json *json, const struct verdict *v)
{
    itsi_json_object(json, NULL);
    itsi_json_string(json, "name", v->backend->name);
    itsi_json_bool(json, "runs", !v->reason[0]);
    itsi_json_string(json, "reason", v->reason[0] ? v->reason : NULL);
    itsi_json_string(json, "device", v->device[0] ? v->device : NULL);
    itsi_json_string(json, "auto_precision", v->automatic[0] ? v->automatic : NULL);
    itsi_json_string(json, "auto_file", v->automatic_file[0] ? v->automatic_file : NULL);
    itsi_json_array(json, "precisions");
    for (int p = ITSI_PRECISION_FP32; p < PRECISIONS; p++)
        if (v->runs[p])
            itsi_json_string(json, NULL, itsi_precision_name((enum itsi_precision)p));
    itsi_json_end(json, ']');
    itsi_json_end(json, '}');
}

static int print_json(const struct itsi_model *model, const struct verdict *verdicts, int count, const int size[2])
{
    char int8[sizeof model->path];
    struct itsi_buf buf;
    struct itsi_json json;
    itsi_buf_init(&buf);
    itsi_json_init(&json, &buf);
    itsi_json_object(&json, NULL);
    itsi_json_string(&json, "file", model->path);
    itsi_json_string(&json, "format", format_name(model));
    itsi_json_int(&json, "file_bytes", (int64_t)model->file_bytes);
    itsi_json_string(&json, "description", model->description[0] ? model->description : NULL);
    itsi_json_string(&json, "license", model->license[0] ? model->license : NULL);
    itsi_json_string(&json, "version", model->version[0] ? model->version : NULL);
    itsi_json_object(&json, "input");
    itsi_json_string(&json, "name", model->input_name);
    json_dims(&json, model->input, 4);
    itsi_json_end(&json, '}');
    itsi_json_object(&json, "output");
    itsi_json_string(&json, "name", model->output_name);
    json_dims(&json, model->output, 3);
    itsi_json_end(&json, '}');
    itsi_json_int(&json, "width", size[0]);
    itsi_json_int(&json, "height", size[1]);
    itsi_json_bool(&json, "quantized", model->quantized);
    itsi_json_string(&json, "int8_version", int8_version(model, int8, sizeof int8));
    itsi_json_bool(&json, "has_names", model->has_names);
    itsi_json_array(&json, "classes");
    for (int i = 0; i < model->classes; i++)
        itsi_json_string(&json, NULL, model->names[i]);
    itsi_json_end(&json, ']');
    itsi_json_array(&json, "backends");
    for (int i = 0; i < count; i++)
        json_verdict(&json, &verdicts[i]);
    itsi_json_end(&json, ']');
    itsi_json_end(&json, '}');
    bool ok = !buf.failed;
    if (ok)
        puts(buf.data);
    else
        fputs("its-camera-ai: model: out of memory\n", stderr);
    itsi_buf_fini(&buf);
    return ok ? ITSI_EXIT_OK : ITSI_EXIT_FAILURE;
}

/* The null backend runs anything and detects nothing, so it is no answer to "what can run this". */
static int judge(const struct itsi_model *model, struct verdict *out, int cap)
{
    int count = 0;
    for (const struct itsi_backend *const *b = itsi_backends(); *b && count < cap; b++)
        if (*b != &itsi_backend_null)
            try_backend(&out[count++], *b, model);
    return count;
}

static int info(const struct request *r)
{
    struct itsi_model model;
    struct its_diag diag;
    int rc = itsi_model_open(&model, r->file, &diag);
    if (rc != 0)
        return complain(rc == ITS_ENOMEM ? ITSI_EXIT_FAILURE : ITSI_EXIT_USAGE, "model", &diag);
    int size[2];
    if (r->labels)
        rc = itsi_model_load_labels(&model, r->labels, &diag);
    if (rc == 0)
        rc = itsi_model_input_size(&model, 0, 0, &size[0], &size[1], &diag);
    int exit_code;
    if (rc != 0) {
        exit_code = complain(rc == ITS_ENOMEM ? ITSI_EXIT_FAILURE : ITSI_EXIT_USAGE, r->labels ? "labels" : "model", &diag);
    } else {
        struct verdict verdicts[4];
        int count = judge(&model, verdicts, 4);
        exit_code = ITSI_EXIT_OK;
        if (r->json)
            exit_code = print_json(&model, verdicts, count, size);
        else
            print_table(&model, verdicts, count, size);
    }
    itsi_model_fini(&model);
    return exit_code;
}

int itsi_cmd_model(int argc, char **argv)
{
    static const struct option names[] = {{"format", required_argument, NULL, 'f'},
                                          {"labels", required_argument, NULL, 'l'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct request r = {0};
    int c;
    optind = 0; /* a fresh parse, whoever used getopt before */
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage_text, stdout);
            return ITSI_EXIT_OK;
        }
        if (c == '?') /* getopt has said why */
            return ITSI_EXIT_USAGE;
        if (c == 'l')
            r.labels = optarg;
        if (c == 'f' && strcmp(optarg, "json") != 0 && strcmp(optarg, "table") != 0)
            return misuse("--format must be table or json, not ", optarg);
        if (c == 'f')
            r.json = strcmp(optarg, "json") == 0;
    }
    static const struct itsi_verb verb = {"info", {"a model file"}, 1};
    if (itsi_verb_find("model", &verb, 1, argv + optind, argc - optind) < 0)
        return ITSI_EXIT_USAGE;
    r.file = argv[optind + 1];
    return info(&r);
}
