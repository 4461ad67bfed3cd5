/* Between model.c and the readers of the two formats. A reader collects facts; model_check.c judges them. */
#ifndef ITSI_INFER_MODEL_IMPL_H
#define ITSI_INFER_MODEL_IMPL_H

#include "infer/model.h"

#include <stddef.h>

#define ITSI_MODEL_STRIDE 32     /* sides of the input are multiples of it: the coarsest grid has a cell so wide */
#define ITSI_MODEL_MAX_SIDE 4096

/* Text inside a file; not NUL-terminated. */
struct itsi_span {
    const char *data;
    size_t len;
};

/* Class names as they are read; items may hold NULL for a class left unnamed. */
struct itsi_names {
    char **items; /* owned */
    int count;
};

#define ITSI_MODEL_RANK 6
struct itsi_port {
    char name[128];
    char type[16];  /* "f32", "f16", "u8", ...; empty: not said */
    int rank;       /* -1: not said; dims beyond ITSI_MODEL_RANK are not kept */
    int64_t dims[ITSI_MODEL_RANK]; /* -1: dynamic */
};

struct itsi_model_facts {
    struct itsi_port input, output; /* the first of each */
    int inputs, outputs;
    bool quantized;
    bool end_to_end; /* metadata "end2end": NMS is part of the model */
    char task[32];   /* metadata "task"; empty: not said */
    char description[256], license[256], version[64];
    struct itsi_names names;
};

/* Both read `size` bytes at data, trust nothing in them, and fill facts (zeroed by the caller, who also frees names).
 * ITS_EFORMAT with the reason, ITS_ENOMEM. */
ITS_NODISCARD int itsi_onnx_read(struct itsi_model_facts *facts, const uint8_t *data, size_t size,
                                 struct its_diag *diag);
ITS_NODISCARD int itsi_ir_read(struct itsi_model_facts *facts, const char *data, size_t size, struct its_diag *diag);
/* Is it the detection model we run? Everything itsi_model_open checks beyond the file's syntax. */
ITS_NODISCARD int itsi_model_check(const struct itsi_model_facts *facts, struct its_diag *diag);

/* Class names. Each replaces what `names` held. 0; ITS_EFORMAT when the text is no such list (names are empty then);
 * ITS_ENOMEM. */
int itsi_names_from_dict(struct itsi_names *names, struct itsi_span text);  /* {0: 'car', 1: "it's"} or ['car', ...] */
int itsi_names_from_words(struct itsi_names *names, struct itsi_span text); /* "car traffic_light" */
int itsi_names_from_yaml(struct itsi_names *names, struct itsi_span text);  /* metadata.yaml with a "names:" block */
int itsi_names_from_lines(struct itsi_names *names, struct itsi_span text); /* a labels file */
void itsi_names_fini(struct itsi_names *names); /* takes zeroed */

/* One entry of a model's metadata, whatever the format: takes names, task, description, license, version,
 * end2end; ignores the rest.
 * 0 or ITS_ENOMEM. */
int itsi_model_metadata(struct itsi_model_facts *facts, struct itsi_span key, struct itsi_span value);

bool itsi_span_is(struct itsi_span span, const char *text);
/* Copies what fits; unprintable bytes become '?'. */
void itsi_span_copy(struct itsi_span span, char *out, size_t size);

#endif
