/* its-camera-ai config show|validate|explain|diff|schema */
#include "cli/cli.h"

#include "base/diag.h"
#include "base/url.h"
#include "capture/source.h"
#include "config/dump.h"
#include "config/strategy.h"
#include "config/value.h"
#include "optimizer/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct request {
    struct itsi_config_args args;
    struct its_diag diag;
    bool full, json, help;
    char **words; /* what is left of argv */
    int count;
};

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

static int complain(const char *what, const struct its_diag *diag)
{
    fprintf(stderr, "its-camera-ai: %s: %s\n", what, diag->text);
    return ITSI_EXIT_USAGE;
}

static int misuse(const char *what)
{
    fprintf(stderr, "its-camera-ai: config: %s (see its-camera-ai config --help)\n", what);
    return ITSI_EXIT_USAGE;
}

static int out_of_memory(void)
{
    fputs("its-camera-ai: config: out of memory\n", stderr);
    return ITSI_EXIT_FAILURE;
}

/* Prints a document that was built into buf, or that there was no memory for it. Takes root over. */
static int print_json(json_t *root)
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
    return ok ? ITSI_EXIT_OK : out_of_memory();
}

/* --- show -------------------------------------------------------------------------------------------------------- */

static int key_width(void)
{
    size_t widest = 0;
    for (size_t i = 0; i < itsi_option_count; i++) {
        size_t len = strlen(itsi_option_key(&itsi_options[i]));
        widest = len > widest ? len : widest;
    }
    return (int)widest;
}

/* One value as it stands in a table: strings without quotes. Takes value over. */
static int add_value(struct itsi_buf *buf, json_t *value)
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
    int rc = add_value(&value, itsi_config_shown(config, option));
    if (rc == 0)
        printf("%-*s  %-24s  %s\n", width, itsi_option_key(option), value.data, source);
    itsi_buf_fini(&value);
    return rc;
}

static int show_table(const struct itsi_config *config, bool full)
{
    int width = key_width();
    printf("%-*s  %-24s  %s\n", width, "OPTION", "VALUE", "SOURCE");
    for (size_t i = 0; i < itsi_option_count; i++) {
        const struct itsi_option *option = &itsi_options[i];
        bool wanted = full || strcmp(option->full_key, "general.strategy") == 0 ||
                      itsi_config_layer_of(config, option) != ITSI_LAYER_DEFAULT;
        if (wanted && show_row(config, option, width) != 0)
            return out_of_memory();
    }
    for (size_t i = 0; i < config->cameras.count; i++) {
        const struct itsi_config_camera *camera = &config->cameras.items[i];
        char url[ITSI_CONFIG_CAMERA_URL_SIZE + 64];
        itsi_url_redact(camera->url, url, sizeof url);
        printf("camera %-*s  %s\n", width - 7, camera->id, url);
    }
    return ITSI_EXIT_OK;
}

static int load(struct itsi_config **config, struct request *request)
{
    return itsi_config_load(config, &request->args, &request->diag) == 0 ? ITSI_EXIT_OK
                                                                         : complain("config", &request->diag);
}

static int show(struct request *request)
{
    if (request->count != 0)
        return misuse("show takes no argument");
    struct itsi_config *config;
    int exit_code = load(&config, request);
    if (exit_code != ITSI_EXIT_OK)
        return exit_code;
    exit_code = request->json ? print_json(itsi_config_json(config, request->full ? ITSI_DUMP_FULL : 0))
                              : show_table(config, request->full);
    itsi_config_unref(&config);
    return exit_code;
}

/* --- validate ---------------------------------------------------------------------------------------------------- */

/* Loads a file (or, where there is no such file, a strategy's defaults) without PERFORMANCE__* variables. */
static int load_alone(struct itsi_config **out, const char *name, bool strategy_too, struct its_diag *diag)
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

static int validate(struct request *request)
{
    if (request->count != 1)
        return misuse("validate takes one FILE");
    const char *name = request->words[0];
    struct itsi_config *config = NULL;
    int rc = load_alone(&config, name, false, &request->diag);
    if (rc == 0)
        rc = check_cameras(config, &request->diag);
    if (rc != 0) {
        itsi_config_unref(&config);
        if (request->json)
            print_json(json_pack("{s:s, s:b, s:s}", "file", name, "valid", 0, "error", request->diag.text));
        return complain("config", &request->diag);
    }
    size_t set = 0;
    for (size_t i = 0; i < itsi_option_count; i++)
        set += config->traces[i].value[ITSI_LAYER_FILE] != NULL;
    const char *strategy = itsi_strategy_name(config->cfg.general.strategy);
    int exit_code = ITSI_EXIT_OK;
    if (request->json)
        exit_code = print_json(json_pack("{s:s, s:b, s:s, s:I, s:I}", "file", name, "valid", 1, "strategy", strategy,
                                         "options_set", (json_int_t)set, "cameras",
                                         (json_int_t)config->cameras.count));
    else
        printf("%s: valid (strategy %s, options set: %zu, cameras: %zu)\n", name, strategy, set,
               config->cameras.count);
    itsi_config_unref(&config);
    return exit_code;
}

/* --- explain ----------------------------------------------------------------------------------------------------- */

static void put_line(struct itsi_buf *out, const char *label, json_t *value)
{
    itsi_buf_printf(out, "  %-12s ", label);
    add_value(out, json_incref(value));
    itsi_buf_puts(out, "\n");
}

static void put_layers(struct itsi_buf *out, const json_t *layers)
{
    size_t count = json_array_size(layers);
    for (size_t i = count; i-- > 0;) {
        const json_t *entry = json_array_get(layers, i);
        const char *where = json_string_value(json_object_get(entry, "where"));
        itsi_buf_printf(out, "  %-12s ", i + 1 == count ? "comes from" : "overrides");
        itsi_buf_printf(out, "%s%s%s: ", json_string_value(json_object_get(entry, "layer")), where ? " " : "",
                        where ? where : "");
        add_value(out, json_incref(json_object_get(entry, "value")));
        itsi_buf_puts(out, "\n");
    }
}

/* "in_force": the file that a model not set comes to here, or null. Of all options this one's default depends on the
 * installation. */
static bool add_model_in_force(json_t *about, const struct its_cfg *cfg)
{
    char room[4096];
    const char *path = itsi_model_path(cfg, room, sizeof room);
    return json_object_set_new(about, "in_force", path ? json_string(path) : json_null()) == 0;
}

static int explain_text(const json_t *about)
{
    struct itsi_buf out;
    itsi_buf_init(&out);
    const json_t *names = json_object_get(about, "environment");
    itsi_buf_printf(&out, "%s: %s\n", json_string_value(json_object_get(about, "key")),
                    json_string_value(json_object_get(about, "help")));
    put_line(&out, "value", json_object_get(about, "value"));
    const json_t *in_force = json_object_get(about, "in_force");
    if (in_force)
        itsi_buf_printf(&out, "  %-12s %s\n", "in force",
                        json_is_null(in_force) ? "no model" : json_string_value(in_force));
    put_line(&out, "default", json_object_get(about, "default"));
    put_line(&out, "type", json_object_get(about, "type"));
    put_line(&out, "allowed", json_object_get(about, "range"));
    put_line(&out, "environment", json_array_get(names, 0));
    put_line(&out, "", json_array_get(names, 1));
    bool live = strcmp(json_string_value(json_object_get(about, "applies")), "live") == 0;
    itsi_buf_printf(&out, "  %-12s %s\n", "a change", live ? "applies on reload" : "needs a restart");
    put_layers(&out, json_object_get(about, "layers"));
    bool ok = !out.failed;
    if (ok)
        fputs(out.data, stdout);
    itsi_buf_fini(&out);
    return ok ? ITSI_EXIT_OK : out_of_memory();
}

static int explain(struct request *request)
{
    if (request->count != 1)
        return misuse("explain takes one KEY");
    const struct itsi_option *option = itsi_option_find(request->words[0]);
    if (!option) /* people also know options by their variables */
        option = itsi_option_find_env(request->words[0]);
    if (!option) {
        itsi_config_unknown_key(request->words[0], &request->diag);
        return complain("config", &request->diag);
    }
    struct itsi_config *config;
    int exit_code = load(&config, request);
    if (exit_code != ITSI_EXIT_OK)
        return exit_code;
    json_t *about = itsi_config_explain(config, option);
    bool is_model = strcmp(itsi_option_key(option), "model") == 0;
    if (!about || (is_model && !add_model_in_force(about, &config->cfg)))
        exit_code = out_of_memory();
    else if (request->json)
        exit_code = print_json(json_incref(about));
    else
        exit_code = explain_text(about);
    json_decref(about);
    itsi_config_unref(&config);
    return exit_code;
}

/* --- diff -------------------------------------------------------------------------------------------------------- */

/* {"key": {"a": .., "b": ..}, ...}, redacted; NULL when out of memory. */
static json_t *option_differences(const struct itsi_config *a, const struct itsi_config *b)
{
    json_t *found = json_object();
    for (size_t i = 0; i < itsi_option_count; i++) {
        const struct itsi_option *option = &itsi_options[i];
        if (itsi_option_equal(&a->cfg, &b->cfg, option))
            continue;
        json_t *pair = json_pack("{s:o, s:o}", "a", itsi_config_shown(a, option), "b", itsi_config_shown(b, option));
        if (json_object_set_new(found, itsi_option_key(option), pair) != 0) {
            json_decref(found);
            return NULL;
        }
    }
    return found;
}

static const char *camera_change(const struct itsi_config_camera *camera, const struct itsi_config_cameras *other,
                                 bool in_a)
{
    const struct itsi_config_camera *twin = itsi_config_cameras_find(other, camera->id);
    if (!twin)
        return in_a ? "only in a" : "only in b";
    return in_a && !itsi_config_camera_equal(camera, twin) ? "differs" : NULL;
}

static json_t *camera_differences(const struct itsi_config *a, const struct itsi_config *b)
{
    json_t *found = json_object();
    const struct itsi_config *sides[2] = {a, b};
    for (int side = 0; side < 2; side++) {
        const struct itsi_config_cameras *cameras = &sides[side]->cameras;
        for (size_t i = 0; i < cameras->count; i++) {
            const char *change = camera_change(&cameras->items[i], &sides[1 - side]->cameras, side == 0);
            if (change && json_object_set_new(found, cameras->items[i].id, json_string(change)) != 0) {
                json_decref(found);
                return NULL;
            }
        }
    }
    return found;
}

static int diff_table(const char *a, const char *b, json_t *options, json_t *cameras)
{
    struct itsi_buf out;
    itsi_buf_init(&out);
    const char *key;
    json_t *value;
    int width = key_width();
    itsi_buf_printf(&out, "--- %s\n+++ %s\n", a, b);
    json_object_foreach(options, key, value) {
        itsi_buf_printf(&out, "%-*s  ", width, key);
        add_value(&out, json_incref(json_object_get(value, "a")));
        itsi_buf_puts(&out, " -> ");
        add_value(&out, json_incref(json_object_get(value, "b")));
        itsi_buf_puts(&out, "\n");
    }
    json_object_foreach(cameras, key, value) {
        itsi_buf_printf(&out, "camera %-*s  %s\n", width - 7, key, json_string_value(value));
    }
    if (json_object_size(options) + json_object_size(cameras) == 0) {
        itsi_buf_reset(&out);
        itsi_buf_puts(&out, "no difference\n");
    }
    bool ok = !out.failed;
    if (ok)
        fputs(out.data, stdout);
    itsi_buf_fini(&out);
    return ok ? ITSI_EXIT_OK : out_of_memory();
}

static int diff_configs(struct request *request, const struct itsi_config *a, const struct itsi_config *b)
{
    const char *names[2] = {request->words[0], request->count > 1 ? request->words[1] : "in force here"};
    json_t *options = option_differences(a, b), *cameras = camera_differences(a, b);
    int exit_code;
    if (!options || !cameras)
        exit_code = out_of_memory();
    else if (request->json)
        exit_code = print_json(json_pack("{s:s, s:s, s:O, s:O}", "a", names[0], "b", names[1], "options", options,
                                         "cameras", cameras));
    else
        exit_code = diff_table(names[0], names[1], options, cameras);
    json_decref(options);
    json_decref(cameras);
    return exit_code;
}

static int diff(struct request *request)
{
    if (request->count < 1 || request->count > 2)
        return misuse("diff takes A and perhaps B");
    struct itsi_config *a = NULL, *b = NULL;
    int rc = load_alone(&a, request->words[0], true, &request->diag);
    if (rc == 0)
        rc = request->count > 1 ? load_alone(&b, request->words[1], true, &request->diag)
                                : itsi_config_load(&b, &request->args, &request->diag);
    int exit_code = rc == 0 ? diff_configs(request, a, b) : complain("config", &request->diag);
    itsi_config_unref(&a);
    itsi_config_unref(&b);
    return exit_code;
}

static int schema(struct request *request)
{
    return request->count == 0 ? print_json(itsi_config_schema()) : misuse("schema takes no argument");
}

/* --- the command ------------------------------------------------------------------------------------------------- */

static int take_option(struct request *request, int opt)
{
    int taken = itsi_config_args_take(&request->args, opt, optarg, &request->diag);
    if (taken < 0)
        return complain("config", &request->diag);
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

static int take_options(struct request *request, int argc, char **argv)
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

static int run(struct request *request)
{
    static const struct {
        const char *name;
        int (*run)(struct request *request);
    } commands[] = {{"show", show}, {"validate", validate}, {"explain", explain}, {"diff", diff},
                  {"schema", schema}};
    if (request->help) {
        fputs(usage_text, stdout);
        return ITSI_EXIT_OK;
    }
    if (request->count == 0)
        return misuse("which of show, validate, explain, diff, schema?");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, request->words[0]) == 0) {
            request->words++;
            request->count--;
            return commands[i].run(request);
        }
    }
    return misuse("the command is not one of show, validate, explain, diff, schema");
}

int itsi_cmd_config(int argc, char **argv)
{
    struct request request = {0};
    itsi_config_args_init(&request.args, environ);
    int exit_code = take_options(&request, argc, argv);
    if (exit_code == ITSI_EXIT_OK)
        exit_code = run(&request);
    itsi_config_args_fini(&request.args);
    return exit_code;
}
