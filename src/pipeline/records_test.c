/* What a pipeline keeps in the store, read back from an SQLite file. */
#include "pipeline/pipeline_fixture.h"

#include "net/loop.h"
#include "pipeline/pipeline_impl.h"
#include "store/query.h"
#include "store/store.h"

#include <unistd.h>

/* Nobody is there: what there is of it the test makes. */
#define SILENT "rtsp://127.0.0.1:1/"
enum { WIDTH = 640, HEIGHT = 360 };
#define WALL (INT64_C(29000000) * 60 * ITSI_NS_PER_S) /* a whole minute */

static char folder[64], file[96], spool[96];
static struct itsi_loop *loop;
static struct itsi_database *database;
static struct itsi_store *store;

static int open_store(void **state)
{
    struct its_diag diag;
    struct its_cfg_store store_cfg = {.flush_interval_seconds = 0.05, .spool_max_mb = 16};
    setup(state);
    snprintf(folder, sizeof folder, "/tmp/its-records-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/its.sqlite", folder);
    snprintf(spool, sizeof spool, "%s/spool", folder);
    CHECK_OK(itsi_loop_create(&loop, "test", &diag), diag);
    CHECK_OK(itsi_database_create(&database, loop, NULL, file, &cfg.connection_pool, &diag), diag);
    struct itsi_store_params store_params = itsi_store_params_of(&store_cfg);
    store_params.database = database;
    store_params.spool_folder = spool;
    CHECK_OK(itsi_store_create(&store, &store_params, &diag), diag);
    params.store = store;
    return 0;
}

static int close_store(void **state)
{
    itsi_store_destroy(store, itsi_now_ns() + PATIENCE_NS);
    itsi_database_destroy(database, itsi_now_ns() + PATIENCE_NS);
    itsi_loop_destroy(loop);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    return teardown(state);
}
#define RECORDS(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)

/* Until all that was noted is in the database. */
static void settle(void)
{
    struct itsi_store_stats stats;
    uint64_t left;
    const int64_t until = itsi_now_ns() + PATIENCE_NS;
    do {
        left = 0;
        itsi_store_stats(store, &stats);
        for (int t = 0; t < ITSI_STORE_TABLES; t++)
            left += stats.queued[t] - stats.written[t];
        itsi_sleep_until_ns(itsi_now_ns() + 5 * MS);
    } while (left > 0 && itsi_now_ns() < until);
    assert_int_equal(left, 0);
    for (int r = 0; r < ITSI_STORE_DROPS; r++)
        for (int t = 0; t < ITSI_STORE_TABLES; t++)
            assert_int_equal(stats.dropped[r][t], 0);
}

static int64_t soon(void) { return itsi_now_ns() + PATIENCE_NS; }

/* --- objects ------------------------------------------------------------------------------------------------------- */

static struct itsi_camera_stream *find(struct itsi_pipeline *p, const char *id)
{
    struct itsi_camera_stream *stream = itsi_stream_find(p, id);
    assert_non_null(stream);
    return stream;
}

/* What the post-processing thread does with a picture in which cars drive side by side, so long after the first. */
static void show_cars(struct itsi_camera_stream *stream, int64_t after_ns, int cars)
{
    static struct itsi_result result;
    result.info = (struct itsi_frame_info){.width = WIDTH, .height = HEIGHT, .capture_wall_ns = WALL + after_ns};
    result.info.trace.origin = 1000 * ITSI_NS_PER_S + after_ns;
    result.count = cars;
    for (int i = 0; i < cars; i++) {
        const float x = 20 + 100 * (float)i, y = 20 + 100 * (float)((double)after_ns / 1e9);
        result.boxes[i] = (struct itsi_detection){.x1 = x, .y1 = y, .x2 = x + 40, .y2 = y + 30, .score = 0.8F, .cls = 2};
    }
    itsi_tracking_detected(stream, &result, 0.25F);
    assert_int_equal(result.count, cars);
}

struct found {
    int rows;
    int64_t n, first, last;
    char class_name[32], data[256];
};

static int add_count(void *arg, const struct itsi_store_count_row *row)
{
    struct found *found = arg;
    found->first = found->rows++ ? found->first : row->minute;
    found->last = row->minute;
    found->n += row->n;
    snprintf(found->class_name, sizeof found->class_name, "%s", row->class_name);
    return 0;
}

static int add_event(void *arg, const struct itsi_store_event_row *row)
{
    struct found *found = arg;
    found->rows++;
    found->n += row->track;
    found->last = row->wall_ns;
    assert_string_equal(row->kind, "left");
    snprintf(found->class_name, sizeof found->class_name, "%s", row->class_name);
    snprintf(found->data, sizeof found->data, "%s", row->data);
    return 0;
}

static struct found counted(const char *camera)
{
    struct its_diag diag;
    struct found found = {0};
    const struct itsi_store_count_query query = {
        .camera = camera, .from_minute = 0, .to_minute = INT64_MAX / 2, .bucket_minutes = 1, .limit = 1000};
    CHECK_OK(itsi_store_counts(database, &query, add_count, &found, soon(), &diag), diag);
    return found;
}

static struct itsi_store_page newest(const char *camera) { return (struct itsi_store_page){camera, INT64_MAX, INT64_MAX, 1000}; }

static struct found left(const char *camera)
{
    struct its_diag diag;
    struct found found = {0};
    const struct itsi_store_page page = newest(camera);
    CHECK_OK(itsi_store_events(database, &page, add_event, &found, soon(), &diag), diag);
    return found;
}

/* Three cars around the end of a minute, one of which is there for a moment only; they leave, or their camera does. */
static void objects_are_counted_once(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "gate", SILENT);
    add_camera(p, "yard", SILENT);
    struct itsi_camera_stream *gate = find(p, "gate"), *yard = find(p, "yard");
    const int64_t before = 59 * ITSI_NS_PER_S + 700 * MS;
    for (int i = 0; i <= 20; i++) { /* 0.8 s; the third car 0.2 s of it, the second from 0.28 s on */
        show_cars(gate, before + i * 40 * MS, i < 7 ? 1 : i < 13 ? 2 : 2 + (i < 19));
        show_cars(yard, before + i * 40 * MS, 1);
    }
    show_cars(gate, before + 3000 * MS, 0);
    settle();
    struct found found = counted("gate");
    assert_int_equal(found.n, 2);
    assert_int_equal(found.rows, 1); /* both were believed in the new minute */
    assert_int_equal(found.first, 29000001);
    assert_string_equal(found.class_name, "class_2");
    found = left("gate");
    assert_int_equal(found.rows, 2);
    assert_int_equal(found.n, 1 + 2); /* their ids */
    assert_int_equal(found.last, WALL + before + 800 * MS);
    CHECK_CONTAINS(found.data, "\"score\":0.800,\"from\":[");
    assert_int_equal(counted("yard").n, 1);
    assert_int_equal(left("yard").rows, 0); /* it is still there */
    itsi_stream_unref(gate);
    itsi_stream_unref(yard);
    CHECK_OK(itsi_pipeline_remove_camera(p, "yard", &diag), diag);
    AWAIT(left("yard").rows == 1);
    CHECK_CONTAINS(left("yard").data, "{\"seconds\":0.800,");
    (void)close_pipeline(p);
}

/* The store's book included. */
static void counting_allocates_nothing(void **state)
{
    (void)state;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "gate", SILENT);
    struct itsi_camera_stream *gate = find(p, "gate");
    static struct itsi_frame_info info = {.width = WIDTH, .height = HEIGHT};
    struct itsi_result *result = itsi_result_pool_get(p->results);
    assert_non_null(result);
    uint64_t least = UINT64_MAX;
    for (int round = 0; round < 20; round++) { /* other threads allocate now and then: none of them in every round */
        const uint64_t allocations = itsi_alloc_count();
        for (int i = 0; i < 100; i++) {
            const int64_t at = (int64_t)(round * 100 + i) * 40 * MS;
            result->info = info;
            result->info.capture_wall_ns = WALL + at;
            result->info.trace.origin = 1000 * ITSI_NS_PER_S + at;
            result->count = i < 25 ? 1 : 0; /* one comes, and has left before the next */
            result->boxes[0] = (struct itsi_detection){.x1 = 20, .y1 = 20, .x2 = 60, .y2 = 50, .score = 0.8F, .cls = 2};
            itsi_tracking_detected(gate, result, 0.25F);
        }
        least = itsi_alloc_count() - allocations < least ? itsi_alloc_count() - allocations : least;
    }
    assert_int_equal(least, 0);
    itsi_result_unref(&result);
    itsi_stream_unref(gate);
    (void)close_pipeline(p);
    settle();
    assert_true(counted("gate").n > 10);
    assert_int_equal(left("gate").rows, counted("gate").n);
}

static void without_tracking_nothing_is_counted(void **state)
{
    (void)state;
    cfg.inference.tracking = false;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "gate", SILENT);
    struct itsi_camera_stream *gate = find(p, "gate");
    assert_null(gate->records.passages);
    show_cars(gate, 0, 3);
    itsi_stream_unref(gate);
    (void)close_pipeline(p);
    settle();
    assert_int_equal(counted("gate").n, 0);
}

/* --- violations ---------------------------------------------------------------------------------------------------- */

static int add_violation(void *arg, const struct itsi_store_violation_row *row)
{
    struct found *found = arg;
    found->rows++;
    found->n += row->batch;
    assert_string_equal(row->stage, "ml_inference");
    assert_int_equal(strlen(row->trace), ITSI_TRACE_ID_HEX_SIZE - 1);
    return 0;
}

static struct found violations_of(const char *camera)
{
    struct its_diag diag;
    struct found found = {0};
    const struct itsi_store_page page = newest(camera);
    CHECK_OK(itsi_store_violations(database, &page, add_violation, &found, soon(), &diag), diag);
    return found;
}

/* Of each camera the first between two looks, however many there are; the last goes with its camera. */
static void one_violation_a_look(void **state)
{
    (void)state;
    struct its_diag diag;
    params.tick_ns = ITSI_NEVER; /* it is looked here */
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "gate", SILENT);
    add_camera(p, "yard", SILENT);
    struct itsi_camera_stream *gate = find(p, "gate"), *yard = find(p, "yard");
    struct itsi_violation violation = {.stage = ITSI_STAGE_ML_INFERENCE};
    for (int look = 0; look < 3; look++) {
        for (int i = 0; i < 1000; i++) {
            violation.batch = 1 + i;
            violation.wall_ns = WALL + i;
            snprintf(violation.camera_id, sizeof violation.camera_id, "gate");
            itsi_records_violation(gate, &violation);
            snprintf(violation.camera_id, sizeof violation.camera_id, "yard");
            if (look == 2)
                itsi_records_violation(yard, &violation);
        }
        if (look < 2)
            itsi_records_tick(p);
    }
    settle();
    assert_int_equal(violations_of("gate").rows, 2);
    assert_int_equal(violations_of("gate").n, 2); /* the first ones */
    assert_int_equal(violations_of("yard").rows, 0);
    itsi_stream_unref(gate);
    itsi_stream_unref(yard);
    CHECK_OK(itsi_pipeline_remove_camera(p, "gate", &diag), diag);
    (void)close_pipeline(p);
    settle();
    assert_int_equal(violations_of("gate").rows, 3);
    assert_int_equal(violations_of("yard").rows, 1);
}

/* --- quality ------------------------------------------------------------------------------------------------------- */

static int add_change(void *arg, const struct itsi_store_quality_row *row)
{
    struct found *found = arg;
    found->rows++;
    found->first = row->from_level;
    found->last = row->to_level;
    assert_string_equal(row->reason, "busy");
    snprintf(found->data, sizeof found->data, "%s", row->inputs);
    return 0;
}

static void changes_of_quality_are_kept(void **state)
{
    (void)state;
    enum { MANY = 70 }; /* more than are named at once */
    struct its_diag diag;
    struct itsi_quality_event events[MANY + 1];
    struct itsi_pipeline *p = open_pipeline(&params);
    for (int i = 0; i < MANY; i++)
        add_camera(p, "", SILENT);
    for (int i = 0; i <= MANY; i++) /* the last: of a camera that is gone */
        events[i] = (struct itsi_quality_event){.key = (uint64_t)i + 1,
                                                .knob = ITSI_KNOB_COMPUTE,
                                                .from_level = ITSI_QUALITY_HIGH,
                                                .to_level = ITSI_QUALITY_MEDIUM,
                                                .from_rung = 1,
                                                .to_rung = 2,
                                                .reason = ITSI_QUALITY_BUSY,
                                                .inputs = {.slack_ms = (double)NAN, .queue_age_ms = -1, .busy = 0.97}};
    const struct itsi_quality_events all = {.items = events, .count = MANY + 1};
    itsi_records_quality(p, &all);
    settle();
    for (int i = 0; i < MANY; i++) {
        char id[32];
        struct found found = {0};
        snprintf(id, sizeof id, "camera_%03d", i + 1);
        const struct itsi_store_page page = newest(id);
        CHECK_OK(itsi_store_quality_changes(database, &page, add_change, &found, soon(), &diag), diag);
        assert_int_equal(found.rows, 1);
        assert_int_equal(found.first, ITSI_QUALITY_HIGH);
        assert_int_equal(found.last, ITSI_QUALITY_MEDIUM);
        CHECK_CONTAINS(found.data, "\"knob\":\"compute\",\"from_rung\":1,\"to_rung\":2,\"slack_ms\":null,\"queue_age_ms\":null");
        CHECK_CONTAINS(found.data, "\"busy\":0.97");
    }
    (void)close_pipeline(p);
}

static int count_row(void *arg, const struct itsi_store_quality_row *row)
{
    ++*(int *)arg;
    assert_true(row->inputs && row->reason[0]);
    return 0;
}

/* Has the camera as many changes as the history has of it, or more that came since? */
static bool has_changes(const char *id, const struct itsi_quality_change *history, size_t count)
{
    struct its_diag diag;
    int rows = 0, wanted = 0;
    for (size_t c = 0; c < count; c++)
        wanted += strcmp(history[c].camera, id) == 0;
    const struct itsi_store_page page = newest(id);
    CHECK_OK(itsi_store_quality_changes(database, &page, count_row, &rows, soon(), &diag), diag);
    return rows >= wanted;
}

/* What the manager did by itself. */
static void what_overload_did_is_kept(void **state)
{
    (void)state;
    enum { CROWD = 8 };
    static struct itsi_quality_change history[ITSI_QUALITY_HISTORY];
    cfg.adaptive_quality.enable_adaptive_quality = true;
    cfg.adaptive_quality.quality_adjustment_interval_seconds = 1;
    params.machine = quiet;
    params.null_base_ns = 20 * MS; /* 50 pictures a second; they ask for 200 */
    struct itsi_pipeline *p = open_pipeline(&params);
    for (int i = 0; i < CROWD; i++)
        add_camera(p, "", "null://?fps=25");
    AWAIT(itsi_pipeline_quality_changes(p, history, 1) == 1);
    const size_t told = itsi_pipeline_quality_changes(p, history, ITSI_QUALITY_HISTORY);
    for (int i = 0; i < CROWD; i++) {
        char id[32];
        snprintf(id, sizeof id, "camera_%03d", i + 1);
        AWAIT(has_changes(id, history, told));
    }
    (void)close_pipeline(p);
}

/* --- cameras ------------------------------------------------------------------------------------------------------- */

static int add_camera_row(void *arg, const struct itsi_store_camera_row *row)
{
    struct found *found = arg;
    found->rows++;
    snprintf(found->class_name, sizeof found->class_name, "%s", row->camera);
    snprintf(found->data, sizeof found->data, "%s", row->settings ? row->settings : "gone");
    return 0;
}

static struct found known(void)
{
    struct its_diag diag;
    struct found found = {0};
    settle();
    CHECK_OK(itsi_store_cameras(database, NULL, 10, add_camera_row, &found, soon(), &diag), diag);
    return found;
}

/* Added and removed by somebody; the end of the program removes nothing. No secret is kept. */
static void cameras_are_known(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_pipeline *p = open_pipeline(&params);
    struct itsi_camera camera = {.id = "gate", .url = "rtsp://user:hunter2@127.0.0.1:1/a", .priority = 3};
    CHECK_OK(itsi_pipeline_add_camera(p, &camera, &diag), diag);
    assert_int_equal(itsi_pipeline_add_camera(p, &camera, &diag), ITS_EEXISTS); /* not noted */
    struct found found = known();
    assert_int_equal(found.rows, 1);
    CHECK_CONTAINS(found.data, "\"priority\":3");
    CHECK_CONTAINS(found.data, "rtsp://user:***@127.0.0.1:1/a");
    assert_null(strstr(found.data, "hunter2"));
    CHECK_OK(itsi_pipeline_remove_camera(p, "gate", &diag), diag);
    assert_string_equal(known().data, "gone");
    CHECK_OK(itsi_pipeline_add_camera(p, &camera, &diag), diag);
    (void)close_pipeline(p);
    CHECK_CONTAINS(known().data, "\"priority\":3");
    bool is_known = false;
    CHECK_OK(itsi_store_camera_known(database, "gate", &is_known, soon(), &diag), diag);
    assert_true(is_known);
    CHECK_OK(itsi_store_camera_known(database, "gat", &is_known, soon(), &diag), diag);
    assert_false(is_known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECORDS(objects_are_counted_once),    RECORDS(counting_allocates_nothing), RECORDS(without_tracking_nothing_is_counted),
        RECORDS(one_violation_a_look),        RECORDS(changes_of_quality_are_kept), RECORDS(what_overload_did_is_kept),
        RECORDS(cameras_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
