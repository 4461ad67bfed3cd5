/* The Latency Monitor from outside: measurements that others made, and a flight record on demand. */
#include "serve/serve_impl.h"

#include "base/diag.h"
#include "base/json.h"
#include "serve/json_body.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Python's PipelineStage. */
static int series_of(const char *stage)
{
    if (strcmp(stage, "end_to_end") == 0)
        return ITSI_ROLLING_END_TO_END;
    if (strcmp(stage, "client_rendering") == 0)
        return ITSI_ROLLING_CLIENT_RENDERING;
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        if (strcmp(stage, itsi_stage_name((enum itsi_stage)s)) == 0)
            return ITSI_ROLLING_STAGE + s;
    return -1;
}

static int take_measurement(struct itsi_request *r, struct its_diag *diag)
{
    /* who asked and what for is the caller's own; it is taken and not kept */
    static const char *const known[] = {"camera_id", "stage", "latency_ms", "request_id", "metadata", NULL};
    char camera[ITSI_CAMERA_ID_SIZE] = "", stage[32] = "", request[256] = "";
    double ms = (double)NAN;
    json_t *body;
    int rc = itsi_body_read(&r->body, known, &body, diag);
    if (rc == 0)
        rc = itsi_body_text(body, "camera_id", camera, sizeof camera, diag);
    if (rc == 0)
        rc = itsi_body_text(body, "stage", stage, sizeof stage, diag);
    if (rc == 0)
        rc = itsi_body_text(body, "request_id", request, sizeof request, diag);
    if (rc == 0)
        rc = itsi_body_number(body, "latency_ms", 0, 3.6e6, &ms, diag);
    json_decref(body);
    if (rc == 0 && (!camera[0] || !stage[0] || isnan(ms)))
        rc = itsi_fail(diag, ITS_EINVAL, "'%s' is missing", !camera[0] ? "camera_id" : !stage[0] ? "stage" : "latency_ms");
    if (rc == 0 && series_of(stage) < 0)
        rc = itsi_fail(diag, ITS_EINVAL,
                       "stage '%s': wanted camera_capture, preprocessing, ml_inference, postprocessing, encoding, "
                       "network_transmission, client_rendering or end_to_end", stage);
    return rc == 0 ? itsi_pipeline_measure(r->server->pipeline, camera, series_of(stage), ms, diag) : rc;
}

enum MHD_Result itsi_api_measurements(struct itsi_request *r)
{
    struct its_diag diag = {""};
    int rc = take_measurement(r, &diag);
    if (rc != 0)
        return itsi_respond_problem(r, itsi_respond_status_of(rc), diag.text);
    return itsi_respond_queue(r, MHD_HTTP_NO_CONTENT, MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT));
}

/* --- flight records ----------------------------------------------------------------------------------------------- */

/* On the worker: it writes to the disk. */
static void freeze_job(struct itsi_request *r)
{
    static const char *const known[] = {"why", "camera", NULL};
    struct its_diag diag = {""};
    char why[256] = "asked for", camera[ITSI_CAMERA_ID_SIZE] = "";
    struct itsi_frozen frozen;
    json_t *body;
    r->status = itsi_body_read(&r->body, known, &body, &diag);
    if (r->status == 0)
        r->status = itsi_body_text(body, "why", why, sizeof why, &diag);
    if (r->status == 0)
        r->status = itsi_body_text(body, "camera", camera, sizeof camera, &diag);
    json_decref(body);
    if (r->status == 0)
        r->status = itsi_pipeline_freeze(r->server->pipeline, why, camera[0] ? camera : NULL, &frozen, &diag);
    if (r->status == 0) {
        struct itsi_json json;
        itsi_json_init(&json, &r->answer);
        itsi_json_object(&json, NULL);
        itsi_json_string(&json, "path", frozen.path);
        itsi_json_array(&json, "clips");
        for (int i = 0; i < frozen.clip_count; i++)
            itsi_json_string(&json, NULL, frozen.clips[i]);
        itsi_json_end(&json, ']');
        itsi_json_end(&json, '}');
    }
    snprintf(r->detail, sizeof r->detail, "%s", diag.text);
}

static enum MHD_Result frozen(struct itsi_request *r)
{
    if (r->status != 0)
        return itsi_respond_problem(r, itsi_respond_status_of(r->status),
                                    r->detail[0] ? r->detail : its_strerror(r->status));
    return itsi_respond_text(r, MHD_HTTP_CREATED, "application/json", &r->answer);
}

enum MHD_Result itsi_api_flight(struct itsi_request *r) { return itsi_worker_run(r, freeze_job, frozen); }
