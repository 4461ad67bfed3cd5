/* A whole configuration: the options, the cameras, and for every option where its value came from.
 *
 * Layers, each over the one before: the table's defaults, the strategy, the file, PERFORMANCE__* variables, the command
 * line. Immutable once loaded; shared between threads by reference. */
#ifndef ITSI_CONFIG_LOAD_H
#define ITSI_CONFIG_LOAD_H

#include "config/args.h"
#include "config/camera.h"
#include "config/option.h"

#include <jansson.h>
#include <stdatomic.h>

enum itsi_config_layer {
    ITSI_LAYER_DEFAULT,
    ITSI_LAYER_STRATEGY,
    ITSI_LAYER_FILE,
    ITSI_LAYER_ENVIRONMENT,
    ITSI_LAYER_COMMAND_LINE,
    ITSI_LAYER_COUNT
};
/* "default", "strategy", "file", "environment", "command line" */
const char *itsi_config_layer_name(enum itsi_config_layer layer);

/* What each layer said about one option. value NULL: nothing. A secret's value is as it was given: its text in clear,
 * or the reference. The default layer is the table's and holds nothing here. */
struct itsi_config_trace {
    json_t *value[ITSI_LAYER_COUNT]; /* owned */
    char *where[ITSI_LAYER_COUNT];   /* owned: the strategy's name, the file's path, the variable, the flag */
};

struct itsi_config {
    struct its_cfg cfg;
    struct itsi_config_cameras cameras;
    struct itsi_config_trace *traces; /* one a row of itsi_options */
    atomic_int refs;                  /* private */
};

/* Reads what args name, checks all of it, and returns a configuration with one reference. Errors name key, value, what is
 * allowed and the source: ITS_EINVAL (unknown key, bad value, bad combination), ITS_EFORMAT (not JSON; with line and
 * column), ITS_ENOTFOUND, ITS_EIO and the like for the file. */
ITS_NODISCARD int itsi_config_load(struct itsi_config **out, const struct itsi_config_args *args,
                                   struct its_diag *diag);
struct itsi_config *itsi_config_ref(struct itsi_config *config);
void itsi_config_unref(struct itsi_config **config); /* sets NULL; takes NULL inside */

/* The layer the value in force came from. */
enum itsi_config_layer itsi_config_layer_of(const struct itsi_config *config, const struct itsi_option *option);
/* "default", "strategy aggressive", "file conf.json", "environment PERFORMANCE__...", "command line --set". */
void itsi_config_source(const struct itsi_config *config, const struct itsi_option *option, char *out, size_t size);

/* Copies one option with its trace from another configuration: how a reload keeps a row that needs a restart. */
ITS_NODISCARD int itsi_config_keep(struct itsi_config *config, const struct itsi_config *from,
                                   const struct itsi_option *option);

#endif
