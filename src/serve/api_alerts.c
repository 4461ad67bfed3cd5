/* What the Latency Monitor found: alerts, and the frames that were late. */
#include "serve/serve_impl.h"

#include "base/diag.h"
#include "base/json.h"
#include "optimizer/documents.h"

/* A whole number of a query parameter; ITS_EINVAL (diag). */
static int whole(const struct itsi_request *r, const char *name, int least, int most, int *out, struct its_diag *diag)
{
    double number = *out;
    const int rc = itsi_request_number(r, name, least, most, &number, diag);
    if (rc == 0 && number != (double)(int)number)
        return itsi_fail(diag, ITS_EINVAL, "%s=%g: wanted a whole number", name, number);
    *out = (int)number;
    return rc;
}

/* A document whose length the client may bound by a parameter. */
struct listing {
    const char *parameter;
    int least, most, unasked;
    void (*put)(struct itsi_json *json, struct itsi_request *r, int count);
};

static enum MHD_Result respond_listing(struct itsi_request *r, const struct listing *listing)
{
    struct its_diag diag = {""};
    struct itsi_buf text;
    struct itsi_json json;
    int count = listing->unasked;
    if (whole(r, listing->parameter, listing->least, listing->most, &count, &diag) != 0)
        return itsi_respond_problem(r, MHD_HTTP_BAD_REQUEST, diag.text);
    itsi_buf_init(&text);
    itsi_json_init(&json, &text);
    listing->put(&json, r, count);
    return itsi_respond_text(r, MHD_HTTP_OK, "application/json", &text);
}

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
    static const struct listing alerts = {"history", 0, ITSI_ALERT_HISTORY, ITSI_ALERT_HISTORY, put_alerts};
    return respond_listing(r, &alerts);
}

enum MHD_Result itsi_api_violations(struct itsi_request *r)
{
    static const struct listing violations = {"limit", 1, ITSI_VIOLATIONS_KEPT, 64, put_violations};
    return respond_listing(r, &violations);
}
