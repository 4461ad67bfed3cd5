#include "pool/progress.h"

#include <stdlib.h>
#include <string.h>

/* The value behind "key=", which may be preceded by blanks or be no number ("N/A"). */
static bool raise_to(int64_t *value, const char *text)
{
    char *end;
    const long long now = strtoll(text, &end, 10);
    if (end == text || now <= *value)
        return false;
    *value = now;
    return true;
}

static bool take_line(struct itsi_progress *p)
{
    static const struct {
        const char *key;
        size_t at;
    } figures[] = {
        {"frame=", offsetof(struct itsi_progress, frames)},
        {"total_size=", offsetof(struct itsi_progress, bytes)},
        {"out_time_us=", offsetof(struct itsi_progress, media_us)},
    };
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        const size_t len = strlen(figures[i].key);
        if (strncmp(p->line, figures[i].key, len) == 0)
            return raise_to((int64_t *)((char *)p + figures[i].at), p->line + len);
    }
    p->ended |= strcmp(p->line, "progress=end") == 0;
    return false;
}

bool itsi_progress_feed(struct itsi_progress *p, const char *data, size_t len)
{
    bool went_on = false;
    for (size_t i = 0; i < len; i++) {
        if (data[i] != '\n') {
            if (p->len < sizeof p->line - 1) /* a longer one is none that is looked for */
                p->line[p->len++] = data[i];
            continue;
        }
        p->line[p->len] = '\0';
        p->len = 0;
        went_on |= take_line(p);
    }
    return went_on;
}
