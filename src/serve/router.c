#include "serve/router.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *pattern;
    unsigned methods;
} routes[ITSI_ROUTE_COUNT] = {
#define ITSI_X(name, pattern, methods) {pattern, methods},
    ITSI_ROUTE_MAP(ITSI_X)
#undef ITSI_X
    {"asset", ITSI_GET},
};

static bool id_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

/* What is made of such characters at the beginning of the path; 0: nothing, or more than there is room for. */
static size_t take_word(const char *path, char *out, size_t size)
{
    size_t len = 0;
    while (id_character(path[len]))
        len++;
    if (len >= size)
        return 0;
    memcpy(out, path, len);
    out[len] = '\0';
    return len;
}

static size_t take_clip(const char *path, char *out)
{
    struct itsi_clip_facts facts;
    const size_t len = take_word(path, out, ITSI_CLIP_NAME_SIZE);
    return len && itsi_clip_facts_of_name(&facts, out) ? len : 0;
}

/* Pattern against path, taking {id} and {clip} on the way. */
static bool matches(const char *pattern, const char *path, struct itsi_match *out)
{
    out->camera[0] = out->clip[0] = '\0';
    while (*pattern) {
        if (*pattern == '{') {
            const bool clip = strncmp(pattern, "{clip}", 6) == 0;
            const size_t len = clip ? take_clip(path, out->clip) : take_word(path, out->camera, sizeof out->camera);
            if (len == 0)
                return false;
            path += len;
            pattern = strchr(pattern, '}') + 1;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

void itsi_router_match(const char *path, struct itsi_match *out)
{
    for (int i = 0; i < ITSI_ROUTE_ASSET; i++)
        if (matches(routes[i].pattern, path, out)) {
            out->route = (enum itsi_route)i;
            out->methods = routes[i].methods;
            return;
        }
    out->camera[0] = out->clip[0] = '\0';
    out->route = ITSI_ROUTE_ASSET;
    out->methods = routes[ITSI_ROUTE_ASSET].methods;
}

const char *itsi_route_pattern(enum itsi_route route) { return routes[route].pattern; }
unsigned itsi_route_methods(enum itsi_route route) { return routes[route].methods; }

void itsi_route_allow(unsigned methods, char out[48])
{
    snprintf(out, 48, "%s%s%s%s", methods & ITSI_GET ? "GET, HEAD" : "",
             methods & ITSI_GET && methods & ITSI_POST ? ", " : "", methods & ITSI_POST ? "POST" : "",
             methods & ITSI_DELETE ? ", DELETE" : "");
}

unsigned itsi_method_of(const char *name)
{
    if (strcmp(name, "GET") == 0 || strcmp(name, "HEAD") == 0)
        return ITSI_GET;
    if (strcmp(name, "POST") == 0)
        return ITSI_POST;
    if (strcmp(name, "DELETE") == 0)
        return ITSI_DELETE;
    return 0;
}
