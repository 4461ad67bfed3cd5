/* Class names out of the forms exporters write them in. */
#include "infer/model_impl.h"

#include "base/mem.h"

#include <string.h>

#define NAME_MAX_BYTES 256

struct cursor {
    const char *at, *end;
};

void itsi_names_fini(struct itsi_names *names)
{
    for (int i = 0; i < names->count; i++)
        itsi_free(names->items[i]);
    itsi_free(names->items);
    *names = (struct itsi_names){0};
}

/* Sets class `index`; the list grows to hold it. */
static int set_name(struct itsi_names *names, int64_t index, const char *text, size_t len)
{
    if (index < 0 || index >= ITSI_MAX_CLASSES || len == 0)
        return ITS_EFORMAT;
    if (index >= names->count) {
        char **grown = itsi_realloc(names->items, ((size_t)index + 1) * sizeof *grown);
        if (!grown)
            return ITS_ENOMEM;
        for (int i = names->count; i <= index; i++)
            grown[i] = NULL;
        names->items = grown;
        names->count = (int)index + 1;
    }
    if (names->items[index])
        return ITS_EFORMAT; /* the same class twice */
    char clean[NAME_MAX_BYTES];
    itsi_span_copy((struct itsi_span){text, len}, clean, sizeof clean);
    names->items[index] = itsi_strdup(clean);
    return names->items[index] ? 0 : ITS_ENOMEM;
}

static int finish(struct itsi_names *names, int rc)
{
    if (rc == 0 && names->count == 0)
        rc = ITS_EFORMAT;
    if (rc != 0)
        itsi_names_fini(names);
    return rc;
}

static void skip_space(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
        c->at++;
}

static bool take(struct cursor *c, char wanted)
{
    skip_space(c);
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

/* Digits, at most 9 of them. */
static bool take_number(struct cursor *c, int64_t *out)
{
    skip_space(c);
    int64_t value = 0;
    int digits = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9' && digits < 9; c->at++, digits++)
        value = value * 10 + (*c->at - '0');
    *out = value;
    return digits > 0;
}

static int hex_digit(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    if (ch >= 'a' && ch <= 'f')
        return ch - 'a' + 10;
    return ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}

static size_t put_utf8(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        code = 0xFFFD;
    size_t n = 0;
    if (code < 0x10000) {
        out[n++] = (char)(0xE0 | code >> 12);
    } else {
        out[n++] = (char)(0xF0 | code >> 18);
        out[n++] = (char)(0x80 | (code >> 12 & 0x3F));
    }
    out[n++] = (char)(0x80 | (code >> 6 & 0x3F));
    out[n++] = (char)(0x80 | (code & 0x3F));
    return n;
}

/* After a backslash: the bytes it stands for. 0: not a known escape. */
static size_t take_escape(struct cursor *c, char out[4])
{
    char kind = *c->at++;
    int hex = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
    if (hex) {
        uint32_t code = 0;
        for (int i = 0; i < hex; i++) {
            int digit = c->at < c->end ? hex_digit(*c->at) : -1;
            if (digit < 0)
                return 0;
            code = code << 4 | (uint32_t)digit;
            c->at++;
        }
        return put_utf8(code, out);
    }
    switch (kind) {
    case 'n':
    case 'r':
    case 't':
        out[0] = ' ';
        return 1;
    case '\\':
    case '\'':
    case '"':
    case '/':
        out[0] = kind;
        return 1;
    default:
        return 0;
    }
}

/* A string in single or double quotes, as Python or JSON write it. What exceeds `size` is cut off. */
static bool take_string(struct cursor *c, char *out, size_t size, size_t *len)
{
    skip_space(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return false;
    char quote = *c->at++;
    *len = 0;
    while (c->at < c->end && *c->at != quote) {
        char bytes[4] = {*c->at++};
        size_t n = 1;
        if (bytes[0] == '\\') {
            if (c->at == c->end || (n = take_escape(c, bytes)) == 0)
                return false;
        }
        if (*len + n <= size) {
            memcpy(out + *len, bytes, n);
            *len += n;
        }
    }
    if (c->at == c->end)
        return false;
    c->at++;
    return true;
}

/* One "key: value" or, in a list, one value. */
static int take_item(struct itsi_names *names, struct cursor *c, bool is_list, int64_t next)
{
    char text[NAME_MAX_BYTES];
    size_t len;
    int64_t index = next;
    if (!is_list) {
        if (take_number(c, &index)) {
            ;
        } else if (take_string(c, text, sizeof text, &len)) { /* JSON keys are strings */
            struct cursor key = {text, text + len};
            if (!take_number(&key, &index) || key.at != key.end)
                return ITS_EFORMAT;
        } else {
            return ITS_EFORMAT;
        }
        if (!take(c, ':'))
            return ITS_EFORMAT;
    }
    if (!take_string(c, text, sizeof text, &len))
        return ITS_EFORMAT;
    return set_name(names, index, text, len);
}

int itsi_names_from_dict(struct itsi_names *names, struct itsi_span text)
{
    itsi_names_fini(names);
    struct cursor c = {text.data, text.data + text.len};
    bool is_list = take(&c, '[');
    if (!is_list && !take(&c, '{'))
        return ITS_EFORMAT;
    char closer = is_list ? ']' : '}';
    int rc = 0;
    for (int64_t n = 0; rc == 0 && !take(&c, closer); n++) {
        if (n > 0 && !take(&c, ','))
            rc = ITS_EFORMAT;
        else if (n > 0 && take(&c, closer)) /* a comma after the last one */
            break;
        else
            rc = take_item(names, &c, is_list, n);
    }
    return finish(names, rc);
}

int itsi_names_from_words(struct itsi_names *names, struct itsi_span text)
{
    itsi_names_fini(names);
    struct cursor c = {text.data, text.data + text.len};
    int rc = 0;
    for (int64_t n = 0; rc == 0; n++) {
        skip_space(&c);
        if (c.at == c.end)
            break;
        char word[NAME_MAX_BYTES];
        size_t len = 0;
        for (; c.at < c.end && !strchr(" \t\r\n", *c.at); c.at++)
            if (len < sizeof word)
                word[len++] = *c.at == '_' ? ' ' : *c.at; /* exporters write "traffic_light" */
        rc = set_name(names, n, word, len);
    }
    return finish(names, rc);
}

/* The next line without its end; false at the end of the text. */
static bool take_line(struct cursor *c, struct itsi_span *line)
{
    if (c->at == c->end)
        return false;
    const char *stop = memchr(c->at, '\n', (size_t)(c->end - c->at));
    line->data = c->at;
    line->len = (size_t)((stop ? stop : c->end) - c->at);
    c->at = stop ? stop + 1 : c->end;
    while (line->len && (line->data[line->len - 1] == '\r' || line->data[line->len - 1] == ' ' ||
                         line->data[line->len - 1] == '\t'))
        line->len--;
    return true;
}

int itsi_names_from_lines(struct itsi_names *names, struct itsi_span text)
{
    itsi_names_fini(names);
    struct cursor c = {text.data, text.data + text.len};
    struct itsi_span line;
    int64_t n = 0;
    bool blank = false;
    int rc = 0;
    while (rc == 0 && take_line(&c, &line)) {
        if (line.len == 0) {
            blank = true; /* fine at the end only: a gap would shift every class after it */
            continue;
        }
        rc = blank ? ITS_EFORMAT : set_name(names, n++, line.data, line.len);
    }
    return finish(names, rc);
}

/* "  7: truck", "  7: 'fire hydrant'" or "- truck". */
static int yaml_item(struct itsi_names *names, struct cursor *c, int64_t next)
{
    int64_t index = next;
    if (!take(c, '-') && !(take_number(c, &index) && take(c, ':')))
        return ITS_EFORMAT;
    char text[NAME_MAX_BYTES];
    size_t len;
    struct cursor quoted = *c;
    if (take_string(&quoted, text, sizeof text, &len))
        return set_name(names, index, text, len);
    skip_space(c);
    return set_name(names, index, c->at, (size_t)(c->end - c->at));
}

int itsi_names_from_yaml(struct itsi_names *names, struct itsi_span text)
{
    static const char head[] = "names:";
    itsi_names_fini(names);
    struct cursor c = {text.data, text.data + text.len};
    struct itsi_span line = {0};
    bool found = false;
    while (!found && take_line(&c, &line))
        found = line.len >= sizeof head - 1 && memcmp(line.data, head, sizeof head - 1) == 0;
    if (!found)
        return ITS_EFORMAT;
    if (line.len > sizeof head - 1) /* on the same line: names: {0: car} with quotes */
        return itsi_names_from_dict(names, (struct itsi_span){line.data + sizeof head - 1, line.len - sizeof head + 1});
    int rc = 0;
    for (int64_t n = 0; rc == 0 && take_line(&c, &line);) {
        if (line.len == 0 || line.data[0] == '#')
            continue;
        if (line.data[0] != ' ' && line.data[0] != '-') /* the next key */
            break;
        struct cursor item = {line.data, line.data + line.len};
        rc = yaml_item(names, &item, n++);
    }
    return finish(names, rc);
}
