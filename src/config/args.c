#include "config/args.h"

#include "base/diag.h"
#include "base/mem.h"
#include "config/value.h"

#include <stdio.h>
#include <string.h>

void itsi_config_args_init(struct itsi_config_args *args, char *const *env)
{
    *args = (struct itsi_config_args){.env = env};
}

void itsi_config_args_fini(struct itsi_config_args *args)
{
    itsi_free(args->file);
    for (size_t i = 0; i < args->count; i++)
        json_decref(args->items[i].value);
    itsi_free(args->items);
    for (size_t i = 0; i < args->camera_count; i++)
        itsi_free(args->cameras[i]);
    itsi_free(args->cameras);
    *args = (struct itsi_config_args){0};
}

static int nomem(struct its_diag *diag) { return itsi_fail(diag, ITS_ENOMEM, "out of memory"); }

int itsi_config_unknown_key(const char *key, struct its_diag *diag)
{
    char near[ITSI_OPTION_NAME_SIZE];
    if (itsi_option_suggest_key(key, near))
        return itsi_fail(diag, ITS_EINVAL, "unknown option \"%.100s\"; did you mean \"%s\"?", key, near);
    return itsi_fail(diag, ITS_EINVAL, "unknown option \"%.100s\"", key);
}

int itsi_config_args_file(struct itsi_config_args *args, const char *path, struct its_diag *diag)
{
    char *copy = itsi_strdup(path);
    if (!copy)
        return nomem(diag);
    itsi_free(args->file);
    args->file = copy;
    return 0;
}

/* Takes value over, whatever happens. */
static int append(struct itsi_config_args *args, const struct itsi_option *option, json_t *value, const char *flag,
                  struct its_diag *diag)
{
    struct itsi_config_arg *items = itsi_realloc(args->items, (args->count + 1) * sizeof *items);
    if (!items) {
        json_decref(value);
        return nomem(diag);
    }
    args->items = items;
    items[args->count++] = (struct itsi_config_arg){option, value, flag};
    return 0;
}

int itsi_config_args_option(struct itsi_config_args *args, const char *key, const char *text, const char *flag,
                            struct its_diag *diag)
{
    const struct itsi_option *option = itsi_option_find(key);
    if (!option)
        return itsi_diag_prefix(diag, itsi_config_unknown_key(key, diag), "%s", flag);
    json_t *value;
    int rc = itsi_option_parse(option, text, &value, diag);
    if (rc != 0)
        return itsi_diag_prefix(diag, rc, "%s: %s", flag, itsi_option_key(option));
    return append(args, option, value, flag, diag);
}

int itsi_config_args_set(struct itsi_config_args *args, const char *assignment, struct its_diag *diag)
{
    const char *equals = strchr(assignment, '=');
    char key[ITSI_OPTION_NAME_SIZE];
    if (!equals || equals == assignment)
        return itsi_fail(diag, ITS_EINVAL, "--set: \"%.100s\" is not SECTION.FIELD=VALUE", assignment);
    if ((size_t)(equals - assignment) >= sizeof key)
        return itsi_fail(diag, ITS_EINVAL, "--set: unknown option \"%.100s...\"", assignment);
    snprintf(key, sizeof key, "%.*s", (int)(equals - assignment), assignment);
    return itsi_config_args_option(args, key, equals + 1, "--set", diag);
}

int itsi_config_args_camera(struct itsi_config_args *args, const char *text, struct its_diag *diag)
{
    char **cameras = itsi_realloc(args->cameras, (args->camera_count + 1) * sizeof *cameras);
    if (!cameras)
        return nomem(diag);
    args->cameras = cameras;
    cameras[args->camera_count] = itsi_strdup(text);
    if (!cameras[args->camera_count])
        return nomem(diag);
    args->camera_count++;
    return 0;
}

int itsi_config_args_take(struct itsi_config_args *args, int opt, const char *value, struct its_diag *diag)
{
    int rc;
    if (opt == ITSI_ARG_CONFIG)
        rc = itsi_config_args_file(args, value, diag);
    else if (opt == ITSI_ARG_SET)
        rc = itsi_config_args_set(args, value, diag);
    else
        return 0;
    return rc == 0 ? 1 : rc;
}
