/* The interface every inference backend implements. Tensors in, tensors out: a backend knows neither frames nor boxes.
 *
 * An engine is one model compiled for a few input sizes, all of them ready before the first frame, so that going from one
 * to another costs nothing. It owns `slots` requests, each with input and output memory of its own for every size. The
 * batcher fills a free slot's images, submits it, and later collects it with the engine's own stamps:
 *
 *     acquire() -> [resize(slot, s)] -> input(slot, i) ... submit(slot, n) -> collect() -> output(slot, i) ... release(slot)
 *
 * Submit never blocks: the engine runs at most `parallel` slots at once and starts the next submitted one from its own
 * completion, without a gap, so that `started_ns` is the true beginning of service. Slots run in the order submitted.
 *
 * Threads: submit/release from one thread each; collect from one thread. All three may differ. */
#ifndef ITSI_INFER_BACKEND_H
#define ITSI_INFER_BACKEND_H

#include "core/tensor.h"
#include "its/error.h"

#include <stdbool.h>
#include <stdint.h>

#define ITSI_BACKEND_API 1

enum itsi_precision { ITSI_PRECISION_AUTO, ITSI_PRECISION_FP32, ITSI_PRECISION_BF16, ITSI_PRECISION_FP16,
                      ITSI_PRECISION_INT8 };
const char *itsi_precision_name(enum itsi_precision precision);

enum { ITSI_ENGINE_SIZES = 5 }; /* most input sizes of one engine */

struct itsi_input_size {
    int width, height; /* multiples of 32 */
};

struct itsi_engine_params {
    const char *model_path; /* NULL for the null backend */
    int width, height;      /* input size 0, multiples of 32 */
    struct itsi_input_size more[ITSI_ENGINE_SIZES - 1]; /* sizes 1.. */
    int more_count;
    int max_batch;          /* most images per slot, 1.. */
    int parallel;           /* slots run at once; 0: what suits the device */
    int threads;            /* CPU threads in all; 0: what suits the device */
    enum itsi_precision precision;
    bool no_int8;           /* auto never takes the int8 version beside the model (infer/open.h) */
    const char *cache_dir;  /* where compiled models are kept (infer/compile_cache.h); NULL: they are not */
    /* null backend only: its service time is base + per_image * n, at other sizes than 0 by the ratio of their areas */
    int64_t null_base_ns, null_per_image_ns;
    int classes; /* null backend only: rows = 4 + classes */
};

enum { ITSI_WARM_SIZES = 7 };

struct itsi_engine_info {
    char backend[16];    /* "openvino", "null" */
    char device[64];     /* human text */
    char model[256];     /* name of the file that runs, without its folder; empty: none */
    char precision[8];   /* the one really used */
    int width, height, max_batch; /* width, height: of size 0 */
    int slots;           /* parallel + at least one to fill meanwhile */
    int parallel;
    int rows, anchors;   /* of the output; anchors at size 0 */
    int size_count;
    struct itsi_input_size sizes[ITSI_ENGINE_SIZES];
    bool batch_efficient; /* true: one large batch at a time (GPU); false: several small ones side by side (CPU) */
    /* What warming up measured, as many requests side by side as in service: at each input size a run of 1, 2, 4, ...
     * images; 0: not known. */
    int64_t warm_ns[ITSI_ENGINE_SIZES][ITSI_WARM_SIZES];
};

struct itsi_completion {
    int slot;
    int status; /* 0 or ITS_EDEVICE */
    int64_t started_ns, finished_ns;
};

struct itsi_engine; /* each backend's own; created and destroyed by it */

struct itsi_backend {
    uint32_t api_version;
    const char *name;
    /* Can it run here? 0, or ITS_EUNSUPPORTED with the reason. */
    int (*probe)(struct its_diag *diag);
    /* Does the device run quantised models faster than all others? NULL: no. */
    bool (*int8_is_fastest)(void);
    /* Compiles and warms the model: when it returns, the first real frame runs at full speed. */
    int (*open)(struct itsi_engine **out, const struct itsi_engine_params *params, struct its_diag *diag);
    const struct itsi_engine_info *(*info)(struct itsi_engine *engine);
    /* The input size the slot's images will have, from here to its release; without this call, size 0. Between acquire and
     * the first input. ITS_EINVAL: no such size, or not acquired. */
    int (*resize)(struct itsi_engine *engine, int slot, int size);
    uint8_t *(*input)(struct itsi_engine *engine, int slot, int image);
    void (*output)(struct itsi_engine *engine, int slot, int image, struct itsi_output_tensor *out);
    /* A slot neither submitted nor waiting for release; -1: none free. */
    int (*acquire)(struct itsi_engine *engine);
    int (*submit)(struct itsi_engine *engine, int slot, int images);
    /* Next finished slot. 0, ITS_ETIMEOUT at until_ns, or ITS_ECANCELLED after close() was asked for by stop(). */
    int (*collect)(struct itsi_engine *engine, int64_t until_ns, struct itsi_completion *out);
    void (*release)(struct itsi_engine *engine, int slot);
    /* Wakes collect(), which then returns ITS_ECANCELLED once nothing is running. */
    void (*stop)(struct itsi_engine *engine);
    void (*close)(struct itsi_engine *engine); /* takes NULL; waits for what still runs */
};

/* Fills the info's sizes from the parameters. */
void itsi_engine_list_sizes(struct itsi_engine_info *info, const struct itsi_engine_params *params);

extern const struct itsi_backend itsi_backend_openvino; /* absent when built without OpenVINO */
extern const struct itsi_backend itsi_backend_null;

/* In order of preference. NULL-terminated. */
const struct itsi_backend *const *itsi_backends(void);
/* By name; NULL when unknown or not built in. */
const struct itsi_backend *itsi_backend_find(const char *name);

#endif
