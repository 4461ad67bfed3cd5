/* Where a configuration is to be read from, and the command line's --config and --set, shared by every command that
 * loads one:
 *
 *   static const struct option options[] = {ITSI_CONFIG_OPTIONS, {"help", no_argument, NULL, 'h'}, {0}};
 *   while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
 *       int taken = itsi_config_args_take(&args, opt, optarg, &diag);   // 1: it was one of ours
 */
#ifndef ITSI_CONFIG_ARGS_H
#define ITSI_CONFIG_ARGS_H

#include "config/camera.h"
#include "config/option.h"

#include <getopt.h>

struct itsi_config_arg {
    const struct itsi_option *option;
    json_t *value;    /* owned */
    const char *flag; /* static: "--set", "--listen" */
};

struct itsi_config_args {
    char *file;             /* owned; NULL: no file */
    const char *document;   /* borrowed; not NULL: the file's content, `file` being only its name in messages */
    size_t document_len;
    struct itsi_config_arg *items; /* owned, in the order given; of two for one option the later wins */
    size_t count;
    char **cameras;         /* owned: "[ID=]URL" */
    size_t camera_count;
    char *const *env;       /* borrowed: "NAME=value", NULL-terminated; NULL: no environment */
    bool ignore_env_options; /* env serves {"env": NAME} only; PERFORMANCE__* variables do not apply */
};

/* env: `environ`, or NULL. */
void itsi_config_args_init(struct itsi_config_args *args, char *const *env);
void itsi_config_args_fini(struct itsi_config_args *args);

ITS_NODISCARD int itsi_config_args_file(struct itsi_config_args *args, const char *path, struct its_diag *diag);
/* "section.field=value" (--set). */
ITS_NODISCARD int itsi_config_args_set(struct itsi_config_args *args, const char *assignment, struct its_diag *diag);
/* A command's own flag for an option: itsi_config_args_option(args, "server.listen", value, "--listen", diag). flag is
 * static text. */
ITS_NODISCARD int itsi_config_args_option(struct itsi_config_args *args, const char *key, const char *text,
                                          const char *flag, struct its_diag *diag);
/* "[ID=]URL" (--camera); checked when loaded. */
ITS_NODISCARD int itsi_config_args_camera(struct itsi_config_args *args, const char *text, struct its_diag *diag);

/* getopt_long entries, and what takes them: 1 taken, 0 not one of these, negative: bad. */
enum { ITSI_ARG_CONFIG = 0x1000, ITSI_ARG_SET };
#define ITSI_CONFIG_OPTIONS                                                                                            \
    {"config", required_argument, NULL, ITSI_ARG_CONFIG}, {"set", required_argument, NULL, ITSI_ARG_SET}
#define ITSI_CONFIG_OPTIONS_HELP                                                                                       \
    "  --config FILE            configuration file (JSON)\n"                                                          \
    "  --set SECTION.FIELD=VALUE  one option; may be repeated, wins over file and environment\n"
ITS_NODISCARD int itsi_config_args_take(struct itsi_config_args *args, int opt, const char *value,
                                        struct its_diag *diag);

/* "unknown option ...; did you mean ...?" into diag. Returns ITS_EINVAL. */
int itsi_config_unknown_key(const char *key, struct its_diag *diag);

#endif
