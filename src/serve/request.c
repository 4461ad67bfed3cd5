#include "serve/serve_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "serve/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A body that is too large is still read up to here, so that the answer can be given instead of a reset. */
enum { BODY_DRAIN_MAX = 1024 * 1024 };
#define BODY_NS (30 * ITSI_NS_PER_S)
#define IDLE_NS (15 * ITSI_NS_PER_S)

static enum MHD_Result (*const handlers[ITSI_ROUTE_COUNT])(struct itsi_request *) = {
    [ITSI_ROUTE_METRICS] = itsi_api_metrics,
    [ITSI_ROUTE_HEALTH] = itsi_api_health,
    [ITSI_ROUTE_READY] = itsi_api_ready,
    [ITSI_ROUTE_STARTUP] = itsi_api_startup,
    [ITSI_ROUTE_OVERVIEW] = itsi_api_overview,
    [ITSI_ROUTE_CAMERAS] = itsi_api_cameras,
    [ITSI_ROUTE_CAMERA] = itsi_api_camera,
    [ITSI_ROUTE_SNAPSHOT] = itsi_api_snapshot,
    [ITSI_ROUTE_LIVE] = itsi_api_live,
    [ITSI_ROUTE_CAMERA_DETECTIONS] = itsi_api_detections,
    [ITSI_ROUTE_DETECTIONS] = itsi_api_detections,
    [ITSI_ROUTE_WALL] = itsi_api_wall,
    [ITSI_ROUTE_STATUS] = itsi_api_document,
    [ITSI_ROUTE_PERFORMANCE_METRICS] = itsi_api_document,
    [ITSI_ROUTE_CONFIG] = itsi_api_document,
    [ITSI_ROUTE_ALERTS] = itsi_api_alerts,
    [ITSI_ROUTE_QUALITY] = itsi_api_quality,
    [ITSI_ROUTE_POOLS] = itsi_api_pools,
    [ITSI_ROUTE_CAMERA_QUALITY] = itsi_api_camera_quality,
    [ITSI_ROUTE_CAMERA_COUNTS] = itsi_api_camera_counts,
    [ITSI_ROUTE_CAMERA_EVENTS] = itsi_api_camera_events,
    [ITSI_ROUTE_CAMERA_VIOLATIONS] = itsi_api_camera_violations,
    [ITSI_ROUTE_CAMERA_CHANGES] = itsi_api_camera_changes,
    [ITSI_ROUTE_STORE_CAMERAS] = itsi_api_store_cameras,
    [ITSI_ROUTE_VIOLATIONS] = itsi_api_violations,
    [ITSI_ROUTE_MEASUREMENTS] = itsi_api_measurements,
    [ITSI_ROUTE_FLIGHT] = itsi_api_flight,
    [ITSI_ROUTE_CLIPS] = itsi_api_clips,
    [ITSI_ROUTE_CLIP] = itsi_api_clip,
};

static const char *header(const struct itsi_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *itsi_request_query(const struct itsi_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

int itsi_request_number(const struct itsi_request *r, const char *name, double least, double most, double *out,
                        struct its_diag *diag)
{
    const char *text = itsi_request_query(r, name);
    char *end;
    if (!text)
        return 0;
    const double value = strtod(text, &end);
    if (!*text || *end || !(value >= least && value <= most))
        return itsi_fail(diag, ITS_EINVAL, "%s=%.40s: wanted a number from %g to %g", name, text, least, most);
    *out = value;
    return 0;
}

int itsi_request_whole(const struct itsi_request *r, const char *name, int least, int most, int *out, struct its_diag *diag)
{
    double number = *out;
    const int rc = itsi_request_number(r, name, least, most, &number, diag);
    if (rc == 0 && number != (double)(int)number)
        return itsi_fail(diag, ITS_EINVAL, "%s=%g: wanted a whole number", name, number);
    *out = (int)number;
    return rc;
}

int itsi_request_flag(const struct itsi_request *r, const char *name, bool *out, struct its_diag *diag)
{
    const char *text = itsi_request_query(r, name);
    if (!text)
        return 0;
    if (strcmp(text, "1") == 0 || strcmp(text, "true") == 0)
        *out = true;
    else if (strcmp(text, "0") == 0 || strcmp(text, "false") == 0)
        *out = false;
    else
        return itsi_fail(diag, ITS_EINVAL, "%s=%.40s: wanted 0 or 1", name, text);
    return 0;
}

/* --- what the headers decide -------------------------------------------------------------------------------------- */

static void refuse(struct itsi_request *r, int status, const char *detail)
{
    if (r->refusal)
        return;
    r->refusal = status;
    snprintf(r->detail, sizeof r->detail, "%s", detail);
}

static bool is_open(const struct itsi_request *r)
{
    const enum itsi_route route = r->match.route;
    if (route == ITSI_ROUTE_HEALTH || route == ITSI_ROUTE_READY || route == ITSI_ROUTE_STARTUP)
        return true;
    return route == ITSI_ROUTE_METRICS && atomic_load(&r->server->settings.metrics_open);
}

static void check_access(struct itsi_request *r)
{
    const struct itsi_server *server = r->server;
    const char *host = header(r, MHD_HTTP_HEADER_HOST);
    /* with a token a foreign page gets nowhere; without one the name asked for must be this machine's */
    if (!server->token && server->listen.loopback && host && !itsi_auth_host_is_local(host))
        refuse(r, MHD_HTTP_FORBIDDEN, "this Host is not the one served here (localhost)");
    if (!itsi_auth_origin_matches(header(r, MHD_HTTP_HEADER_ORIGIN), host))
        refuse(r, MHD_HTTP_FORBIDDEN, "requests from pages of other sites are not answered");
    if (!server->token || is_open(r))
        return;
    const struct itsi_credentials shown = {
        .authorization = header(r, MHD_HTTP_HEADER_AUTHORIZATION),
        .query = itsi_request_query(r, "token"),
        .cookie = MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, ITSI_AUTH_COOKIE),
    };
    if (!itsi_auth_check(server->token, &shown))
        refuse(r, MHD_HTTP_UNAUTHORIZED, "a token is required: Authorization: Bearer TOKEN, or ?token=TOKEN");
}

static void check_body(struct itsi_request *r)
{
    const char *length = header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length && strtoull(length, NULL, 10) > ITSI_BODY_MAX)
        refuse(r, MHD_HTTP_CONTENT_TOO_LARGE, "the body may have 64 KiB");
    if (r->method != ITSI_POST)
        return;
    const char *type = header(r, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (!type || strncasecmp(type, "application/json", 16) != 0 || (type[16] && !strchr("; \t", type[16])))
        refuse(r, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "the body must be application/json");
}

static struct itsi_request *begin(struct itsi_server *server, struct MHD_Connection *connection, const char *url,
                                  const char *method)
{
    struct itsi_request *r = itsi_zalloc(sizeof *r);
    if (!r)
        return NULL;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    r->server = server;
    r->connection = connection;
    r->link = info ? info->socket_context : NULL;
    r->method = itsi_method_of(method);
    r->head = strcmp(method, "HEAD") == 0;
    r->came_ns = itsi_now_ns();
    itsi_router_match(url, &r->match);
    itsi_connection_due(&server->connections, r->link, r->came_ns + BODY_NS);
    if (atomic_load(&server->stopping))
        refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE, "shutting down");
    check_access(r);
    if (!(r->method & r->match.methods))
        refuse(r, MHD_HTTP_METHOD_NOT_ALLOWED, "this path has no such method");
    check_body(r);
    return r;
}

/* --- answering ---------------------------------------------------------------------------------------------------- */

/* A browser that shows the token once gets a cookie, and an address without the token in it. */
static enum MHD_Result welcome(struct itsi_request *r)
{
    char cookie[ITSI_AUTH_COOKIE_SIZE], value[ITSI_AUTH_COOKIE_SIZE + 80];
    itsi_auth_cookie(r->server->token, cookie);
    snprintf(value, sizeof value, ITSI_AUTH_COOKIE "=%s; HttpOnly; SameSite=Strict; Path=/; Max-Age=2592000", cookie);
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    itsi_respond_header(response, MHD_HTTP_HEADER_LOCATION, "/");
    itsi_respond_header(response, MHD_HTTP_HEADER_SET_COOKIE, value);
    return itsi_respond_queue(r, MHD_HTTP_SEE_OTHER, response);
}

static enum MHD_Result asset(struct itsi_request *r, const char *url)
{
    if (r->server->token && strcmp(url, "/") == 0 && itsi_request_query(r, "token"))
        return welcome(r);
    return itsi_respond_asset(r, url, MHD_HTTP_OK);
}

static enum MHD_Result refused(struct itsi_request *r, const char *url)
{
    const char *accept = header(r, MHD_HTTP_HEADER_ACCEPT);
    const bool page = strcmp(url, "/") == 0 && accept && strstr(accept, "text/html");
    /* the way in for people; its style sheet is no secret */
    if (r->refusal == MHD_HTTP_UNAUTHORIZED && page)
        return itsi_respond_asset(r, "/login.html", MHD_HTTP_UNAUTHORIZED);
    if (r->refusal == MHD_HTTP_UNAUTHORIZED && r->method == ITSI_GET &&
        (strcmp(url, "/login.css") == 0 || strcmp(url, "/icon.svg") == 0))
        return itsi_respond_asset(r, url, MHD_HTTP_OK);
    return itsi_respond_problem(r, (unsigned)r->refusal, r->detail);
}

static enum MHD_Result answer(struct itsi_request *r, const char *url)
{
    itsi_connection_due(&r->server->connections, r->link, ITSI_NEVER);
    if (r->waiting) {
        r->waiting = false;
        return r->finish(r);
    }
    if (r->received > ITSI_BODY_MAX)
        refuse(r, MHD_HTTP_CONTENT_TOO_LARGE, "the body may have 64 KiB");
    if (r->body.failed)
        refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
    if (r->refusal)
        return refused(r, url);
    if (r->match.route == ITSI_ROUTE_ASSET || r->match.route == ITSI_ROUTE_OPENAPI)
        return asset(r, url);
    return handlers[r->match.route](r);
}

static enum MHD_Result take_body(struct itsi_request *r, const char *upload, size_t *size)
{
    r->received += *size;
    if (!r->refusal && r->received <= ITSI_BODY_MAX)
        itsi_buf_add(&r->body, upload, *size);
    *size = 0;
    return r->received > BODY_DRAIN_MAX ? MHD_NO : MHD_YES;
}

enum MHD_Result itsi_request_handle(void *server, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *upload, size_t *upload_size,
                                    void **slot)
{
    struct itsi_request *r = *slot;
    (void)version;
    if (!r) {
        *slot = r = begin(server, connection, url, method);
        if (!r)
            return MHD_NO;
        const char *length = header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
        if (r->refusal && length && strtoull(length, NULL, 10) > BODY_DRAIN_MAX)
            return answer(r, url);
        return MHD_YES; /* asked again when the request is whole */
    }
    if (*upload_size)
        return take_body(r, upload, upload_size);
    return answer(r, url);
}

void itsi_request_suspend(struct itsi_request *r, enum MHD_Result (*finish)(struct itsi_request *request))
{
    r->finish = finish;
    r->waiting = true;
    MHD_suspend_connection(r->connection);
}

void itsi_request_resume(struct itsi_request *r) { MHD_resume_connection(r->connection); }

void itsi_request_completed(void *arg, struct MHD_Connection *connection, void **slot,
                            enum MHD_RequestTerminationCode why)
{
    struct itsi_server *server = arg;
    struct itsi_request *r = *slot;
    const int64_t now = itsi_now_ns();
    (void)connection;
    *slot = NULL;
    if (!r)
        return;
    itsi_connection_due(&server->connections, r->link, now + IDLE_NS);
    itsi_served_end(&r->served, now, why != MHD_REQUEST_TERMINATED_COMPLETED_OK);
    itsi_item_unref(&r->picture.item);
    itsi_buf_fini(&r->body);
    itsi_buf_fini(&r->answer);
    itsi_free(r->asked);
    itsi_lookup_free(r->lookup);
    itsi_free(r);
}
