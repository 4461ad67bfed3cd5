/* The cameras: list, one, add, remove. Adding and removing run on the worker: they start and join threads. */
#include "serve/serve_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/url.h"
#include "optimizer/documents.h"
#include "serve/json_body.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void put_url(struct itsi_json *json, const char *key, const char *url)
{
    char shown[2048];
    itsi_url_redact(url, shown, sizeof shown);
    itsi_json_string(json, key, url[0] ? shown : NULL);
}

static void put_source(struct itsi_json *json, const struct itsi_capture_status *c, int64_t now)
{
    const bool known = c->codec[0];
    itsi_json_string(json, "state", itsi_capture_state_name(c->state));
    itsi_json_number(json, "state_seconds", (double)(now - c->state_since_ns) / 1e9, 1);
    itsi_json_number(json, "retry_in_seconds",
                     c->state == ITSI_CAPTURE_BACKOFF ? (double)(c->next_retry_ns - now) / 1e9 : NAN, 1);
    itsi_json_int(json, "attempts", c->attempts);
    itsi_json_string(json, "last_error", c->last_error[0] ? c->last_error : NULL);
    itsi_json_string(json, "last_error_code", c->last_code ? its_errname(c->last_code) : NULL);
    itsi_json_string(json, "codec", known ? c->codec : NULL);
    itsi_json_int(json, "width", c->width);
    itsi_json_int(json, "height", c->height);
    itsi_json_number(json, "source_fps", c->fps, 2);
    itsi_json_bool(json, "live", c->live);
    itsi_json_bool(json, "has_b_frames", c->has_b_frames);
    itsi_json_string(json, "origin", itsi_origin_name(c->origin_kind));
    itsi_json_number(json, "clock_offset_seconds", c->clock_offset_seconds, 3);
    itsi_json_int(json, "epoch", c->epoch);
    itsi_json_int(json, "seq", (int64_t)c->seq);
    itsi_json_int(json, "bytes", (int64_t)c->bytes);
    itsi_json_int(json, "decode_errors", (int64_t)c->decode_errors);
    itsi_json_int(json, "reconnects", (int64_t)c->reconnects);
    itsi_json_int(json, "stalls", (int64_t)c->stalls);
    itsi_json_int(json, "freezes", (int64_t)c->freezes);
}

static void put_camera(struct itsi_json *json, const struct itsi_camera_status *s,
                       const struct itsi_quality_overview *quality, int64_t now)
{
    itsi_json_object(json, NULL);
    itsi_json_string(json, "id", s->camera.id);
    put_url(json, "url", s->camera.url);
    put_url(json, "sub_url", s->camera.sub_url);
    itsi_json_int(json, "priority", s->camera.priority);
    put_source(json, &s->capture, now);
    itsi_json_number(json, "analysed_fps", s->analysed_fps, 2);
    itsi_json_number(json, "age_ms", s->age_ms, 1);
    itsi_json_number(json, "latency_ms", s->latency_ms, 1);
    itsi_json_int(json, "boxes", s->last_count);
    itsi_json_string(json, "quality_level", itsi_quality_name(s->quality_level));
    itsi_document_camera_quality(json, "quality", s, quality);
    itsi_document_ledger(json, "ledger", &s->ledger);
    itsi_json_end(json, '}');
}

void itsi_put_cameras(struct itsi_json *json, const char *key, struct itsi_pipeline *pipeline)
{
    const int64_t now = itsi_now_ns();
    const int cap = itsi_pipeline_cameras(pipeline, NULL, 0);
    struct itsi_camera_status *all = itsi_calloc((size_t)cap + 1, sizeof *all);
    const int count = all ? itsi_pipeline_cameras(pipeline, all, cap) : 0;
    struct itsi_quality_overview quality;
    itsi_pipeline_quality(pipeline, &quality);
    itsi_json_array(json, key);
    for (int i = 0; i < count && i < cap; i++)
        put_camera(json, &all[i], &quality, now);
    itsi_json_end(json, ']');
    if (!all)
        json->out->failed = true;
    itsi_free(all);
}

static enum MHD_Result list(struct itsi_request *r)
{
    struct itsi_buf text;
    struct itsi_json json;
    itsi_buf_init(&text);
    itsi_json_init(&json, &text);
    itsi_json_object(&json, NULL);
    itsi_put_cameras(&json, "cameras", r->server->pipeline);
    itsi_json_int(&json, "limit", atomic_load(&r->server->settings.camera_limit));
    itsi_json_end(&json, '}');
    return itsi_respond_text(r, MHD_HTTP_OK, "application/json", &text);
}

int itsi_put_camera(struct itsi_pipeline *pipeline, const char *id, struct itsi_buf *out)
{
    struct itsi_quality_overview quality;
    struct itsi_camera_status *status = itsi_zalloc(sizeof *status);
    struct itsi_json json;
    int rc = status ? itsi_pipeline_camera(pipeline, id, status) : ITS_ENOMEM;
    if (rc == 0) {
        itsi_pipeline_quality(pipeline, &quality);
        itsi_json_init(&json, out);
        put_camera(&json, status, &quality, itsi_now_ns());
    }
    itsi_free(status);
    return rc;
}

/* --- adding ------------------------------------------------------------------------------------------------------- */

static int read_camera(const struct itsi_buf *text, struct itsi_camera *camera, struct its_diag *diag)
{
    static const char *const known[] = {"id", "url", "sub_url", "priority", "fps", "start_offset_seconds", NULL};
    double priority = 0, fps = 0, offset = 0;
    json_t *body;
    int rc = itsi_body_read(text, known, &body, diag);
    if (rc == 0)
        rc = itsi_body_text(body, "id", camera->id, sizeof camera->id, diag);
    if (rc == 0)
        rc = itsi_body_text(body, "url", camera->url, sizeof camera->url, diag);
    if (rc == 0)
        rc = itsi_body_text(body, "sub_url", camera->sub_url, sizeof camera->sub_url, diag);
    if (rc == 0)
        rc = itsi_body_number(body, "priority", 0, 9, &priority, diag);
    if (rc == 0)
        rc = priority == (int)priority ? 0 : itsi_fail(diag, ITS_EINVAL, "'priority' must be a whole number from 0 to 9");
    if (rc == 0)
        rc = itsi_body_number(body, "fps", 0, 1000, &fps, diag);
    if (rc == 0)
        rc = itsi_body_number(body, "start_offset_seconds", 0, 1e6, &offset, diag);
    json_decref(body);
    if (rc == 0 && !camera->url[0])
        rc = itsi_fail(diag, ITS_EINVAL, "'url' is missing");
    camera->priority = (int)priority;
    camera->fps = fps;
    camera->start_offset_ns = (int64_t)(offset * 1e9);
    return rc;
}

/* On the worker. */
static void add_job(struct itsi_request *r)
{
    struct its_diag diag = {""};
    struct itsi_camera *camera = itsi_zalloc(sizeof *camera);
    r->status = camera ? read_camera(&r->body, camera, &diag) : itsi_fail(&diag, ITS_ENOMEM, "out of memory");
    if (r->status == 0)
        r->status = itsi_pipeline_add_camera(r->server->pipeline, camera, &diag);
    if (r->status == 0) {
        snprintf(r->location, sizeof r->location, "/api/v1/cameras/%s", camera->id);
        r->status = itsi_put_camera(r->server->pipeline, camera->id, &r->answer);
    }
    snprintf(r->detail, sizeof r->detail, "%s", diag.text);
    itsi_free(camera);
}

static enum MHD_Result failed(struct itsi_request *r)
{
    return itsi_respond_problem(r, itsi_respond_status_of(r->status),
                                r->detail[0] ? r->detail : its_strerror(r->status));
}

static enum MHD_Result added(struct itsi_request *r)
{
    if (r->status != 0)
        return failed(r);
    const size_t len = r->answer.len;
    char *data = itsi_buf_take(&r->answer);
    if (!data)
        return itsi_respond_problem(r, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback(len, data, itsi_free);
    if (!response)
        itsi_free(data);
    itsi_respond_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    itsi_respond_header(response, MHD_HTTP_HEADER_LOCATION, r->location);
    return itsi_respond_queue(r, MHD_HTTP_CREATED, response);
}

/* --- removing ----------------------------------------------------------------------------------------------------- */

static void remove_job(struct itsi_request *r)
{
    struct its_diag diag = {""};
    r->status = itsi_pipeline_remove_camera(r->server->pipeline, r->match.camera, &diag);
    snprintf(r->detail, sizeof r->detail, "%s", diag.text);
    itsi_streams_poke(r->server->streams); /* its viewers' streams end */
}

static enum MHD_Result removed(struct itsi_request *r)
{
    if (r->status != 0)
        return failed(r);
    return itsi_respond_queue(r, MHD_HTTP_NO_CONTENT,
                              MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT));
}

/* --- routes ------------------------------------------------------------------------------------------------------- */

enum MHD_Result itsi_api_cameras(struct itsi_request *r)
{
    return r->method == ITSI_POST ? itsi_worker_run(r, add_job, added) : list(r);
}

enum MHD_Result itsi_api_camera(struct itsi_request *r)
{
    struct itsi_buf text;
    if (r->method == ITSI_DELETE)
        return itsi_worker_run(r, remove_job, removed);
    itsi_buf_init(&text);
    const int rc = itsi_put_camera(r->server->pipeline, r->match.camera, &text);
    if (rc != 0) {
        itsi_buf_fini(&text);
        return itsi_respond_problem(r, itsi_respond_status_of(rc), "there is no such camera");
    }
    return itsi_respond_text(r, MHD_HTTP_OK, "application/json", &text);
}
