/* The quality manager at work: more is asked than the engine has, and then no more. */
#include "pipeline/quality_fixture.h"

enum { CAMERAS = 8 };

static struct itsi_pipeline *crowd(void)
{
    struct itsi_pipeline *p = open_pipeline(&params);
    for (int i = 0; i < CAMERAS; i++)
        add_camera(p, "", "null://?fps=25");
    return p;
}

static int64_t rises(struct itsi_pipeline *p)
{
    struct itsi_quality_overview o;
    itsi_pipeline_quality(p, &o);
    return (int64_t)(o.status.changes_by_reason[ITSI_QUALITY_PROBE] + o.status.changes_by_reason[ITSI_QUALITY_RECOVERY]);
}

/* For so long more is delivered than the engine has at full size, and on time. A machine that is busy otherwise may take
 * several such spans until one holds. */
static bool is_settled(struct itsi_pipeline *p)
{
    struct itsi_pipeline_stats a, b;
    const int64_t start = itsi_now_ns();
    itsi_pipeline_stats(p, &a);
    itsi_sleep_until_ns(start + 1500 * MS);
    itsi_pipeline_stats(p, &b);
    const double seconds = (double)(itsi_now_ns() - start) / ITSI_NS_PER_S;
    const uint64_t delivered = b.ledger.delivered - a.ledger.delivered, late = b.ledger.late - a.ledger.late;
    print_message("%d delivered, %d late, %d left out by policy in %.1f s\n", (int)delivered, (int)late,
                  (int)(b.ledger.skipped - a.ledger.skipped), seconds);
    return (double)delivered > 1.1 * 50 * seconds && late * 50 <= delivered;
}

/* Quality gives way until what is admitted is on time, every result says at which level it was made, and when the load is
 * gone the level comes back. */
static void quality_gives_way_and_returns(void **state)
{
    (void)state;
    struct itsi_pipeline *p = crowd();
    AWAIT(level_of(p, "camera_001") < ITSI_QUALITY_HIGH);
    AWAIT(is_settled(p));
    struct itsi_result *result = itsi_pipeline_latest(p, "camera_001", NULL);
    assert_non_null(result);
    assert_true(result->quality_level < ITSI_QUALITY_HIGH);
    itsi_result_unref(&result);
    struct itsi_quality_change change;
    assert_int_equal(itsi_pipeline_quality_changes(p, &change, 1), 1);
    assert_true(change.camera[0] && change.wall_ns > 0);
    struct itsi_camera_status status;
    assert_int_equal(itsi_pipeline_camera(p, "camera_001", &status), 0);
    assert_true(status.quality_changes > 0 && status.quality_seconds < 60 && status.quality_since_wall_ns > 0);
    assert_true(status.quality_input.width < 640 || status.quality.detect_interval > 1 || status.quality.analysed_fps < 25);
    struct its_diag diag;
    for (int i = 1; i < CAMERAS; i++) {
        char id[32];
        snprintf(id, sizeof id, "camera_%03d", i + 1);
        CHECK_OK(itsi_pipeline_remove_camera(p, id, &diag), diag);
    }
    AWAIT(level_of(p, "camera_001") == ITSI_QUALITY_HIGH);
    assert_true(rises(p) > 0);
    (void)close_pipeline(p);
}

static int lowest(struct itsi_pipeline *p)
{
    struct itsi_quality_overview o;
    itsi_pipeline_quality(p, &o);
    return o.status.lowest_level;
}

/* Twice what the engine can do, from cameras that give nothing up: what can be given up is the others'. */
enum { GREEDY = 24 };

static void add_greedy(struct itsi_pipeline *p)
{
    struct its_diag diag;
    for (int i = 0; i < GREEDY; i++) {
        char id[32];
        snprintf(id, sizeof id, "greedy_%d", i);
        add_camera(p, id, "null://?fps=7");
        CHECK_OK(itsi_pipeline_pin_quality(p, id, ITSI_QUALITY_HIGH, &diag), diag);
    }
}

static void remove_greedy(struct itsi_pipeline *p)
{
    struct its_diag diag;
    for (int i = 0; i < GREEDY; i++) {
        char id[32];
        snprintf(id, sizeof id, "greedy_%d", i);
        CHECK_OK(itsi_pipeline_remove_camera(p, id, &diag), diag);
    }
}

/* An engine that gains from batches is never idle at six tenths of what it can do: it takes what there is. Runs and budget
 * are long, so that a thread that is woken late on a busy machine is no load. */
static void an_engine_of_batches_has_time_left(void **state)
{
    (void)state;
    cfg.gpu.batch_size_range[1] = 8;
    cfg.general.target_latency_ms = cfg.latency_monitoring.latency_sla_ms = 1000;
    params.null_base_ns = 96 * MS; /* of any batch: 83 pictures a second at most */
    enum { MANY = 14 };            /* ask for 49 */
    struct itsi_pipeline *p = open_pipeline(&params);
    for (int i = 0; i < MANY; i++)
        add_camera(p, "", "null://?fps=3.5");
    AWAIT(lowest(p) == ITSI_QUALITY_HIGH); /* of the first steps; then comes what is too much */
    add_greedy(p);
    AWAIT(lowest(p) < ITSI_QUALITY_HIGH);
    remove_greedy(p);
    AWAIT(lowest(p) == ITSI_QUALITY_HIGH);
    (void)close_pipeline(p);
}

static void pins_and_boosts_hold(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_pipeline *p = crowd();
    CHECK_OK(itsi_pipeline_pin_quality(p, "camera_001", ITSI_QUALITY_HIGH, &diag), diag);
    CHECK_OK(itsi_pipeline_pin_quality(p, "camera_002", ITSI_QUALITY_ULTRA_LOW, &diag), diag);
    AWAIT(level_of(p, "camera_003") < ITSI_QUALITY_HIGH);
    AWAIT(level_of(p, "camera_002") == ITSI_QUALITY_ULTRA_LOW);
    assert_string_equal(status_of(p, "camera_002").quality_note, ""); /* all it asks for can be had */
    assert_int_equal(level_of(p, "camera_001"), ITSI_QUALITY_HIGH);
    CHECK_OK(itsi_pipeline_boost_quality(p, "camera_003", ITSI_QUALITY_HIGH, 1.5, &diag), diag);
    AWAIT(level_of(p, "camera_003") == ITSI_QUALITY_HIGH);
    AWAIT(level_of(p, "camera_003") < ITSI_QUALITY_HIGH); /* its time is over */
    struct itsi_camera_status status;
    assert_int_equal(itsi_pipeline_camera(p, "camera_001", &status), 0);
    assert_int_equal(status.pin, ITSI_QUALITY_HIGH);
    assert_int_equal(status.quality_level, ITSI_QUALITY_HIGH);
    /* a pin goes before a boost, and that is said */
    CHECK_OK(itsi_pipeline_boost_quality(p, "camera_002", ITSI_QUALITY_HIGH, 600, &diag), diag);
    CHECK_CONTAINS(status_of(p, "camera_002").quality_note, "boost to high waits");
    assert_int_equal(level_of(p, "camera_002"), ITSI_QUALITY_ULTRA_LOW);
    CHECK_OK(itsi_pipeline_boost_quality(p, "camera_002", -1, 0, &diag), diag);
    assert_string_equal(status_of(p, "camera_002").quality_note, "");
    CHECK_OK(itsi_pipeline_pin_quality(p, "camera_002", -1, &diag), diag);
    AWAIT(level_of(p, "camera_002") > ITSI_QUALITY_ULTRA_LOW);
    (void)close_pipeline(p);
}

/* Before the first step too, and who has priority. */
static void the_surface_is_true_from_the_start(void **state)
{
    (void)state;
    struct itsi_camera_status status;
    struct itsi_quality_overview o;
    char gate[] = "gate", *priority[] = {gate};
    cfg.adaptive_quality.default_quality = ITSI_QUALITY_MEDIUM;
    const struct itsi_str_list own = cfg.adaptive_quality.priority_camera_ids;
    cfg.adaptive_quality.priority_camera_ids = (struct itsi_str_list){.items = priority, .count = 1};
    struct itsi_pipeline *p = open_pipeline(&params);
    itsi_pipeline_quality(p, &o);
    assert_true(o.active);
    assert_int_equal(o.default_level, ITSI_QUALITY_MEDIUM);
    assert_true(o.adjustment_seconds == 1);
    assert_int_equal(o.status.lowest_level, -1);
    assert_true(o.status.load.gpu_percent == -1);
    add_camera(p, "gate", "null://?fps=5");
    add_camera(p, "yard", "null://?fps=5");
    assert_int_equal(itsi_pipeline_camera(p, "gate", &status), 0);
    assert_true(status.is_priority);
    assert_int_equal(status.quality_changes, 0);
    assert_true(status.quality_input.width > 0);
    assert_int_equal(itsi_pipeline_camera(p, "yard", &status), 0);
    assert_false(status.is_priority);
    (void)close_pipeline(p);
    cfg.adaptive_quality.priority_camera_ids = own;
}

static void mistakes_are_named(void **state)
{
    (void)state;
    struct its_diag diag = {""};
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "gate", "null://?fps=5");
    assert_int_equal(itsi_pipeline_pin_quality(p, "gates", 1, &diag), ITS_ENOTFOUND);
    assert_non_null(strstr(diag.text, "gates"));
    assert_int_equal(itsi_pipeline_pin_quality(p, "gate", 5, &diag), ITS_EINVAL);
    assert_int_equal(itsi_pipeline_boost_quality(p, "gate", 4, 0, &diag), ITS_EINVAL);
    assert_int_equal(itsi_pipeline_boost_quality(p, "gate", 4, (double)NAN, &diag), ITS_EINVAL);
    (void)close_pipeline(p);
    cfg.general.enabled = false;
    p = open_pipeline(&params);
    add_camera(p, "gate", "null://?fps=5");
    assert_int_equal(itsi_pipeline_pin_quality(p, "gate", 1, &diag), ITS_EUNSUPPORTED);
    struct itsi_quality_overview o;
    itsi_pipeline_quality(p, &o);
    assert_false(o.active);
    (void)close_pipeline(p);
}

/* One camera more than there is room for: at a lower level, or refused by name with what would make it fit. */
static void a_camera_too_many(void **state)
{
    (void)state;
    struct its_diag diag = {""};
    struct itsi_camera camera = {.id = "late", .url = "null://?fps=25"};
    struct itsi_pipeline *p = crowd();
    AWAIT(level_of(p, "camera_001") < ITSI_QUALITY_HIGH);
    CHECK_OK(itsi_pipeline_add_camera(p, &camera, &diag), diag);
    AWAIT(level_of(p, "late") < ITSI_QUALITY_HIGH);
    cfg.quality.admission = 1; /* refuse */
    CHECK_OK(itsi_pipeline_configure(p, &cfg, &diag), diag);
    struct itsi_camera refused = {.id = "later", .url = "null://?fps=25"};
    assert_int_equal(itsi_pipeline_add_camera(p, &refused, &diag), ITS_ELIMIT);
    print_message("%s\n", diag.text);
    assert_non_null(strstr(diag.text, "later"));
    assert_non_null(strstr(diag.text, "more"));
    struct itsi_camera unpaced = {.id = "file", .url = "null://?fps=25&pace=off&seconds=1"};
    CHECK_OK(itsi_pipeline_add_camera(p, &unpaced, &diag), diag);
    (void)close_pipeline(p);
}

/* Three hundred ask before the first of them shows in any measurement. The engine does 50 pictures a second, and four times
 * as many of half the size: of the latter, each takes one a second at least. Returns how many were let in. */
static int rush(struct itsi_pipeline *p)
{
    struct its_diag diag = {""};
    int admitted = 0;
    const int64_t start = itsi_now_ns();
    for (int i = 0; i < 300; i++) {
        struct itsi_camera camera = {.url = "null://?fps=25"};
        const int rc = itsi_pipeline_add_camera(p, &camera, &diag);
        assert_true(rc == 0 || rc == ITS_ELIMIT);
        admitted += rc == 0;
    }
    print_message("%d of 300 let in in %.2f s; the last: %s\n", admitted, (double)(itsi_now_ns() - start) / 1e9, diag.text);
    CHECK_CONTAINS(diag.text, "does not fit");
    return admitted;
}

static void a_rush_gets_what_room_there_is(void **state)
{
    (void)state;
    cfg.general.max_concurrent_streams = 400;
    struct itsi_pipeline *p = crowd();
    AWAIT(level_of(p, "camera_001") < ITSI_QUALITY_HIGH);
    assert_in_range(rush(p), 1, 190);
    (void)close_pipeline(p);
}

/* The same where nothing was there before, and no step has been: room for 0.9 of 200 pictures a second is known all the same. */
static void a_rush_into_an_empty_system(void **state)
{
    (void)state;
    cfg.general.max_concurrent_streams = 400;
    struct itsi_pipeline *p = open_pipeline(&params);
    assert_in_range(rush(p), 150, 181);
    struct itsi_quality_overview o;
    AWAIT((itsi_pipeline_quality(p, &o), o.status.cameras[ITSI_QUALITY_ULTRA_LOW] >= 150));
    (void)close_pipeline(p);
}

/* Sources that wait for their receiver are never thinned, however full the engine. */
static void unpaced_cameras_are_left_alone(void **state)
{
    (void)state;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "fast", "null://?fps=25&pace=off&seconds=6");
    collect(p, 140, NULL, 0);
    assert_int_equal(level_of(p, "fast"), ITSI_QUALITY_HIGH);
    CHECK_CONTAINS(status_of(p, "fast").quality_note, "pace=off");
    /* a level that would have no effect is not taken, and not in silence; taking one back is */
    struct its_diag diag = {""};
    assert_int_equal(itsi_pipeline_pin_quality(p, "fast", ITSI_QUALITY_LOW, &diag), ITS_EUNSUPPORTED);
    CHECK_CONTAINS(diag.text, "fast");
    CHECK_CONTAINS(diag.text, "pace=off");
    assert_int_equal(itsi_pipeline_boost_quality(p, "fast", ITSI_QUALITY_LOW, 5, &diag), ITS_EUNSUPPORTED);
    CHECK_OK(itsi_pipeline_pin_quality(p, "fast", -1, &diag), diag);
    assert_int_equal(status_of(p, "fast").pin, -1);
    struct itsi_ledger_counts counts = close_pipeline(p);
    assert_int_equal(counts.skipped, 0);
}

/* What making pictures takes, on two threads that have so much to do; returns the height that pictures are held to. */
static int encode(struct itsi_pipeline *p, double share, int64_t *last)
{
    const int64_t now = itsi_now_ns();
    itsi_pipeline_note_encoding(p, "gate", (int64_t)(2 * share * (double)(now - *last)));
    *last = now;
    return status_of(p, "gate").picture_height;
}

static double encode_share(struct itsi_pipeline *p)
{
    struct itsi_quality_overview o;
    itsi_pipeline_quality(p, &o);
    return o.status.load.encode_share;
}

/* Pictures grow smaller where their encoders are full, nothing else changes, and they come back. */
static void full_encoders_make_smaller_pictures(void **state)
{
    (void)state;
    struct itsi_quality_overview o;
    struct itsi_quality_change change;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "gate", "null://?fps=5&size=1280x720");
    int64_t last = itsi_now_ns();
    AWAIT(status_of(p, "gate").capture.width == 1280 && status_of(p, "gate").quality.key != 0);
    assert_true(encode_share(p) < 0); /* nobody makes pictures */
    itsi_pipeline_set_encoders(p, 2);
    AWAIT((encode(p, 0.6, &last), encode_share(p) > 0.5)); /* well used */
    assert_int_equal(level_of(p, "gate"), ITSI_QUALITY_HIGH);
    AWAIT(encode(p, 1.5, &last) > 0);
    assert_true(itsi_pipeline_quality_changes(p, &change, 1) == 1);
    assert_int_equal(change.event.knob, ITSI_KNOB_ENCODE);
    itsi_pipeline_quality(p, &o);
    assert_true(o.status.changes_by_reason[ITSI_QUALITY_ENCODER] > 0);
    assert_int_equal(status_of(p, "gate").quality.detect_interval, 1);
    AWAIT(encode(p, 0, &last) == 0);
    (void)close_pipeline(p);
}

/* However many cameras change at once, each knows of its changes. */
static void every_change_is_counted(void **state)
{
    (void)state;
    enum { MANY = 300 };
    struct its_diag diag;
    cfg.general.max_concurrent_streams = MANY;
    struct itsi_pipeline *p = open_pipeline(&params);
    for (int i = 0; i < MANY; i++)
        add_camera(p, "", "null://?fps=1");
    char id[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "camera_%03d", i + 1);
        CHECK_OK(itsi_pipeline_pin_quality(p, id, ITSI_QUALITY_LOW, &diag), diag);
    }
    AWAIT(level_of(p, id) == ITSI_QUALITY_LOW && status_of(p, id).quality_changes > 0);
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "camera_%03d", i + 1);
        assert_true(status_of(p, id).quality_changes >= ITSI_KNOBS);
    }
    (void)close_pipeline(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADAPTING(quality_gives_way_and_returns),
        ADAPTING(an_engine_of_batches_has_time_left),
        ADAPTING(pins_and_boosts_hold),
        ADAPTING(the_surface_is_true_from_the_start),
        ADAPTING(mistakes_are_named),
        ADAPTING(a_camera_too_many),
        ADAPTING(a_rush_gets_what_room_there_is),
        ADAPTING(a_rush_into_an_empty_system),
        ADAPTING(unpaced_cameras_are_left_alone),
        ADAPTING(full_encoders_make_smaller_pictures),
        ADAPTING(every_change_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
