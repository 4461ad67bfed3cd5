/* Which of the two formats a scraper wants, from its Accept header (RFC 9110, 12.5.1). */
#include "metrics/exposition.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One media range: "type/subtype; version=1.0.0; q=0.5". */
struct range {
    char type[64], version[16];
    double q;
};

/* Copies without the blanks around; empty where it is too long to be one of ours. */
static void copy_trimmed(char *out, size_t size, const char *text, size_t len)
{
    while (len && strchr(" \t\"", *text))
        text++, len--;
    while (len && strchr(" \t\"", text[len - 1]))
        len--;
    if (len >= size)
        len = 0;
    memcpy(out, text, len);
    out[len] = '\0';
}

static void read_parameter(struct range *range, const char *text, size_t len)
{
    char name[16], value[16];
    const char *equals = memchr(text, '=', len);
    if (!equals)
        return;
    copy_trimmed(name, sizeof name, text, (size_t)(equals - text));
    copy_trimmed(value, sizeof value, equals + 1, len - (size_t)(equals + 1 - text));
    if (strcasecmp(name, "version") == 0)
        memcpy(range->version, value, sizeof value);
    else if (strcasecmp(name, "q") == 0)
        range->q = strtod(value, NULL);
}

/* Reads a range and returns where the next begins; NULL: that was the last. */
static const char *read_range(struct range *range, const char *text)
{
    *range = (struct range){.q = 1};
    size_t len = strcspn(text, ",;");
    copy_trimmed(range->type, sizeof range->type, text, len);
    text += len;
    while (*text == ';') {
        len = strcspn(++text, ",;");
        read_parameter(range, text, len);
        text += len;
    }
    return *text == ',' ? text + 1 : NULL;
}

static bool has_version(const struct range *range, const char *version)
{
    return !range->version[0] || strcmp(range->version, version) == 0;
}

enum itsi_exposition_format itsi_exposition_accepted(const char *accept)
{
    double open = 0, text = 0;
    struct range range;
    while (accept) {
        accept = read_range(&range, accept);
        if (strcasecmp(range.type, "application/openmetrics-text") == 0 && has_version(&range, "1.0.0"))
            open = range.q > open ? range.q : open;
        else if (strcasecmp(range.type, "text/plain") == 0 && has_version(&range, "0.0.4"))
            text = range.q > text ? range.q : text;
    }
    return open > 0 && open >= text ? ITSI_EXPOSITION_OPENMETRICS : ITSI_EXPOSITION_TEXT;
}
