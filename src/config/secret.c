#include "config/secret.h"

#include "base/diag.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECRET_MOST 65536

const char *itsi_env_get(char *const *env, const char *name)
{
    size_t len = strlen(name);
    for (; env && *env; env++)
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
            return *env + len + 1;
    return NULL;
}

/* Fills data with all that fd gives; -1: more than most. */
static int read_all(int fd, char **data, size_t *len, size_t most)
{
    size_t cap = 0;
    for (;;) {
        if (*len + 1 >= cap) {
            cap = cap ? cap * 2 : 4096;
            char *grown = itsi_realloc(*data, cap);
            if (!grown)
                return ENOMEM;
            *data = grown;
        }
        ssize_t got = read(fd, *data + *len, cap - *len - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0) {
            (*data)[*len] = '\0';
            return 0;
        }
        *len += (size_t)got;
        if (*len > most)
            return EFBIG;
    }
}

int itsi_read_file(const char *path, size_t most, char **out, size_t *len, struct its_diag *diag)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return itsi_fail_errno(diag, errno, "cannot open \"%.200s\"", path);
    char *data = NULL;
    size_t size = 0;
    int err = read_all(fd, &data, &size, most);
    close(fd);
    if (err != 0) {
        itsi_free(data);
        return itsi_fail_errno(diag, err, "cannot read \"%.200s\"", path);
    }
    *out = data;
    *len = size;
    return 0;
}

static int from_file(const char *path, const char *dir, char **text, struct its_diag *diag)
{
    char full[4096];
    bool inside = path[0] != '/' && dir && *dir;
    int used = inside ? snprintf(full, sizeof full, "%s/%s", dir, path) : snprintf(full, sizeof full, "%s", path);
    if (used < 0 || (size_t)used >= sizeof full)
        return itsi_fail(diag, ITS_EINVAL, "the path of the secret's file is too long");
    char *content;
    size_t len;
    int rc = itsi_read_file(full, SECRET_MOST, &content, &len, diag);
    if (rc != 0)
        return rc;
    while (len > 0 && (content[len - 1] == '\n' || content[len - 1] == '\r'))
        content[--len] = '\0';
    if (len == 0 || strlen(content) != len) {
        itsi_free(content);
        return itsi_fail(diag, ITS_EINVAL, "\"%.200s\" %s", full, len ? "is not a text file" : "is empty");
    }
    *text = content;
    return 0;
}

static int from_text(const char *given, char **text, struct its_diag *diag)
{
    if (strcmp(given, "***") == 0 || strstr(given, ":***@") || strstr(given, "=***"))
        return itsi_fail(diag, ITS_EINVAL, "\"***\" stands for a secret that a dump has hidden: give the secret itself, "
                                           "{\"file\": PATH} or {\"env\": NAME}");
    char *copy = itsi_strdup(given);
    if (!copy)
        return itsi_fail(diag, ITS_ENOMEM, "out of memory");
    *text = copy;
    return 0;
}

int itsi_secret_resolve(const json_t *given, const char *dir, char *const *env, char **text, struct its_diag *diag)
{
    const char *plain = json_string_value(given);
    if (json_is_null(given) || (plain && !*plain)) {
        *text = NULL;
        return 0;
    }
    if (plain)
        return from_text(plain, text, diag);
    const char *file = json_string_value(json_object_get(given, "file"));
    const char *name = json_string_value(json_object_get(given, "env"));
    if (json_object_size(given) != 1 || (!file && !name))
        return itsi_fail(diag, ITS_EINVAL, "must be text, {\"file\": PATH} or {\"env\": NAME}");
    if (file)
        return from_file(file, dir, text, diag);
    const char *value = itsi_env_get(env, name);
    if (!value || !*value)
        return itsi_fail(diag, ITS_EINVAL, "the environment variable \"%.100s\" is %s", name, value ? "empty" : "not set");
    return from_text(value, text, diag);
}

json_t *itsi_secret_anchor(json_t *given, const char *dir)
{
    const char *file = json_string_value(json_object_get(given, "file"));
    char here[4096], full[8192];
    if (!file || file[0] == '/' || !getcwd(here, sizeof here))
        return json_incref(given);
    bool from_root = dir && dir[0] == '/', has_dir = dir && *dir;
    int used = snprintf(full, sizeof full, "%s%s%s%s%s", from_root ? "" : here, from_root ? "" : "/", has_dir ? dir : "",
                        has_dir ? "/" : "", file);
    if (used < 0 || (size_t)used >= sizeof full)
        return json_incref(given);
    return json_pack("{s:s}", "file", full);
}
