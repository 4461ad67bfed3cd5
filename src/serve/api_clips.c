/* Clips of incidents: which there are, one to look at, one to delete. They lie on a disk, so what looks for them is the
 * work of a thread of their own (serve/lookup.h), and what is in them is read by others (serve/file_body.h): a slow disk
 * delays clips alone. */
#include "serve/serve_impl.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "serve/byte_range.h"

#include <stdio.h>
#include <string.h>

enum { LISTED = 50, MOST_LISTED = 1000 };

/* What a job says of itself. */
static void note(struct itsi_lookup *lookup, int status, const struct its_diag *diag)
{
    lookup->status = status;
    snprintf(lookup->detail, sizeof lookup->detail, "%s", diag->text);
}

static enum MHD_Result problem(struct itsi_request *r)
{
    unsigned status = itsi_respond_status_of(r->status);
    if (r->status == ITS_EBUSY && r->detail[0]) /* the clip is being made: it will not go away by asking again at once */
        status = MHD_HTTP_CONFLICT;
    return itsi_respond_problem(r, status, r->detail[0] ? r->detail : its_strerror(r->status));
}

/* --- the list ----------------------------------------------------------------------------------------------------- */

static void put_clip(struct itsi_json *json, const struct itsi_clip_facts *facts)
{
    char time[32];
    itsi_format_wall(facts->wall_ns, time);
    itsi_json_object(json, NULL);
    itsi_json_string(json, "name", facts->name);
    itsi_json_string(json, "camera", facts->camera);
    itsi_json_string(json, "time", time);
    itsi_json_string(json, "state", itsi_clip_state_name(facts->state));
    itsi_json_string(json, "why", facts->why);
    itsi_json_string(json, "flight_record", facts->record[0] ? facts->record : NULL);
    itsi_json_string(json, "note", facts->note);
    itsi_json_number(json, "seconds", facts->seconds, 1);
    itsi_json_number(json, "seconds_before", facts->before, 1);
    itsi_json_int(json, "bytes", (int64_t)facts->bytes);
    itsi_json_end(json, '}');
}

static void put_totals(struct itsi_json *json, struct itsi_clips *clips)
{
    struct itsi_clips_stats stats = {0};
    if (clips)
        itsi_clips_stats(clips, &stats);
    itsi_json_bool(json, "enabled", clips != NULL);
    itsi_json_int(json, "kept", stats.kept.files);
    itsi_json_int(json, "bytes", (int64_t)stats.kept.bytes);
    itsi_json_int(json, "waiting", stats.waiting);
    itsi_json_int(json, "written", (int64_t)stats.written);
    itsi_json_int(json, "failed", (int64_t)stats.failed);
    itsi_json_int(json, "dropped", (int64_t)stats.dropped);
}

static void put_list(struct itsi_lookup *lookup, const struct itsi_clip_facts *list, int count)
{
    struct itsi_json json;
    itsi_json_init(&json, &lookup->answer);
    itsi_json_object(&json, NULL);
    put_totals(&json, lookup->clips);
    itsi_json_array(&json, "clips");
    for (int i = 0; i < count; i++)
        put_clip(&json, &list[i]);
    itsi_json_end(&json, ']');
    itsi_json_end(&json, '}');
}

static void list_job(struct itsi_lookup *lookup)
{
    struct itsi_clip_facts *list = itsi_calloc((size_t)lookup->limit + 1, sizeof *list);
    int count = list ? 0 : ITS_ENOMEM;
    if (list && lookup->clips)
        count = itsi_clips_list(lookup->clips, list, lookup->limit);
    if (count >= 0)
        put_list(lookup, list, count);
    else
        lookup->status = count;
    itsi_free(list);
}

static enum MHD_Result listed(struct itsi_request *r)
{
    return r->status ? problem(r) : itsi_respond_text(r, MHD_HTTP_OK, "application/json", &r->lookup->answer);
}

enum MHD_Result itsi_api_clips(struct itsi_request *r)
{
    struct its_diag diag = {""};
    int limit = LISTED;
    if (itsi_request_whole(r, "limit", 0, MOST_LISTED, &limit, &diag) != 0)
        return itsi_respond_problem(r, MHD_HTTP_BAD_REQUEST, diag.text);
    struct itsi_lookup *lookup = itsi_lookup_make(r->server->lookups, itsi_pipeline_clips(r->server->pipeline));
    if (lookup) {
        lookup->job = list_job;
        lookup->limit = limit;
    }
    return itsi_lookup_run(r, lookup, listed);
}

/* --- one of them -------------------------------------------------------------------------------------------------- */

static void open_job(struct itsi_lookup *lookup)
{
    struct its_diag diag = {""};
    const int rc = itsi_clips_open(lookup->clips, lookup->clip, &lookup->file, &lookup->bytes, &diag);
    note(lookup, rc, &diag);
}

static enum MHD_Result refuse_range(struct itsi_request *r, uint64_t size)
{
    char text[64];
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    snprintf(text, sizeof text, "bytes */%llu", (unsigned long long)size);
    itsi_respond_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text);
    return itsi_respond_queue(r, MHD_HTTP_RANGE_NOT_SATISFIABLE, response);
}

/* A clip never changes under its name, so an answer may be kept, by this browser alone. */
static enum MHD_Result opened(struct itsi_request *r)
{
    struct itsi_byte_range range;
    char text[200];
    if (r->status)
        return problem(r);
    const uint64_t size = r->lookup->bytes;
    const char *wanted = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_RANGE);
    const bool conditional = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_RANGE);
    const enum itsi_range_kind kind = conditional ? ITSI_RANGE_WHOLE : itsi_byte_range_parse(wanted, size, &range);
    if (kind == ITSI_RANGE_NONE)
        return refuse_range(r, size);
    if (kind == ITSI_RANGE_WHOLE)
        range = (struct itsi_byte_range){0, size};
    struct MHD_Response *response;
    struct its_diag diag = {""};
    const struct itsi_file_part part = {r->match.clip, r->lookup->file, range.first, range.length};
    const int rc = itsi_file_response(r->server->reads, r->connection, &part, &response, &diag);
    if (rc != 0)
        return itsi_respond_problem(r, itsi_respond_status_of(rc), diag.text);
    r->lookup->file = -1; /* the response's now */
    itsi_respond_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "video/mp4");
    itsi_respond_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
    itsi_respond_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "private, max-age=3600");
    snprintf(text, sizeof text, "inline; filename=\"%s\"", r->match.clip);
    itsi_respond_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, text);
    if (kind == ITSI_RANGE_PART) {
        snprintf(text, sizeof text, "bytes %llu-%llu/%llu", (unsigned long long)range.first,
                 (unsigned long long)(range.first + range.length - 1), (unsigned long long)size);
        itsi_respond_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text);
    }
    return itsi_respond_queue(r, kind == ITSI_RANGE_PART ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK, response);
}

static void remove_job(struct itsi_lookup *lookup)
{
    struct its_diag diag = {""};
    const int rc = itsi_clips_remove(lookup->clips, lookup->clip, &diag);
    note(lookup, rc, &diag);
}

static enum MHD_Result removed(struct itsi_request *r)
{
    if (r->status)
        return problem(r);
    return itsi_respond_queue(r, MHD_HTTP_NO_CONTENT, MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT));
}

enum MHD_Result itsi_api_clip(struct itsi_request *r)
{
    const bool removes = r->method == ITSI_DELETE;
    struct itsi_clips *clips = itsi_pipeline_clips(r->server->pipeline);
    if (!clips) {
        snprintf(r->detail, sizeof r->detail, "no clip %s: none are made here", r->match.clip);
        return itsi_respond_problem(r, MHD_HTTP_NOT_FOUND, r->detail);
    }
    struct itsi_lookup *lookup = itsi_lookup_make(r->server->lookups, clips);
    if (lookup) {
        lookup->job = removes ? remove_job : open_job;
        memcpy(lookup->clip, r->match.clip, sizeof lookup->clip);
    }
    return itsi_lookup_run(r, lookup, removes ? removed : opened);
}
