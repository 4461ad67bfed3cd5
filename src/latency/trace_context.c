#include "latency/trace_context.h"

#include <stdio.h>
#include <string.h>

enum { VERSION_00_LENGTH = 55, LARGE_MEMBER = 128, KEY_MOST = 256, VALUE_MOST = 256 };

/* --- traceparent ------------------------------------------------------------------------------------------------- */

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; /* upper case is malformed */
}

static bool read_hex(const char *text, uint8_t *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int high = digit(text[2 * i]), low = high < 0 ? -1 : digit(text[2 * i + 1]);
        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static void write_hex(const uint8_t *bytes, size_t count, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * count] = '\0';
}

static bool any_set(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i])
            return true;
    return false;
}

bool itsi_trace_id_valid(const struct itsi_trace_id *id) { return any_set(id->bytes, sizeof id->bytes); }
bool itsi_span_id_valid(const struct itsi_span_id *id) { return any_set(id->bytes, sizeof id->bytes); }

void itsi_trace_id_hex(const struct itsi_trace_id *id, char out[ITSI_TRACE_ID_HEX_SIZE])
{
    write_hex(id->bytes, sizeof id->bytes, out);
}

void itsi_span_id_hex(const struct itsi_span_id *id, char out[ITSI_SPAN_ID_HEX_SIZE])
{
    write_hex(id->bytes, sizeof id->bytes, out);
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static const char *skip_blanks(const char *p)
{
    while (is_blank(*p))
        p++;
    return p;
}

bool itsi_traceparent_parse(struct itsi_trace_context *out, const char *value)
{
    const char *p = skip_blanks(value);
    size_t len = strlen(p);
    while (len && is_blank(p[len - 1]))
        len--;
    if (len < VERSION_00_LENGTH || p[2] != '-' || p[35] != '-' || p[52] != '-')
        return false;
    uint8_t version, flags;
    struct itsi_trace_context got = {0};
    if (!read_hex(p, &version, 1) || !read_hex(p + 3, got.trace_id.bytes, sizeof got.trace_id.bytes) ||
        !read_hex(p + 36, got.span_id.bytes, sizeof got.span_id.bytes) || !read_hex(p + 53, &flags, 1))
        return false;
    /* a later version may append fields, after a dash */
    bool ends_well = len == VERSION_00_LENGTH || (version > 0 && p[VERSION_00_LENGTH] == '-');
    if (version == 0xff || !ends_well || !itsi_trace_id_valid(&got.trace_id) || !itsi_span_id_valid(&got.span_id))
        return false;
    got.flags = flags & ITSI_TRACE_SAMPLED;
    *out = got;
    return true;
}

void itsi_traceparent_format(const struct itsi_trace_context *context, char out[ITSI_TRACEPARENT_SIZE])
{
    char trace[ITSI_TRACE_ID_HEX_SIZE], span[ITSI_SPAN_ID_HEX_SIZE];
    itsi_trace_id_hex(&context->trace_id, trace);
    itsi_span_id_hex(&context->span_id, span);
    snprintf(out, ITSI_TRACEPARENT_SIZE, "00-%s-%s-%02x", trace, span, context->flags & ITSI_TRACE_SAMPLED);
}

/* --- tracestate -------------------------------------------------------------------------------------------------- */

struct member {
    const char *text;
    size_t key_len, len;
};

static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_tenant_start(char c) { return is_lower(c) || (c >= '0' && c <= '9'); }
static bool is_key_char(char c)
{
    return is_tenant_start(c) || c == '_' || c == '-' || c == '*' || c == '/';
}

static bool key_part_valid(const char *text, size_t len, size_t most, bool (*start)(char))
{
    if (len == 0 || len > most || !start(text[0]))
        return false;
    for (size_t i = 1; i < len; i++)
        if (!is_key_char(text[i]))
            return false;
    return true;
}

/* simple-key, or tenant-id "@" system-id */
static bool key_valid(const char *key, size_t len)
{
    const char *at = memchr(key, '@', len);
    if (!at)
        return key_part_valid(key, len, KEY_MOST, is_lower);
    size_t tenant = (size_t)(at - key);
    return key_part_valid(key, tenant, 241, is_tenant_start) &&
           key_part_valid(at + 1, len - tenant - 1, 14, is_lower);
}

static bool value_valid(const char *value, size_t len)
{
    if (len == 0 || len > VALUE_MOST || value[len - 1] == ' ')
        return false;
    for (size_t i = 0; i < len; i++)
        if (value[i] < 0x20 || value[i] > 0x7e || value[i] == ',' || value[i] == '=')
            return false;
    return true;
}

static bool member_read(struct member *out, const char *text, size_t len)
{
    const char *equals = memchr(text, '=', len);
    if (!equals)
        return false;
    *out = (struct member){text, (size_t)(equals - text), len};
    return key_valid(text, out->key_len) && value_valid(equals + 1, len - out->key_len - 1);
}

static bool repeated(const struct member *members, int count, const struct member *one)
{
    for (int i = 0; i < count; i++)
        if (members[i].key_len == one->key_len && memcmp(members[i].text, one->text, one->key_len) == 0)
            return true;
    return false;
}

/* Splits the header; returns how many members were dropped. */
static int members_read(const char *value, struct member members[ITSI_TRACESTATE_MEMBERS], int *count)
{
    int dropped = 0;
    for (const char *p = value; *p;) {
        p = skip_blanks(p);
        const char *end = p + strcspn(p, ","), *next = *end ? end + 1 : end;
        while (end > p && is_blank(end[-1]))
            end--;
        struct member one;
        if (end > p) { /* empty members are allowed and say nothing */
            if (*count < ITSI_TRACESTATE_MEMBERS && member_read(&one, p, (size_t)(end - p)) &&
                !repeated(members, *count, &one))
                members[(*count)++] = one;
            else
                dropped++;
        }
        p = next;
    }
    return dropped;
}

static size_t joined_length(const struct member *members, int count)
{
    size_t sum = 0;
    for (int i = 0; i < count; i++)
        sum += members[i].len + (i ? 1 : 0);
    return sum;
}

static void remove_member(struct member *members, int *count, int at)
{
    memmove(&members[at], &members[at + 1], (size_t)(*count - at - 1) * sizeof members[0]);
    (*count)--;
}

static int shorten(struct member *members, int *count)
{
    int before = *count;
    for (int i = *count - 1; i >= 0 && joined_length(members, *count) > ITSI_TRACESTATE_MOST; i--)
        if (members[i].len > LARGE_MEMBER)
            remove_member(members, count, i);
    while (joined_length(members, *count) > ITSI_TRACESTATE_MOST)
        (*count)--;
    return before - *count;
}

int itsi_tracestate_parse(struct itsi_trace_context *context, const char *value)
{
    struct member members[ITSI_TRACESTATE_MEMBERS];
    int count = 0;
    int dropped = members_read(value, members, &count);
    dropped += shorten(members, &count);
    char *out = context->state;
    for (int i = 0; i < count; i++) {
        if (i)
            *out++ = ',';
        memcpy(out, members[i].text, members[i].len);
        out += members[i].len;
    }
    *out = '\0';
    return dropped;
}
