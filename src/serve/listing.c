/* Documents with a list of bounded length. */
#include "serve/serve_impl.h"

#include "base/diag.h"
#include "base/json.h"

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

enum MHD_Result itsi_respond_listing(struct itsi_request *r, const struct itsi_listing *listing)
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
