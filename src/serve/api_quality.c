/* The Adaptive Quality Manager from outside: what it does and why, and an operator's word on one camera. */
#include "serve/serve_impl.h"

#include "base/diag.h"
#include "base/json.h"
#include "optimizer/documents.h"
#include "serve/json_body.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CHANGES_UNASKED = 50, LONGEST_BOOST_SECONDS = 86400 };

static void put_quality(struct itsi_json *json, struct itsi_request *r, int changes)
{
    itsi_document_quality(json, NULL, r->server->pipeline, changes);
}

enum MHD_Result itsi_api_quality(struct itsi_request *r)
{
    static const struct itsi_listing quality = {"changes", 0, ITSI_QUALITY_HISTORY, CHANGES_UNASKED, put_quality};
    return itsi_respond_listing(r, &quality);
}

/* --- pin and boost ------------------------------------------------------------------------------------------------ */

/* What of the two is asked for; a level of -1 takes it back. */
struct wish {
    bool pins, boosts;
    int pin, boost;
    double seconds;
};

static void list_levels(char *out, size_t size)
{
    size_t used = 0;
    for (int level = 0; level < ITSI_QUALITY_LEVELS && used < size; level++) {
        const int n = snprintf(out + used, size - used, "%s%s", level ? ", " : "", itsi_quality_name(level));
        used += n > 0 ? (size_t)n : 0;
    }
}

/* A level's name, or null for -1; *given: it is there at all. */
static int read_level(const json_t *body, const char *key, bool *given, int *out, struct its_diag *diag)
{
    const json_t *value = json_object_get(body, key);
    char name[32] = "", levels[96];
    *given = value != NULL;
    *out = -1;
    if (!value || json_is_null(value))
        return 0;
    int rc = itsi_body_text(body, key, name, sizeof name, diag);
    if (rc != 0)
        return rc;
    for (int level = 0; level < ITSI_QUALITY_LEVELS; level++)
        if (strcmp(name, itsi_quality_name(level)) == 0) {
            *out = level;
            return 0;
        }
    list_levels(levels, sizeof levels);
    return itsi_fail(diag, ITS_EINVAL, "'%s': there is no quality level '%s'; wanted %s, or null for none", key, name,
                     levels);
}

/* A pin holds whatever is asked for besides: the boost would be granted and never be seen. */
static int check_one_of_both(const struct wish *w, struct its_diag *diag)
{
    if (w->pin < 0 || w->boost < 0)
        return 0;
    return itsi_fail(diag, ITS_EINVAL, "'pin' and 'boost' to levels at once: a pin goes before a boost; ask for one of them");
}

static int check_seconds(const struct wish *w, struct its_diag *diag)
{
    if (w->boost >= 0 && isnan(w->seconds))
        return itsi_fail(diag, ITS_EINVAL, "'seconds' is missing: how long the boost holds");
    if (w->boost < 0 && !isnan(w->seconds))
        return itsi_fail(diag, ITS_EINVAL, "'seconds' belongs to a 'boost' to some level");
    if (w->seconds == 0)
        return itsi_fail(diag, ITS_EINVAL, "'seconds' must be above 0");
    return 0;
}

static int read_wish(const struct itsi_buf *text, struct wish *w, struct its_diag *diag)
{
    static const char *const known[] = {"pin", "boost", "seconds", NULL};
    json_t *body;
    w->seconds = (double)NAN;
    int rc = itsi_body_read(text, known, &body, diag);
    if (rc == 0)
        rc = read_level(body, "pin", &w->pins, &w->pin, diag);
    if (rc == 0)
        rc = read_level(body, "boost", &w->boosts, &w->boost, diag);
    if (rc == 0)
        rc = itsi_body_number(body, "seconds", 0, LONGEST_BOOST_SECONDS, &w->seconds, diag);
    json_decref(body);
    if (rc == 0 && !w->pins && !w->boosts)
        rc = itsi_fail(diag, ITS_EINVAL, "nothing is asked for: wanted 'pin', or 'boost' with 'seconds'");
    if (rc == 0)
        rc = check_seconds(w, diag);
    return rc == 0 ? check_one_of_both(w, diag) : rc;
}

/* All was checked before: the second fails only where the camera went in between. */
static int grant(struct itsi_pipeline *pipeline, const char *id, const struct wish *w, struct its_diag *diag)
{
    int rc = w->pins ? itsi_pipeline_pin_quality(pipeline, id, w->pin, diag) : 0;
    if (rc == 0 && w->boosts)
        rc = itsi_pipeline_boost_quality(pipeline, id, w->boost, w->seconds, diag);
    return rc;
}

enum MHD_Result itsi_api_camera_quality(struct itsi_request *r)
{
    struct itsi_pipeline *pipeline = r->server->pipeline;
    struct its_diag diag = {""};
    struct wish wish = {.pin = -1, .boost = -1};
    struct itsi_buf text;
    itsi_buf_init(&text);
    int rc = read_wish(&r->body, &wish, &diag);
    if (rc == 0)
        rc = grant(pipeline, r->match.camera, &wish, &diag);
    if (rc == 0)
        rc = itsi_put_camera(pipeline, r->match.camera, &text);
    if (rc == 0)
        return itsi_respond_text(r, MHD_HTTP_OK, "application/json", &text);
    itsi_buf_fini(&text);
    return itsi_respond_problem(r, itsi_respond_status_of(rc), diag.text[0] ? diag.text : its_strerror(rc));
}
