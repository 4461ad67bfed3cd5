#include "pool/last_lines.h"

#include "base/url.h"

#include <string.h>

#define ROOM ((uint64_t)ITSI_LAST_LINES + 1)

static struct itsi_last_line *open_line(struct itsi_last_lines *lines) { return &lines->ring[lines->count % ROOM]; }

void itsi_last_lines_reset(struct itsi_last_lines *lines)
{
    lines->count = lines->bytes = 0;
    *open_line(lines) = (struct itsi_last_line){.len = 0};
}

static void append(struct itsi_last_line *line, const char *data, size_t len)
{
    const size_t room = ITSI_LAST_LINE_SIZE - 1U - line->len, taken = len < room ? len : room;
    memcpy(line->text + line->len, data, taken);
    line->len = (uint16_t)(line->len + taken);
    line->cut |= taken < len;
}

void itsi_last_lines_feed(struct itsi_last_lines *lines, const char *data, size_t len)
{
    lines->bytes += len;
    while (len) {
        size_t run = 0;
        while (run < len && data[run] != '\n' && data[run] != '\r')
            run++;
        append(open_line(lines), data, run);
        if (run == len)
            return;
        if (open_line(lines)->len) {
            lines->count++;
            *open_line(lines) = (struct itsi_last_line){.len = 0};
        }
        data += run + 1;
        len -= run + 1;
    }
}

/* --- showing ------------------------------------------------------------------------------------------------------ */

static void hide_word(char *text, bool cut, const char *word)
{
    const size_t len = strlen(word);
    if (!len)
        return;
    for (char *hit = text; (hit = strstr(hit, word)) != NULL; hit += len)
        memset(hit, '*', len);
    const size_t all = strlen(text);
    for (size_t part = cut ? len - 1 : 0; part; part--)
        if (part <= all && memcmp(text + all - part, word, part) == 0)
            memset(text + all - part, '*', part);
}

static bool ends_address(char c) { return c == ' ' || c == '\t' || c == '\'' || c == '"' || c == '\0'; }

static void show_word(const char *word, struct itsi_buf *out)
{
    size_t len;
    for (const char *secret; (secret = itsi_url_find_secret(word, &len)) != NULL; word = secret + len) {
        itsi_buf_add(out, word, (size_t)(secret - word));
        itsi_buf_puts(out, "***");
    }
    itsi_buf_puts(out, word);
}

/* What follows is user and password, in base64. */
static void hide_login(char *text)
{
    static const char header[] = "authorization: basic ";
    char *login = strcasestr(text, header);
    if (login)
        strcpy(login + sizeof header - 1, "***");
}

/* Word by word: an address is one, or lies in one. */
static void show_line(char *text, bool cut, struct itsi_buf *out)
{
    for (char delimiter = ' '; delimiter; text++) {
        char *end = text;
        while (!ends_address(*end))
            end++;
        delimiter = *end;
        *end = '\0';
        char *scheme_end = strstr(text, "://");
        if (cut && !delimiter && scheme_end)
            scheme_end[3] = '\0';
        show_word(text, out);
        if (delimiter)
            itsi_buf_add(out, &delimiter, 1);
        text = end;
    }
    itsi_buf_puts(out, cut ? "...\n" : "\n");
}

void itsi_last_lines_show(const struct itsi_last_lines *lines, const char *const *secrets, struct itsi_buf *out)
{
    char text[ITSI_LAST_LINE_SIZE + 4]; /* and "***" */
    const uint64_t first = lines->count > ITSI_LAST_LINES ? lines->count - ITSI_LAST_LINES : 0;
    for (uint64_t i = first; i <= lines->count; i++) {
        const struct itsi_last_line *line = &lines->ring[i % ROOM];
        if (!line->len)
            continue;
        for (size_t k = 0; k < line->len; k++) /* control characters forge nothing on a terminal */
            text[k] = (unsigned char)line->text[k] < ' ' ? ' ' : line->text[k];
        text[line->len] = '\0';
        for (const char *const *word = secrets; word && *word; word++)
            hide_word(text, line->cut, *word);
        hide_login(text);
        show_line(text, line->cut, out);
    }
}
