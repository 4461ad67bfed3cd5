#include "pool/redis_url.h"

#include "base/diag.h"
#include "base/url.h"
#include "pool/server_url.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REDIS_PORT 6379
#define SENTINEL_PORT 26379
#define MOST_DB 1000000

struct parsing {
    struct itsi_redis_url url;
    struct itsi_url generic; /* with the first host */
    struct its_diag *diag;
};

#define FAIL(p, ...) itsi_fail((p)->diag, ITS_EINVAL, __VA_ARGS__)

static int parse_scheme(struct parsing *p)
{
    static const struct {
        const char *name;
        enum itsi_redis_via via;
        bool is_tls;
    } schemes[] = {{"redis", ITSI_REDIS_DIRECT, false},
                   {"rediss", ITSI_REDIS_DIRECT, true},
                   {"redis+sentinel", ITSI_REDIS_SENTINEL, false},
                   {"rediss+sentinel", ITSI_REDIS_SENTINEL, true},
                   {"unix", ITSI_REDIS_UNIX, false}};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strcmp(p->generic.scheme, schemes[i].name) != 0)
            continue;
        p->url.via = schemes[i].via;
        p->url.is_tls = schemes[i].is_tls;
        return 0;
    }
    return FAIL(p, "scheme: redis, rediss, redis+sentinel, rediss+sentinel or unix is wanted");
}

static int add_host(struct parsing *p, const struct itsi_url *url)
{
    if (!url->host[0])
        return FAIL(p, "host: missing");
    if (p->url.host_count == ITSI_REDIS_HOSTS)
        return FAIL(p, "host: more than %d", ITSI_REDIS_HOSTS);
    struct itsi_redis_host *host = &p->url.hosts[p->url.host_count++];
    memcpy(host->name, url->host, sizeof host->name);
    host->port = url->port ? url->port : p->url.via == ITSI_REDIS_SENTINEL ? SENTINEL_PORT : REDIS_PORT;
    return 0;
}

/* ",host:port,host:port": what follows the first. */
static int add_hosts(struct parsing *p, const char *list, const char *end)
{
    int rc = 0;
    while (!rc && list < end) {
        const char *start = list + 1, *comma = memchr(start, ',', (size_t)(end - start));
        char text[320];
        struct itsi_url url;
        list = comma ? comma : end;
        if (snprintf(text, sizeof text, "redis://%.*s", (int)(list - start), start) >= (int)sizeof text ||
            itsi_url_parse(&url, text, NULL))
            return FAIL(p, "host: number %d is malformed", p->url.host_count + 1);
        rc = add_host(p, &url);
    }
    return rc;
}

static int parse_whole(const char *text, long least, long most, long *out)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end || text[0] == '+' || value < least || value > most)
        return ITS_EINVAL;
    *out = value;
    return 0;
}

static int parse_db(struct parsing *p, const char *text)
{
    long db;
    if (parse_whole(text, 0, MOST_DB, &db))
        return FAIL(p, "db: '%.32s' is no number from 0 to %d", text, MOST_DB);
    p->url.db = (int)db;
    return 0;
}

static int parse_path(struct parsing *p)
{
    const char *path = p->generic.path;
    if (p->url.via == ITSI_REDIS_UNIX) {
        if (!path[0] || !path[1])
            return FAIL(p, "path: the socket's is missing");
        if (strlen(path) >= sizeof p->url.socket)
            return FAIL(p, "path: a socket's may have %zu bytes", sizeof p->url.socket - 1);
        strcpy(p->url.socket, path);
        return 0;
    }
    path += *path == '/';
    if (p->url.via == ITSI_REDIS_SENTINEL) {
        size_t len = strcspn(path, "/");
        if (!len || len >= sizeof p->url.master)
            return FAIL(p, "path: the master's name is %s", len ? "too long" : "missing");
        memcpy(p->url.master, path, len);
        path += len;
        path += *path == '/';
    }
    return *path ? parse_db(p, path) : 0;
}

static int parse_seconds(struct parsing *p, const char *key, const char *text, double *out)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value) || value <= 0 || value > 3600)
        return FAIL(p, "%s: '%.32s' is no number of seconds up to 3600", key, text);
    *out = value;
    return 0;
}

static int parse_choice(struct parsing *p, const char *key, const char *text, const char *yes, const char *no, bool *out)
{
    if (strcmp(text, yes) != 0 && strcmp(text, no) != 0)
        return FAIL(p, "%s: %s or %s is wanted, not '%.32s'", key, yes, no, text);
    *out = strcmp(text, yes) == 0;
    return 0;
}

static int take_text(struct parsing *p, const char *key, const char *text, char *out, size_t size)
{
    if (strlen(text) >= size)
        return FAIL(p, "%s: longer than %zu bytes", key, size - 1);
    strcpy(out, text);
    return 0;
}

static int parse_key(struct parsing *p, const char *key, const char *text)
{
    struct itsi_redis_url *u = &p->url;
    const struct {
        const char *key;
        char *out;
        size_t size;
    } texts[] = {{"client_name", u->client_name, sizeof u->client_name},
                 {"ssl_ca_certs", u->tls.ca_file, sizeof u->tls.ca_file},
                 {"ssl_certfile", u->tls.cert_file, sizeof u->tls.cert_file},
                 {"ssl_keyfile", u->tls.key_file, sizeof u->tls.key_file},
                 {"sentinel_username", u->sentinel_user, sizeof u->sentinel_user},
                 {"sentinel_password", u->sentinel_password, sizeof u->sentinel_password}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(key, texts[i].key) == 0)
            return take_text(p, key, text, texts[i].out, texts[i].size);
    if (strcmp(key, "db") == 0)
        return parse_db(p, text);
    if (strcmp(key, "socket_connect_timeout") == 0)
        return parse_seconds(p, key, text, &u->connect_seconds);
    if (strcmp(key, "socket_timeout") == 0)
        return parse_seconds(p, key, text, &u->command_seconds);
    if (strcmp(key, "ssl_cert_reqs") == 0)
        return parse_choice(p, key, text, "none", "required", &u->tls.is_unchecked);
    if (strcmp(key, "ssl_check_hostname") == 0)
        return parse_choice(p, key, text, "false", "true", &u->tls.any_name);
    return FAIL(p, "'%.32s' is no key", key);
}

static int parse_query(struct parsing *p)
{
    for (const char *at = p->generic.query; *at;) {
        size_t len = strcspn(at, "&"), name_len = strcspn(at, "=&");
        char name[64], value[512];
        if (!name_len || name_len >= sizeof name || at[name_len] != '=')
            return FAIL(p, "query: key=value is wanted");
        memcpy(name, at, name_len);
        name[name_len] = '\0';
        if (itsi_url_param(&p->generic, name, value, sizeof value) != 1)
            return FAIL(p, "%s: too long or malformed", name);
        int rc = parse_key(p, name, value);
        if (rc)
            return rc;
        at += len;
        at += *at == '&';
    }
    return 0;
}

/* Splits what every URL has, with the first of several hosts in place of all; the rest of them is [*more, *more_end). */
static int parse_generic(struct parsing *p, const char *text, const char **more, const char **more_end)
{
    const char *authority = strstr(text, "://");
    authority = authority ? authority + 3 : text;
    const char *end = authority + strcspn(authority, "/?#"), *host = authority;
    for (const char *c = authority; c < end; c++)
        if (*c == '@')
            host = c + 1;
    const char *comma = memchr(host, ',', (size_t)(end - host));
    char single[4096];
    *more = comma ? comma : end;
    *more_end = end;
    if (snprintf(single, sizeof single, "%.*s%s", (int)(*more - text), text, end) >= (int)sizeof single)
        return FAIL(p, "longer than %zu bytes", sizeof single - 1);
    struct its_diag ignored; /* it names the URL once more */
    if (itsi_url_parse(&p->generic, single, &ignored))
        return FAIL(p, "user, host or port is malformed");
    return 0;
}

static int parse(struct parsing *p, const char *text)
{
    const char *more, *end;
    if (itsi_server_url_is_torn(text))
        return FAIL(p, "an '@' behind the host: in user and password / ? # and @ are written %%2F %%3F %%23 and %%40");
    int rc = parse_generic(p, text, &more, &end);
    if (!rc)
        rc = parse_scheme(p);
    if (!rc && p->url.via == ITSI_REDIS_UNIX) {
        if (p->generic.host[0])
            rc = FAIL(p, "host: a unix socket has none (unix:///path)");
    } else if (!rc) {
        rc = add_host(p, &p->generic);
        if (!rc)
            rc = add_hosts(p, more, end);
    }
    if (!rc)
        rc = parse_path(p);
    if (!rc)
        rc = parse_query(p);
    memcpy(p->url.user, p->generic.user, sizeof p->url.user);
    memcpy(p->url.password, p->generic.password, sizeof p->url.password);
    return rc;
}

/* redis-cli takes what stands alone before the '@' for a password; redis-py and the URL standard for a user, and so is it
 * taken here. It may yet have been meant as the other, so it is not shown. */
static void show(const char *text, char *out, size_t size)
{
    char twisted[4096];
    const char *scheme_end = strstr(text, "://");
    const char *rest = scheme_end ? scheme_end + 3 : text;
    const char *at = memchr(rest, '@', strcspn(rest, "/?#:"));
    if (!at || snprintf(twisted, sizeof twisted, "%.*s:%s", (int)(rest - text), text, rest) >= (int)sizeof twisted)
        itsi_server_url_show(text, out, size);
    else
        itsi_server_url_show(twisted, out, size);
    explicit_bzero(twisted, sizeof twisted);
}

int itsi_redis_url_parse(struct itsi_redis_url *out, const char *text, struct its_diag *diag)
{
    struct parsing p = {.diag = diag};
    show(text, p.url.shown, sizeof p.url.shown);
    int rc = parse(&p, text);
    if (rc)
        return itsi_diag_prefix(diag, rc, "Redis URL '%s'", p.url.shown);
    *out = p.url;
    return 0;
}
