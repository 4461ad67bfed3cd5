#include "config/load.h"

#include "base/diag.h"
#include "base/mem.h"
#include "config/check.h"
#include "config/secret.h"
#include "config/strategy.h"
#include "config/value.h"

#include <stdio.h>
#include <string.h>

/* A file of a thousand cameras is well under this. */
#define FILE_MOST (4u << 20)

const char *itsi_config_layer_name(enum itsi_config_layer layer)
{
    static const char *const names[ITSI_LAYER_COUNT] = {"default", "strategy", "file", "environment", "command line"};
    return names[layer];
}

/* --- life -------------------------------------------------------------------------------------------------------- */

static void trace_clear(struct itsi_config_trace *trace)
{
    for (int layer = 0; layer < ITSI_LAYER_COUNT; layer++) {
        json_decref(trace->value[layer]);
        itsi_free(trace->where[layer]);
    }
    *trace = (struct itsi_config_trace){0};
}

static void destroy(struct itsi_config *config)
{
    its_cfg_fini(&config->cfg);
    itsi_config_cameras_fini(&config->cameras);
    for (size_t i = 0; config->traces && i < itsi_option_count; i++)
        trace_clear(&config->traces[i]);
    itsi_free(config->traces);
    itsi_free(config);
}

struct itsi_config *itsi_config_ref(struct itsi_config *config)
{
    atomic_fetch_add_explicit(&config->refs, 1, memory_order_relaxed);
    return config;
}

void itsi_config_unref(struct itsi_config **slot)
{
    struct itsi_config *config = *slot;
    *slot = NULL;
    if (config && atomic_fetch_sub_explicit(&config->refs, 1, memory_order_acq_rel) == 1)
        destroy(config);
}

/* --- traces ------------------------------------------------------------------------------------------------------ */

/* Records what a layer says; a second word of the same layer replaces the first. */
static int trace_put(struct itsi_config *config, const struct itsi_option *option, enum itsi_config_layer layer,
                     json_t *value, const char *where, struct its_diag *diag)
{
    struct itsi_config_trace *trace = &config->traces[itsi_option_index(option)];
    char *copy = itsi_strdup(where);
    if (!copy)
        return itsi_fail(diag, ITS_ENOMEM, "out of memory");
    json_decref(trace->value[layer]);
    itsi_free(trace->where[layer]);
    trace->value[layer] = json_incref(value);
    trace->where[layer] = copy;
    return 0;
}

enum itsi_config_layer itsi_config_layer_of(const struct itsi_config *config, const struct itsi_option *option)
{
    const struct itsi_config_trace *trace = &config->traces[itsi_option_index(option)];
    for (int layer = ITSI_LAYER_COUNT - 1; layer > ITSI_LAYER_DEFAULT; layer--)
        if (trace->value[layer])
            return (enum itsi_config_layer)layer;
    return ITSI_LAYER_DEFAULT;
}

void itsi_config_source(const struct itsi_config *config, const struct itsi_option *option, char *out, size_t size)
{
    enum itsi_config_layer layer = itsi_config_layer_of(config, option);
    const char *where = config->traces[itsi_option_index(option)].where[layer];
    snprintf(out, size, "%s%s%s", itsi_config_layer_name(layer), where ? " " : "", where ? where : "");
}

int itsi_config_keep(struct itsi_config *config, const struct itsi_config *from, const struct itsi_option *option)
{
    size_t row = itsi_option_index(option);
    struct itsi_config_trace copy = {0};
    for (int layer = 0; layer < ITSI_LAYER_COUNT; layer++) {
        copy.value[layer] = json_incref(from->traces[row].value[layer]);
        copy.where[layer] = itsi_strdup(from->traces[row].where[layer]);
        if (from->traces[row].where[layer] && !copy.where[layer]) {
            trace_clear(&copy);
            return ITS_ENOMEM;
        }
    }
    int rc = itsi_option_copy(&config->cfg, &from->cfg, option);
    trace_clear(rc == 0 ? &config->traces[row] : &copy);
    if (rc == 0)
        config->traces[row] = copy;
    return rc;
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

static int parse_document(const char *text, size_t len, const char *name, json_t **out, struct its_diag *diag)
{
    json_error_t error;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return itsi_fail(diag, ITS_EFORMAT, "%.200s:%d:%d: %s", name, error.line, error.column, error.text);
    if (!json_is_object(root)) {
        json_decref(root);
        return itsi_fail(diag, ITS_EFORMAT, "%.200s: not a JSON object", name);
    }
    *out = root;
    return 0;
}

static int read_document(const struct itsi_config_args *args, json_t **out, struct its_diag *diag)
{
    if (args->document)
        return parse_document(args->document, args->document_len, args->file ? args->file : "document", out, diag);
    char *text;
    size_t len;
    int rc = itsi_read_file(args->file, FILE_MOST, &text, &len, diag);
    if (rc != 0)
        return rc;
    rc = parse_document(text, len, args->file, out, diag);
    itsi_free(text);
    return rc;
}

static int file_section(struct itsi_config *config, const char *section, json_t *object, const char *name,
                        struct its_diag *diag)
{
    if (!json_is_object(object))
        return itsi_fail(diag, ITS_EINVAL, "%s: is not an object with the section's options", section);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        const struct itsi_option *option = itsi_option_find_in(section, key);
        char full[ITSI_OPTION_NAME_SIZE];
        snprintf(full, sizeof full, "%s.%.60s", section, key);
        if (!option)
            return itsi_config_unknown_key(full, diag);
        int rc = trace_put(config, option, ITSI_LAYER_FILE, value, name, diag);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Directory of a path into out ("": this one). */
static void directory_of(const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/');
    int len = !slash ? 0 : slash == path ? 1 : (int)(slash - path);
    snprintf(out, size, "%.*s", len, path);
}

static int file_entries(struct itsi_config *config, const struct itsi_config_args *args, json_t *root,
                        struct its_diag *diag)
{
    const char *name = args->file ? args->file : "document", *key;
    char dir[4096];
    directory_of(name, dir, sizeof dir);
    json_t *value;
    json_object_foreach(root, key, value) {
        int rc;
        const struct itsi_option *option = itsi_option_find_in("general", key);
        if (option)
            rc = trace_put(config, option, ITSI_LAYER_FILE, value, name, diag);
        else if (itsi_option_is_section(key))
            rc = file_section(config, key, value, name, diag);
        else if (strcmp(key, "cameras") == 0)
            rc = itsi_config_cameras_parse(&config->cameras, value, dir, args->env, diag);
        else
            rc = itsi_config_unknown_key(key, diag);
        if (rc != 0)
            return itsi_diag_prefix(diag, rc, "file %.200s", name);
    }
    return 0;
}

static int collect_file(struct itsi_config *config, const struct itsi_config_args *args, struct its_diag *diag)
{
    if (!args->file && !args->document)
        return 0;
    json_t *root = NULL;
    int rc = read_document(args, &root, diag);
    if (rc == 0)
        rc = file_entries(config, args, root, diag);
    json_decref(root);
    return rc;
}

/* --- environment and command line -------------------------------------------------------------------------------- */

static int unknown_variable(const char *name, struct its_diag *diag)
{
    char near[ITSI_OPTION_NAME_SIZE];
    if (itsi_option_suggest_env(name, near))
        return itsi_fail(diag, ITS_EINVAL, "environment: unknown variable %.120s; did you mean %s?", name, near);
    return itsi_fail(diag, ITS_EINVAL, "environment: unknown variable %.120s", name);
}

static int one_variable(struct itsi_config *config, const char *name, const char *text, struct its_diag *diag)
{
    const struct itsi_option *option = itsi_option_find_env(name);
    if (!option)
        return unknown_variable(name, diag);
    json_t *value;
    int rc = itsi_option_parse(option, text, &value, diag);
    if (rc != 0)
        return itsi_diag_prefix(diag, rc, "environment %s: %s", name, itsi_option_key(option));
    const struct itsi_config_trace *trace = &config->traces[itsi_option_index(option)];
    const json_t *other = trace->value[ITSI_LAYER_ENVIRONMENT];
    if (other && !json_equal(other, value))
        rc = itsi_fail(diag, ITS_EINVAL, "environment: %s and %s both set %s, to different values",
                       trace->where[ITSI_LAYER_ENVIRONMENT], name, itsi_option_key(option));
    else
        rc = trace_put(config, option, ITSI_LAYER_ENVIRONMENT, value, name, diag);
    json_decref(value);
    return rc;
}

static int collect_env(struct itsi_config *config, const struct itsi_config_args *args, struct its_diag *diag)
{
    if (args->ignore_env_options)
        return 0;
    size_t prefix = strlen(ITSI_ENV_PREFIX);
    for (char *const *entry = args->env; entry && *entry; entry++) {
        const char *equals = strchr(*entry, '=');
        if (!equals || strncmp(*entry, ITSI_ENV_PREFIX, prefix) != 0)
            continue;
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)(equals - *entry > 255 ? 255 : equals - *entry), *entry);
        int rc = one_variable(config, name, equals + 1, diag);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int collect_args(struct itsi_config *config, const struct itsi_config_args *args, struct its_diag *diag)
{
    for (size_t i = 0; i < args->count; i++) {
        const struct itsi_config_arg *item = &args->items[i];
        int rc = trace_put(config, item->option, ITSI_LAYER_COMMAND_LINE, item->value, item->flag, diag);
        if (rc != 0)
            return rc;
    }
    for (size_t i = 0; i < args->camera_count; i++) {
        int rc = itsi_config_cameras_add_text(&config->cameras, args->cameras[i], diag);
        if (rc != 0)
            return itsi_diag_prefix(diag, rc, "--camera");
    }
    return 0;
}

/* --- the strategy ------------------------------------------------------------------------------------------------ */

/* The strategy the highest layer names. A name that is none is reported when the layers are applied. */
static int named_strategy(const struct itsi_config *config)
{
    const struct itsi_option *option = itsi_option_find("strategy");
    enum itsi_config_layer layer = itsi_config_layer_of(config, option);
    const char *name = json_string_value(config->traces[itsi_option_index(option)].value[layer]);
    return name ? itsi_strategy_index(name) : ITSI_STRATEGY_BALANCED;
}

static int collect_strategy(struct itsi_config *config, struct its_diag *diag)
{
    int strategy = named_strategy(config);
    for (size_t i = 0; i < itsi_strategy_change_count; i++) {
        const struct itsi_strategy_change *change = &itsi_strategy_changes[i];
        if (change->strategy != strategy)
            continue;
        const struct itsi_option *option = itsi_option_find(change->key);
        json_t *value;
        int rc = itsi_option_parse(option, change->text, &value, diag);
        if (rc == 0) {
            rc = trace_put(config, option, ITSI_LAYER_STRATEGY, value, itsi_strategy_name(strategy), diag);
            json_decref(value);
        }
        if (rc != 0)
            return itsi_diag_prefix(diag, rc, "strategy %s: %s", itsi_strategy_name(strategy), change->key);
    }
    return 0;
}

/* --- applying ---------------------------------------------------------------------------------------------------- */

static int apply_secret(struct itsi_config *config, const struct itsi_config_args *args,
                        const struct itsi_option *option, enum itsi_config_layer layer, struct its_diag *diag)
{
    json_t **given = &config->traces[itsi_option_index(option)].value[layer];
    char dir[4096] = "", *text = NULL;
    if (layer == ITSI_LAYER_FILE && args->file)
        directory_of(args->file, dir, sizeof dir);
    int rc = itsi_secret_resolve(*given, dir, args->env, &text, diag);
    if (rc != 0)
        return rc;
    json_t *anchored = itsi_secret_anchor(*given, dir);
    if (!anchored) {
        itsi_free(text);
        return itsi_fail(diag, ITS_ENOMEM, "out of memory");
    }
    json_decref(*given);
    *given = anchored;
    json_t *value = text ? json_string(text) : json_null();
    rc = value ? itsi_option_set(&config->cfg, option, value, diag)
               : itsi_fail(diag, ITS_EINVAL, "the secret is not UTF-8 text");
    json_decref(value);
    itsi_free(text);
    return rc;
}

static int apply_layer(struct itsi_config *config, const struct itsi_config_args *args, enum itsi_config_layer layer,
                       struct its_diag *diag)
{
    for (size_t i = 0; i < itsi_option_count; i++) {
        const struct itsi_option *option = &itsi_options[i];
        const json_t *value = config->traces[i].value[layer];
        if (!value)
            continue;
        int rc = option->type == ITSI_OPTION_SECRET ? apply_secret(config, args, option, layer, diag)
                                                    : itsi_option_set(&config->cfg, option, value, diag);
        if (rc != 0)
            return itsi_diag_prefix(diag, rc, "%s %.200s: %s", itsi_config_layer_name(layer),
                                    config->traces[i].where[layer], itsi_option_key(option));
    }
    return 0;
}

static int fill(struct itsi_config *config, const struct itsi_config_args *args, struct its_diag *diag)
{
    int rc = its_cfg_init(&config->cfg, diag);
    if (rc == 0)
        rc = collect_file(config, args, diag);
    if (rc == 0)
        rc = collect_env(config, args, diag);
    if (rc == 0)
        rc = collect_args(config, args, diag);
    if (rc == 0)
        rc = collect_strategy(config, diag);
    for (int layer = ITSI_LAYER_STRATEGY; rc == 0 && layer < ITSI_LAYER_COUNT; layer++)
        rc = apply_layer(config, args, (enum itsi_config_layer)layer, diag);
    if (rc == 0)
        rc = itsi_config_cameras_name(&config->cameras, diag);
    return rc == 0 ? itsi_config_check(config, diag) : rc;
}

int itsi_config_load(struct itsi_config **out, const struct itsi_config_args *args, struct its_diag *diag)
{
    struct itsi_config *config = itsi_zalloc(sizeof *config);
    if (!config)
        return itsi_fail(diag, ITS_ENOMEM, "out of memory");
    atomic_init(&config->refs, 1);
    config->traces = itsi_calloc(itsi_option_count, sizeof *config->traces);
    int rc = config->traces ? fill(config, args, diag) : itsi_fail(diag, ITS_ENOMEM, "out of memory");
    if (rc != 0) {
        destroy(config);
        return rc;
    }
    *out = config;
    return 0;
}
