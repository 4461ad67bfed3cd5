/* What the store has kept, page by page. Questions run on a thread of their own, each until a deadline: a database that is
 * slow or away holds up neither the network nor who adds and removes cameras. */
#include "serve/serve_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "store/query.h"
#include "store/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_MINUTE (60 * ITSI_NS_PER_S)
#define UNASKED_NS (60 * NS_PER_MINUTE) /* counts of the last hour */

enum { LIMIT_MOST = 1000, BUCKET_MOST = 31 * 1440, CURSOR_SIZE = 2 * ITSI_STORE_CLASS_SIZE + 48 };

struct ask;

struct question {
    const char *list; /* key of the rows */
    int limit;        /* unasked */
    bool of_camera;
    int (*run)(struct itsi_database *database, struct ask *ask, int64_t deadline, struct its_diag *diag);
};

/* One request: what was asked, and the answer as it is written. */
struct ask {
    const struct question *question;
    struct itsi_server *server;
    char camera[ITSI_CAMERA_ID_SIZE];
    char class_name[ITSI_STORE_CLASS_SIZE]; /* empty: each */
    int64_t from_ns, to_ns;
    int limit, bucket; /* bucket: minutes */
    /* the last row of the page before */
    bool goes_on;
    int64_t after_number, after_id;
    char after_name[ITSI_STORE_CLASS_SIZE > ITSI_STORE_CAMERA_SIZE ? ITSI_STORE_CLASS_SIZE : ITSI_STORE_CAMERA_SIZE];

    struct itsi_camera_status status; /* room for one */
    struct itsi_json json;
    int rows;
    bool more;
    char cursor[CURSOR_SIZE]; /* of the last row written */
};

/* --- rows ---------------------------------------------------------------------------------------------------------- */

/* One row beyond the page is asked for: that there is one says that there are more. */
static bool is_full(struct ask *ask)
{
    ask->more = ask->rows == ask->limit;
    ask->rows += !ask->more;
    return ask->more;
}

static void put_time(struct itsi_json *json, const char *key, int64_t wall_ns)
{
    char text[32];
    itsi_format_wall(wall_ns, text);
    itsi_json_string(json, key, text);
}

static void put_raw(struct itsi_json *json, const char *key, const char *text)
{
    if (text)
        itsi_json_raw(json, key, text);
    else
        itsi_json_null(json, key);
}

static bool is_present(struct ask *ask, const char *camera)
{
    return itsi_pipeline_camera(ask->server->pipeline, camera, &ask->status) == 0;
}

static int put_camera(void *arg, const struct itsi_store_camera_row *row)
{
    struct ask *ask = arg;
    struct itsi_json *json = &ask->json;
    if (is_full(ask))
        return 1;
    itsi_json_object(json, NULL);
    itsi_json_string(json, "id", row->camera);
    itsi_json_bool(json, "present", is_present(ask, row->camera));
    put_time(json, "updated", row->updated_ns);
    put_raw(json, "settings", row->settings);
    itsi_json_end(json, '}');
    snprintf(ask->cursor, sizeof ask->cursor, "0-0-%s", row->camera);
    return 0;
}

static int put_count(void *arg, const struct itsi_store_count_row *row)
{
    struct ask *ask = arg;
    struct itsi_json *json = &ask->json;
    if (is_full(ask))
        return 1;
    itsi_json_object(json, NULL);
    put_time(json, "time", row->minute * NS_PER_MINUTE);
    itsi_json_string(json, "class", row->class_name);
    itsi_json_int(json, "count", row->n);
    itsi_json_end(json, '}');
    snprintf(ask->cursor, sizeof ask->cursor, "%" PRId64 "-0-%s", row->minute, row->class_name);
    return 0;
}

/* What the rows of pages begin with; true: no more are wanted. */
static bool begin_row(struct ask *ask, int64_t wall_ns, int64_t id)
{
    if (wall_ns < ask->from_ns || is_full(ask))
        return true;
    itsi_json_object(&ask->json, NULL);
    put_time(&ask->json, "time", wall_ns);
    snprintf(ask->cursor, sizeof ask->cursor, "%" PRId64 "-%" PRId64 "-", wall_ns, id);
    return false;
}

static int put_event(void *arg, const struct itsi_store_event_row *row)
{
    struct ask *ask = arg;
    struct itsi_json *json = &ask->json;
    if (begin_row(ask, row->wall_ns, row->id))
        return 1;
    itsi_json_string(json, "kind", row->kind);
    itsi_json_string(json, "class", row->class_name);
    itsi_json_int(json, "track", row->track);
    put_raw(json, "data", row->data);
    itsi_json_end(json, '}');
    return 0;
}

static void put_level(struct itsi_json *json, const char *key, int level)
{
    itsi_json_string(json, key, level >= 0 && level < ITSI_QUALITY_LEVELS ? itsi_quality_name(level) : NULL);
}

static int put_violation(void *arg, const struct itsi_store_violation_row *row)
{
    struct ask *ask = arg;
    struct itsi_json *json = &ask->json;
    if (begin_row(ask, row->wall_ns, row->id))
        return 1;
    itsi_json_string(json, "stage", row->stage);
    itsi_json_number(json, "end_to_end_ms", row->latency_ms, 3);
    itsi_json_number(json, "queue_ms", row->waited_ms, 3);
    itsi_json_int(json, "batch", row->batch);
    put_level(json, "quality", row->level);
    itsi_json_string(json, "trace_id", row->trace);
    itsi_json_end(json, '}');
    return 0;
}

static int put_change(void *arg, const struct itsi_store_quality_row *row)
{
    struct ask *ask = arg;
    struct itsi_json *json = &ask->json;
    if (begin_row(ask, row->wall_ns, row->id))
        return 1;
    put_level(json, "from", row->from_level);
    put_level(json, "to", row->to_level);
    itsi_json_string(json, "reason", row->reason);
    put_raw(json, "inputs", row->inputs);
    itsi_json_end(json, '}');
    return 0;
}

/* --- questions ----------------------------------------------------------------------------------------------------- */

static int run_cameras(struct itsi_database *database, struct ask *ask, int64_t deadline, struct its_diag *diag)
{
    return itsi_store_cameras(database, ask->goes_on ? ask->after_name : NULL, ask->limit + 1, put_camera, ask, deadline, diag);
}

static int run_counts(struct itsi_database *database, struct ask *ask, int64_t deadline, struct its_diag *diag)
{
    const struct itsi_store_count_query query = {
        .camera = ask->camera,
        .class_name = ask->class_name[0] ? ask->class_name : NULL,
        .from_minute = ask->from_ns / NS_PER_MINUTE,
        .to_minute = ask->to_ns / NS_PER_MINUTE,
        .bucket_minutes = ask->bucket,
        .limit = ask->limit + 1,
        .after_minute = ask->after_number,
        .after_class = ask->goes_on ? ask->after_name : NULL,
    };
    return itsi_store_counts(database, &query, put_count, ask, deadline, diag);
}

static struct itsi_store_page page_of(const struct ask *ask)
{
    return (struct itsi_store_page){
        .camera = ask->camera,
        .before_ns = ask->goes_on ? ask->after_number : ask->to_ns,
        .before_id = ask->goes_on ? ask->after_id : 0,
        .limit = ask->limit + 1,
    };
}

static int run_events(struct itsi_database *database, struct ask *ask, int64_t deadline, struct its_diag *diag)
{
    const struct itsi_store_page page = page_of(ask);
    return itsi_store_events(database, &page, put_event, ask, deadline, diag);
}

static int run_violations(struct itsi_database *database, struct ask *ask, int64_t deadline, struct its_diag *diag)
{
    const struct itsi_store_page page = page_of(ask);
    return itsi_store_violations(database, &page, put_violation, ask, deadline, diag);
}

static int run_changes(struct itsi_database *database, struct ask *ask, int64_t deadline, struct its_diag *diag)
{
    const struct itsi_store_page page = page_of(ask);
    return itsi_store_quality_changes(database, &page, put_change, ask, deadline, diag);
}

static const struct question cameras = {"cameras", 1000, false, run_cameras}, counts = {"counts", 1000, true, run_counts},
                             events = {"events", 100, true, run_events},
                             violations = {"violations", 100, true, run_violations},
                             changes = {"changes", 100, true, run_changes};

/* Nothing is known of it: neither is it here, nor was it ever. Asked only where there are no rows. */
static int check_known(struct itsi_database *database, struct ask *ask, int64_t deadline, struct its_diag *diag)
{
    bool known = is_present(ask, ask->camera);
    int rc = known ? 0 : itsi_store_camera_known(database, ask->camera, &known, deadline, diag);
    if (rc == 0 && !known)
        rc = itsi_fail(diag, ITS_ENOTFOUND, "there is no camera %s, and the store knows of none", ask->camera);
    return rc;
}

/* On the thread for questions. */
static void ask_job(struct itsi_request *r)
{
    struct ask *ask = r->asked;
    struct itsi_database *database = itsi_pools_database(r->server->pools);
    struct its_diag diag = {""};
    const int64_t deadline = r->came_ns + ITSI_SERVER_QUESTION_NS;
    itsi_json_init(&ask->json, &r->answer);
    itsi_json_object(&ask->json, NULL);
    if (ask->question->of_camera)
        itsi_json_string(&ask->json, "camera", ask->camera);
    itsi_json_array(&ask->json, ask->question->list);
    int rc = itsi_now_ns() < deadline ? ask->question->run(database, ask, deadline, &diag)
                                      : itsi_fail(&diag, ITS_ETIMEOUT, "others asked before");
    rc = rc > 0 ? 0 : rc; /* the page is full */
    if (rc == 0 && ask->rows == 0 && ask->question->of_camera)
        rc = check_known(database, ask, deadline, &diag);
    itsi_json_end(&ask->json, ']');
    itsi_json_string(&ask->json, "next", ask->more ? ask->cursor : NULL);
    itsi_json_end(&ask->json, '}');
    r->status = rc;
    snprintf(r->detail, sizeof r->detail, "%s", diag.text);
}

static enum MHD_Result answered(struct itsi_request *r)
{
    if (r->status == 0)
        return itsi_respond_text(r, MHD_HTTP_OK, "application/json", &r->answer);
    if (r->status == ITS_ENOTFOUND)
        return itsi_respond_problem(r, MHD_HTTP_NOT_FOUND, r->detail);
    char detail[sizeof r->detail + 64];
    snprintf(detail, sizeof detail, "the database does not answer: %s", r->detail[0] ? r->detail : its_strerror(r->status));
    return itsi_respond_problem(r, MHD_HTTP_SERVICE_UNAVAILABLE, detail);
}

/* --- what is asked ------------------------------------------------------------------------------------------------- */

static int read_moment(const struct itsi_request *r, const char *name, int64_t *out, struct its_diag *diag)
{
    const char *text = itsi_request_query(r, name);
    if (!text || itsi_moment_parse(text, out))
        return 0;
    return itsi_fail(diag, ITS_EINVAL, "%s=%.40s: wanted seconds since 1970 or a time like 2026-11-26T07:05:00Z", name, text);
}

/* "NUMBER-ID-NAME", as `next` of the page before had it. */
static int read_cursor(const struct itsi_request *r, struct ask *ask, struct its_diag *diag)
{
    const char *text = itsi_request_query(r, "cursor");
    int used = 0;
    if (!text)
        return 0;
    const char *bad = "cursor: wanted what an answer had as \"next\"";
    if (sscanf(text, "%" SCNd64 "-%" SCNd64 "-%n", &ask->after_number, &ask->after_id, &used) != 2 || used == 0 ||
        strlen(text + used) >= sizeof ask->after_name)
        return itsi_fail(diag, ITS_EINVAL, "%s", bad);
    snprintf(ask->after_name, sizeof ask->after_name, "%s", text + used);
    ask->goes_on = true;
    return 0;
}

static int read_ask(const struct itsi_request *r, struct ask *ask, struct its_diag *diag)
{
    const char *class_name = itsi_request_query(r, "class");
    const bool counting = ask->question == &counts;
    const int64_t now = itsi_wall_ns();
    ask->limit = ask->question->limit;
    ask->bucket = 1;
    ask->to_ns = counting ? (now / NS_PER_MINUTE + 1) * NS_PER_MINUTE : INT64_MAX;
    int rc = itsi_request_whole(r, "limit", 1, LIMIT_MOST, &ask->limit, diag);
    if (rc == 0 && counting)
        rc = itsi_request_whole(r, "bucket", 1, BUCKET_MOST, &ask->bucket, diag);
    if (rc == 0)
        rc = read_moment(r, "to", &ask->to_ns, diag);
    if (counting)
        ask->from_ns = ask->to_ns > UNASKED_NS ? ask->to_ns - UNASKED_NS : 0;
    if (rc == 0)
        rc = read_moment(r, "from", &ask->from_ns, diag);
    if (rc == 0 && ask->from_ns > ask->to_ns)
        rc = itsi_fail(diag, ITS_EINVAL, "from is later than to");
    if (rc == 0 && class_name && strlen(class_name) >= sizeof ask->class_name)
        rc = itsi_fail(diag, ITS_EINVAL, "class: too long a name");
    snprintf(ask->class_name, sizeof ask->class_name, "%s", class_name ? class_name : "");
    return rc == 0 ? read_cursor(r, ask, diag) : rc;
}

static enum MHD_Result answer(struct itsi_request *r, const struct question *question)
{
    struct its_diag diag = {""};
    if (!r->server->pools || !itsi_pools_database(r->server->pools))
        return itsi_respond_problem(r, MHD_HTTP_NOT_FOUND, "nothing is kept: store.store_enabled is false");
    struct ask *ask = r->asked = itsi_zalloc(sizeof *ask);
    if (!ask)
        return itsi_respond_problem(r, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
    ask->question = question;
    ask->server = r->server;
    memcpy(ask->camera, r->match.camera, sizeof ask->camera);
    if (read_ask(r, ask, &diag) != 0)
        return itsi_respond_problem(r, MHD_HTTP_BAD_REQUEST, diag.text);
    return itsi_worker_run_on(r->server->questions, r, ask_job, answered);
}

enum MHD_Result itsi_api_store_cameras(struct itsi_request *r) { return answer(r, &cameras); }
enum MHD_Result itsi_api_camera_counts(struct itsi_request *r) { return answer(r, &counts); }
enum MHD_Result itsi_api_camera_events(struct itsi_request *r) { return answer(r, &events); }
enum MHD_Result itsi_api_camera_violations(struct itsi_request *r) { return answer(r, &violations); }
enum MHD_Result itsi_api_camera_changes(struct itsi_request *r) { return answer(r, &changes); }
