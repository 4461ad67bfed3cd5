#include "serve/serve_impl.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "serve/assets.h"

#include <stdio.h>
#include <string.h>

static const char page_policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
                                  "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

void itsi_respond_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (response)
        MHD_add_response_header(response, name, value);
}

static void count(struct itsi_request *r, unsigned status)
{
    static const unsigned codes[] = ITSI_HTTP_CODES;
    int i = 0;
    while (i < ITSI_HTTP_CODE_COUNT && codes[i] != status)
        i++;
    atomic_fetch_add_explicit(&r->server->stats.requests[r->match.route][i], 1, memory_order_relaxed);
}

enum MHD_Result itsi_respond_queue(struct itsi_request *r, unsigned status, struct MHD_Response *response)
{
    if (!response)
        return MHD_NO;
    itsi_respond_header(response, "X-Content-Type-Options", "nosniff");
    itsi_respond_header(response, "Referrer-Policy", "no-referrer");
    if (!MHD_get_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL))
        itsi_respond_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (atomic_load(&r->server->stopping))
        itsi_respond_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    const enum MHD_Result queued = MHD_queue_response(r->connection, status, response);
    MHD_destroy_response(response);
    count(r, status);
    return queued;
}

enum MHD_Result itsi_respond_text(struct itsi_request *r, unsigned status, const char *type, struct itsi_buf *text)
{
    const size_t len = text->len;
    char *data = itsi_buf_take(text);
    if (!data)
        return itsi_respond_problem(r, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback(len, data, itsi_free);
    if (!response)
        itsi_free(data);
    itsi_respond_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    return itsi_respond_queue(r, status, response);
}

static const char *title_of(unsigned status)
{
    const char *phrase = MHD_get_reason_phrase_for(status);
    return phrase ? phrase : "Error";
}

enum MHD_Result itsi_respond_problem(struct itsi_request *r, unsigned status, const char *detail)
{
    struct itsi_buf text;
    struct itsi_json json;
    itsi_buf_init(&text);
    itsi_json_init(&json, &text);
    itsi_json_object(&json, NULL);
    itsi_json_string(&json, "type", "about:blank");
    itsi_json_string(&json, "title", title_of(status));
    itsi_json_int(&json, "status", status);
    itsi_json_string(&json, "detail", detail);
    itsi_json_end(&json, '}');
    const size_t len = text.len;
    char *data = itsi_buf_take(&text);
    struct MHD_Response *response = data ? MHD_create_response_from_buffer_with_free_callback(len, data, itsi_free)
                                         : MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!response)
        itsi_free(data);
    itsi_respond_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/problem+json");
    if (status == MHD_HTTP_UNAUTHORIZED)
        itsi_respond_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"its-camera-ai\"");
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE || status == MHD_HTTP_TOO_MANY_REQUESTS)
        itsi_respond_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        char allow[48];
        itsi_route_allow(r->match.methods, allow);
        itsi_respond_header(response, MHD_HTTP_HEADER_ALLOW, allow);
    }
    return itsi_respond_queue(r, status, response);
}

unsigned itsi_respond_status_of(int code)
{
    switch (code) {
    case ITS_EINVAL:
    case ITS_EFORMAT:
        return MHD_HTTP_BAD_REQUEST;
    case ITS_ENOTFOUND:
        return MHD_HTTP_NOT_FOUND;
    case ITS_EEXISTS:
    case ITS_EUNSUPPORTED: /* switched off, or not in this build */
        return MHD_HTTP_CONFLICT;
    case ITS_ELIMIT:
        return MHD_HTTP_TOO_MANY_REQUESTS;
    case ITS_EAGAIN:
    case ITS_ECANCELLED:
    case ITS_ENOMEM:
    case ITS_EBUSY:
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    default:
        return MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
}

enum MHD_Result itsi_respond_asset(struct itsi_request *r, const char *path, unsigned status)
{
    const struct itsi_asset *asset = itsi_asset_find(path);
    if (!asset)
        return itsi_respond_problem(r, MHD_HTTP_NOT_FOUND, "there is nothing at this path");
    const char *known = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
    const bool same = status == MHD_HTTP_OK && known && strstr(known, asset->etag);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(same ? 0 : asset->size, (void *)(uintptr_t)asset->data, MHD_RESPMEM_PERSISTENT);
    itsi_respond_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, itsi_asset_type(asset));
    itsi_respond_header(response, MHD_HTTP_HEADER_ETAG, asset->etag);
    itsi_respond_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    itsi_respond_header(response, "Content-Security-Policy", page_policy);
    return itsi_respond_queue(r, same ? MHD_HTTP_NOT_MODIFIED : status, response);
}

static double to_ms(int64_t ns) { return (double)ns / (double)ITSI_NS_PER_MS; }

void itsi_respond_facts(struct MHD_Response *response, const struct itsi_frame_facts *facts, int64_t now)
{
    char text[512];
    itsi_format_wall(facts->info.capture_wall_ns, text);
    itsi_respond_header(response, "X-ITS-Capture-Time", text);
    snprintf(text, sizeof text, "%.1f", to_ms(now - facts->info.trace.origin));
    itsi_respond_header(response, "X-ITS-Age-Ms", text);
    itsi_respond_header(response, "X-ITS-Quality", itsi_quality_name(facts->quality_level));
    snprintf(text, sizeof text, "%llu", (unsigned long long)facts->info.seq);
    itsi_respond_header(response, "X-ITS-Seq", text);
    size_t used = 0;
    for (int stage = 0; stage < ITSI_STAGE_ENCODING; stage++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s;dur=%.2f", stage ? ", " : "",
                                 itsi_stage_name((enum itsi_stage)stage),
                                 to_ms(facts->breakdown.wait[stage] + facts->breakdown.service[stage]));
    if (facts->encode_end)
        snprintf(text + used, sizeof text - used, ", encoding;dur=%.2f",
                 to_ms(facts->encode_end - facts->encode_asked));
    itsi_respond_header(response, "Server-Timing", text);
}
