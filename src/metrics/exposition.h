/* Writes metrics as Prometheus reads them: its text format 0.0.4, or OpenMetrics 1.0 with units and exemplars.
 *
 * The caller names a family once and gives all its samples before the next; what the two formats call differently (a
 * counter's family, an info's type, the end) is settled here. Not thread-safe; out of memory shows in the buffer. */
#ifndef ITSI_METRICS_EXPOSITION_H
#define ITSI_METRICS_EXPOSITION_H

#include "base/buf.h"

#include <stdint.h>

enum itsi_exposition_format { ITSI_EXPOSITION_TEXT, ITSI_EXPOSITION_OPENMETRICS };
const char *itsi_exposition_media_type(enum itsi_exposition_format format);
/* What the value of an Accept header (NULL: none) asks for: OpenMetrics where it is named and no less liked than text. */
enum itsi_exposition_format itsi_exposition_accepted(const char *accept);

enum itsi_metric_type { ITSI_METRIC_COUNTER, ITSI_METRIC_GAUGE, ITSI_METRIC_HISTOGRAM, ITSI_METRIC_INFO };

struct itsi_exposition {
    struct itsi_buf *out; /* borrowed */
    enum itsi_exposition_format format;
    enum itsi_metric_type type; /* of the family being written */
    const char *name;           /* borrowed */
};

void itsi_exposition_init(struct itsi_exposition *e, enum itsi_exposition_format format, struct itsi_buf *out);
/* name: without "_total" (counters) and "_info" (infos), kept until the next family. unit: "seconds", and then the name
 * ends in it, or NULL. */
void itsi_exposition_family(struct itsi_exposition *e, enum itsi_metric_type type, const char *name, const char *unit,
                            const char *help);

/* Of a sample; NULL names end the list. Values may hold anything: what is not UTF-8 becomes '?'. */
struct itsi_labels {
    const char *pair[4][2]; /* name, value */
};
#define ITSI_LABELS(...) (&(const struct itsi_labels){{__VA_ARGS__}})

/* labels: NULL for none. An info's value is 1. */
void itsi_exposition_value(struct itsi_exposition *e, const struct itsi_labels *labels, double value);
void itsi_exposition_count(struct itsi_exposition *e, const struct itsi_labels *labels, uint64_t value);

struct itsi_exposition_exemplar {
    char trace_id[33]; /* empty: none */
    double value;      /* in the bucket */
    double timestamp;  /* seconds since 1970 */
};
struct itsi_exposition_histogram {
    const double *edges; /* rising */
    int edge_count;
    const uint64_t *counts; /* not cumulative, edge_count + 1 */
    double sum;
    const struct itsi_exposition_exemplar *exemplars; /* of each bucket; NULL: none. Left out of the text format. */
};
void itsi_exposition_histogram(struct itsi_exposition *e, const struct itsi_labels *labels,
                               const struct itsi_exposition_histogram *histogram);

void itsi_exposition_end(struct itsi_exposition *e);

#endif
