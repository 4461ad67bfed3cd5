/* Pictures and events: snapshot, live view, detections, the wall. */
#include "serve/serve_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/mem.h"
#include "encode/result_json.h"

#include <stdio.h>
#include <string.h>

enum { LEAST_WIDTH = 16, MOST_WIDTH = 8192, MOST_TILES = 1000, BLOCK = 32 * 1024 };

static bool camera_exists(const struct itsi_request *r, const char *id)
{
    struct itsi_camera_status *status = itsi_alloc(sizeof *status);
    const bool found = status && itsi_pipeline_camera(r->server->pipeline, id, status) == 0;
    itsi_free(status);
    return found;
}

static enum MHD_Result no_camera(struct itsi_request *r)
{
    return itsi_respond_problem(r, MHD_HTTP_NOT_FOUND, "there is no such camera");
}

static enum MHD_Result bad_query(struct itsi_request *r, const struct its_diag *diag)
{
    return itsi_respond_problem(r, MHD_HTTP_BAD_REQUEST, diag->text);
}

/* ?width= and ?boxes= */
static int picture_query(const struct itsi_request *r, int *width, bool *boxes, struct its_diag *diag)
{
    double number = *width;
    int rc = itsi_request_number(r, "width", LEAST_WIDTH, MOST_WIDTH, &number, diag);
    *width = (int)number;
    return rc != 0 ? rc : itsi_request_flag(r, "boxes", boxes, diag);
}

/* A span of what is served, told to the client; a HEAD serves nothing. */
static void begin_tracing(struct itsi_request *r, struct MHD_Response *response, const struct itsi_frame_facts *facts,
                          size_t bytes)
{
    char parent[ITSI_TRACEPARENT_SIZE];
    struct itsi_trace_client client;
    if (r->head)
        return;
    itsi_trace_client_read(&client, r->connection);
    const struct itsi_served_params params = {.pipeline = r->server->pipeline,
                                              .stats = &r->server->stats,
                                              .client = &client,
                                              .route = itsi_route_pattern(r->match.route),
                                              .since = r->came_ns,
                                              .bytes = (int64_t)bytes};
    itsi_served_begin(&r->served, &params, facts, parent);
    itsi_respond_header(response, "traceparent", parent);
}

/* --- snapshot ----------------------------------------------------------------------------------------------------- */

static void picture_done(struct itsi_picture_wait *wait)
{
    struct itsi_request *r = (struct itsi_request *)(void *)((char *)wait - offsetof(struct itsi_request, picture));
    itsi_request_resume(r);
}

static ssize_t read_picture(void *arg, uint64_t position, char *out, size_t size)
{
    struct itsi_request *r = arg;
    const struct itsi_item *item = r->picture.item;
    itsi_served_sending(&r->served, itsi_now_ns());
    const size_t left = item->body.len - (size_t)position;
    const size_t part = left < size ? left : size;
    memcpy(out, item->body.data + position, part);
    return (ssize_t)part;
}

static enum MHD_Result snapshot_ready(struct itsi_request *r)
{
    if (r->picture.status == ITS_EINVAL) /* a source without pictures */
        return itsi_respond_problem(r, MHD_HTTP_NOT_FOUND, r->picture.reason);
    if (r->picture.status != 0)
        return itsi_respond_problem(r, itsi_respond_status_of(r->picture.status),
                                    r->picture.reason[0] ? r->picture.reason : its_strerror(r->picture.status));
    /* the request outlives what is read of its response, and lets the picture go when it is completed */
    const struct itsi_item *item = r->picture.item;
    struct MHD_Response *response = MHD_create_response_from_callback(item->body.len, BLOCK, read_picture, r, NULL);
    if (!response)
        return MHD_NO;
    itsi_respond_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "image/jpeg");
    itsi_respond_facts(response, &item->facts, itsi_now_ns());
    begin_tracing(r, response, &item->facts, item->body.len);
    return itsi_respond_queue(r, MHD_HTTP_OK, response);
}

enum MHD_Result itsi_api_snapshot(struct itsi_request *r)
{
    struct its_diag diag = {""};
    int width = 0;
    bool boxes = true;
    if (picture_query(r, &width, &boxes, &diag) != 0)
        return bad_query(r, &diag);
    if (!camera_exists(r, r->match.camera))
        return no_camera(r);
    r->picture.done = picture_done;
    itsi_request_suspend(r, snapshot_ready);
    const int rc = itsi_streams_picture(r->server->streams, r->match.camera, width, boxes, &r->picture, &diag);
    if (rc != 0) { /* else the request is the encoder's until it resumes it */
        r->picture.status = rc;
        snprintf(r->picture.reason, sizeof r->picture.reason, "%.159s", diag.text);
        itsi_request_resume(r);
    }
    return MHD_YES;
}

/* --- streams ------------------------------------------------------------------------------------------------------ */

static enum MHD_Result stream(struct itsi_request *r, struct itsi_viewer_params *params, const char *type)
{
    struct its_diag diag = {""};
    struct itsi_viewer *viewer = NULL;
    struct MHD_Response *response;
    struct itsi_trace_client client;
    if (r->head) {
        response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    } else {
        itsi_trace_client_read(&client, r->connection);
        params->client = &client;
        params->route = itsi_route_pattern(r->match.route);
        params->connection = r->connection;
        const int rc = itsi_viewer_create(r->server->streams, params, &viewer, &diag);
        if (rc != 0)
            return itsi_respond_problem(r, MHD_HTTP_SERVICE_UNAVAILABLE, diag.text);
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, itsi_viewer_read, viewer,
                                                     itsi_viewer_free);
        if (!response)
            itsi_viewer_free(viewer);
    }
    itsi_respond_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    itsi_respond_header(response, "X-Accel-Buffering", "no"); /* nginx would hold the stream back */
    return itsi_respond_queue(r, MHD_HTTP_OK, response);
}

enum MHD_Result itsi_api_live(struct itsi_request *r)
{
    struct itsi_viewer_params params = {.kind = ITSI_VIEWER_LIVE, .camera = r->match.camera, .boxes = true};
    struct its_diag diag;
    if (picture_query(r, &params.width, &params.boxes, &diag) != 0 ||
        itsi_request_number(r, "fps", 0.1, 60, &params.fps, &diag) != 0)
        return bad_query(r, &diag);
    if (!camera_exists(r, r->match.camera))
        return no_camera(r);
    return stream(r, &params, "multipart/x-mixed-replace; boundary=its");
}

/* ?format=json: the newest result, once. */
static enum MHD_Result latest(struct itsi_request *r)
{
    struct itsi_server *server = r->server;
    struct itsi_result *result = itsi_pipeline_latest(server->pipeline, r->match.camera, NULL);
    if (!result)
        return itsi_respond_problem(r, MHD_HTTP_SERVICE_UNAVAILABLE, "the camera has given no result yet");
    struct itsi_buf text;
    struct itsi_json json;
    int names;
    const int64_t now = itsi_now_ns();
    const char *const *class_names = itsi_pipeline_class_names(server->pipeline, &names);
    itsi_buf_init(&text);
    itsi_json_init(&json, &text);
    itsi_result_json(&json, NULL, result, class_names, names, now);
    struct itsi_frame_facts facts;
    itsi_frame_facts_of(result, &facts);
    itsi_result_unref(&result);
    const size_t len = text.len;
    char *data = itsi_buf_take(&text);
    struct MHD_Response *response =
        data ? MHD_create_response_from_buffer_with_free_callback(len, data, itsi_free) : NULL;
    if (!response) {
        itsi_free(data);
        return itsi_respond_problem(r, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
    }
    itsi_respond_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    itsi_respond_facts(response, &facts, now);
    begin_tracing(r, response, &facts, len);
    itsi_served_sending(&r->served, itsi_now_ns());
    return itsi_respond_queue(r, MHD_HTTP_OK, response);
}

enum MHD_Result itsi_api_detections(struct itsi_request *r)
{
    const bool one = r->match.route == ITSI_ROUTE_CAMERA_DETECTIONS;
    const char *format = itsi_request_query(r, "format");
    struct its_diag diag;
    if (one && !camera_exists(r, r->match.camera))
        return no_camera(r);
    if (format && strcmp(format, "json") == 0 && one)
        return latest(r);
    if (format && strcmp(format, "sse") != 0) {
        itsi_fail(&diag, ITS_EINVAL, "format=%.40s: wanted sse%s", format, one ? " or json" : "");
        return bad_query(r, &diag);
    }
    struct itsi_viewer_params params = {.kind = ITSI_VIEWER_EVENTS, .camera = one ? r->match.camera : NULL};
    return stream(r, &params, "text/event-stream");
}

/* "a,b,c" taken apart in place. */
static int split(char *list, const char **out, int cap)
{
    int count = 0;
    char *rest = NULL;
    for (char *id = strtok_r(list, ",", &rest); id && count < cap; id = strtok_r(NULL, ",", &rest))
        if (strlen(id) < ITSI_CAMERA_ID_SIZE)
            out[count++] = id;
    return count;
}

enum MHD_Result itsi_api_wall(struct itsi_request *r)
{
    struct itsi_viewer_params params = {.kind = ITSI_VIEWER_WALL,
                                        .width = atomic_load(&r->server->settings.tile_width)};
    struct its_diag diag;
    if (picture_query(r, &params.width, &params.boxes, &diag) != 0 ||
        itsi_request_number(r, "fps", 0.1, 60, &params.fps, &diag) != 0)
        return bad_query(r, &diag);
    const char *query = itsi_request_query(r, "cameras");
    char *list = itsi_strdup(query);
    const char **ids = itsi_calloc(MOST_TILES, sizeof *ids);
    if (!ids || (query && !list)) {
        itsi_free(list);
        itsi_free(ids);
        return itsi_respond_problem(r, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
    }
    if (list) {
        params.cameras = ids;
        params.camera_count = split(list, ids, MOST_TILES);
    }
    const enum MHD_Result queued = stream(r, &params, "application/vnd.its.wall");
    itsi_free(list);
    itsi_free(ids);
    return queued;
}
