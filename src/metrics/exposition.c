#include "metrics/exposition.h"

#include "base/utf8.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *itsi_exposition_media_type(enum itsi_exposition_format format)
{
    return format == ITSI_EXPOSITION_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                                 : "text/plain; version=0.0.4; charset=utf-8";
}

void itsi_exposition_init(struct itsi_exposition *e, enum itsi_exposition_format format, struct itsi_buf *out)
{
    *e = (struct itsi_exposition){.out = out, .format = format};
}

static bool is_open(const struct itsi_exposition *e) { return e->format == ITSI_EXPOSITION_OPENMETRICS; }

/* What the samples' names have after the family's. */
static const char *suffix_of(enum itsi_metric_type type)
{
    return type == ITSI_METRIC_COUNTER ? "_total" : type == ITSI_METRIC_INFO ? "_info" : "";
}

/* Backslashes and line ends are escaped everywhere, quotes where the format wants it. */
static void put_escaped(struct itsi_buf *out, const char *text, bool quotes)
{
    while (*text) {
        const size_t len = itsi_utf8_length(text, SIZE_MAX);
        if (len == 0)
            itsi_buf_add(out, "?", 1);
        else if (*text == '\n')
            itsi_buf_puts(out, "\\n");
        else if (*text == '\\' || (quotes && *text == '"'))
            itsi_buf_printf(out, "\\%c", *text);
        else
            itsi_buf_add(out, text, len);
        text += len ? len : 1;
    }
}

void itsi_exposition_family(struct itsi_exposition *e, enum itsi_metric_type type, const char *name, const char *unit,
                            const char *help)
{
    static const char *const types[] = {"counter", "gauge", "histogram", "info"};
    const char *suffix = is_open(e) ? "" : suffix_of(type);
    const char *type_name = type == ITSI_METRIC_INFO && !is_open(e) ? "gauge" : types[type];
    e->type = type;
    e->name = name;
    itsi_buf_printf(e->out, "# HELP %s%s ", name, suffix);
    put_escaped(e->out, help, is_open(e));
    itsi_buf_printf(e->out, "\n# TYPE %s%s %s\n", name, suffix, type_name);
    if (unit && is_open(e))
        itsi_buf_printf(e->out, "# UNIT %s %s\n", name, unit);
}

static void put_number(struct itsi_buf *out, double value)
{
    if (isnan(value))
        itsi_buf_puts(out, "NaN");
    else if (isinf(value))
        itsi_buf_puts(out, value > 0 ? "+Inf" : "-Inf");
    else
        itsi_buf_printf(out, "%.15g", value);
}

/* {a="b",le="0.1"}; le NULL: none of that. */
static void put_labels(struct itsi_buf *out, const struct itsi_labels *labels, const char *le)
{
    const char *opener = "{";
    for (int i = 0; labels && i < 4 && labels->pair[i][0]; i++) {
        itsi_buf_printf(out, "%s%s=\"", opener, labels->pair[i][0]);
        put_escaped(out, labels->pair[i][1], true);
        itsi_buf_puts(out, "\"");
        opener = ",";
    }
    if (le) {
        itsi_buf_printf(out, "%sle=\"%s\"", opener, le);
        opener = ",";
    }
    if (opener[0] == ',')
        itsi_buf_puts(out, "}");
}

static void begin_sample(struct itsi_exposition *e, const char *suffix, const struct itsi_labels *labels,
                         const char *le)
{
    itsi_buf_printf(e->out, "%s%s", e->name, suffix);
    put_labels(e->out, labels, le);
    itsi_buf_puts(e->out, " ");
}

void itsi_exposition_value(struct itsi_exposition *e, const struct itsi_labels *labels, double value)
{
    begin_sample(e, suffix_of(e->type), labels, NULL);
    put_number(e->out, value);
    itsi_buf_puts(e->out, "\n");
}

void itsi_exposition_count(struct itsi_exposition *e, const struct itsi_labels *labels, uint64_t value)
{
    begin_sample(e, suffix_of(e->type), labels, NULL);
    itsi_buf_printf(e->out, "%llu\n", (unsigned long long)value);
}

/* OpenMetrics wants a float there: "1.0". The text format takes both, and the same series must not have two names. */
static void format_edge(double edge, char out[32])
{
    snprintf(out, 32, "%.12g", edge);
    if (!strpbrk(out, ".e"))
        strcat(out, ".0");
}

static void put_bucket(struct itsi_exposition *e, const struct itsi_labels *labels,
                       const struct itsi_exposition_histogram *h, int bucket, uint64_t cumulative)
{
    char le[32] = "+Inf";
    if (bucket < h->edge_count)
        format_edge(h->edges[bucket], le);
    begin_sample(e, "_bucket", labels, le);
    itsi_buf_printf(e->out, "%llu", (unsigned long long)cumulative);
    const struct itsi_exposition_exemplar *exemplar = h->exemplars ? &h->exemplars[bucket] : NULL;
    if (exemplar && exemplar->trace_id[0] && is_open(e)) {
        itsi_buf_printf(e->out, " # {trace_id=\"%s\"} ", exemplar->trace_id);
        put_number(e->out, exemplar->value);
        itsi_buf_printf(e->out, " %.3f", exemplar->timestamp);
    }
    itsi_buf_puts(e->out, "\n");
}

void itsi_exposition_histogram(struct itsi_exposition *e, const struct itsi_labels *labels,
                               const struct itsi_exposition_histogram *h)
{
    uint64_t cumulative = 0;
    for (int i = 0; i <= h->edge_count; i++) {
        cumulative += h->counts[i];
        put_bucket(e, labels, h, i, cumulative);
    }
    begin_sample(e, "_sum", labels, NULL);
    put_number(e->out, h->sum);
    itsi_buf_puts(e->out, "\n");
    begin_sample(e, "_count", labels, NULL);
    itsi_buf_printf(e->out, "%llu\n", (unsigned long long)cumulative);
}

void itsi_exposition_end(struct itsi_exposition *e)
{
    if (is_open(e))
        itsi_buf_puts(e->out, "# EOF\n");
}
