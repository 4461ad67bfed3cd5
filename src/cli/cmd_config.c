/* its-camera-ai config show|validate|explain|diff|schema */
#include "cli/cmd_config.h"

#include "base/diag.h"
#include "base/url.h"
#include "capture/source.h"
#include "config/dump.h"
#include "config/strategy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPT_FULL = 0x100, OPT_FORMAT };

static const char usage_text[] =
    "usage: its-camera-ai config show [OPTIONS]           what is set, and by whom\n"
    "       its-camera-ai config validate FILE            check a configuration file\n"
    "       its-camera-ai config explain KEY [OPTIONS]    one option: value, range, names, where it comes from\n"
    "       its-camera-ai config diff A [B] [OPTIONS]     compare files or strategies\n"
    "       its-camera-ai config schema                   JSON Schema of a configuration file\n\n"
    "Order, each over the one before: defaults, strategy, file, PERFORMANCE__* variables, --set.\n\n"
    "options:\n" ITSI_CONFIG_OPTIONS_HELP
    "  --full                   show: every option, not only the strategy and what was set\n"
    "  --format table|json      how results are written (default table)\n"
    "  --help                   this text\n\n"
    "validate reads the file alone: PERFORMANCE__* variables do not apply. diff reads files alone too; without B it\n"
    "compares A with the configuration in force here (--config, variables, --set). Secrets and camera passwords are\n"
    "never shown. Exit codes: 0 done, 2 bad arguments or configuration.\n";

int itsi_cmd_config_complain(const struct its_diag *diag)
{
    fprintf(stderr, "its-camera-ai: config: %s\n", diag->text);
    return ITSI_EXIT_USAGE;
}

static int misuse(const char *what)
{
    fprintf(stderr, "its-camera-ai: config: %s (see its-camera-ai config --help)\n", what);
    return ITSI_EXIT_USAGE;
}

int itsi_cmd_config_out_of_memory(void)
{
    fputs("its-camera-ai: config: out of memory\n", stderr);
    return ITSI_EXIT_FAILURE;
}

int itsi_cmd_config_print_json(json_t *root)
{
    struct itsi_buf buf;
    itsi_buf_init(&buf);
    if (root) {
        itsi_json_pretty(&buf, root);
        json_decref(root);
    }
    bool ok = root && !buf.failed;
    if (ok)
        puts(buf.data);
    itsi_buf_fini(&buf);
    return ok ? ITSI_EXIT_OK : itsi_cmd_config_out_of_memory();
}

/* --- show -------------------------------------------------------------------------------------------------------- */

int itsi_cmd_config_key_width(void)
{
    size_t widest = 0;
    for (size_t i = 0; i < itsi_option_count; i++) {
        size_t len = strlen(itsi_option_key(&itsi_options[i]));
        widest = len > widest ? len : widest;
    }
    return (int)widest;
}

int itsi_cmd_config_add_value(struct itsi_buf *buf, json_t *value)
{
    if (!value)
        return ITS_ENOMEM;
    if (json_is_string(value))
        itsi_buf_puts(buf, json_string_value(value));
    else if (json_is_null(value))
        itsi_buf_puts(buf, "-");
    else
        itsi_json_compact(buf, value);
    json_decref(value);
    return buf->failed ? ITS_ENOMEM : 0;
}

static int show_row(const struct itsi_config *config, const struct itsi_option *option, int width)
{
    char source[300];
    struct itsi_buf value;
    itsi_buf_init(&value);
    itsi_config_source(config, option, source, sizeof source);
    int rc = itsi_cmd_config_add_value(&value, itsi_config_shown(config, option));
    if (rc == 0)
        printf("%-*s  %-24s  %s\n", width, itsi_option_key(option), value.data, source);
    itsi_buf_fini(&value);
    return rc;
}

static int show_table(const struct itsi_config *config, bool full)
{
    int width = itsi_cmd_config_key_width();
    printf("%-*s  %-24s  %s\n", width, "OPTION", "VALUE", "SOURCE");
    for (size_t i = 0; i < itsi_option_count; i++) {
        const struct itsi_option *option = &itsi_options[i];
        bool wanted = full || strcmp(option->full_key, "general.strategy") == 0 ||
                      itsi_config_layer_of(config, option) != ITSI_LAYER_DEFAULT;
        if (wanted && show_row(config, option, width) != 0)
            return itsi_cmd_config_out_of_memory();
    }
    for (size_t i = 0; i < config->cameras.count; i++) {
        const struct itsi_config_camera *camera = &config->cameras.items[i];
        char url[ITSI_CONFIG_CAMERA_URL_SIZE + 64];
        itsi_url_redact(camera->url, url, sizeof url);
        printf("camera %-*s  %s\n", width - 7, camera->id, url);
    }
    return ITSI_EXIT_OK;
}

int itsi_cmd_config_load(struct itsi_config **config, struct itsi_config_request *request)
{
    if (itsi_config_load(config, &request->args, &request->diag) != 0)
        return itsi_cmd_config_complain(&request->diag);
    return ITSI_EXIT_OK;
}

static int show(struct itsi_config_request *request)
{
    struct itsi_config *config;
    int exit_code = itsi_cmd_config_load(&config, request);
    if (exit_code != ITSI_EXIT_OK)
        return exit_code;
    exit_code = request->json ? itsi_cmd_config_print_json(itsi_config_json(config, request->full ? ITSI_DUMP_FULL : 0))
                              : show_table(config, request->full);
    itsi_config_unref(&config);
    return exit_code;
}

/* --- validate ---------------------------------------------------------------------------------------------------- */

int itsi_cmd_config_load_alone(struct itsi_config **out, const char *name, bool strategy_too, struct its_diag *diag)
{
    struct itsi_config_args args;
    itsi_config_args_init(&args, environ);
    args.ignore_env_options = true;
    int rc = strategy_too && itsi_strategy_index(name) >= 0 && access(name, F_OK) != 0
                 ? itsi_config_args_option(&args, "strategy", name, "strategy", diag)
                 : itsi_config_args_file(&args, name, diag);
    if (rc == 0)
        rc = itsi_config_load(out, &args, diag);
    itsi_config_args_fini(&args);
    return rc;
}

/* The camera URLs, as serve would take them. */
static int check_cameras(const struct itsi_config *config, struct its_diag *diag)
{
    for (size_t i = 0; i < config->cameras.count; i++) {
        const struct itsi_config_camera *camera = &config->cameras.items[i];
        struct itsi_source source;
        int rc = itsi_source_parse(&source, camera->url, diag);
        if (rc == 0 && camera->sub_url)
            rc = itsi_source_parse(&source, camera->sub_url, diag);
        if (rc != 0)
            return itsi_diag_prefix(diag, rc, "cameras: %s", camera->id);
    }
    return 0;
}

static int validate(struct itsi_config_request *request)
{
    const char *name = request->words[0];
    struct itsi_config *config = NULL;
    int rc = itsi_cmd_config_load_alone(&config, name, false, &request->diag);
    if (rc == 0)
        rc = check_cameras(config, &request->diag);
    if (rc != 0) {
        itsi_config_unref(&config);
        if (request->json)
            itsi_cmd_config_print_json(
                json_pack("{s:s, s:b, s:s}", "file", name, "valid", 0, "error", request->diag.text));
        return itsi_cmd_config_complain(&request->diag);
    }
    size_t set = 0;
    for (size_t i = 0; i < itsi_option_count; i++)
        set += config->traces[i].value[ITSI_LAYER_FILE] != NULL;
    const char *strategy = itsi_strategy_name(config->cfg.general.strategy);
    int exit_code = ITSI_EXIT_OK;
    if (request->json)
        exit_code = itsi_cmd_config_print_json(
            json_pack("{s:s, s:b, s:s, s:I, s:I}", "file", name, "valid", 1, "strategy", strategy, "options_set",
                      (json_int_t)set, "cameras", (json_int_t)config->cameras.count));
    else
        printf("%s: valid (strategy %s, options set: %zu, cameras: %zu)\n", name, strategy, set,
               config->cameras.count);
    itsi_config_unref(&config);
    return exit_code;
}

static int schema(struct itsi_config_request *request)
{
    (void)request;
    return itsi_cmd_config_print_json(itsi_config_schema());
}

/* --- the command ------------------------------------------------------------------------------------------------- */

static int take_option(struct itsi_config_request *request, int opt)
{
    int taken = itsi_config_args_take(&request->args, opt, optarg, &request->diag);
    if (taken < 0)
        return itsi_cmd_config_complain(&request->diag);
    if (taken > 0)
        return ITSI_EXIT_OK;
    switch (opt) {
    case OPT_FULL:
        request->full = true;
        return ITSI_EXIT_OK;
    case OPT_FORMAT:
        request->json = strcmp(optarg, "json") == 0;
        if (request->json || strcmp(optarg, "table") == 0)
            return ITSI_EXIT_OK;
        return misuse("--format is table or json");
    case 'h':
        request->help = true;
        return ITSI_EXIT_OK;
    default:
        return misuse("bad option"); /* getopt has said which */
    }
}

static int take_options(struct itsi_config_request *request, int argc, char **argv)
{
    static const struct option options[] = {
        ITSI_CONFIG_OPTIONS,
        {"full", no_argument, NULL, OPT_FULL},
        {"format", required_argument, NULL, OPT_FORMAT},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int opt, exit_code = ITSI_EXIT_OK;
    optind = 0; /* begin anew: other code may have used getopt before */
    while (exit_code == ITSI_EXIT_OK && (opt = getopt_long(argc, argv, "h", options, NULL)) != -1)
        exit_code = take_option(request, opt);
    request->words = argv + optind;
    request->count = argc - optind;
    return exit_code;
}

static int run(struct itsi_config_request *request)
{
    enum { SHOW, VALIDATE, EXPLAIN, DIFF, SCHEMA, VERBS };
    static const struct itsi_verb verbs[VERBS] = {
        [SHOW] = {"show", {NULL}, 0},
        [VALIDATE] = {"validate", {"a configuration file"}, 1},
        [EXPLAIN] = {"explain", {"the key of an option"}, 1},
        [DIFF] = {"diff", {"a file or strategy", "another"}, 1},
        [SCHEMA] = {"schema", {NULL}, 0},
    };
    static int (*const runs[VERBS])(struct itsi_config_request *) = {
        [SHOW] = show, [VALIDATE] = validate, [EXPLAIN] = itsi_cmd_config_explain, [DIFF] = itsi_cmd_config_diff,
        [SCHEMA] = schema};
    if (request->help) {
        fputs(usage_text, stdout);
        return ITSI_EXIT_OK;
    }
    const int verb = itsi_verb_find("config", verbs, VERBS, request->words, request->count);
    if (verb < 0)
        return ITSI_EXIT_USAGE;
    request->words++;
    request->count--;
    return runs[verb](request);
}

int itsi_cmd_config(int argc, char **argv)
{
    struct itsi_config_request request = {0};
    itsi_config_args_init(&request.args, environ);
    int exit_code = take_options(&request, argc, argv);
    if (exit_code == ITSI_EXIT_OK)
        exit_code = run(&request);
    itsi_config_args_fini(&request.args);
    return exit_code;
}
