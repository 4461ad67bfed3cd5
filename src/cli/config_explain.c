/* config explain KEY: one option, and who has set it. */
#include "cli/cmd_config.h"

#include "config/dump.h"
#include "optimizer/engine.h"

#include <stdio.h>
#include <string.h>

static void put_line(struct itsi_buf *out, const char *label, json_t *value)
{
    itsi_buf_printf(out, "  %-12s ", label);
    itsi_cmd_config_add_value(out, json_incref(value));
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
        itsi_cmd_config_add_value(out, json_incref(json_object_get(entry, "value")));
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
    return ok ? ITSI_EXIT_OK : itsi_cmd_config_out_of_memory();
}

int itsi_cmd_config_explain(struct itsi_config_request *request)
{
    const struct itsi_option *option = itsi_option_find(request->words[0]);
    if (!option) /* people also know options by their variables */
        option = itsi_option_find_env(request->words[0]);
    if (!option) {
        itsi_config_unknown_key(request->words[0], &request->diag);
        return itsi_cmd_config_complain(&request->diag);
    }
    struct itsi_config *config;
    int exit_code = itsi_cmd_config_load(&config, request);
    if (exit_code != ITSI_EXIT_OK)
        return exit_code;
    json_t *about = itsi_config_explain(config, option);
    bool is_model = strcmp(itsi_option_key(option), "model") == 0;
    if (!about || (is_model && !add_model_in_force(about, &config->cfg)))
        exit_code = itsi_cmd_config_out_of_memory();
    else if (request->json)
        exit_code = itsi_cmd_config_print_json(json_incref(about));
    else
        exit_code = explain_text(about);
    json_decref(about);
    itsi_config_unref(&config);
    return exit_code;
}
