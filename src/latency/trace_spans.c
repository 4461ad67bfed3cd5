#include "latency/trace_spans.h"

#include "base/clock.h"
#include "core/detection.h"

#include <stdio.h>
#include <string.h>

/* An interval of the way: from a stamp to the next. */
struct leg {
    const char *name;
    int64_t start, end; /* end 0: not reached */
};
enum { FRAME_LEGS = 8, SERVING_LEGS = 4 };

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* --- a frame's way ------------------------------------------------------------------------------------------------ */

static void frame_legs(const struct itsi_trace *t, struct leg out[FRAME_LEGS])
{
    const struct leg legs[FRAME_LEGS] = {
        {"camera_capture.wait", t->origin, t->decode_start},
        {"camera_capture", t->decode_start, t->decode_end},
        {"preprocessing.wait", t->decode_end, t->pre_start},
        {"preprocessing", t->pre_start, t->pre_end},
        {"ml_inference.wait", t->pre_end, t->infer_start},
        {"ml_inference", t->infer_start, t->infer_end},
        {"postprocessing.wait", t->infer_end, t->post_start},
        {"postprocessing", t->post_start, t->post_end},
    };
    memcpy(out, legs, sizeof legs);
}

/* Legs begun: a dropped frame's last one has no end. */
static int frame_leg_count(const struct leg legs[FRAME_LEGS])
{
    int count = 0;
    while (count < FRAME_LEGS && legs[count].start)
        count++;
    return count;
}

static int64_t frame_end(const struct itsi_trace_record *record)
{
    bool dropped = record->outcome.end == ITSI_TRACE_DROPPED;
    return dropped ? record->outcome.ended : record->info.trace.handover;
}

/* --- a picture's way out ------------------------------------------------------------------------------------------ */

/* Without encoding (it was there already) the wait to be sent begins at once. */
static int serving_legs(const struct itsi_trace_serving *s, struct leg out[SERVING_LEGS])
{
    int count = 0;
    if (s->encode_start) {
        out[count++] = (struct leg){"encoding.wait", s->begin, s->encode_start};
        out[count++] = (struct leg){"encoding", s->encode_start, s->encode_end};
    }
    int64_t ready = s->encode_start ? s->encode_end : s->begin;
    if (ready)
        out[count++] = (struct leg){"network_transmission.wait", ready, s->send_start};
    if (s->send_start)
        out[count++] = (struct leg){"network_transmission", s->send_start, s->send_end};
    return count;
}

static int64_t serving_end(const struct itsi_trace_serving *s)
{
    const int64_t stamps[] = {s->send_end, s->send_start, s->encode_end, s->encode_start};
    for (size_t i = 0; i < sizeof stamps / sizeof stamps[0]; i++)
        if (stamps[i])
            return stamps[i];
    return s->begin;
}

int itsi_trace_spans_count(const struct itsi_trace_record *record)
{
    struct leg legs[FRAME_LEGS];
    if (record->whole)
        return 1;
    if (record->is_serving)
        return 1 + serving_legs(&record->serving, legs);
    frame_legs(&record->info.trace, legs);
    return 1 + frame_leg_count(legs);
}

/* --- spans -------------------------------------------------------------------------------------------------------- */

static struct itsi_otlp_attribute *next_attribute(struct itsi_trace_spans *out, const char *key,
                                                  enum itsi_otlp_type type)
{
    struct itsi_otlp_span *root = &out->items[0];
    struct itsi_otlp_attribute *attribute = &out->attributes[root->attribute_count++];
    attribute->key = key;
    attribute->type = type;
    return attribute;
}

static void add_text(struct itsi_trace_spans *out, const char *key, const char *text)
{
    next_attribute(out, key, ITSI_OTLP_TEXT)->text = text;
}

static void add_integer(struct itsi_trace_spans *out, const char *key, int64_t value)
{
    next_attribute(out, key, ITSI_OTLP_INTEGER)->integer = value;
}

static void add_seconds(struct itsi_trace_spans *out, const char *key, int64_t ns)
{
    next_attribute(out, key, ITSI_OTLP_NUMBER)->number = (double)ns / (double)ITSI_NS_PER_S;
}

static struct itsi_otlp_span *begin_root(const struct itsi_trace_id *trace_id, const struct itsi_span_id *span_id,
                                         struct itsi_trace_spans *out)
{
    struct itsi_otlp_span *root = &out->items[0];
    out->count = 1;
    out->root_id = *span_id;
    *root = (struct itsi_otlp_span){.attributes = out->attributes};
    memcpy(root->trace_id, trace_id->bytes, sizeof root->trace_id);
    memcpy(root->span_id, span_id->bytes, sizeof root->span_id);
    return root;
}

/* Children share the root's trace, state and flags. Their stamps are made to rise from the root's start to its end. */
static void add_legs(const struct leg *legs, int count, const struct itsi_trace_key *key, int64_t wall_offset_ns,
                     struct itsi_trace_spans *out)
{
    const struct itsi_otlp_span *root = &out->items[0];
    int64_t at = root->start_ns;
    for (int i = 0; i < count; i++) {
        struct itsi_otlp_span *span = &out->items[out->count++];
        struct itsi_span_id id = itsi_trace_child_of(key, &out->root_id, i + 1);
        *span = (struct itsi_otlp_span){.parent_id = out->root_id.bytes,
                                        .state = root->state,
                                        .flags = root->flags & ~(uint32_t)ITSI_OTLP_REMOTE,
                                        .name = legs[i].name,
                                        .kind = ITSI_OTLP_INTERNAL};
        memcpy(span->trace_id, root->trace_id, sizeof span->trace_id);
        memcpy(span->span_id, id.bytes, sizeof span->span_id);
        span->start_ns = clamp(legs[i].start + wall_offset_ns, at, root->end_ns);
        span->end_ns = legs[i].end ? clamp(legs[i].end + wall_offset_ns, span->start_ns, root->end_ns) : root->end_ns;
        at = span->end_ns;
    }
}

static void frame_attributes(const struct itsi_trace_record *record, struct itsi_trace_spans *out)
{
    const struct itsi_frame_info *info = &record->info;
    const struct itsi_trace_outcome *outcome = &record->outcome;
    static const char *const ends[] = {
#define ITSI_X(name, text) text,
        ITSI_TRACE_END_MAP(ITSI_X)
#undef ITSI_X
    };
    add_text(out, "its.camera.id", info->camera_id);
    add_integer(out, "its.frame.seq", (int64_t)info->seq);
    add_text(out, "its.frame.origin", itsi_origin_name(info->origin_kind));
    add_text(out, "its.frame.outcome", ends[outcome->end]);
    if (info->deadline != ITSI_NEVER && info->trace.origin)
        add_seconds(out, "its.frame.budget_seconds", info->deadline - info->trace.origin);
    if (outcome->end == ITSI_TRACE_LATE)
        add_seconds(out, "its.frame.late_seconds", info->trace.handover - info->deadline);
    if (outcome->end == ITSI_TRACE_DROPPED) {
        add_text(out, "its.drop.stage", itsi_stage_name(outcome->stage));
        add_text(out, "its.drop.reason", itsi_drop_name(outcome->reason));
    }
    if (outcome->batch > 0)
        add_integer(out, "its.batch.size", outcome->batch);
    if (outcome->quality_level >= 0)
        add_text(out, "its.quality.level", itsi_quality_name(outcome->quality_level));
    if (record->model[0])
        add_text(out, "its.model", record->model);
}

/* Sampled, of a random id, and the parent, if any, known to be ours or not. */
#define OUR_FLAGS ((uint32_t)(ITSI_TRACE_SAMPLED | ITSI_TRACE_RANDOM) | (uint32_t)ITSI_OTLP_REMOTE_KNOWN)

static void make_frame(const struct itsi_trace_record *record, const struct itsi_trace_key *key,
                       int64_t wall_offset_ns, struct itsi_trace_spans *out)
{
    const struct itsi_frame_info *info = &record->info;
    struct itsi_span_id span_id = itsi_trace_root_of(key, info);
    struct itsi_otlp_span *root = begin_root(&record->id, &span_id, out);
    struct leg legs[FRAME_LEGS];
    frame_legs(&info->trace, legs);
    int count = record->whole ? 0 : frame_leg_count(legs);
    int64_t end = frame_end(record);
    root->name = "frame";
    root->kind = ITSI_OTLP_INTERNAL;
    root->state = out->state;
    root->flags = OUR_FLAGS;
    root->start_ns = (info->trace.origin && info->trace.origin < end ? info->trace.origin : end) + wall_offset_ns;
    root->end_ns = end + wall_offset_ns;
    itsi_trace_threshold_format(record->threshold, out->state);
    frame_attributes(record, out);
    add_legs(legs, count, key, wall_offset_ns, out);
    if (record->outcome.end == ITSI_TRACE_ON_TIME)
        return;
    if (record->outcome.end == ITSI_TRACE_LATE) {
        root->error = "handed over after its deadline";
        return;
    }
    snprintf(out->error, sizeof out->error, "dropped in %s: %s", itsi_stage_name(record->outcome.stage),
             itsi_drop_name(record->outcome.reason));
    root->error = out->error;
    out->items[out->count - 1].error = out->error; /* where it ended; the root itself when it got nowhere */
}

static void serving_attributes(const struct itsi_trace_record *record, struct itsi_trace_spans *out)
{
    const struct itsi_trace_serving *s = &record->serving;
    add_text(out, "http.request.method", "GET");
    add_text(out, "http.route", s->route);
    if (s->http_status)
        add_integer(out, "http.response.status_code", s->http_status);
    add_integer(out, "http.response.body.size", s->bytes);
    add_text(out, "its.camera.id", record->info.camera_id);
    add_integer(out, "its.frame.seq", (int64_t)record->info.seq);
    if (record->info.trace.origin) /* end to end as the client sees it */
        add_seconds(out, "its.frame.age_seconds", serving_end(s) - record->info.trace.origin);
}

static void link_to(const struct itsi_trace_id *trace_id, const struct itsi_span_id *span_id, const char *state,
                    uint32_t flags, struct itsi_trace_spans *out)
{
    memcpy(out->link.trace_id, trace_id->bytes, sizeof out->link.trace_id);
    memcpy(out->link.span_id, span_id->bytes, sizeof out->link.span_id);
    snprintf(out->link_state, sizeof out->link_state, "%s", state);
    out->link.state = out->link_state;
    out->link.flags = flags;
    out->items[0].link = &out->link;
}

/* A single answer to a client with a trace of its own belongs into that trace and is linked to the frame's; all else
 * belongs into the frame's trace. */
static struct itsi_otlp_span *serving_root(const struct itsi_trace_record *record, const struct itsi_trace_key *key,
                                           struct itsi_trace_spans *out)
{
    const struct itsi_trace_serving *s = &record->serving;
    const struct itsi_span_id frame_root = itsi_trace_root_of(key, &record->info);
    if (s->has_client && !s->streamed) {
        struct itsi_otlp_span *root = begin_root(&s->client.trace_id, &s->span_id, out);
        out->parent_id = s->client.span_id;
        root->parent_id = out->parent_id.bytes;
        root->state = s->client.state;
        root->flags = ITSI_TRACE_SAMPLED | ITSI_OTLP_REMOTE_KNOWN | ITSI_OTLP_REMOTE;
        if (record->frame_kept)
            link_to(&record->id, &frame_root, "", OUR_FLAGS, out);
        return root;
    }
    struct itsi_otlp_span *root = begin_root(&record->id, &s->span_id, out);
    out->parent_id = frame_root;
    root->parent_id = record->frame_kept ? out->parent_id.bytes : NULL;
    root->state = out->state;
    root->flags = OUR_FLAGS;
    itsi_trace_threshold_format(record->threshold, out->state);
    if (s->has_client)
        link_to(&s->client.trace_id, &s->client.span_id, s->client.state,
                s->client.flags | ITSI_OTLP_REMOTE_KNOWN | ITSI_OTLP_REMOTE, out);
    return root;
}

static void make_serving(const struct itsi_trace_record *record, const struct itsi_trace_key *key,
                         int64_t wall_offset_ns, struct itsi_trace_spans *out)
{
    const struct itsi_trace_serving *s = &record->serving;
    struct itsi_otlp_span *root = serving_root(record, key, out);
    int64_t end = serving_end(s);
    snprintf(out->name, sizeof out->name, "GET %s", s->route);
    root->name = out->name;
    root->kind = ITSI_OTLP_SERVER;
    root->start_ns = (s->begin && s->begin < end ? s->begin : end) + wall_offset_ns;
    root->end_ns = end + wall_offset_ns;
    serving_attributes(record, out);
    root->error = s->aborted ? "the client went away" : s->late ? "sent after its deadline" : NULL;
    struct leg legs[SERVING_LEGS];
    int count = record->whole ? 0 : serving_legs(s, legs);
    add_legs(legs, count, key, wall_offset_ns, out);
}

void itsi_trace_spans_make(const struct itsi_trace_record *record, const struct itsi_trace_key *key,
                           int64_t wall_offset_ns, struct itsi_trace_spans *out)
{
    if (record->is_serving)
        make_serving(record, key, wall_offset_ns, out);
    else
        make_frame(record, key, wall_offset_ns, out);
}
