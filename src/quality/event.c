#include "quality/event.h"

#include "base/figure.h"
#include "base/json.h"
#include "core/detection.h"

#include <math.h>
#include <stdio.h>

const char *itsi_quality_reason_name(enum itsi_quality_reason reason)
{
    static const char *const names[] = {
#define ITSI_X(name, text, sentence) text,
        ITSI_QUALITY_REASON_MAP(ITSI_X)
#undef ITSI_X
    };
    return names[reason];
}

const char *itsi_quality_reason_sentence(enum itsi_quality_reason reason)
{
    static const char *const sentences[] = {
#define ITSI_X(name, text, sentence) sentence,
        ITSI_QUALITY_REASON_MAP(ITSI_X)
#undef ITSI_X
    };
    return sentences[reason];
}

void itsi_quality_events_add(struct itsi_quality_events *events, const struct itsi_quality_event *event)
{
    if (events->count < events->capacity)
        events->items[events->count++] = *event;
    else
        events->suppressed++;
}

/* Appends " name value unit" unless the value is NAN; returns the new length. */
static size_t add_figure(char *out, size_t size, size_t length, const char *name, double value, const char *unit)
{
    if (isnan(value) || length >= size)
        return length;
    const int n = snprintf(out + length, size - length, "%s %s %.3g %s", length ? "," : ";", name, value, unit);
    return n > 0 ? length + (size_t)n : length;
}

/* What is decoded: "key frames of the smaller stream". */
static int add_decoded(char *out, size_t size, const char *before, enum itsi_decode_mode decode, bool sub)
{
    return snprintf(out, size, "%s%s frames%s", before, itsi_decode_mode_name(decode), sub ? " of the smaller stream" : "");
}

/* Of the knob, and of what it comes to where that changes. */
static void describe_change(const struct itsi_quality_event *event, char *out, size_t size)
{
    const char *knob = itsi_quality_knob_name(event->knob), *from = itsi_quality_name(event->from_level);
    int n = event->from_rung == event->to_rung
                ? snprintf(out, size, "%s stays %s (rung %d)", knob, from, event->from_rung)
                : snprintf(out, size, "%s %s -> %s (rung %d -> %d)", knob, from, itsi_quality_name(event->to_level),
                           event->from_rung, event->to_rung);
    if (event->from_decode == event->to_decode && event->from_sub == event->to_sub)
        return;
    n += add_decoded(out + n, size - (size_t)n, ", ", event->from_decode, event->from_sub);
    add_decoded(out + n, size - (size_t)n, " -> ", event->to_decode, event->to_sub);
}

void itsi_quality_event_text(const struct itsi_quality_event *event, char *out, size_t size)
{
    const struct itsi_quality_inputs *in = &event->inputs;
    char figures[192] = "";
    size_t n = add_figure(figures, sizeof figures, 0, "slack", in->slack_ms, "ms");
    n = add_figure(figures, sizeof figures, n, "oldest waiting", itsi_figure_or_nan(in->queue_age_ms), "ms");
    n = add_figure(figures, sizeof figures, n, "on time", itsi_figure_or_nan(in->on_time_ratio) * 100, "%");
    n = add_figure(figures, sizeof figures, n, "busy", itsi_figure_or_nan(in->busy) * 100, "%");
    n = add_figure(figures, sizeof figures, n, "unmet", itsi_figure_or_nan(in->unmet) * 100, "%");
    n = add_figure(figures, sizeof figures, n, "demand", itsi_figure_or_nan(in->utilisation) * 100, "%");
    if (event->knob == ITSI_KNOB_DECODE && event->key_fps > 0)
        add_figure(figures, sizeof figures, n, "key frames", event->key_fps, "/s");
    char change[192]; /* room for the longest of all names */
    describe_change(event, change, sizeof change);
    snprintf(out, size, "%s: %s%s", change, itsi_quality_reason_sentence(event->reason), figures);
}

void itsi_quality_put_inputs(struct itsi_json *json, const struct itsi_quality_inputs *in)
{
    itsi_json_number(json, "slack_ms", in->slack_ms, 3);
    itsi_json_number(json, "queue_age_ms", itsi_figure_or_nan(in->queue_age_ms), 3);
    itsi_json_number(json, "on_time_ratio", itsi_figure_or_nan(in->on_time_ratio), 5);
    itsi_json_number(json, "busy", itsi_figure_or_nan(in->busy), 4);
    itsi_json_number(json, "unmet", itsi_figure_or_nan(in->unmet), 4);
    itsi_json_number(json, "utilisation", itsi_figure_or_nan(in->utilisation), 4);
}
