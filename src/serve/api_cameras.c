/* The cameras: list, one, add, remove. Adding and removing run on the worker: they start and join threads. */
#include "serve/serve_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/url.h"
#include "optimizer/documents.h"

#include <jansson.h>
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

static void put_camera(struct itsi_json *json, const char *key, const struct itsi_camera_status *s, int64_t now)
{
    itsi_json_object(json, key);
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
    itsi_document_ledger(json, "ledger", &s->ledger);
    itsi_json_end(json, '}');
}

void itsi_put_cameras(struct itsi_json *json, const char *key, struct itsi_pipeline *pipeline)
{
    const int64_t now = itsi_now_ns();
    const int cap = itsi_pipeline_cameras(pipeline, NULL, 0);
    struct itsi_camera_status *all = itsi_calloc((size_t)cap + 1, sizeof *all);
    const int count = all ? itsi_pipeline_cameras(pipeline, all, cap) : 0;
    itsi_json_array(json, key);
    for (int i = 0; i < count && i < cap; i++)
        put_camera(json, NULL, &all[i], now);
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

static int put_one(struct itsi_pipeline *pipeline, const char *id, struct itsi_buf *text)
{
    struct itsi_camera_status *status = itsi_zalloc(sizeof *status);
    struct itsi_json json;
    int rc = status ? itsi_pipeline_camera(pipeline, id, status) : ITS_ENOMEM;
    if (rc == 0) {
        itsi_json_init(&json, text);
        put_camera(&json, NULL, status, itsi_now_ns());
    }
    itsi_free(status);
    return rc;
}

/* --- adding ------------------------------------------------------------------------------------------------------- */

static int text_field(const json_t *body, const char *key, char *out, size_t size, struct its_diag *diag)
{
    const json_t *value = json_object_get(body, key);
    if (!value || json_is_null(value))
        return 0;
    if (!json_is_string(value))
        return itsi_fail(diag, ITS_EINVAL, "'%s' must be a string", key);
    if (json_string_length(value) >= size || strlen(json_string_value(value)) != json_string_length(value))
        return itsi_fail(diag, ITS_EINVAL, "'%s' is too long or not text", key);
    memcpy(out, json_string_value(value), json_string_length(value) + 1);
    return 0;
}

static int number_field(const json_t *body, const char *key, double least, double most, double *out,
                        struct its_diag *diag)
{
    const json_t *value = json_object_get(body, key);
    if (!value || json_is_null(value))
        return 0;
    if (!json_is_number(value) || !(json_number_value(value) >= least && json_number_value(value) <= most))
        return itsi_fail(diag, ITS_EINVAL, "'%s' must be a number from %g to %g", key, least, most);
    *out = json_number_value(value);
    return 0;
}

static int known_keys_only(const json_t *body, struct its_diag *diag)
{
    static const char *const known[] = {"id", "url", "sub_url", "priority", "fps", "start_offset_seconds"};
    void *at = json_object_iter((json_t *)(uintptr_t)body);
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)body, at)) {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            found |= strcmp(known[i], json_object_iter_key(at)) == 0;
        if (!found)
            return itsi_fail(diag, ITS_EINVAL,
                             "unknown key '%.60s': wanted id, url, sub_url, priority, fps, start_offset_seconds",
                             json_object_iter_key(at));
    }
    return 0;
}

static int read_camera(const struct itsi_buf *text, struct itsi_camera *camera, struct its_diag *diag)
{
    json_error_t error;
    double priority = 0, fps = 0, offset = 0;
    json_t *body = json_loadb(text->data ? text->data : "", text->len, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(body)) {
        json_decref(body);
        return itsi_fail(diag, ITS_EINVAL, "the body is not a JSON object%s%.120s", body ? "" : ": ",
                         body ? "" : error.text);
    }
    int rc = known_keys_only(body, diag);
    if (rc == 0)
        rc = text_field(body, "id", camera->id, sizeof camera->id, diag);
    if (rc == 0)
        rc = text_field(body, "url", camera->url, sizeof camera->url, diag);
    if (rc == 0)
        rc = text_field(body, "sub_url", camera->sub_url, sizeof camera->sub_url, diag);
    if (rc == 0)
        rc = number_field(body, "priority", 0, 9, &priority, diag);
    if (rc == 0)
        rc = priority == (int)priority ? 0 : itsi_fail(diag, ITS_EINVAL, "'priority' must be a whole number from 0 to 9");
    if (rc == 0)
        rc = number_field(body, "fps", 0, 1000, &fps, diag);
    if (rc == 0)
        rc = number_field(body, "start_offset_seconds", 0, 1e6, &offset, diag);
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
        r->status = put_one(r->server->pipeline, camera->id, &r->answer);
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

static enum MHD_Result hand_over(struct itsi_request *r, void (*job)(struct itsi_request *),
                                 enum MHD_Result (*finish)(struct itsi_request *))
{
    r->job = job;
    itsi_request_suspend(r, finish);
    const int rc = itsi_worker_post(r->server->worker, r);
    if (rc != 0) { /* else the request is the worker's until it resumes it */
        r->status = rc;
        itsi_request_resume(r);
    }
    return MHD_YES;
}

/* --- routes ------------------------------------------------------------------------------------------------------- */

enum MHD_Result itsi_api_cameras(struct itsi_request *r)
{
    return r->method == ITSI_POST ? hand_over(r, add_job, added) : list(r);
}

enum MHD_Result itsi_api_camera(struct itsi_request *r)
{
    struct itsi_buf text;
    if (r->method == ITSI_DELETE)
        return hand_over(r, remove_job, removed);
    itsi_buf_init(&text);
    const int rc = put_one(r->server->pipeline, r->match.camera, &text);
    if (rc != 0) {
        itsi_buf_fini(&text);
        return itsi_respond_problem(r, itsi_respond_status_of(rc), "there is no such camera");
    }
    return itsi_respond_text(r, MHD_HTTP_OK, "application/json", &text);
}
