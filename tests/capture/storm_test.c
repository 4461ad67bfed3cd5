/* A hundred cameras lost at once: they come back within seconds, and not as a storm. */
#include "capture/harness.h"
#include "capture/media.h"
#include "capture/server.h"

#define PYTHON "/usr/bin/python3"
#define CAMERAS 100
#define MOUNTS 10
#define LIMIT 16
#define EXIT_SKIP 77

static struct cam cams[CAMERAS];
static char urls[CAMERAS][128], ids[CAMERAS][16];

static int setup(void **state)
{
    return media_setup(state) ||
           media_make("clip.h264", "-f lavfi -i testsrc2=size=320x180:rate=25:duration=4 -pix_fmt yuv420p "
                                   "-c:v libx264 -preset ultrafast -g 25 -bf 0");
}

/* How many have given at least `more` frames since `base`. */
static int running(const uint64_t *base, uint64_t more)
{
    int count = 0;
    for (int i = 0; i < CAMERAS; i++)
        count += cam_frames(&cams[i]) >= base[i] + more;
    return count;
}

static double wait_for(const uint64_t *base, int wanted, double seconds, struct itsi_handshakes *handshakes)
{
    int64_t from = itsi_now_ns();
    while (running(base, 3) < wanted && itsi_now_ns() - from < (int64_t)(seconds * 1e9)) {
        struct itsi_handshakes_stats shaking;
        itsi_handshakes_stats(handshakes, &shaking);
        assert_in_range(shaking.now, 0, LIMIT);
        for (int i = 0; i < CAMERAS; i++)
            cam_check_balance(&cams[i]);
        usleep(10000);
    }
    return (double)(itsi_now_ns() - from) / 1e9;
}

static void note_frames(uint64_t *base)
{
    for (int i = 0; i < CAMERAS; i++)
        base[i] = cam_frames(&cams[i]);
}

static void a_hundred_cameras_lost_at_once_come_back(void **state)
{
    (void)state;
    static uint64_t base[CAMERAS];
    struct its_diag diag = {""};
    struct itsi_handshakes *handshakes;
    struct server s;
    char file[256];
    snprintf(file, sizeof file, "%s", media_path("clip.h264"));
    assert_int_equal(server_start(&s, (const char *[]){PYTHON, ITS_SOURCE_DIR "/tests/capture/rtsp_server.py", file,
                                                       "--mounts", "10", NULL}), 0);
    CHECK_OK(itsi_handshakes_create(&handshakes, LIMIT, 40, &diag), diag);
    for (int i = 0; i < CAMERAS; i++) {
        snprintf(urls[i], sizeof urls[i], "rtsp://127.0.0.1:%d/cam%d", s.port, i % MOUNTS);
        snprintf(ids[i], sizeof ids[i], "camera_%03d", i + 1);
        cam_init(&cams[i]);
        cams[i].params.id = ids[i];
        cams[i].params.handshakes = handshakes;
        cam_start(&cams[i], urls[i]);
    }
    double up = wait_for(base, CAMERAS, 20, handshakes);
    assert_int_equal(running(base, 3), CAMERAS);
    assert_int_equal(server_tell(&s, "stop", "stopped"), 0);
    usleep(6000000); /* long enough for the waits to have grown */
    note_frames(base);
    assert_int_equal(server_tell(&s, "start", "port"), 0);
    double back = wait_for(base, CAMERAS * 95 / 100, 15, handshakes);
    int count = running(base, 3);
    struct itsi_handshakes_stats shaking;
    itsi_handshakes_stats(handshakes, &shaking);
    print_message("%d cameras up in %.1f s; %d back %.1f s after the server; at most %d handshakes at once\n", CAMERAS,
                  up, count, back, shaking.highest);
    assert_true(count >= CAMERAS * 95 / 100);
    assert_in_range(shaking.highest, 1, LIMIT);
    for (int i = 0; i < CAMERAS; i++)
        itsi_capture_request_stop(cams[i].capture);
    int64_t before = itsi_now_ns();
    uint64_t disorder = 0;
    for (int i = 0; i < CAMERAS; i++) {
        cam_stop(&cams[i], NULL);
        disorder += cams[i].disorder;
    }
    assert_true(itsi_now_ns() - before < 3 * ITSI_NS_PER_S); /* all together, not one after the other */
    assert_int_equal(disorder, 0);
    itsi_handshakes_stats(handshakes, &shaking);
    assert_int_equal(shaking.now, 0);
    itsi_handshakes_destroy(handshakes);
    server_end(&s);
}

int main(void)
{
    if (media_shell(PYTHON " -c 'import gi; gi.require_version(\"GstRtspServer\", \"1.0\")' 2>/dev/null")) {
        printf("skipped: no GStreamer RTSP server for " PYTHON "\n");
        return EXIT_SKIP;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_hundred_cameras_lost_at_once_come_back)};
    return cmocka_run_group_tests(tests, setup, media_teardown);
}
