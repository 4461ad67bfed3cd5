#include "infer/model_impl.h"

#include "base/buf.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LABELS_MAX_BYTES (1 << 20)
#define METADATA_MAX_BYTES (1 << 20)

bool itsi_span_is(struct itsi_span span, const char *text)
{
    return span.len == strlen(text) && memcmp(span.data, text, span.len) == 0;
}

void itsi_span_copy(struct itsi_span span, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < span.len;) {
        const char *s = span.data + i;
        size_t n = itsi_utf8_length(s, span.len - i);
        if (used + (n ? n : 1) >= size)
            break;
        if (n == 0 || (n == 1 && ((unsigned char)*s < 0x20 || *s == 0x7F))) {
            out[used++] = '?';
            n = 1;
        } else {
            memcpy(out + used, s, n);
            used += n;
        }
        i += n;
    }
    out[used] = '\0';
}

int itsi_model_metadata(struct itsi_model_facts *facts, struct itsi_span key, struct itsi_span value)
{
    int rc = 0;
    if (itsi_span_is(key, "names"))
        rc = itsi_names_from_dict(&facts->names, value);
    else if (itsi_span_is(key, "labels") && facts->names.count == 0)
        rc = itsi_names_from_words(&facts->names, value);
    else if (itsi_span_is(key, "task"))
        itsi_span_copy(value, facts->task, sizeof facts->task);
    else if (itsi_span_is(key, "description"))
        itsi_span_copy(value, facts->description, sizeof facts->description);
    else if (itsi_span_is(key, "license"))
        itsi_span_copy(value, facts->license, sizeof facts->license);
    else if (itsi_span_is(key, "version"))
        itsi_span_copy(value, facts->version, sizeof facts->version);
    else if (itsi_span_is(key, "end2end"))
        facts->end_to_end = itsi_span_is(value, "True") || itsi_span_is(value, "true");
    return rc == ITS_ENOMEM ? rc : 0; /* names we cannot read: the model has none */
}

/* A whole file, read-only. */
struct mapping {
    const char *data; /* NULL: nothing mapped */
    size_t size;
};

static void unmap_file(struct mapping *map)
{
    if (map->data)
        munmap((void *)map->data, map->size);
    *map = (struct mapping){0};
}

static int map_file(struct mapping *map, const char *path, struct its_diag *diag)
{
    *map = (struct mapping){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not block us */
    if (fd < 0)
        return itsi_fail_errno(diag, errno, "%s", path);
    struct stat st;
    int rc = 0;
    if (fstat(fd, &st) != 0)
        rc = itsi_fail_errno(diag, errno, "%s", path);
    else if (S_ISDIR(st.st_mode))
        rc = itsi_fail(diag, ITS_EFORMAT, "%s: is a directory, expected an ONNX file or an OpenVINO .xml", path);
    else if (!S_ISREG(st.st_mode))
        rc = itsi_fail(diag, ITS_EFORMAT, "%s: is not a regular file", path);
    else if (st.st_size == 0)
        rc = itsi_fail(diag, ITS_EFORMAT, "%s: the file is empty", path);
    if (rc == 0) {
        void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
            rc = itsi_fail_errno(diag, errno, "%s", path);
        else
            *map = (struct mapping){data, (size_t)st.st_size};
    }
    close(fd);
    return rc;
}

/* path with everything after its last '/' replaced; -1: too long. */
static int sibling(const char *path, const char *name, char *out, size_t size)
{
    const char *slash = strrchr(path, '/');
    int used = snprintf(out, size, "%.*s%s", slash ? (int)(slash - path + 1) : 0, path, name);
    return used < 0 || (size_t)used >= size ? -1 : 0;
}

/* The .bin must lie beside the .xml. Names the XML does not carry are in metadata.yaml, if they are anywhere. */
static int read_ir_siblings(struct itsi_model_facts *facts, const char *path, struct its_diag *diag)
{
    char other[4096 + 16];
    size_t stem = strlen(path);
    if (stem > 4 && strcmp(path + stem - 4, ".xml") == 0)
        stem -= 4;
    snprintf(other, sizeof other, "%.*s.bin", (int)stem, path);
    struct stat st;
    if (stat(other, &st) != 0 || !S_ISREG(st.st_mode))
        return itsi_fail(diag, ITS_EFORMAT, "%s: its weights %s are missing", path, other);
    if (facts->names.count != 0 || sibling(path, "metadata.yaml", other, sizeof other) != 0)
        return 0;
    struct mapping map;
    if (map_file(&map, other, NULL) != 0)
        return 0;
    int rc = 0;
    if (map.size <= METADATA_MAX_BYTES)
        rc = itsi_names_from_yaml(&facts->names, (struct itsi_span){map.data, map.size});
    unmap_file(&map);
    return rc == ITS_ENOMEM ? itsi_fail(diag, rc, "no memory for class names") : 0;
}

static bool looks_like_xml(const struct mapping *map)
{
    size_t i = map->size >= 3 && memcmp(map->data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (i < map->size && memchr(" \t\r\n", map->data[i], 4))
        i++;
    return i < map->size && map->data[i] == '<';
}

/* Files people name by mistake, told from their first bytes. NULL: none of them. */
static const char *known_stranger(const struct mapping *map)
{
    if (map->size >= 4 && memcmp(map->data, "PK\x03\x04", 4) == 0)
        return "a zip archive (a PyTorch .pt checkpoint?): export it to ONNX first";
    if (map->size >= 8 && memcmp(map->data + 4, "TFL3", 4) == 0)
        return "a TensorFlow Lite model: export it to ONNX instead";
    if (map->size >= 8 && memcmp(map->data + 4, "ftrt", 4) == 0)
        return "a TensorRT engine: name the ONNX file it was built from";
    const unsigned char *text = (const unsigned char *)map->data;
    for (size_t i = 0, n; i < map->size && i < 512; i += n) {
        n = itsi_utf8_length(map->data + i, map->size - i);
        if (n == 0 || (text[i] < 0x20 && text[i] != '\n' && text[i] != '\r' && text[i] != '\t'))
            return NULL;
    }
    return "a text file";
}

static int read_facts(struct itsi_model_facts *facts, struct itsi_model *model, const struct mapping *map,
                      struct its_diag *diag)
{
    int rc;
    model->format = looks_like_xml(map) ? ITSI_MODEL_IR : ITSI_MODEL_ONNX;
    if (model->format == ITSI_MODEL_IR) {
        rc = itsi_ir_read(facts, map->data, map->size, diag);
        if (rc == 0)
            return read_ir_siblings(facts, model->path, diag);
        return itsi_diag_prefix(diag, rc, "%s", model->path);
    }
    const char *stranger = known_stranger(map);
    if (stranger)
        return itsi_fail(diag, ITS_EFORMAT, "%s: %s, expected an ONNX or OpenVINO IR model", model->path, stranger);
    rc = itsi_onnx_read(facts, (const uint8_t *)map->data, map->size, diag);
    return rc ? itsi_diag_prefix(diag, rc, "%s", model->path) : 0;
}

/* "class_0", "class_1", ... wherever there is no name. */
static int complete_names(struct itsi_model *model, struct itsi_names *names, struct its_diag *diag)
{
    model->has_names = names->count > 0;
    if (names->count == 0) {
        names->items = itsi_calloc((size_t)model->classes, sizeof *names->items);
        if (!names->items)
            return itsi_fail(diag, ITS_ENOMEM, "no memory for %d class names", model->classes);
        names->count = model->classes;
    }
    for (int i = 0; i < names->count; i++) {
        char made_up[32];
        snprintf(made_up, sizeof made_up, "class_%d", i);
        if (!names->items[i] && !(names->items[i] = itsi_strdup(made_up)))
            return itsi_fail(diag, ITS_ENOMEM, "no memory for %d class names", model->classes);
    }
    model->names = names->items;
    *names = (struct itsi_names){0};
    return 0;
}

static int adopt(struct itsi_model *model, struct itsi_model_facts *facts, struct its_diag *diag)
{
    memcpy(model->input, facts->input.dims, sizeof model->input);
    memcpy(model->output, facts->output.dims, sizeof model->output);
    memcpy(model->input_name, facts->input.name, sizeof model->input_name);
    memcpy(model->output_name, facts->output.name, sizeof model->output_name);
    memcpy(model->description, facts->description, sizeof model->description);
    memcpy(model->license, facts->license, sizeof model->license);
    memcpy(model->version, facts->version, sizeof model->version);
    model->quantized = facts->quantized;
    model->classes = facts->output.dims[1] > 0 ? (int)(facts->output.dims[1] - 4) : facts->names.count;
    model->output[1] = 4 + model->classes;
    return complete_names(model, &facts->names, diag);
}

int itsi_model_open(struct itsi_model *out, const char *path, struct its_diag *diag)
{
    struct itsi_model model = {0};
    if (strlen(path) >= sizeof model.path)
        return itsi_fail(diag, ITS_EINVAL, "the model's path is longer than %zu bytes", sizeof model.path - 1);
    memcpy(model.path, path, strlen(path) + 1);
    struct mapping map;
    int rc = map_file(&map, path, diag);
    if (rc != 0)
        return rc;
    model.file_bytes = map.size;
    struct itsi_model_facts facts = {.input.rank = -1, .output.rank = -1};
    rc = read_facts(&facts, &model, &map, diag);
    if (rc == 0 && (rc = itsi_model_check(&facts, diag)) != 0)
        itsi_diag_prefix(diag, rc, "%s", path);
    if (rc == 0)
        rc = adopt(&model, &facts, diag);
    itsi_names_fini(&facts.names);
    unmap_file(&map);
    if (rc == 0)
        *out = model;
    return rc;
}

static void free_names(char **names, int count)
{
    struct itsi_names list = {names, names ? count : 0};
    itsi_names_fini(&list);
}

void itsi_model_fini(struct itsi_model *model)
{
    free_names(model->names, model->classes);
    model->names = NULL;
    model->classes = 0;
}

int itsi_model_load_labels(struct itsi_model *model, const char *path, struct its_diag *diag)
{
    struct mapping map;
    int rc = map_file(&map, path, diag);
    if (rc != 0)
        return rc;
    struct itsi_names names = {0};
    if (map.size > LABELS_MAX_BYTES)
        rc = itsi_fail(diag, ITS_EFORMAT, "%s: larger than %d bytes, expected a class name a line", path,
                       LABELS_MAX_BYTES);
    else if ((rc = itsi_names_from_lines(&names, (struct itsi_span){map.data, map.size})) == ITS_EFORMAT)
        itsi_fail(diag, rc, "%s: expected one class name a line, at most %d and none empty", path, ITSI_MAX_CLASSES);
    else if (rc != 0)
        itsi_fail(diag, rc, "no memory for class names");
    else if (names.count != model->classes)
        rc = itsi_fail(diag, ITS_EINVAL, "%s has %d names, the model has %d classes", path, names.count, model->classes);
    unmap_file(&map);
    if (rc != 0) {
        itsi_names_fini(&names);
        return rc;
    }
    free_names(model->names, model->classes);
    model->names = names.items;
    model->has_names = true;
    return 0;
}

/* One side: what is wanted, against what the model fixes. */
static int choose(int64_t fixed, int want, int fallback, const char *side, int *out, struct its_diag *diag)
{
    int value = want ? want : fixed > 0 ? (int)fixed : fallback;
    if (value < ITSI_MODEL_STRIDE || value % ITSI_MODEL_STRIDE != 0 || value > ITSI_MODEL_MAX_SIDE)
        return itsi_fail(diag, ITS_EINVAL, "input %s %d: must be a multiple of %d from %d to %d", side, value,
                         ITSI_MODEL_STRIDE, ITSI_MODEL_STRIDE, ITSI_MODEL_MAX_SIDE);
    if (fixed > 0 && value != fixed)
        return itsi_fail(diag, ITS_EINVAL, "input %s %d: the model takes only %lld", side, value, (long long)fixed);
    *out = value;
    return 0;
}

int itsi_model_input_size(const struct itsi_model *model, int want_w, int want_h, int *width, int *height,
                          struct its_diag *diag)
{
    int w, h;
    if ((want_w == 0) != (want_h == 0))
        return itsi_fail(diag, ITS_EINVAL, "input size %dx%d: give both width and height, or neither", want_w, want_h);
    int rc = choose(model->input[3], want_w, 640, "width", &w, diag);
    if (rc == 0)
        rc = choose(model->input[2], want_h, 384, "height", &h, diag);
    if (rc != 0)
        return rc;
    *width = w;
    *height = h;
    return 0;
}
