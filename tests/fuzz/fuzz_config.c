/* The configuration's readers: a document, --set assignments and variables. Input: lines "set KEY=VALUE",
 * "env NAME=VALUE" and "camera [ID=]URL" up to a NUL byte, then the document; without a NUL all of it is the document.
 * Whatever loads must be written and load again to the same values. */
#include "fuzz.h"

#include "base/mem.h"
#include "config/dump.h"
#include "config/store.h"
#include "config/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VARIABLES = 16 };

static void must(int holds, const char *what, const char *detail)
{
    if (!holds) {
        fprintf(stderr, "fuzz_config: %s: %s\n", what, detail);
        abort();
    }
}

static void written_loads_again(struct itsi_config *config, const struct itsi_config_args *args)
{
    struct itsi_buf text;
    struct its_diag diag = {{0}};
    struct itsi_config *again = NULL;
    itsi_buf_init(&text);
    must(itsi_config_text(config, ITSI_DUMP_REVEAL | ITSI_DUMP_FULL, &text) == 0, "no text", "");
    struct itsi_config_args second;
    itsi_config_args_init(&second, args->env);
    second.ignore_env_options = true;
    second.document = text.data;
    second.document_len = text.len;
    must(itsi_config_load(&again, &second, &diag) == 0, "what was written does not load", diag.text);
    for (size_t i = 0; i < itsi_option_count; i++)
        must(itsi_option_equal(&config->cfg, &again->cfg, &itsi_options[i]), "differs", itsi_options[i].full_key);
    itsi_config_args_fini(&second);
    itsi_config_unref(&again);
    itsi_buf_reset(&text);
    must(itsi_config_text(config, 0, &text) == 0, "no redacted text", "");
    itsi_buf_fini(&text);
}

static void explain_all(const struct itsi_config *config)
{
    for (size_t i = 0; i < itsi_option_count; i += 7) {
        json_t *about = itsi_config_explain(config, &itsi_options[i]);
        must(about != NULL, "no explanation", itsi_options[i].full_key);
        json_decref(about);
    }
}

static void take_line(struct itsi_config_args *args, char **env, size_t *variables, char *line)
{
    struct its_diag diag;
    int rc = 0;
    if (strncmp(line, "set ", 4) == 0)
        rc = itsi_config_args_set(args, line + 4, &diag);
    else if (strncmp(line, "camera ", 7) == 0)
        rc = itsi_config_args_camera(args, line + 7, &diag);
    else if (strncmp(line, "env ", 4) == 0 && *variables < VARIABLES)
        env[(*variables)++] = line + 4;
    (void)rc; /* a refused assignment leaves args as they were */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int prepared;
    if (!prepared && freopen("/dev/null", "r", stdin)) /* {"file": "/dev/stdin"} must not wait */
        prepared = 1;
    const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
    size_t head_len = nul ? (size_t)(nul - data) : 0;
    char *head = malloc(head_len + 1), *env[VARIABLES + 1] = {NULL}, *rest = head;
    if (!head)
        return 0;
    memcpy(head, data, head_len);
    head[head_len] = '\0';
    struct itsi_config_args args;
    itsi_config_args_init(&args, env);
    size_t variables = 0;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        take_line(&args, env, &variables, line);
    size_t start = nul ? head_len + 1 : 0;
    if (start < size) {
        args.document = (const char *)data + start;
        args.document_len = size - start;
    }
    struct itsi_config *config = NULL;
    struct its_diag diag;
    if (itsi_config_load(&config, &args, &diag) == 0) {
        written_loads_again(config, &args);
        explain_all(config);
    }
    itsi_config_unref(&config);
    itsi_config_args_fini(&args);
    free(head);
    return 0;
}
