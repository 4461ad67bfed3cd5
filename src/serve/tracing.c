#include "serve/tracing.h"

#include "base/clock.h"

#include <microhttpd.h>
#include <string.h>
#include <strings.h>

/* --- the client's context ----------------------------------------------------------------------------------------- */

/* More than any client should send; what does not fit is left out, as whole headers. */
enum { STATE_ROOM = 4096 };

struct headers {
    const char *parent;
    int parents;
    char state[STATE_ROOM];
    size_t used;
};

/* Several tracestate headers are one list, in their order (RFC 9110, 5.3). */
static void add_state(struct headers *h, const char *value)
{
    const size_t len = strlen(value);
    if (h->used + len + 2 > sizeof h->state)
        return;
    if (h->used)
        h->state[h->used++] = ',';
    memcpy(h->state + h->used, value, len + 1);
    h->used += len;
}

static enum MHD_Result look(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct headers *h = arg;
    (void)kind;
    if (!value)
        return MHD_YES;
    if (strcasecmp(name, "traceparent") == 0) {
        h->parent = value;
        h->parents++;
    } else if (strcasecmp(name, "tracestate") == 0) {
        add_state(h, value);
    }
    return MHD_YES;
}

void itsi_trace_client_read(struct itsi_trace_client *out, struct MHD_Connection *connection)
{
    struct headers h = {.parent = NULL};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, look, &h);
    out->known = h.parents == 1 && itsi_traceparent_parse(&out->context, h.parent);
    if (out->known && h.used)
        (void)itsi_tracestate_parse(&out->context, h.state); /* members dropped: the context holds without them */
}

/* --- on its way --------------------------------------------------------------------------------------------------- */

/* A stream's picture begins when it was asked of the encoder, unless that was before the client came; a single answer
 * with its request. A picture that was there already has no encoding in this client's account. */
static void set_stamps(struct itsi_trace_serving *s, const struct itsi_served_params *params,
                       const struct itsi_frame_facts *facts)
{
    s->begin = params->since;
    if (params->streamed)
        s->begin = facts->encode_asked >= params->since ? facts->encode_asked : params->turn;
    if (facts->encode_start >= s->begin) {
        s->encode_start = facts->encode_start;
        s->encode_end = facts->encode_end;
    }
}

void itsi_served_begin(struct itsi_served *served, const struct itsi_served_params *params,
                       const struct itsi_frame_facts *facts, char parent[ITSI_TRACEPARENT_SIZE])
{
    struct itsi_trace_context reply;
    served->active = true;
    served->pipeline = params->pipeline;
    served->stats = params->stats;
    served->info = facts->info;
    itsi_tracer_serve_begin(itsi_pipeline_tracer(params->pipeline), &facts->info,
                            params->client->known ? &params->client->context : NULL, params->streamed,
                            &served->serving, &reply);
    set_stamps(&served->serving, params, facts);
    served->serving.route = params->route;
    served->serving.http_status = MHD_HTTP_OK;
    served->serving.bytes = params->bytes;
    served->serving.frame_late = facts->late;
    itsi_traceparent_format(&reply, parent);
}

void itsi_served_sending(struct itsi_served *served, int64_t now)
{
    if (served->active && !served->serving.send_start)
        served->serving.send_start = now;
}

/* What comes after the hand-over has budgets of its own. A stream has no deadline: who reads it slowly would have every
 * picture traced. */
static bool is_late(const struct itsi_trace_serving *s)
{
    const double budget_ms =
        itsi_stage_budget_ms(ITSI_STAGE_ENCODING) + itsi_stage_budget_ms(ITSI_STAGE_NETWORK_TRANSMISSION);
    return !s->streamed && (double)(s->send_end - s->begin) > budget_ms * (double)ITSI_NS_PER_MS;
}

/* Ready when it was encoded, or asked for where it was there already. */
static void record_transmission(struct itsi_served *served)
{
    const struct itsi_trace_serving *s = &served->serving;
    const int64_t ready = s->encode_start ? s->encode_end : s->begin;
    if (s->aborted || !s->send_start)
        return;
    itsi_buckets_add(&served->stats->send_wait, s->send_start - ready);
    itsi_buckets_add(&served->stats->send_service, s->send_end - s->send_start);
    itsi_buckets_add(&served->stats->send_total, s->send_end - ready);
    itsi_rolling_stage(itsi_pipeline_rolling(served->pipeline), ITSI_STAGE_NETWORK_TRANSMISSION, s->send_start - ready,
                       s->send_end - s->send_start);
}

void itsi_served_end(struct itsi_served *served, int64_t now, bool aborted)
{
    if (!served->active)
        return;
    served->active = false;
    served->serving.send_end = now;
    served->serving.aborted = aborted;
    served->serving.late = is_late(&served->serving);
    record_transmission(served);
    (void)itsi_tracer_serve_end(itsi_pipeline_tracer(served->pipeline), &served->info, &served->serving);
}
