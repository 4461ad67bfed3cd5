/* The headers a client may send. Input: a traceparent, a line break, a tracestate. */
#include "fuzz.h"

#include "latency/trace_context.h"
#include "net/otlp_span.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_trace_context: %s\n", what);
        abort();
    }
}

static void check_parent(const char *text, struct itsi_trace_context *context)
{
    struct itsi_trace_context again = {0};
    char written[ITSI_TRACEPARENT_SIZE];
    if (!itsi_traceparent_parse(context, text))
        return;
    must(itsi_trace_id_valid(&context->trace_id) && itsi_span_id_valid(&context->span_id), "an id of zeros passed");
    must((context->flags & ~ITSI_TRACE_SAMPLED) == 0, "an unknown flag passed");
    itsi_traceparent_format(context, written);
    must(itsi_traceparent_parse(&again, written), "what was written cannot be read");
    must(memcmp(context, &again, offsetof(struct itsi_trace_context, state)) == 0, "it reads differently once written");
}

/* What passes once passes again, unchanged and whole. */
static void check_state(const char *text, struct itsi_trace_context *context)
{
    struct itsi_trace_context again = {0};
    must(itsi_tracestate_parse(context, text) >= 0, "a negative count");
    must(strlen(context->state) <= ITSI_TRACESTATE_MOST, "too long a tracestate passed");
    must(itsi_tracestate_parse(&again, context->state) == 0, "a member passed that is malformed");
    must(strcmp(again.state, context->state) == 0, "not the same the second time");
    for (const char *c = context->state; *c; c++)
        must(*c >= 0x20 && *c <= 0x7e, "a character that no header may hold");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct itsi_trace_context context = {0};
    struct itsi_otlp_partial partial;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    char *state = strchr(text, '\n');
    if (state)
        *state++ = '\0';
    check_parent(text, &context);
    check_state(state ? state : text, &context);
    if (itsi_otlp_response_decode(data, size, &partial) == 0) /* the other bytes that come from outside */
        must(strlen(partial.message) < sizeof partial.message, "an open-ended message");
    free(text);
    return 0;
}
