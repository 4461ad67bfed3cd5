#include "base/url.h"

#include "base/diag.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Percent-decodes [start, end) into out. False when it does not fit or holds a NUL. */
static int decode(const char *start, const char *end, char *out, size_t size)
{
    size_t used = 0;
    for (const char *p = start; p < end; p++) {
        char c = *p;
        if (c == '%' && end - p > 2 && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
            char hex[3] = {p[1], p[2], 0};
            c = (char)strtol(hex, NULL, 16);
            p += 2;
        }
        if (c == '\0' || used + 1 >= size)
            return 0;
        out[used++] = c;
    }
    out[used] = '\0';
    return 1;
}

static int copy(const char *start, const char *end, char *out, size_t size)
{
    if ((size_t)(end - start) >= size)
        return 0;
    memcpy(out, start, (size_t)(end - start));
    out[end - start] = '\0';
    return 1;
}

/* End of "scheme://", or NULL when text has no scheme. */
static const char *after_scheme(const char *text)
{
    const char *sep = strstr(text, "://");
    if (!sep || sep == text)
        return NULL;
    for (const char *p = text; p < sep; p++)
        if (!isalnum((unsigned char)*p) && *p != '+' && *p != '-' && *p != '.')
            return NULL;
    return sep + 3;
}

/* The userinfo ends at the last '@' before the first of "/?#". NULL when there is none. */
static const char *find_at(const char *authority)
{
    const char *at = NULL;
    for (const char *p = authority; *p && *p != '/' && *p != '?' && *p != '#'; p++)
        if (*p == '@')
            at = p;
    return at;
}

static int parse_authority(struct itsi_url *url, const char *p, const char *end)
{
    const char *at = find_at(p);
    if (at && at < end) {
        const char *colon = memchr(p, ':', (size_t)(at - p));
        if (!decode(p, colon ? colon : at, url->user, sizeof url->user))
            return 0;
        if (colon && !decode(colon + 1, at, url->password, sizeof url->password))
            return 0;
        p = at + 1;
    }
    const char *host_end;
    if (*p == '[') {
        host_end = memchr(p, ']', (size_t)(end - p));
        if (!host_end || !copy(p + 1, host_end, url->host, sizeof url->host))
            return 0;
        host_end++;
    } else {
        host_end = memchr(p, ':', (size_t)(end - p));
        if (!host_end)
            host_end = end;
        if (!copy(p, host_end, url->host, sizeof url->host))
            return 0;
    }
    if (host_end < end) {
        char *stop;
        long port = strtol(host_end + 1, &stop, 10);
        if (*host_end != ':' || stop != end || stop == host_end + 1 || port < 1 || port > 65535)
            return 0;
        url->port = (int)port;
    }
    return 1;
}

int itsi_url_parse(struct itsi_url *out, const char *text, struct its_diag *diag)
{
    struct itsi_url url = {0};
    char shown[256];
    itsi_url_redact(text, shown, sizeof shown);
    const char *rest = after_scheme(text);
    const char *query = strchr(rest ? rest : text, '?');
    const char *end = text + strlen(text);
    const char *path_end = query ? query : end;
    if (query && !copy(query + 1, end, url.query, sizeof url.query))
        return itsi_fail(diag, ITS_EINVAL, "URL '%s': query too long", shown);
    if (!rest) {
        if (text == path_end)
            return itsi_fail(diag, ITS_EINVAL, "URL '%s': empty", shown);
        memcpy(url.scheme, "file", 5);
        if (!copy(text, path_end, url.path, sizeof url.path))
            return itsi_fail(diag, ITS_EINVAL, "URL '%s': path too long", shown);
        *out = url;
        return 0;
    }
    if (!copy(text, rest - 3, url.scheme, sizeof url.scheme))
        return itsi_fail(diag, ITS_EINVAL, "URL '%s': unknown scheme", shown);
    for (char *c = url.scheme; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    if (strcmp(url.scheme, "file") == 0) {
        if (!decode(rest, path_end, url.path, sizeof url.path))
            return itsi_fail(diag, ITS_EINVAL, "URL '%s': path too long", shown);
    } else {
        const char *authority_end = rest + strcspn(rest, "/?#");
        if (!parse_authority(&url, rest, authority_end))
            return itsi_fail(diag, ITS_EINVAL, "URL '%s': user, host or port is malformed", shown);
        if (authority_end < path_end && !copy(authority_end, path_end, url.path, sizeof url.path))
            return itsi_fail(diag, ITS_EINVAL, "URL '%s': path too long", shown);
    }
    *out = url;
    return 0;
}

int itsi_url_param(const struct itsi_url *url, const char *name, char *out, size_t size)
{
    size_t name_len = strlen(name);
    for (const char *p = url->query; *p;) {
        const char *end = p + strcspn(p, "&");
        if ((size_t)(end - p) > name_len && strncmp(p, name, name_len) == 0 && p[name_len] == '=')
            return decode(p + name_len + 1, end, out, size) ? 1 : ITS_EINVAL;
        p = *end ? end + 1 : end;
    }
    return 0;
}

/* By how a name ends: those of all servers and cameras (sslpassword, access_token, X-Amz-Signature) cannot be listed. */
static int is_secret_name(const char *name, size_t len)
{
    static const char *const ends[] = {"password", "passwd", "pwd",  "pass",      "token", "secret",
                                       "key",      "auth",   "sig",  "signature", "credential"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const size_t end = strlen(ends[i]);
        if (len >= end && strncasecmp(name + len - end, ends[i], end) == 0)
            return 1;
    }
    return 0;
}

struct shown {
    char *out;
    size_t size, used;
};

static void show(struct shown *s, const char *start, size_t len)
{
    for (; len && s->used + 1 < s->size; len--, start++) /* a line break in an address forges no line in a log */
        s->out[s->used++] = (unsigned char)*start < ' ' || *start == 0x7f ? '?' : *start;
}

/* Where the user and password end for the eye. An unescaped / ? or # in the password ends the authority for every
 * parser; what is then no port is a password all the same, up to the last '@'. */
static const char *find_shown_at(const char *authority)
{
    const char *at = find_at(authority);
    const char *end = authority + strcspn(authority, "/?#");
    const char *colon = memchr(authority, ':', (size_t)(end - authority));
    if (at || !colon || *authority == '[')
        return at;
    bool port = end > colon + 1 && strspn(colon + 1, "0123456789") == (size_t)(end - colon - 1);
    return port ? NULL : strrchr(end, '@');
}

void itsi_url_redact(const char *text, char *out, size_t size)
{
    if (!size)
        return;
    struct shown s = {out, size, 0};
    const char *p = text;
    const char *rest = after_scheme(text);
    const char *at = rest ? find_shown_at(rest) : NULL;
    if (at) {
        const char *colon = memchr(rest, ':', (size_t)(at - rest));
        show(&s, text, (size_t)((colon ? colon : at) - text));
        if (colon)
            show(&s, ":***", 4);
        p = at;
    }
    const char *query = strchr(p, '?');
    if (!query) {
        show(&s, p, strlen(p));
    } else {
        show(&s, p, (size_t)(query + 1 - p));
        for (p = query + 1; *p;) {
            size_t len = strcspn(p, "&");
            const char *equals = memchr(p, '=', len);
            if (equals && is_secret_name(p, (size_t)(equals - p))) {
                show(&s, p, (size_t)(equals + 1 - p));
                show(&s, "***", 3);
            } else {
                show(&s, p, len);
            }
            p += len;
            if (*p)
                show(&s, p++, 1);
        }
    }
    s.out[s.used] = '\0';
}

/* Of the address whose "://" begins here; NULL: none. */
static const char *password_at(const char *scheme_end, size_t *len)
{
    const char *authority = scheme_end + 3, *at = find_shown_at(authority);
    const char *colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
    if (!colon || at == colon + 1)
        return NULL;
    *len = (size_t)(at - colon - 1);
    return colon + 1;
}

/* Of the query parameter that begins behind this '?' or '&'; NULL: none. */
static const char *secret_value_at(const char *mark, size_t *len)
{
    const size_t name = strcspn(mark + 1, "=&?");
    if (mark[1 + name] != '=' || !is_secret_name(mark + 1, name))
        return NULL;
    const char *value = mark + 1 + name + 1;
    *len = strcspn(value, "&");
    return *len ? value : NULL;
}

const char *itsi_url_find_secret(const char *text, size_t *len)
{
    const char *found = NULL;
    for (const char *p = text; *p && !found; p++)
        if (strncmp(p, "://", 3) == 0)
            found = password_at(p, len);
        else if (*p == '?' || *p == '&')
            found = secret_value_at(p, len);
    return found;
}

void itsi_url_scrub(const struct itsi_url *url, char *message)
{
    size_t len = strlen(url->password);
    if (!len)
        return;
    /* "***" may be longer than the password: as many stars as fit instead of growing */
    for (char *hit = message; (hit = strstr(hit, url->password)) != NULL; hit += len)
        memset(hit, '*', len);
}
