/* A camera's two streams: one is left only when the other is there. */
#include "capture/harness.h"
#include "capture/media.h"
#include "capture/server.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define PYTHON "/usr/bin/python3" /* the system's: it has GStreamer's bindings */
#define SCRIPT ITS_SOURCE_DIR "/tests/capture/rtsp_server.py"
/* Two beats of the camera are 80 ms; what is more than that is this machine's. Waiting for the other's connection and its
 * key frame, which comes every two seconds, would be a second on average. */
#define LONGEST_GAP_NS (300 * ITSI_NS_PER_MS)

static int setup(void **state)
{
    const char *args = "-f lavfi -i testsrc2=size=640x480:rate=25:duration=4 -pix_fmt yuv420p -c:v libx264 "
                       "-preset ultrafast -bf 0 -g 50";
    const char *small = "-f lavfi -i testsrc2=size=320x240:rate=25:duration=4 -pix_fmt yuv420p -c:v libx264 "
                        "-preset ultrafast -bf 0 -g 50";
    /* a key frame every eight seconds; none but the first in forty, but a part of every picture renewed */
    const char *rare = "-f lavfi -i testsrc2=size=320x240:rate=25:duration=8 -pix_fmt yuv420p -c:v libx264 "
                       "-preset ultrafast -bf 0 -g 200 -sc_threshold 0";
    const char *keyless = "-f lavfi -i testsrc2=size=320x240:rate=25:duration=40 -pix_fmt yuv420p -c:v libx264 "
                          "-preset ultrafast -bf 0 -g 25 -x264-params intra-refresh=1:sliced-threads=0";
    return media_setup(state) || media_make("full.mp4", args) || media_make("full.h264", args) ||
           media_make("small.mp4", small) || media_make("small.h264", small) || media_make("rare.h264", rare) ||
           media_make("keyless.h264", keyless);
}

static int width_of(struct cam *cam)
{
    pthread_mutex_lock(&cam->mutex);
    int width = cam->picture.width;
    pthread_mutex_unlock(&cam->mutex);
    return width;
}

static struct itsi_capture_status status_of(struct cam *cam)
{
    struct itsi_capture_status status;
    itsi_capture_status(cam->capture, &status);
    return status;
}

/* The longest time between two frames is measured from here on. */
static void watch_gap(struct cam *cam)
{
    pthread_mutex_lock(&cam->mutex);
    cam->gap_ns = 0;
    pthread_mutex_unlock(&cam->mutex);
}

static int64_t gap_of(struct cam *cam)
{
    pthread_mutex_lock(&cam->mutex);
    int64_t gap = cam->gap_ns;
    pthread_mutex_unlock(&cam->mutex);
    return gap;
}

static void start_small(struct cam *cam, const char *full, const char *small)
{
    cam_init(cam);
    cam->params.sub_url = small;
    cam_start(cam, full);
    assert_true(CAM_WAIT(cam, 20, cam_frames(cam) >= 30));
}

/* Changes the stream; says how long the longest gap was, and by how many frames the books are off. */
static void change(struct cam *cam, bool sub)
{
    struct itsi_ledger_counts before, after;
    watch_gap(cam);
    const int64_t began = itsi_now_ns();
    itsi_ledger_snapshot(&cam->ledger, &before);
    itsi_capture_economise(cam->capture, ITSI_DECODE_ALL, 0, sub);
    assert_true(CAM_WAIT(cam, 20, width_of(cam) == (sub ? 320 : 640)));
    const uint64_t frames = cam_frames(cam);
    assert_true(CAM_WAIT(cam, 20, cam_frames(cam) >= frames + 12));
    itsi_ledger_snapshot(&cam->ledger, &after);
    const double due = (double)(itsi_now_ns() - began) / ITSI_NS_PER_S * 25;
    print_message("%s: %.0f ms without a picture, %.1f frames due, %d in the books\n", sub ? "smaller" : "full",
                  (double)gap_of(cam) / 1e6, due, (int)(after.expected - before.expected));
    assert_true(gap_of(cam) <= LONGEST_GAP_NS);
    CHECK_NEAR((double)(after.expected - before.expected), due, 6);
    assert_int_equal(after.missing, before.missing);
    assert_int_equal(status_of(cam).sub, sub);
    assert_int_equal(status_of(cam).width, sub ? 320 : 640);
}

static void expect_no_break(const char *full, const char *small)
{
    struct cam cam;
    struct itsi_ledger_counts before, counts;
    start_small(&cam, full, small);
    itsi_ledger_snapshot(&cam.ledger, &before); /* at the start it had to wait for a key frame */
    change(&cam, true);
    change(&cam, false);
    const struct itsi_capture_status status = status_of(&cam);
    cam_stop(&cam, &counts);
    assert_int_equal(cam.sizes, 2);
    assert_int_equal(cam.disorder, 0);
    assert_int_equal(counts.corrupt, 0);
    assert_int_equal(status.reconnects, 0);
    assert_int_equal(status.connects, 3);
    assert_int_equal(counts.dropped[ITSI_STAGE_CAMERA_CAPTURE][ITSI_DROP_WAIT_KEY],
                     before.dropped[ITSI_STAGE_CAMERA_CAPTURE][ITSI_DROP_WAIT_KEY]);
}

static void streams_change_without_a_break(void **state)
{
    (void)state;
    struct server full, small;
    char full_file[256], small_file[256], full_url[64], small_url[64];
    snprintf(full_file, sizeof full_file, "%s", media_path("full.h264"));
    snprintf(small_file, sizeof small_file, "%s", media_path("small.h264"));
    assert_int_equal(server_start(&full, (const char *const[]){PYTHON, SCRIPT, full_file, NULL}), 0);
    assert_int_equal(server_start(&small, (const char *const[]){PYTHON, SCRIPT, small_file, NULL}), 0);
    snprintf(full_url, sizeof full_url, "rtsp://127.0.0.1:%d/cam0", full.port);
    snprintf(small_url, sizeof small_url, "rtsp://127.0.0.1:%d/cam0", small.port);
    /* somebody else watches both: who connects now comes in the middle of a group of pictures, as with a real camera */
    struct cam others[2];
    for (int i = 0; i < 2; i++) {
        cam_init(&others[i]);
        cam_start(&others[i], i ? small_url : full_url);
        assert_true(CAM_WAIT(&others[i], 20, cam_frames(&others[i]) >= 5));
    }
    expect_no_break(full_url, small_url);
    for (int i = 0; i < 2; i++)
        cam_stop(&others[i], NULL);
    server_end(&full);
    server_end(&small);
}

static void clips_change_without_a_break(void **state)
{
    (void)state;
    expect_no_break(media_path("full.mp4"), media_path("small.mp4"));
}

/* The full stream never stops for it, and it is not asked for again at once. */
static void a_smaller_stream_that_is_not_there_leaves_the_full_one(void **state)
{
    (void)state;
    struct cam cam;
    start_small(&cam, media_path("full.mp4"), media_path("nothing.mp4"));
    watch_gap(&cam);
    itsi_capture_economise(cam.capture, ITSI_DECODE_ALL, 0, true);
    assert_true(CAM_WAIT(&cam, 10, status_of(&cam).sub_again_ns != 0));
    const struct itsi_capture_status failed = status_of(&cam);
    const uint64_t before = cam_frames(&cam);
    assert_true(failed.sub_again_ns > itsi_now_ns() + 30 * ITSI_NS_PER_S);
    assert_non_null(strstr(failed.sub_error, "nothing.mp4"));
    assert_true(CAM_WAIT(&cam, 10, cam_frames(&cam) >= before + 25));
    const struct itsi_capture_status later = status_of(&cam);
    assert_false(later.sub);
    assert_true(later.sub_again_ns == failed.sub_again_ns);
    assert_int_equal(later.connects, 1);
    assert_int_equal(later.state, ITSI_CAPTURE_RUNNING);
    assert_int_equal(width_of(&cam), 640);
    assert_true(gap_of(&cam) <= LONGEST_GAP_NS);
    cam_stop(&cam, NULL);
}

/* A port that takes connections and says nothing. */
static int open_mute(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, 8) == 0 &&
                getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* Neither a change of mind nor the end waits for a smaller stream that does not answer. */
static void one_that_hangs_hinders_nobody(void **state)
{
    (void)state;
    struct cam cam;
    int port;
    char url[64];
    const int fd = open_mute(&port);
    snprintf(url, sizeof url, "rtsp://127.0.0.1:%d/cam0", port);
    start_small(&cam, media_path("full.mp4"), url);
    for (int round = 0; round < 3; round++) {
        watch_gap(&cam);
        itsi_capture_economise(cam.capture, ITSI_DECODE_ALL, 0, round != 1);
        const uint64_t before = cam_frames(&cam);
        assert_true(CAM_WAIT(&cam, 10, cam_frames(&cam) >= before + 12));
        assert_true(gap_of(&cam) <= LONGEST_GAP_NS);
        assert_int_equal(width_of(&cam), 640);
    }
    const int64_t began = itsi_now_ns();
    cam_stop(&cam, NULL);
    assert_true(itsi_now_ns() - began < ITSI_NS_PER_S);
    close(fd);
}

/* The connection to it is lost while it is read. */
static void the_full_stream_stands_in_for_a_smaller_one_that_dies(void **state)
{
    (void)state;
    struct server small;
    struct cam cam;
    char file[256], url[64];
    snprintf(file, sizeof file, "%s", media_path("small.h264"));
    assert_int_equal(server_start(&small, (const char *const[]){PYTHON, SCRIPT, file, NULL}), 0);
    snprintf(url, sizeof url, "rtsp://127.0.0.1:%d/cam0", small.port);
    start_small(&cam, media_path("full.mp4"), url);
    change(&cam, true);
    assert_int_equal(server_tell(&small, "stop", "stopped"), 0);
    assert_true(CAM_WAIT(&cam, 10, width_of(&cam) == 640));
    assert_false(status_of(&cam).sub);
    assert_true(status_of(&cam).sub_again_ns != 0);
    cam_stop(&cam, NULL);
    server_end(&small);
}

/* --- what takes over while the first stream goes ------------------------------------------------------------------ */

static void serve(struct server *server, char url[64], const char *file)
{
    char path[256];
    snprintf(path, sizeof path, "%s", media_path(file));
    assert_int_equal(server_start(server, (const char *const[]){PYTHON, SCRIPT, path, NULL}), 0);
    snprintf(url, 64, "rtsp://127.0.0.1:%d/cam0", server->port);
}

static int clients_of(struct server *server)
{
    char line[64] = "";
    int clients = -1;
    fprintf(server->in, "clients\n");
    fflush(server->in);
    assert_int_equal(server_expect(server, "clients ", line, sizeof line), 0);
    assert_int_equal(sscanf(line, "clients %d", &clients), 1);
    return clients;
}

/* A camera whose full stream is read while the smaller one, of which somebody else has seen the last key frame for seconds
 * to come, is being opened. */
struct change_over {
    struct server full, small;
    struct cam cam, other;
    char full_url[64], small_url[64];
};

static void begin_change_over(struct change_over *c, const char *small)
{
    serve(&c->full, c->full_url, "full.h264");
    serve(&c->small, c->small_url, small);
    cam_init(&c->other);
    cam_start(&c->other, c->small_url);
    assert_true(CAM_WAIT(&c->other, 20, cam_frames(&c->other) >= 5));
    cam_init(&c->cam);
    c->cam.params.sub_url = c->small_url;
    c->cam.cfg.packet_timeout_seconds = 60;
}

static void start_change_over(struct change_over *c)
{
    cam_start(&c->cam, c->full_url);
    assert_true(CAM_WAIT(&c->cam, 20, cam_frames(&c->cam) >= 10));
    itsi_capture_economise(c->cam.capture, ITSI_DECODE_ALL, 0, true);
    assert_true(CAM_WAIT(&c->cam, 20, clients_of(&c->small) == 2));
    assert_int_equal(width_of(&c->cam), 640);
}

/* It was opened once, and what it showed was never connected to anew. */
static void end_change_over(struct change_over *c)
{
    struct itsi_ledger_counts counts;
    assert_true(CAM_WAIT(&c->cam, 20, width_of(&c->cam) == 320));
    const uint64_t frames = cam_frames(&c->cam);
    assert_true(CAM_WAIT(&c->cam, 20, cam_frames(&c->cam) >= frames + 12));
    const struct itsi_capture_status status = status_of(&c->cam);
    assert_true(status.sub);
    assert_int_equal(status.connects, 2);
    assert_int_equal(status.reconnects, 0);
    cam_stop(&c->other, NULL);
    cam_stop(&c->cam, &counts);
    assert_int_equal(c->cam.disorder, 0);
    assert_int_equal(counts.corrupt, 0);
    server_end(&c->full);
    server_end(&c->small);
}

static void it_takes_over_from_one_that_dies_first(void **state)
{
    (void)state;
    struct change_over c;
    begin_change_over(&c, "rare.h264");
    start_change_over(&c);
    assert_int_equal(server_tell(&c.full, "stop", "stopped"), 0);
    end_change_over(&c);
}

/* Long before that would count as lost. */
static void it_takes_over_from_one_that_falls_silent(void **state)
{
    (void)state;
    struct change_over c;
    begin_change_over(&c, "rare.h264");
    start_change_over(&c);
    assert_int_equal(server_tell(&c.full, "mute", "muted"), 0);
    end_change_over(&c);
}

static void one_without_key_frames_takes_over(void **state)
{
    (void)state;
    struct change_over c;
    begin_change_over(&c, "keyless.h264");
    c.cam.cfg.frame_timeout_seconds = 4;
    start_change_over(&c);
    watch_gap(&c.cam);
    end_change_over(&c);
    assert_true(c.cam.gap_ns <= LONGEST_GAP_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_change_without_a_break),
        cmocka_unit_test(clips_change_without_a_break),
        cmocka_unit_test(a_smaller_stream_that_is_not_there_leaves_the_full_one),
        cmocka_unit_test(one_that_hangs_hinders_nobody),
        cmocka_unit_test(the_full_stream_stands_in_for_a_smaller_one_that_dies),
        cmocka_unit_test(it_takes_over_from_one_that_dies_first),
        cmocka_unit_test(it_takes_over_from_one_that_falls_silent),
        cmocka_unit_test(one_without_key_frames_takes_over),
    };
    return cmocka_run_group_tests(tests, setup, media_teardown);
}
