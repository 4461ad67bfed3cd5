/* An OpenVINO IR is an XML file beside a .bin of weights. This is a reader for just that XML: elements, attributes and
 * text, no document types, no external anything. */
#include "infer/model_impl.h"

#include "base/buf.h"
#include "base/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64

struct xml {
    const char *start, *at, *end;
};

/* One tag: its name, and the text between the name and '>'. */
struct tag {
    struct itsi_span name, attributes;
    bool closing, empty; /* </name>, <name/> */
};

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static int damaged(const struct xml *x, struct its_diag *diag)
{
    return itsi_fail(diag, ITS_EFORMAT, "not a valid OpenVINO IR: damaged or truncated XML at byte %lld",
                     (long long)(x->at - x->start));
}

/* Moves past the next occurrence of `mark`; false when there is none. */
static bool skip_past(struct xml *x, const char *mark)
{
    size_t len = strlen(mark);
    const char *found = memmem(x->at, (size_t)(x->end - x->at), mark, len);
    if (!found)
        return false;
    x->at = found + len;
    return true;
}

static bool starts_with(const struct xml *x, const char *text)
{
    size_t len = strlen(text);
    return (size_t)(x->end - x->at) >= len && memcmp(x->at, text, len) == 0;
}

/* At '<' of an element: reads up to its '>', which an attribute's value may contain. */
static bool read_tag(struct xml *x, struct tag *tag)
{
    *tag = (struct tag){0};
    x->at++;
    if (x->at < x->end && *x->at == '/') {
        tag->closing = true;
        x->at++;
    }
    tag->name.data = x->at;
    while (x->at < x->end && !is_space(*x->at) && *x->at != '>' && *x->at != '/')
        x->at++;
    tag->name.len = (size_t)(x->at - tag->name.data);
    tag->attributes.data = x->at;
    char quote = 0;
    for (; x->at < x->end; x->at++) {
        if (quote) {
            quote = *x->at == quote ? 0 : quote;
        } else if (*x->at == '"' || *x->at == '\'') {
            quote = *x->at;
        } else if (*x->at == '<') {
            return false;
        } else if (*x->at == '>') {
            break;
        }
    }
    if (x->at == x->end || tag->name.len == 0)
        return false;
    tag->attributes.len = (size_t)(x->at - tag->attributes.data);
    tag->empty = tag->attributes.len > 0 && x->at[-1] == '/';
    tag->attributes.len -= tag->empty;
    x->at++;
    return true;
}

/* The next tag; the text before it goes to `text`. 1: a tag, 0: the end, -1: damaged. */
static int next_tag(struct xml *x, struct tag *tag, struct itsi_span *text)
{
    text->data = x->at;
    text->len = 0;
    for (;;) {
        const char *open = x->at < x->end ? memchr(x->at, '<', (size_t)(x->end - x->at)) : NULL;
        if (!open)
            return 0;
        text->len = (size_t)(open - text->data);
        x->at = open;
        if (starts_with(x, "<?")) {
            if (!skip_past(x, "?>"))
                return -1;
        } else if (starts_with(x, "<!--")) {
            if (!skip_past(x, "-->"))
                return -1;
        } else if (starts_with(x, "<!")) { /* CDATA, document types: no IR has them */
            return -1;
        } else {
            return read_tag(x, tag) ? 1 : -1;
        }
        text->data = x->at;
    }
}

/* The raw value of an attribute; false when it is absent. */
static bool attribute(const struct tag *tag, const char *name, struct itsi_span *out)
{
    const char *at = tag->attributes.data, *end = at + tag->attributes.len;
    while (at < end) {
        while (at < end && is_space(*at))
            at++;
        const char *key = at;
        while (at < end && *at != '=' && !is_space(*at))
            at++;
        struct itsi_span found = {key, (size_t)(at - key)};
        while (at < end && *at != '"' && *at != '\'')
            at++;
        if (at == end)
            return false;
        char quote = *at++;
        const char *stop = memchr(at, quote, (size_t)(end - at));
        if (!stop)
            return false;
        if (itsi_span_is(found, name)) {
            *out = (struct itsi_span){at, (size_t)(stop - at)};
            return true;
        }
        at = stop + 1;
    }
    return false;
}

static bool attribute_is(const struct tag *tag, const char *name, const char *value)
{
    struct itsi_span found;
    return attribute(tag, name, &found) && itsi_span_is(found, value);
}

/* Replaces the five named entities and the numbered ones below 128. */
static void unescape(struct itsi_span raw, struct itsi_buf *out)
{
    static const struct {
        const char *name;
        char is;
    } entities[] = {{"&apos;", '\''}, {"&quot;", '"'}, {"&amp;", '&'},  {"&lt;", '<'},
                    {"&gt;", '>'},    {"&#39;", '\''}, {"&#34;", '"'},  {"&#10;", '\n'},
                    {"&#x27;", '\''}, {"&#x22;", '"'}, {"&#xA;", '\n'}, {"&#xa;", '\n'}};
    itsi_buf_reset(out);
    size_t i = 0;
    while (i < raw.len) {
        const char *amp = memchr(raw.data + i, '&', raw.len - i);
        size_t plain = amp ? (size_t)(amp - raw.data) - i : raw.len - i;
        itsi_buf_add(out, raw.data + i, plain);
        i += plain;
        if (i == raw.len)
            break;
        char c = '&';
        size_t used = 1;
        for (size_t e = 0; e < sizeof entities / sizeof entities[0]; e++) {
            size_t len = strlen(entities[e].name);
            if (raw.len - i >= len && memcmp(raw.data + i, entities[e].name, len) == 0) {
                c = entities[e].is;
                used = len;
                break;
            }
        }
        itsi_buf_add(out, &c, 1);
        i += used;
    }
}

/* What the walk through the file knows of where it is. */
struct walk {
    struct xml xml;
    struct itsi_model_facts *facts;
    struct itsi_buf text; /* an unescaped value */
    struct itsi_span path[MAX_DEPTH];
    int depth;

    struct itsi_port *port; /* of the Parameter or Result layer we are in; else NULL */
    struct itsi_port ignored; /* for the second and later ones */
    int port_depth;
};

static bool inside(const struct walk *w, int level, const char *name)
{
    return w->depth > level && itsi_span_is(w->path[level], name);
}

/* "FP32" or "f32" -> "f32" */
static void set_type(struct itsi_port *port, struct itsi_span text)
{
    char raw[16];
    itsi_span_copy(text, raw, sizeof raw);
    if (strcmp(raw, "FP32") == 0)
        snprintf(port->type, sizeof port->type, "f32");
    else if (strcmp(raw, "FP16") == 0)
        snprintf(port->type, sizeof port->type, "f16");
    else
        snprintf(port->type, sizeof port->type, "%s", raw);
}

/* The output's name as the exporter gave it: the attribute, or the layer's name without the suffix OpenVINO adds. */
static void set_result_name(struct itsi_port *port, const struct tag *tag)
{
    struct itsi_span name;
    if (attribute(tag, "output_names", &name) || attribute(tag, "name", &name)) {
        const char *cut = memmem(name.data, name.len, "/sink_port", 10);
        if (cut)
            name.len = (size_t)(cut - name.data);
        itsi_span_copy(name, port->name, sizeof port->name);
    }
}

static void open_layer(struct walk *w, const struct tag *tag)
{
    struct itsi_model_facts *facts = w->facts;
    if (attribute_is(tag, "type", "FakeQuantize"))
        facts->quantized = true;
    bool parameter = attribute_is(tag, "type", "Parameter");
    if (!parameter && !attribute_is(tag, "type", "Result"))
        return;
    int *count = parameter ? &facts->inputs : &facts->outputs;
    struct itsi_port *first = parameter ? &facts->input : &facts->output;
    w->port = (*count)++ == 0 ? first : &w->ignored;
    w->port_depth = w->depth;
    *w->port = (struct itsi_port){.rank = -1};
    struct itsi_span name;
    if (!parameter)
        set_result_name(w->port, tag);
    else if (attribute(tag, "name", &name))
        itsi_span_copy(name, w->port->name, sizeof w->port->name);
}

/* Inside a Parameter or Result: its type, its port, its dimensions. */
static void open_in_layer(struct walk *w, const struct tag *tag)
{
    struct itsi_span value;
    if (itsi_span_is(tag->name, "data") && attribute(tag, "element_type", &value)) {
        set_type(w->port, value);
    } else if (itsi_span_is(tag->name, "port")) {
        w->port->rank = 0;
        if (attribute(tag, "precision", &value) && !w->port->type[0])
            set_type(w->port, value);
    }
}

static void close_dim(struct walk *w, struct itsi_span text)
{
    char digits[24];
    itsi_span_copy(text, digits, sizeof digits);
    char *stop;
    long long value = strtoll(digits, &stop, 10);
    if (w->port->rank < 0)
        w->port->rank = 0;
    if (w->port->rank < ITSI_MODEL_RANK)
        w->port->dims[w->port->rank] = stop != digits && value > 0 ? value : -1;
    if (w->port->rank < 1000)
        w->port->rank++;
}

/* <rt_info> of the whole model: <framework><names value=".."/></framework>, <model_info><labels value=".."/>, or the
 * same with the text between the tags. */
static int metadata(struct walk *w, struct itsi_span key, struct itsi_span raw)
{
    unescape(raw, &w->text);
    if (w->text.failed)
        return ITS_ENOMEM;
    return itsi_model_metadata(w->facts, key, (struct itsi_span){w->text.data ? w->text.data : "", w->text.len});
}

static int open_tag(struct walk *w, const struct tag *tag)
{
    struct itsi_span key = tag->name, value;
    if (w->port)
        open_in_layer(w, tag);
    else if (w->depth == 2 && inside(w, 1, "layers") && itsi_span_is(tag->name, "layer"))
        open_layer(w, tag);
    if (inside(w, 1, "rt_info") && attribute(tag, "value", &value)) {
        attribute(tag, "name", &key);
        return metadata(w, key, value);
    }
    return 0;
}

static int close_tag(struct walk *w, const struct tag *tag, struct itsi_span text)
{
    if (w->port && itsi_span_is(tag->name, "dim"))
        close_dim(w, text);
    if (w->port && w->depth == w->port_depth)
        w->port = NULL;
    /* text of elements that hold no others; a container's is blank */
    if (inside(w, 1, "rt_info") && text.len > 0 && !is_space(text.data[0]))
        return metadata(w, tag->name, text);
    return 0;
}

static int step(struct walk *w, const struct tag *tag, struct itsi_span text, struct its_diag *diag)
{
    int rc;
    if (!tag->closing) {
        if (w->depth == 0 && !itsi_span_is(tag->name, "net"))
            return itsi_fail(diag, ITS_EFORMAT, "not an OpenVINO IR: its XML does not begin with <net>");
        if (w->depth == MAX_DEPTH)
            return damaged(&w->xml, diag);
        rc = open_tag(w, tag);
        if (rc == 0 && tag->empty) { /* closes at once */
            if (w->port && w->depth == w->port_depth)
                w->port = NULL;
        } else {
            w->path[w->depth++] = tag->name;
        }
    } else {
        struct itsi_span open = w->depth > 0 ? w->path[w->depth - 1] : (struct itsi_span){"", 0};
        if (open.len != tag->name.len || memcmp(open.data, tag->name.data, open.len) != 0)
            return damaged(&w->xml, diag);
        w->depth--;
        rc = close_tag(w, tag, text);
    }
    return rc ? itsi_fail(diag, rc, "no memory for the model's metadata") : 0;
}

int itsi_ir_read(struct itsi_model_facts *facts, const char *data, size_t size, struct its_diag *diag)
{
    struct walk w = {.xml = {data, data, data + size}, .facts = facts};
    struct tag tag;
    struct itsi_span text;
    int more, rc = 0;
    itsi_buf_init(&w.text);
    while (rc == 0 && (more = next_tag(&w.xml, &tag, &text)) != 0)
        rc = more < 0 ? damaged(&w.xml, diag) : step(&w, &tag, text, diag);
    if (rc == 0 && (w.depth != 0 || facts->inputs + facts->outputs == 0))
        rc = damaged(&w.xml, diag);
    itsi_buf_fini(&w.text);
    return rc;
}
