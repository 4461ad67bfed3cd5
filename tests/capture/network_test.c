/* Cameras over the network, against real servers on loopback. */
#include "capture/harness.h"
#include "capture/media.h"
#include "capture/server.h"

#define PYTHON "/usr/bin/python3" /* the system's: it has GStreamer's bindings */
#define SCRIPT(name) ITS_SOURCE_DIR "/tests/capture/" name
#define EXIT_SKIP 77

static char url_text[512];
__attribute__((format(printf, 1, 2))) static const char *url(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(url_text, sizeof url_text, fmt, args);
    va_end(args);
    return url_text;
}

/* An Annex-B clip without B-frames, key frame every second. */
static int make_clips(void)
{
    const char *source = "-f lavfi -i testsrc2=size=320x240:rate=25:duration=4 -pix_fmt yuv420p -g 25 -bf 0 ";
    char args[512];
    snprintf(args, sizeof args, "%s -c:v libx264 -preset ultrafast", source);
    int rc = media_make("clip.mp4", args) || media_make("clip.h264", args);
    snprintf(args, sizeof args, "%s -c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=25", source);
    rc = rc || media_make("clip.h265", args);
    rc = rc || media_shell("mkdir -p %s/jpeg && ffmpeg -nostdin -v error -i %s %s/jpeg/%%03d.jpg", media_dir,
                           media_path("clip.mp4"), media_dir);
    return rc || media_shell("openssl req -x509 -newkey rsa:2048 -nodes -keyout %s -out %s -days 2 -subj /CN=localhost "
                             "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null",
                             media_path("key.pem"), media_path("cert.pem"));
}

static int setup(void **state)
{
    return media_setup(state) || make_clips();
}

static void start_rtsp(struct server *s, const char *const *more)
{
    char file[256];
    snprintf(file, sizeof file, "%s", media_path("clip.h264"));
    const char *argv[16] = {PYTHON, SCRIPT("rtsp_server.py"), file};
    for (int i = 0; more && more[i]; i++)
        argv[3 + i] = more[i];
    assert_int_equal(server_start(s, argv), 0);
}

static void quick(struct cam *cam)
{
    cam_init(cam);
    cam->cfg.connect_timeout_seconds = 2;
    cam->cfg.packet_timeout_seconds = 1;
    cam->cfg.frame_timeout_seconds = 3;
    cam->cfg.backoff_initial_seconds = 0.1;
    cam->cfg.backoff_max_seconds = 0.5;
    cam->cfg.config_backoff_max_seconds = 30;
}

static struct itsi_capture_status status_of(struct cam *cam)
{
    struct itsi_capture_status status;
    itsi_capture_status(cam->capture, &status);
    return status;
}

/* Plays `frames` frames from a live camera and expects clean books. */
static void expect_live(const char *address, uint64_t frames, const char *codec)
{
    struct cam cam;
    struct itsi_ledger_counts counts;
    quick(&cam);
    cam.cfg.packet_timeout_seconds = cam.cfg.frame_timeout_seconds = 30;
    cam_start(&cam, address);
    if (!CAM_WAIT(&cam, 20, cam_frames(&cam) >= frames))
        fail_msg("%s: %llu frames, state %s, %s", address, (unsigned long long)cam_frames(&cam),
                 itsi_capture_state_name(cam_state(&cam)), status_of(&cam).last_error);
    struct itsi_capture_status status = status_of(&cam);
    int64_t before = itsi_now_ns();
    cam_stop(&cam, &counts);
    assert_true(itsi_now_ns() - before < 15 * ITSI_NS_PER_S); /* not for as long as a packet may take */
    assert_string_equal(status.codec, codec);
    assert_int_equal(status.state, ITSI_CAPTURE_RUNNING);
    assert_int_equal(status.width, 320);
    CHECK_NEAR(status.fps, 25, 2.5);
    assert_true(status.live);
    assert_int_equal(cam.disorder, 0);
    assert_int_equal(counts.missing + counts.corrupt, 0);
    assert_int_equal(cam.info.media_ns, -1);
}

static void rtsp_over_tcp_and_udp(void **state)
{
    (void)state;
    struct server s;
    start_rtsp(&s, NULL);
    expect_live(url("rtsp://127.0.0.1:%d/cam0", s.port), 50, "h264");
    expect_live(url("rtsp://127.0.0.1:%d/cam0?transport=udp", s.port), 50, "h264");
    server_end(&s);
}

static void look_age(struct cam *cam, const struct itsi_frame *frame)
{
    int64_t *most = cam->arg;
    int64_t age = itsi_now_ns() - frame->info.trace.origin;
    if (cam->frames > 20 && (!*most || age < *most))
        *most = age; /* the least: what the machinery costs on an idle moment */
}

static void pictures_do_not_wait_for_their_successors(void **state)
{
    (void)state;
    struct server s;
    struct cam cam;
    int64_t least = 0;
    start_rtsp(&s, NULL);
    quick(&cam);
    cam.look = look_age;
    cam.arg = &least;
    cam_start(&cam, url("rtsp://127.0.0.1:%d/cam0", s.port));
    assert_true(CAM_WAIT(&cam, 20, cam_frames(&cam) >= 90 && status_of(&cam).origin_kind == ITSI_ORIGIN_CAMERA));
    assert_true(fabs(status_of(&cam).clock_offset_seconds) < 0.1); /* the same machine's clock */
    cam_stop(&cam, NULL);
    assert_true(least < 20 * ITSI_NS_PER_MS); /* half the time between two pictures */
    server_end(&s);
}

/* Where a thread hangs when its decoder does not return: in the middle of frame 20. */
static struct itsi_event decoder_returns;
static int put_or_hang(void *arg, struct itsi_frame *frame, bool may_block)
{
    if (cam_frames(arg) == 20)
        itsi_event_wait_until(&decoder_returns, ITSI_NEVER);
    return cam_put(arg, frame, may_block);
}

static uint64_t missing_of(struct cam *cam)
{
    struct itsi_ledger_counts counts;
    itsi_capture_watch(cam->capture, itsi_now_ns());
    itsi_ledger_snapshot(&cam->ledger, &counts);
    return counts.missing;
}

static void a_thread_that_hangs_owes_its_frames_once(void **state)
{
    (void)state;
    struct server s;
    struct cam cam;
    struct itsi_ledger_counts counts;
    start_rtsp(&s, NULL);
    quick(&cam);
    cam.cfg.packet_timeout_seconds = cam.cfg.frame_timeout_seconds = 20;
    cam.params.sink.put = put_or_hang;
    itsi_event_init(&decoder_returns);
    cam_start(&cam, url("rtsp://127.0.0.1:%d/cam0", s.port));
    bool owed = CAM_WAIT(&cam, 20, missing_of(&cam) >= 60);
    itsi_event_set(&decoder_returns);
    assert_true(owed);
    bool goes_on = CAM_WAIT(&cam, 20, cam_frames(&cam) >= 150);
    cam_stop(&cam, &counts);
    assert_true(goes_on);
    /* those that waited in the socket meanwhile were in the books already */
    CHECK_NEAR((double)counts.expected, (double)(cam.last_ns - cam.first_ns) / 1e9 * 25.0, 12);
    itsi_event_fini(&decoder_returns);
    server_end(&s);
}

static void hevc_and_stamps_that_stand_still(void **state)
{
    (void)state;
    struct server s;
    char file[256];
    snprintf(file, sizeof file, "%s", media_path("clip.h265"));
    assert_int_equal(server_start(&s, (const char *[]){PYTHON, SCRIPT("rtsp_server.py"), file, "--codec", "h265", NULL}), 0);
    expect_live(url("rtsp://127.0.0.1:%d/cam0", s.port), 50, "hevc");
    server_end(&s);
    start_rtsp(&s, (const char *[]){"--no-stamps", NULL});
    expect_live(url("rtsp://127.0.0.1:%d/cam0", s.port), 50, "h264");
    server_end(&s);
}

static void b_frames_over_rtp_lose_nothing(void **state)
{
    (void)state;
    struct server s;
    struct cam cam;
    struct itsi_ledger_counts counts;
    char file[256];
    assert_int_equal(media_make("b.mp4", "-f lavfi -i testsrc2=size=320x240:rate=25:duration=4 -pix_fmt yuv420p "
                                         "-c:v libx264 -preset fast -bf 3 -g 50"), 0);
    snprintf(file, sizeof file, "%s", media_path("b.mp4"));
    assert_int_equal(server_start(&s, (const char *[]){PYTHON, SCRIPT("rtsp_server.py"), file, NULL}), 0);
    quick(&cam);
    cam_start(&cam, url("rtsp://127.0.0.1:%d/cam0", s.port));
    assert_true(CAM_WAIT(&cam, 20, cam_frames(&cam) >= 90));
    struct itsi_capture_status status = status_of(&cam);
    cam_stop(&cam, &counts);
    assert_int_equal(counts.corrupt + counts.missing, 0);
    assert_int_equal(cam.disorder, 0);
    assert_int_equal(status.connects, 1);
    assert_int_equal(status.epoch, 0);
    CHECK_NEAR(status.fps, 25, 0.5);
    assert_true(status.has_b_frames);
    server_end(&s);
}

static void expect_refusal(struct cam *cam, const char *address, int code, const char *part)
{
    cam_start(cam, address);
    assert_true(CAM_WAIT(cam, 10, cam_state(cam) == ITSI_CAPTURE_BACKOFF));
    struct itsi_capture_status status = status_of(cam);
    if (status.last_code != code)
        fail_msg("%s: code %d, wanted %d: %s", address, status.last_code, code, status.last_error);
    CHECK_CONTAINS(status.last_error, part);
    assert_null(strstr(status.last_error, "wr0ng"));
    int64_t before = itsi_now_ns();
    cam_stop(cam, NULL);
    assert_true(itsi_now_ns() - before < ITSI_NS_PER_S);
}

static void digest_authentication(void **state)
{
    (void)state;
    struct server s;
    struct cam cam;
    start_rtsp(&s, (const char *[]){"--user", "viewer", "--password", "r1ght@", NULL});
    expect_live(url("rtsp://viewer:r1ght%%40@127.0.0.1:%d/cam0", s.port), 30, "h264");
    quick(&cam);
    expect_refusal(&cam, url("rtsp://viewer:wr0ng@127.0.0.1:%d/cam0", s.port), ITS_EAUTH, "401");
    quick(&cam);
    expect_refusal(&cam, url("rtsp://127.0.0.1:%d/cam0", s.port), ITS_EAUTH, "401");
    server_end(&s);
}

static void refusals_are_told_apart(void **state)
{
    (void)state;
    struct server s;
    struct cam cam;
    start_rtsp(&s, NULL);
    quick(&cam);
    expect_refusal(&cam, url("rtsp://127.0.0.1:%d/nothing", s.port), ITS_ENOTFOUND, "404");
    int port = s.port;
    server_end(&s);
    quick(&cam);
    expect_refusal(&cam, url("rtsp://u:wr0ng@127.0.0.1:%d/cam0", port), ITS_EREFUSED, "refused");
}

static void a_camera_that_vanishes_comes_back(void **state)
{
    (void)state;
    struct server s;
    struct cam cam;
    struct itsi_ledger_counts before, during, after;
    start_rtsp(&s, NULL);
    quick(&cam);
    cam_start(&cam, url("rtsp://127.0.0.1:%d/cam0", s.port));
    assert_true(CAM_WAIT(&cam, 20, cam_frames(&cam) >= 50));
    assert_int_equal(server_tell(&s, "stop", "stopped"), 0);
    int64_t lost = itsi_now_ns();
    assert_true(CAM_WAIT(&cam, 10, cam_state(&cam) == ITSI_CAPTURE_BACKOFF));
    itsi_ledger_snapshot(&cam.ledger, &before);
    assert_true(CAM_WAIT(&cam, 10, itsi_now_ns() - lost > 3 * ITSI_NS_PER_S));
    itsi_ledger_snapshot(&cam.ledger, &during);
    uint64_t frames = cam_frames(&cam);
    assert_in_range(during.missing, 55, 80); /* 3 s of 25 frames: at once, not when it comes back */
    assert_int_equal(server_tell(&s, "start", "port"), 0);
    assert_true(CAM_WAIT(&cam, 15, cam_frames(&cam) >= frames + 25));
    double outage = (double)(itsi_now_ns() - lost) / 1e9 - 1.0;
    struct itsi_capture_status status = status_of(&cam);
    cam_stop(&cam, &after);
    assert_true(status.reconnects >= 1);
    assert_true(status.epoch >= 1);
    assert_int_equal(status.state, ITSI_CAPTURE_RUNNING);
    assert_true(status.attempts > 0); /* not yet stable */
    CHECK_NEAR((double)after.missing / 25.0, outage, 1.2);
    assert_int_equal(cam.disorder, 0);
    server_end(&s);
}

static void silence_is_noticed(void **state)
{
    (void)state;
    struct server s;
    struct cam cam;
    start_rtsp(&s, NULL);
    quick(&cam);
    cam_start(&cam, url("rtsp://127.0.0.1:%d/cam0", s.port));
    assert_true(CAM_WAIT(&cam, 20, cam_frames(&cam) >= 30));
    assert_int_equal(server_tell(&s, "mute", "muted"), 0);
    assert_true(CAM_WAIT(&cam, 10, status_of(&cam).stalls >= 1 && status_of(&cam).last_code));
    assert_int_equal(status_of(&cam).last_code, ITS_ETIMEOUT);
    CHECK_CONTAINS(status_of(&cam).last_error, "no packet for 1 s");
    cam_stop(&cam, NULL);
    server_end(&s);
}

static void a_dead_address_does_not_hold_up_the_stop(void **state)
{
    (void)state;
    struct cam cam;
    quick(&cam);
    cam.cfg.connect_timeout_seconds = 60;
    cam_start(&cam, "rtsp://192.0.2.1/x"); /* goes nowhere (RFC 5737), or is refused where there is no route */
    usleep(300000);
    int64_t before = itsi_now_ns();
    cam_stop(&cam, NULL);
    assert_true(itsi_now_ns() - before < 20 * ITSI_NS_PER_S); /* not for the minute it may take to connect */
}

static void certificates_are_checked(void **state)
{
    (void)state;
    struct server s;
    struct cam cam;
    char cert[256], key[256];
    snprintf(cert, sizeof cert, "%s", media_path("cert.pem"));
    snprintf(key, sizeof key, "%s", media_path("key.pem"));
    start_rtsp(&s, (const char *[]){"--tls", cert, key, NULL});
    quick(&cam);
    expect_refusal(&cam, url("rtsps://localhost:%d/cam0", s.port), ITS_EAUTH, "certificate is not trusted");
    struct { bool verify; char *ca; } ways[] = {{true, cert}, {false, NULL}};
    for (int i = 0; i < 2; i++) {
        struct itsi_ledger_counts counts;
        quick(&cam);
        cam.cfg.tls_verify = ways[i].verify;
        cam.cfg.tls_ca_file = ways[i].ca;
        cam_start(&cam, url("rtsps://localhost:%d/cam0", s.port));
        if (!CAM_WAIT(&cam, 20, cam_frames(&cam) >= 40))
            fail_msg("verify %d: %s", ways[i].verify, status_of(&cam).last_error);
        cam_stop(&cam, &counts);
        assert_int_equal(counts.corrupt + counts.missing, 0);
        assert_int_equal(cam.disorder, 0);
    }
    server_end(&s);
}

static void start_http(struct server *s, const char *const *more)
{
    const char *argv[16] = {PYTHON, SCRIPT("http_server.py"), media_dir};
    for (int i = 0; more && more[i]; i++)
        argv[3 + i] = more[i];
    assert_int_equal(server_start(s, argv), 0);
}

static void http_cameras(void **state)
{
    (void)state;
    struct server s;
    struct cam cam;
    start_http(&s, NULL);
    expect_live(url("http://127.0.0.1:%d/live.ts", s.port), 60, "h264");
    expect_live(url("http://127.0.0.1:%d/cam.mjpg", s.port), 60, "mjpeg");
    expect_live(url("http://u:p@127.0.0.1:%d/secret/cam.mjpg", s.port), 25, "mjpeg");
    quick(&cam);
    expect_refusal(&cam, url("http://u:wr0ng@127.0.0.1:%d/secret/cam.mjpg", s.port), ITS_EAUTH, "401");
    quick(&cam);
    expect_refusal(&cam, url("http://127.0.0.1:%d/nothing.ts", s.port), ITS_ENOTFOUND, "404");
    quick(&cam);
    expect_refusal(&cam, url("http://127.0.0.1:%d/key.pem", s.port), ITS_EFORMAT, "Invalid data");
    server_end(&s);
}

static void hls_plays_at_the_beat_of_its_stamps(void **state)
{
    (void)state;
    struct server s;
    struct cam cam;
    struct itsi_ledger_counts counts;
    start_http(&s, NULL);
    assert_int_equal(media_shell("for i in $(seq 100); do test $(ls %s/hls/*.ts 2>/dev/null | wc -l) -ge 4 && exit 0; "
                                 "sleep 0.1; done; exit 1", media_dir), 0);
    quick(&cam);
    cam.cfg.packet_timeout_seconds = 5;
    cam_start(&cam, url("http://127.0.0.1:%d/hls/live.m3u8", s.port));
    assert_true(CAM_WAIT(&cam, 20, cam_frames(&cam) >= 75));
    double rate = 75.0 / ((double)(cam.last_ns - cam.first_ns) / 1e9);
    cam_stop(&cam, &counts);
    CHECK_NEAR(rate, 25, 6); /* segments of a second come in bursts: pictures do not */
    assert_int_equal(cam.info.origin_kind, ITSI_ORIGIN_SCHEDULE);
    assert_int_equal(cam.disorder, 0);
    server_end(&s);
}

static void https_certificates_are_checked(void **state)
{
    (void)state;
    struct server s;
    struct cam cam;
    char cert[256], key[256];
    snprintf(cert, sizeof cert, "%s", media_path("cert.pem"));
    snprintf(key, sizeof key, "%s", media_path("key.pem"));
    start_http(&s, (const char *[]){"--tls", cert, key, NULL});
    cam_init(&cam);
    cam_start(&cam, url("https://localhost:%d/cam.mjpg", s.port));
    assert_true(CAM_WAIT(&cam, 10, cam_state(&cam) == ITSI_CAPTURE_BACKOFF));
    cam_stop(&cam, NULL);
    assert_int_equal(cam.frames, 0);
    quick(&cam);
    cam.cfg.tls_ca_file = cert;
    cam_start(&cam, url("https://localhost:%d/cam.mjpg", s.port));
    if (!CAM_WAIT(&cam, 20, cam_frames(&cam) >= 25))
        fail_msg("%s", status_of(&cam).last_error);
    cam_stop(&cam, NULL);
    server_end(&s);
}

static void nonsense_is_an_error_and_no_more(void **state)
{
    (void)state;
    struct server s;
    start_http(&s, NULL);
    const char *const schemes[] = {"rtsp", "http", "rtsps"};
    for (int i = 0; i < 3; i++) {
        struct cam cam;
        quick(&cam);
        cam_start(&cam, url("%s://127.0.0.1:%d/x", schemes[i], s.garbage));
        assert_true(CAM_WAIT(&cam, 10, status_of(&cam).last_code != 0));
        assert_true(strlen(status_of(&cam).last_error) > 20);
        cam_stop(&cam, NULL);
        assert_int_equal(cam.frames, 0);
    }
    server_end(&s);
}

static void probing_a_camera(void **state)
{
    (void)state;
    struct server s;
    struct its_cfg_capture cfg;
    struct itsi_probe_report r;
    struct its_diag diag = {""};
    cam_cfg(&cfg);
    start_rtsp(&s, NULL);
    CHECK_OK(itsi_capture_probe(&r, url("rtsp://127.0.0.1:%d/cam0?transport=udp", s.port), &cfg, NULL, 5, &diag), diag);
    assert_string_equal(r.codec, "h264");
    assert_string_equal(r.transport, "udp");
    CHECK_NEAR(r.measured_fps, 25, 0.5);
    assert_int_equal(r.gop, 25);
    assert_true(r.sender_reports);
    assert_true(r.can_meet_budget);
    assert_true(r.jitter_ms_p95 >= 0 && r.jitter_ms_p95 < 500);
    assert_true(r.first_picture_ms > 0);
    assert_in_range(r.frames, 90, 130);
    assert_int_equal(r.corrupt + r.lost, 0);
    int port = s.port;
    server_end(&s);
    assert_int_equal(itsi_capture_probe(&r, url("rtsp://127.0.0.1:%d/cam0", port), &cfg, NULL, 1, &diag), ITS_EREFUSED);
}

int main(void)
{
    if (media_shell(PYTHON " -c 'import gi; gi.require_version(\"GstRtspServer\", \"1.0\")' 2>/dev/null")) {
        printf("skipped: no GStreamer RTSP server for " PYTHON "\n");
        return EXIT_SKIP;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rtsp_over_tcp_and_udp),
        cmocka_unit_test(pictures_do_not_wait_for_their_successors),
        cmocka_unit_test(a_thread_that_hangs_owes_its_frames_once),
        cmocka_unit_test(hevc_and_stamps_that_stand_still),
        cmocka_unit_test(b_frames_over_rtp_lose_nothing),
        cmocka_unit_test(digest_authentication),
        cmocka_unit_test(refusals_are_told_apart),
        cmocka_unit_test(a_camera_that_vanishes_comes_back),
        cmocka_unit_test(silence_is_noticed),
        cmocka_unit_test(a_dead_address_does_not_hold_up_the_stop),
        cmocka_unit_test(certificates_are_checked),
        cmocka_unit_test(http_cameras),
        cmocka_unit_test(hls_plays_at_the_beat_of_its_stamps),
        cmocka_unit_test(https_certificates_are_checked),
        cmocka_unit_test(nonsense_is_an_error_and_no_more),
        cmocka_unit_test(probing_a_camera),
    };
    return cmocka_run_group_tests(tests, setup, media_teardown);
}
