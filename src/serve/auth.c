#include "serve/auth.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool itsi_auth_equal(const char *a, const char *b)
{
    if (!a || !b)
        return false;
    const size_t la = strlen(a), lb = strlen(b);
    unsigned differs = la != lb;
    for (size_t i = 0; i < la; i++)
        differs |= (unsigned)(unsigned char)a[i] ^ (unsigned)(unsigned char)b[lb ? i % lb : 0];
    return differs == 0;
}

void itsi_auth_cookie(const char *token, char out[ITSI_AUTH_COOKIE_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    size_t used = 0;
    for (; *token && used + 2 < ITSI_AUTH_COOKIE_SIZE; token++) {
        out[used++] = digits[(unsigned char)*token >> 4];
        out[used++] = digits[*token & 15];
    }
    out[used] = '\0';
}

bool itsi_auth_check(const char *token, const struct itsi_credentials *shown)
{
    char cookie[ITSI_AUTH_COOKIE_SIZE];
    const char *bearer = shown->authorization;
    if (bearer && strncasecmp(bearer, "Bearer ", 7) == 0) {
        bearer += 7;
        while (*bearer == ' ')
            bearer++;
    } else {
        bearer = NULL;
    }
    itsi_auth_cookie(token, cookie);
    const bool by_header = itsi_auth_equal(token, bearer), by_query = itsi_auth_equal(token, shown->query);
    const bool by_cookie = itsi_auth_equal(cookie, shown->cookie);
    return by_header || by_query || by_cookie;
}

/* Copies the name of "name:port" or "[v6]:port"; false when it is neither. */
static bool host_name(const char *host, char *out, size_t size)
{
    const char *end;
    if (host[0] == '[') {
        end = strchr(host, ']');
        if (!end)
            return false;
        end++;
    } else {
        end = host + strcspn(host, ":");
    }
    if (*end == ':') {
        const char *p = end + 1;
        while (isdigit((unsigned char)*p))
            p++;
        if (*p)
            return false;
    } else if (*end) {
        return false;
    }
    const size_t len = (size_t)(end - host);
    if (len == 0 || len >= size)
        return false;
    memcpy(out, host, len);
    out[len] = '\0';
    return true;
}

bool itsi_auth_host_is_local(const char *host)
{
    char name[256];
    unsigned a, b, c, d;
    int used = 0;
    if (!host || !host_name(host, name, sizeof name))
        return false;
    if (strcasecmp(name, "localhost") == 0 || strcmp(name, "[::1]") == 0)
        return true;
    return sscanf(name, "%3u.%3u.%3u.%3u%n", &a, &b, &c, &d, &used) == 4 && !name[used] && a == 127 && b < 256 &&
           c < 256 && d < 256;
}

bool itsi_auth_origin_matches(const char *origin, const char *host)
{
    if (!origin)
        return true;
    const char *name = strstr(origin, "://");
    return name && host && strcasecmp(name + 3, host) == 0;
}
