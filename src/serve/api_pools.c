/* GET /api/v1/performance/pools: how the pools and the store are. */
#include "serve/serve_impl.h"

#include "base/json.h"
#include "optimizer/documents.h"

enum MHD_Result itsi_api_pools(struct itsi_request *r)
{
    struct itsi_buf text;
    struct itsi_json json;
    itsi_buf_init(&text);
    itsi_json_init(&json, &text);
    itsi_document_pools(&json, NULL, r->server->pools);
    return itsi_respond_text(r, MHD_HTTP_OK, "application/json", &text);
}
