/* The public configuration: what is to be read, put together when it is needed. */
#include "optimizer/config_handle.h"

#include "base/diag.h"
#include "base/mem.h"
#include "config/dump.h"
#include "config/load.h"

#include <unistd.h>

struct its_config {
    struct itsi_config_args args;
};

int its_config_create(its_config **out, struct its_diag *diag)
{
    its_config *config = itsi_zalloc(sizeof *config);
    if (!config)
        return itsi_fail(diag, ITS_ENOMEM, "configuration: out of memory");
    itsi_config_args_init(&config->args, environ);
    *out = config;
    return 0;
}

void its_config_destroy(its_config *config)
{
    if (!config)
        return;
    itsi_config_args_fini(&config->args);
    itsi_free(config);
}

int its_config_load(its_config *config, const char *path, struct its_diag *diag)
{
    return itsi_config_args_file(&config->args, path, diag);
}

int its_config_set(its_config *config, const char *key, const char *value, struct its_diag *diag)
{
    return itsi_config_args_option(&config->args, key, value, "its_config_set", diag);
}

int its_config_json(const its_config *config, char **out, struct its_diag *diag)
{
    struct itsi_config *loaded;
    int rc = itsi_config_load(&loaded, &config->args, diag);
    if (rc != 0)
        return rc;
    struct itsi_buf buf;
    itsi_buf_init(&buf);
    rc = itsi_config_text(loaded, ITSI_DUMP_FULL, &buf);
    itsi_config_unref(&loaded);
    char *text = rc == 0 ? itsi_buf_take(&buf) : NULL;
    itsi_buf_fini(&buf);
    if (rc == 0 && !text)
        rc = itsi_fail(diag, ITS_ENOMEM, "configuration: out of memory");
    if (rc == 0)
        *out = text;
    return rc;
}

const struct itsi_config_args *itsi_config_handle_args(const its_config *config) { return &config->args; }
