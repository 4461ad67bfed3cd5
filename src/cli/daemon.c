#include "cli/daemon.h"

#include "base/diag.h"
#include "cli/cli.h"
#include "net/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int itsi_daemon_token_file(struct itsi_daemon *daemon, const char *path, struct its_diag *diag)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return itsi_fail_errno(diag, errno, "token file '%s'", path);
    char *got = fgets(daemon->token, sizeof daemon->token, file);
    fclose(file);
    if (!got)
        return itsi_fail(diag, ITS_EFORMAT, "token file '%s' is empty", path);
    daemon->token[strcspn(daemon->token, "\r\n")] = '\0';
    return 0;
}

void itsi_daemon_init(struct itsi_daemon *daemon)
{
    *daemon = (struct itsi_daemon){.url = ITSI_DEFAULT_URL};
    const char *token = getenv("PERFORMANCE__TOKEN");
    if (token)
        snprintf(daemon->token, sizeof daemon->token, "%s", token);
}

/* The server explains itself in application/problem+json. */
static void print_problem(int status, const json_t *answer)
{
    const char *detail = json_string_value(json_object_get(answer, "detail"));
    const char *title = json_string_value(json_object_get(answer, "title"));
    fprintf(stderr, "its-camera-ai: the daemon answered %d: %s\n", status, detail ? detail : title ? title : "no reason given");
}

int itsi_daemon_ask(const struct itsi_daemon *daemon, const char *method, const char *path, const char *body,
                    json_t **answer)
{
    char url[2048];
    size_t base = strlen(daemon->url);
    while (base && daemon->url[base - 1] == '/')
        base--;
    snprintf(url, sizeof url, "%.*s%s", (int)base, daemon->url, path);
    const struct itsi_http_request request = {
        .method = method, .url = url, .token = daemon->token[0] ? daemon->token : NULL, .body = body};
    struct itsi_buf text;
    struct its_diag diag;
    int status = 0;
    itsi_buf_init(&text);
    int rc = itsi_http_perform(&request, &status, &text, &diag);
    if (rc != 0) {
        fprintf(stderr, "its-camera-ai: no daemon answers: %s\n", diag.text);
        itsi_buf_fini(&text);
        return rc == ITS_EREFUSED || rc == ITS_ETIMEOUT ? ITSI_EXIT_NOT_RUNNING
               : rc == ITS_EINVAL                       ? ITSI_EXIT_USAGE
                                                        : ITSI_EXIT_FAILURE;
    }
    json_t *json = text.len ? json_loadb(text.data, text.len, 0, NULL) : NULL;
    itsi_buf_fini(&text);
    if (status < 200 || status > 299) {
        print_problem(status, json);
        json_decref(json);
        return ITSI_EXIT_FAILURE;
    }
    if (answer)
        *answer = json;
    else
        json_decref(json);
    return ITSI_EXIT_OK;
}
