/* Cameras that are not what they seem, with a pipeline that runs: real decoders, and an engine that finds nothing. */
#include "capture/media.h"
#include "capture/server.h"
#include "postprocess/track_budget.h"
#include "quality/faults.h"

#define PYTHON "/usr/bin/python3" /* the system's: it has GStreamer's bindings */

/* How busy this process alone keeps a machine of so many processors (in thousandths): other programs do not show. */
static atomic_int cores_thousandths;
static atomic_int busy_thousandths;
static void own_machine(struct itsi_system_load *out)
{
    static int64_t last_ns, last_cpu_ns;
    const int64_t now = itsi_now_ns(), cpu = itsi_cpu_ns();
    const double cores = atomic_load(&cores_thousandths) / 1e3;
    const double busy = last_ns ? (double)(cpu - last_cpu_ns) / (double)(now - last_ns) : 0;
    last_ns = now;
    last_cpu_ns = cpu;
    atomic_store(&busy_thousandths, (int)(busy * 1e3));
    *out = (struct itsi_system_load){.cpu_percent = fmin(100, 100 * busy / cores), .memory_percent = 10, .cores = cores};
}

/* --- one camera at 4K among 99 small ones ------------------------------------------------------------------------- */

enum { SMALL = 99 };

/* Under a sanitizer scaling pictures in 4K takes more of a processor than decoding them. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { INSTRUMENTED = true };
#else
enum { INSTRUMENTED = false };
#endif

/* A second from frame to deadline and an engine that takes 850 ms with room for all: in time by a wide margin, however slow
 * this machine is, and close enough to the deadline that a full processor matters. */
static void slow_and_roomy(void)
{
    cfg.general.target_latency_ms = cfg.latency_monitoring.latency_sla_ms = 1000;
    cfg.adaptive_quality.latency_threshold_ms = 980;
    cfg.inference.parallel = 160;
    cfg.inference.input_size[0] = 320;
    cfg.inference.input_size[1] = 192;
    params.null_base_ns = 850 * MS;
    params.machine = own_machine;
    atomic_store(&cores_thousandths, 64000);
}

static void expect_named(struct itsi_pipeline *p, const char *id)
{
    static struct itsi_quality_change changes[ITSI_QUALITY_HISTORY];
    const size_t told = itsi_pipeline_quality_changes(p, changes, ITSI_QUALITY_HISTORY);
    assert_true(told > 0);
    for (size_t i = 0; i < told; i++) {
        char text[256];
        itsi_quality_event_text(&changes[i].event, text, sizeof text);
        print_message("%s: %s\n", changes[i].camera, text);
        assert_string_equal(changes[i].camera, id);
        assert_int_equal(changes[i].event.reason, ITSI_QUALITY_CAUSE);
        assert_int_equal(changes[i].event.knob, ITSI_KNOB_DECODE);
    }
}

/* Decoding it is what fills the processors: it decodes less, by name, and its neighbours keep all they have. */
static void the_large_camera_is_the_cause_and_pays(void **state)
{
    (void)state;
    struct its_diag diag;
    if (INSTRUMENTED)
        skip();
    slow_and_roomy();
    assert_int_equal(media_make("large.mp4", "-f lavfi -i testsrc2=size=3840x2160:rate=15:duration=1 -pix_fmt yuv420p "
                                             "-c:v libx264 -preset ultrafast -bf 2 -b_strategy 0 -g 6"), 0);
    struct itsi_pipeline *p = open_pipeline(&params);
    for (int i = 0; i < SMALL; i++)
        add_camera(p, "", "null://?fps=1&size=640x360");
    add_camera(p, "large", media_path("large.mp4"));
    AWAIT(status_of(p, "large").capture.key_seconds > 0);
    expect_all_served(p, 2200 * MS, 1);
    assert_int_equal(at_least(p, ITSI_QUALITY_HIGH), SMALL + 1);
    const int busy = atomic_load(&busy_thousandths);
    atomic_store(&cores_thousandths, busy * 9 / 10); /* as if that were a little more than there is */
    AWAIT(level_of(p, "large") < ITSI_QUALITY_HIGH);
    expect_all_served(p, 2200 * MS, 1);
    print_message("%.2f processors, of which there were %.2f; then %.2f\n", busy / 1e3, busy * 0.9e-3,
                  atomic_load(&busy_thousandths) / 1e3);
    assert_int_equal(at_least(p, ITSI_QUALITY_HIGH), SMALL);
    assert_true(status_of(p, "large").quality.decode != ITSI_DECODE_ALL);
    assert_true(atomic_load(&busy_thousandths) < busy * 9 / 10);
    expect_named(p, "large");
    /* more processors, and time to spare: calm */
    atomic_store(&cores_thousandths, 64000);
    cfg.general.target_latency_ms = cfg.latency_monitoring.latency_sla_ms = 2000;
    cfg.adaptive_quality.latency_threshold_ms = 1900;
    CHECK_OK(itsi_pipeline_configure(p, &cfg, &diag), diag);
    AWAIT(at_least(p, ITSI_QUALITY_HIGH) == SMALL + 1);
    const struct itsi_ledger_counts counts = close_pipeline(p);
    assert_true(counts.late * 20 <= counts.delivered);
}

/* --- 50 frames a second where 25 are announced -------------------------------------------------------------------- */

static void start_fast_camera(struct server *server)
{
    /* its parameter sets say 25, and so does the operator */
    assert_int_equal(media_make("fast.h264", "-f lavfi -i testsrc2=size=320x240:rate=25:duration=4 -pix_fmt yuv420p "
                                             "-c:v libx264 -preset ultrafast -bf 0 -g 25"), 0);
    const char *argv[] = {PYTHON, ITS_SOURCE_DIR "/tests/capture/rtsp_server.py", media_path("fast.h264"), "--speed", "2",
                          NULL};
    assert_int_equal(server_start(server, argv), 0);
}

/* It is taken for what it gives, and its neighbours get as much as they would beside any other. */
static void a_camera_that_announces_half_its_rate_takes_nobodys_share(void **state)
{
    (void)state;
    enum { NEIGHBOURS = 7 };
    struct server server;
    struct its_diag diag;
    struct itsi_camera fast = {.id = "fast", .fps = 25, .configured = true}; /* with the others from the start */
    static struct itsi_camera_status before[MOST_CAMERAS], after[MOST_CAMERAS];
    start_fast_camera(&server);
    struct itsi_pipeline *p = open_pipeline(&params);
    for (int i = 0; i < NEIGHBOURS; i++)
        add_camera(p, "", "null://?fps=25");
    snprintf(fast.url, sizeof fast.url, "rtsp://127.0.0.1:%d/cam0", server.port);
    CHECK_OK(itsi_pipeline_add_camera(p, &fast, &diag), diag);
    AWAIT(fabs(status_of(p, "fast").capture.fps - 50) < 3);
    AWAIT(at_least(p, ITSI_QUALITY_HIGH) < NEIGHBOURS);
    expect_all_served(p, 1500 * MS, 1);
    look(p, before);
    itsi_sleep_until_ns(itsi_now_ns() + 2000 * MS);
    const int count = look(p, after);
    double neighbours = 0, own = 0;
    for (int i = 0; i < count; i++) {
        const double got = (double)(after[i].ledger.delivered - before[i].ledger.delivered);
        if (strcmp(after[i].camera.id, "fast") == 0)
            own = got;
        else
            neighbours += got / NEIGHBOURS;
    }
    print_message("in 2 s: %.0f for it, %.1f for each of the others\n", own, neighbours);
    /* nothing in its picture is in doubt, so that it may wait for its detections longer than its level says */
    assert_true(own <= 1.5 * neighbours && own * 3 * ITSI_TRACK_STRETCH >= neighbours);
    for (int i = 0; i < NEIGHBOURS; i++)
        CHECK_OK(itsi_pipeline_remove_camera(p, before[i].camera.id, &diag), diag);
    AWAIT(level_of(p, "fast") == ITSI_QUALITY_HIGH);
    const struct itsi_camera_status status = status_of(p, "fast");
    CHECK_NEAR(status.quality.analysed_fps, 30, 0.1); /* what the level grants; 25 was never the truth */
    assert_int_equal(status.ledger.missing, 0);
    assert_int_equal(status.capture.reconnects, 0);
    (void)close_pipeline(p);
    server_end(&server);
}

/* --- a second without motion -------------------------------------------------------------------------------------- */

/* A clip that stands still for the second of its three seconds, at a level where tracking stands in between: no alarm,
 * nothing is missing, and results come through the still second as before and after it. */
static void a_second_without_motion_is_nothing(void **state)
{
    (void)state;
    enum { RESULTS = 80 }; /* 20 a second for 4 s: each part of the clip is seen */
    struct its_diag diag;
    assert_int_equal(media_make("still.mp4", "-f lavfi -i testsrc2=size=320x240:rate=25:duration=3 -pix_fmt yuv420p "
                                             "-vf \"select='lt(t,1)+gte(t,2)',fps=25\" "
                                             "-c:v libx264 -preset ultrafast -bf 0 -g 25"), 0);
    params.null_base_ns = 5 * MS;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "still", media_path("still.mp4"));
    add_camera(p, "other", "null://?fps=25");
    CHECK_OK(itsi_pipeline_pin_quality(p, "still", ITSI_QUALITY_LOW, &diag), diag);
    AWAIT(level_of(p, "still") == ITSI_QUALITY_LOW);
    const char *const id = "still";
    struct itsi_subscription *s;
    CHECK_OK(itsi_pipeline_subscribe(p, id, 1000, NULL, NULL, &s, &diag), diag);
    const uint64_t changes = changes_of(p);
    int64_t gap = 0, last = 0, detected = 0;
    for (int n = 0; n < RESULTS; n++) {
        struct itsi_result *r = itsi_subscription_next(s, itsi_now_ns() + PATIENCE_NS);
        assert_non_null(r);
        gap = last && r->info.pts_ns - last > gap ? r->info.pts_ns - last : gap;
        last = r->info.pts_ns;
        detected += !r->tracked;
        itsi_result_unref(&r);
    }
    itsi_subscription_close(s);
    const struct itsi_camera_status status = status_of(p, id);
    print_message("longest gap %.0f ms, %d of %d detected\n", (double)gap / 1e6, (int)detected, RESULTS);
    assert_true(gap <= 300 * MS);
    assert_in_range(detected, RESULTS / 20, RESULTS * 3 / 4); /* once a second at least; between, tracking stands in */
    assert_int_equal(status.capture.state, ITSI_CAPTURE_RUNNING);
    assert_int_equal(status.capture.freezes, 0);
    assert_int_equal(status.capture.reconnects, 0);
    assert_int_equal(status.ledger.missing + status.ledger.corrupt, 0);
    assert_int_equal(changes_of(p), changes);
    (void)close_pipeline(p);
}

/* --- a smaller stream that is not there --------------------------------------------------------------------------- */

static size_t told_of(struct itsi_pipeline *p, enum itsi_quality_reason reason)
{
    static struct itsi_quality_change changes[ITSI_QUALITY_HISTORY];
    const size_t told = itsi_pipeline_quality_changes(p, changes, ITSI_QUALITY_HISTORY);
    size_t count = 0;
    for (size_t i = 0; i < told; i++)
        count += changes[i].event.reason == reason;
    return count;
}

/* A level that would read it goes on with the full one, and says so once. */
static void a_smaller_stream_that_cannot_be_had_is_told(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_camera camera = {.id = "gate"};
    assert_int_equal(media_make("full.mp4", "-f lavfi -i testsrc2=size=320x240:rate=25:duration=2 -pix_fmt yuv420p "
                                            "-c:v libx264 -preset ultrafast -bf 0 -g 25"), 0);
    params.null_base_ns = 5 * MS;
    struct itsi_pipeline *p = open_pipeline(&params);
    snprintf(camera.url, sizeof camera.url, "%s", media_path("full.mp4"));
    snprintf(camera.sub_url, sizeof camera.sub_url, "%s", media_path("nothing.mp4"));
    CHECK_OK(itsi_pipeline_add_camera(p, &camera, &diag), diag);
    AWAIT(status_of(p, "gate").capture.frames > 10);
    CHECK_OK(itsi_pipeline_pin_quality(p, "gate", ITSI_QUALITY_MEDIUM, &diag), diag);
    AWAIT(told_of(p, ITSI_QUALITY_SUB_STREAM) == 1);
    AWAIT(!status_of(p, "gate").quality.sub_stream); /* it counts as a camera without one */
    expect_all_served(p, 1500 * MS, 20);
    assert_int_equal(told_of(p, ITSI_QUALITY_SUB_STREAM), 1);
    assert_false(status_of(p, "gate").capture.sub);
    CHECK_CONTAINS(status_of(p, "gate").quality_note, "nothing.mp4");
    assert_int_equal(level_of(p, "gate"), ITSI_QUALITY_MEDIUM);
    (void)close_pipeline(p);
}

/* --- more pictures than are wanted, and fewer taken than are ------------------------------------------------------- */

/* Of 50 a second 30 are wanted and 16 taken. What goes on in place of another is due once, whoever of the two it is; and
 * those skipped behind the way to detection have left it: tracking, which waits for what is there, stands in later. */
static void a_picture_wanted_once_is_due_once(void **state)
{
    (void)state;
    enum { FRAMES = 300 };
    struct its_diag diag;
    assert_int_equal(media_make("fifty.mp4", "-f lavfi -i testsrc2=size=320x240:rate=50:duration=4 -pix_fmt yuv420p "
                                             "-c:v libx264 -preset ultrafast -bf 0 -g 25"), 0);
    cfg.general.target_latency_ms = cfg.latency_monitoring.latency_sla_ms = 1000;
    params.null_base_ns = 60 * MS;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "fifty", media_path("fifty.mp4"));
    CHECK_OK(itsi_pipeline_pin_quality(p, "fifty", ITSI_QUALITY_HIGH, &diag), diag);
    AWAIT(fabs(status_of(p, "fifty").quality.analysed_fps - 30) < 0.1);
    const struct itsi_ledger_counts before = status_of(p, "fifty").ledger;
    AWAIT(status_of(p, "fifty").ledger.expected >= before.expected + FRAMES);
    const struct itsi_ledger_counts after = status_of(p, "fifty").ledger;
    const double expected = (double)(after.expected - before.expected);
    const double due = expected - (double)(after.skipped - before.skipped);
    print_message("of %.0f pictures %.0f were due, %d came in time\n", expected, due,
                  (int)(after.delivered - before.delivered));
    assert_true(itsi_ledger_dropped(&after) > itsi_ledger_dropped(&before));
    CHECK_NEAR(due / expected, 0.6, 0.05);
    CHECK_OK(itsi_pipeline_pin_quality(p, "fifty", ITSI_QUALITY_LOW, &diag), diag);
    AWAIT(status_of(p, "fifty").ledger.tracked > 20);
    (void)close_pipeline(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADAPTING(the_large_camera_is_the_cause_and_pays),
        ADAPTING(a_camera_that_announces_half_its_rate_takes_nobodys_share),
        ADAPTING(a_second_without_motion_is_nothing),
        ADAPTING(a_smaller_stream_that_cannot_be_had_is_told),
        ADAPTING(a_picture_wanted_once_is_due_once),
    };
    return cmocka_run_group_tests(tests, media_setup, media_teardown);
}
