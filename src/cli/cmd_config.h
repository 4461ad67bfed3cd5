/* What the verbs of `config` share. Private to them. */
#ifndef ITSI_CLI_CMD_CONFIG_H
#define ITSI_CLI_CMD_CONFIG_H

#include "cli/cli.h"

#include "base/buf.h"
#include "config/load.h"

#include <jansson.h>

struct itsi_config_request {
    struct itsi_config_args args;
    struct its_diag diag;
    bool full, json, help;
    char **words; /* what is left of argv; to a verb, its operands: as many as it takes */
    int count;
};

/* Verbs; each returns an exit code of cli.h. */
int itsi_cmd_config_explain(struct itsi_config_request *request);
int itsi_cmd_config_diff(struct itsi_config_request *request);

/* All say it on stderr and return the exit code for it. */
int itsi_cmd_config_complain(const struct its_diag *diag);
int itsi_cmd_config_out_of_memory(void);

/* The configuration in force here; an exit code. */
int itsi_cmd_config_load(struct itsi_config **config, struct itsi_config_request *request);
/* A file's (or, where there is no such file, a strategy's defaults) without PERFORMANCE__* variables. */
ITS_NODISCARD int itsi_cmd_config_load_alone(struct itsi_config **out, const char *name, bool strategy_too,
                                             struct its_diag *diag);

/* Prints a document, or that there was no memory to build it (NULL). Takes root over. Returns an exit code. */
int itsi_cmd_config_print_json(json_t *root);
/* One value as it stands in a table: strings without quotes. Takes value over; NULL: ITS_ENOMEM. */
int itsi_cmd_config_add_value(struct itsi_buf *buf, json_t *value);
/* Of the longest key, for the first column of a table. */
int itsi_cmd_config_key_width(void);

#endif
