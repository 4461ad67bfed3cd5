#include "pool/server_url.h"

#include "base/url.h"

#include <stdio.h>
#include <string.h>

/* NULL: it has no scheme. */
static const char *authority_of(const char *text)
{
    const size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    return scheme && strncmp(text + scheme, "://", 3) == 0 ? text + scheme + 3 : NULL;
}

bool itsi_server_url_is_torn(const char *text)
{
    const char *authority = authority_of(text);
    const size_t len = authority ? strcspn(authority, "/?#") : 0;
    return len > 0 && strchr(authority + len, '@');
}

void itsi_server_url_show(const char *text, char *out, size_t size)
{
    const char *authority = authority_of(text);
    if (authority && !itsi_server_url_is_torn(text))
        itsi_url_redact(text, out, size);
    else
        snprintf(out, size, "%.*s***", (int)(authority ? authority - text : 0), text);
}
