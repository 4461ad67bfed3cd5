/* What the Latency Monitor found: alerts, and the frames that were late. */
#include "serve/serve_impl.h"

#include "base/json.h"
#include "optimizer/documents.h"

static void put_alerts(struct itsi_json *json, struct itsi_request *r, int history)
{
    itsi_document_alerting(json, NULL, r->server->pipeline, history);
}

static void put_violations(struct itsi_json *json, struct itsi_request *r, int limit)
{
    itsi_document_violations(json, NULL, r->server->pipeline, itsi_request_query(r, "camera"), limit);
}

enum MHD_Result itsi_api_alerts(struct itsi_request *r)
{
    static const struct itsi_listing alerts = {"history", 0, ITSI_ALERT_HISTORY, ITSI_ALERT_HISTORY, put_alerts};
    return itsi_respond_listing(r, &alerts);
}

enum MHD_Result itsi_api_violations(struct itsi_request *r)
{
    static const struct itsi_listing violations = {"limit", 1, ITSI_VIOLATIONS_KEPT, 64, put_violations};
    return itsi_respond_listing(r, &violations);
}
