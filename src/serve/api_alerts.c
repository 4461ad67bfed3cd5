/* What the Latency Monitor found: alerts, and the frames that were late. */
#include "serve/serve_impl.h"

#include "base/diag.h"
#include "base/json.h"
#include "optimizer/documents.h"

enum { VIOLATIONS_UNASKED = 64 };

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

enum MHD_Result itsi_api_alerts(struct itsi_request *r)
{
    struct its_diag diag = {""};
    struct itsi_buf text;
    struct itsi_json json;
    int history = ITSI_ALERT_HISTORY;
    if (whole(r, "history", 0, ITSI_ALERT_HISTORY, &history, &diag) != 0)
        return itsi_respond_problem(r, MHD_HTTP_BAD_REQUEST, diag.text);
    itsi_buf_init(&text);
    itsi_json_init(&json, &text);
    itsi_document_alerting(&json, NULL, r->server->pipeline, history);
    return itsi_respond_text(r, MHD_HTTP_OK, "application/json", &text);
}

enum MHD_Result itsi_api_violations(struct itsi_request *r)
{
    struct its_diag diag = {""};
    struct itsi_buf text;
    struct itsi_json json;
    int limit = VIOLATIONS_UNASKED;
    if (whole(r, "limit", 1, ITSI_VIOLATIONS_KEPT, &limit, &diag) != 0)
        return itsi_respond_problem(r, MHD_HTTP_BAD_REQUEST, diag.text);
    itsi_buf_init(&text);
    itsi_json_init(&json, &text);
    itsi_document_violations(&json, NULL, r->server->pipeline, itsi_request_query(r, "camera"), limit);
    return itsi_respond_text(r, MHD_HTTP_OK, "application/json", &text);
}
