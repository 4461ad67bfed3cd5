/* Documents with a list of bounded length. */
#include "serve/serve_impl.h"

#include "base/json.h"

enum MHD_Result itsi_respond_listing(struct itsi_request *r, const struct itsi_listing *listing)
{
    struct its_diag diag = {""};
    struct itsi_buf text;
    struct itsi_json json;
    int count = listing->unasked;
    if (itsi_request_whole(r, listing->parameter, listing->least, listing->most, &count, &diag) != 0)
        return itsi_respond_problem(r, MHD_HTTP_BAD_REQUEST, diag.text);
    itsi_buf_init(&text);
    itsi_json_init(&json, &text);
    listing->put(&json, r, count);
    return itsi_respond_text(r, MHD_HTTP_OK, "application/json", &text);
}
