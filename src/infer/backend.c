#include "infer/backend.h"

#include <string.h>

static const struct itsi_backend *const registry[] = {
#ifdef ITS_HAVE_OPENVINO
    &itsi_backend_openvino,
#endif
    &itsi_backend_null,
    NULL,
};

const struct itsi_backend *const *itsi_backends(void) { return registry; }

const struct itsi_backend *itsi_backend_find(const char *name)
{
    for (const struct itsi_backend *const *b = registry; *b; b++)
        if (strcmp((*b)->name, name) == 0)
            return *b;
    return NULL;
}

void itsi_engine_list_sizes(struct itsi_engine_info *info, const struct itsi_engine_params *params)
{
    info->sizes[0] = (struct itsi_input_size){params->width, params->height};
    for (int i = 0; i < params->more_count; i++)
        info->sizes[1 + i] = params->more[i];
    info->size_count = 1 + params->more_count;
}

const char *itsi_precision_name(enum itsi_precision precision)
{
    switch (precision) {
    case ITSI_PRECISION_AUTO:
        return "auto";
    case ITSI_PRECISION_FP32:
        return "fp32";
    case ITSI_PRECISION_BF16:
        return "bf16";
    case ITSI_PRECISION_FP16:
        return "fp16";
    case ITSI_PRECISION_INT8:
        return "int8";
    }
    return "?";
}
