/* Health for orchestrators, and the documents of the optimizer. */
#include "serve/serve_impl.h"

#include "base/buf.h"

#include <string.h>

static enum MHD_Result say(struct itsi_request *r, unsigned status, const char *word)
{
    struct itsi_buf text;
    itsi_buf_init(&text);
    itsi_buf_printf(&text, "{\"status\":\"%s\"}", word);
    return itsi_respond_text(r, status, "application/json", &text);
}

/* Alive: this answer is the proof. */
enum MHD_Result itsi_api_health(struct itsi_request *r) { return say(r, MHD_HTTP_OK, "ok"); }

static bool started(const struct itsi_request *r)
{
    struct itsi_pipeline_stats stats;
    itsi_pipeline_stats(r->server->pipeline, &stats);
    return stats.started_ns != 0;
}

enum MHD_Result itsi_api_startup(struct itsi_request *r)
{
    return started(r) ? say(r, MHD_HTTP_OK, "started") : say(r, MHD_HTTP_SERVICE_UNAVAILABLE, "starting");
}

/* A dead camera does not make the daemon unready: the others would lose theirs too. Nor does a pool in trouble or a
 * database that is away: frames are analysed and shown without them, and a restart would mend nothing. They are told by
 * /api/v1/performance/pools, the dashboard and alerts. */
enum MHD_Result itsi_api_ready(struct itsi_request *r)
{
    if (atomic_load(&r->server->draining))
        return say(r, MHD_HTTP_SERVICE_UNAVAILABLE, "draining");
    return started(r) ? say(r, MHD_HTTP_OK, "ready") : say(r, MHD_HTTP_SERVICE_UNAVAILABLE, "starting");
}

enum MHD_Result itsi_api_document(struct itsi_request *r)
{
    struct itsi_server *server = r->server;
    struct its_diag diag;
    struct itsi_buf text;
    bool detailed = false;
    const char *name = r->match.route == ITSI_ROUTE_STATUS   ? "status"
                       : r->match.route == ITSI_ROUTE_CONFIG ? "config"
                                                             : "metrics";
    if (itsi_request_flag(r, "detailed", &detailed, &diag) != 0)
        return itsi_respond_problem(r, MHD_HTTP_BAD_REQUEST, diag.text);
    if (detailed && r->match.route == ITSI_ROUTE_STATUS)
        name = "status-detailed";
    if (!server->document)
        return itsi_respond_problem(r, MHD_HTTP_NOT_FOUND, "this server has no such document");
    itsi_buf_init(&text);
    const int rc = server->document(server->document_arg, name, &text);
    if (rc != 0) {
        itsi_buf_fini(&text);
        return itsi_respond_problem(r, itsi_respond_status_of(rc), its_strerror(rc));
    }
    return itsi_respond_text(r, MHD_HTTP_OK, "application/json", &text);
}
