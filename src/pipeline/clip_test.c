/* A clip from a ring, by way of a recording, with the system's FFmpeg: the pictures that were asked for, all of them,
 * playable. */
#include "support/check.h"

#include "base/clock.h"
#include "base/thread.h"
#include "capture/packet_mux.h"
#include "net/loop.h"
#include "pipeline/clip.h"
#include "pipeline/clip_fixture.h"

#include <fcntl.h>
#include <libavformat/avformat.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define S ITSI_NS_PER_S

struct world {
    struct clip_world made;
    char folder[64], path[128];
    struct itsi_event ended;
};
static struct world w;

static int begin(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    strcpy(w.folder, "/tmp/its-clip-XXXXXX");
    assert_non_null(mkdtemp(w.folder));
    snprintf(w.path, sizeof w.path, "%s/clip.mp4", w.folder);
    itsi_event_init(&w.ended);
    open_for_clips(&w.made, "ffmpeg");
    return 0;
}

static int end(void **state)
{
    char command[128];
    (void)state;
    close_for_clips(&w.made);
    itsi_event_fini(&w.ended);
    snprintf(command, sizeof command, "rm -r %s", w.folder);
    return system(command);
}

/* 20 s at 25 pictures/s, a key frame every second, made by FFmpeg with these options; what it holds goes into the ring
 * as if it had arrived in time, from the instant 100 s on. */
static void fill(const char *options, const char *suffix, bool with_dts)
{
    char source[128], command[600];
    AVFormatContext *fmt = NULL;
    AVPacket *p = av_packet_alloc();
    struct itsi_packet_format format = {.codec = 0};
    snprintf(source, sizeof source, "%s/source.%s", w.folder, suffix);
    snprintf(command, sizeof command,
             "ffmpeg -v error -f lavfi -i testsrc2=size=320x240:rate=25:duration=20 %s -g 25 %s", options, source);
    assert_int_equal(system(command), 0);
    assert_int_equal(avformat_open_input(&fmt, source, NULL, NULL), 0);
    assert_true(avformat_find_stream_info(fmt, NULL) >= 0);
    const AVStream *stream = fmt->streams[0];
    format.codec = (int)stream->codecpar->codec_id;
    format.width = stream->codecpar->width;
    format.height = stream->codecpar->height;
    format.config_size = (uint32_t)stream->codecpar->extradata_size;
    assert_true(format.config_size <= sizeof format.config);
    memcpy(format.config, stream->codecpar->extradata, format.config_size);
    assert_int_equal(itsi_packet_ring_format(w.made.ring, &format), 0);
    for (int i = 0; av_read_frame(fmt, p) >= 0; i++) {
        const struct itsi_packet packet = {
            .at = 100 * S + i * S / 25,
            .pts = av_rescale_q(p->pts, stream->time_base, (AVRational){1, (int)S}),
            .dts = with_dts ? av_rescale_q(p->dts, stream->time_base, (AVRational){1, (int)S}) : ITSI_PACKET_NO_DTS,
            .key = p->flags & AV_PKT_FLAG_KEY,
        };
        itsi_packet_ring_put(w.made.ring, &packet, p->data, (size_t)p->size);
        av_packet_unref(p);
    }
    av_packet_free(&p);
    avformat_close_input(&fmt);
}

/* Decoded by FFmpeg without a complaint: how many pictures, and how long it is. */
static void check_clip(int pictures, double seconds)
{
    char command[400], text[256] = "";
    snprintf(command, sizeof command,
             "ffprobe -v error -count_frames -select_streams v -show_entries stream=nb_read_frames,duration -of "
             "csv=p=0 %s 2>&1",
             w.path);
    FILE *probe = popen(command, "r");
    assert_non_null(probe);
    const size_t got = fread(text, 1, sizeof text - 1, probe);
    pclose(probe);
    text[got] = '\0';
    double duration;
    int frames;
    if (sscanf(text, "%lf,%d\n", &duration, &frames) != 2 || strchr(text, '\n')[1])
        fail_msg("ffprobe: %s", text);
    assert_int_equal(frames, pictures);
    CHECK_NEAR(duration, seconds, 0.1);
}

static void on_ended(void *event) { itsi_event_set(event); }

/* What came from one instant on until another, in `pieces`; of nothing: ITS_ENOTFOUND. */
static int record(const char *path, int64_t from, int64_t until, int pieces, struct itsi_packet_mux_summary *shown)
{
    struct itsi_packet_mux *mux;
    struct its_diag diag;
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    const int rc = itsi_packet_mux_begin(&mux, w.made.ring, from, fd, &diag);
    for (int i = 1; rc == 0 && i <= pieces; i++)
        CHECK_OK(itsi_packet_mux_more(mux, from + (until - from) / pieces * i, &diag), diag);
    if (rc == 0) {
        itsi_packet_mux_summary(mux, shown);
        CHECK_OK(itsi_packet_mux_end(mux, &diag), diag);
    }
    close(fd);
    return rc;
}

static int copy(const char *recording, const char *path, int codec, struct itsi_clip_copy *made, uint64_t *bytes,
                struct its_diag *diag)
{
    *made = (struct itsi_clip_copy){.pool = w.made.pool,
                                    .form = itsi_packet_mux_name(codec),
                                    .hevc = codec == AV_CODEC_ID_HEVC,
                                    .path = path,
                                    .deadline = itsi_now_ns() + 30 * S,
                                    .ended = on_ended,
                                    .arg = &w.ended};
    CHECK_OK(itsi_clip_copy_begin(made, open(recording, O_RDONLY | O_CLOEXEC), diag), *diag);
    assert_true(itsi_event_wait_until(&w.ended, itsi_now_ns() + 40 * S));
    return itsi_clip_copy_end(made, bytes, diag);
}

/* From 5.5 s to 12 s after the beginning: from the key frame at 5 s. */
static void check_cut(void)
{
    struct itsi_packet_mux_summary shown;
    struct itsi_clip_copy made;
    struct its_diag diag;
    struct stat info;
    uint64_t bytes;
    char recording[160];
    snprintf(recording, sizeof recording, "%s.recording", w.path);
    assert_int_equal(record(recording, 105 * S + S / 2, 112 * S, 13, &shown), 0);
    assert_int_equal(shown.pictures, 176);
    assert_int_equal(shown.first_at, 105 * S);
    assert_int_equal(shown.last_at, 112 * S);
    CHECK_OK(copy(recording, w.path, shown.codec, &made, &bytes, &diag), diag);
    CHECK_NEAR(made.seconds, 7.04, 0.8); /* where pictures are reordered it counts from the first that is decoded */
    assert_int_equal(stat(w.path, &info), 0);
    assert_int_equal(bytes, info.st_size);
    check_clip(176, 7.04);
}

static void of_h264_as_a_file_has_it(void **state)
{
    (void)state;
    fill("-c:v libx264 -preset ultrafast", "mp4", true);
    check_cut();
}

/* As over RTSP: start codes, parameters with the pictures, no decoding times. */
static void of_h264_as_a_camera_sends_it(void **state)
{
    (void)state;
    fill("-c:v libx264 -preset ultrafast -tune zerolatency", "ts", false);
    check_cut();
}

static void of_h264_with_pictures_out_of_order(void **state)
{
    (void)state;
    fill("-c:v libx264 -preset veryfast -bf 2 -sc_threshold 0 -x264-params open-gop=0", "ts", false);
    check_cut();
}

static void of_h265(void **state)
{
    (void)state;
    fill("-c:v libx265 -preset ultrafast -x265-params log-level=none", "mp4", true);
    check_cut();
}

static void of_motion_jpeg(void **state)
{
    (void)state;
    fill("-c:v mjpeg", "mkv", false);
    struct itsi_packet_mux_summary shown;
    struct itsi_clip_copy made;
    struct its_diag diag;
    uint64_t bytes;
    char recording[160];
    snprintf(recording, sizeof recording, "%s.recording", w.path);
    assert_int_equal(record(recording, 105 * S, 112 * S, 1, &shown), 0);
    CHECK_OK(copy(recording, w.path, shown.codec, &made, &bytes, &diag), diag);
    check_clip(176, 7.04);
}

static void where_nothing_was_kept_nothing_is_recorded(void **state)
{
    struct itsi_packet_mux_summary shown;
    char path[160];
    (void)state;
    snprintf(path, sizeof path, "%s.recording", w.path);
    assert_int_equal(record(path, 0, S, 1, &shown), ITS_ENOTFOUND);
    fill("-c:v mpeg4", "avi", true);
    assert_int_equal(record(path, 125 * S, 130 * S, 1, &shown), ITS_ENOTFOUND); /* all of it is older */
}

static void another_format_ends_the_recording(void **state)
{
    const struct itsi_packet_format other = {.codec = AV_CODEC_ID_H264, .width = 640, .height = 360};
    struct itsi_packet_mux_summary shown;
    struct itsi_packet_mux *mux;
    struct its_diag diag;
    (void)state;
    fill("-c:v mpeg4", "avi", true);
    const int fd = open(w.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK_OK(itsi_packet_mux_begin(&mux, w.made.ring, 105 * S, fd, &diag), diag);
    CHECK_OK(itsi_packet_mux_more(mux, 106 * S, &diag), diag);
    assert_int_equal(itsi_packet_ring_format(w.made.ring, &other), 0);
    itsi_packet_ring_put(w.made.ring, &(struct itsi_packet){.at = 107 * S, .key = true}, (const uint8_t *)"x", 1);
    assert_int_equal(itsi_packet_mux_more(mux, 110 * S, &diag), ITS_EEOF);
    itsi_packet_mux_summary(mux, &shown);
    CHECK_OK(itsi_packet_mux_end(mux, &diag), diag);
    close(fd);
    assert_int_equal(shown.last_at, 106 * S);
}

static void a_full_disk_is_named(void **state)
{
    struct itsi_packet_mux *mux;
    struct its_diag diag;
    (void)state;
    fill("-c:v mpeg4", "avi", true);
    const int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    int rc = itsi_packet_mux_begin(&mux, w.made.ring, 105 * S, fd, &diag);
    if (rc == 0) {
        rc = itsi_packet_mux_more(mux, 112 * S, &diag);
        assert_int_not_equal(itsi_packet_mux_end(mux, NULL), 0);
    }
    assert_int_equal(rc, ITS_ENOSPACE);
    CHECK_CONTAINS(diag.text, "No space left");
    close(fd);
}

static void what_cannot_be_written_says_why(void **state)
{
    struct itsi_packet_mux_summary shown;
    struct itsi_clip_copy made;
    struct its_diag diag;
    uint64_t bytes;
    (void)state;
    fill("-c:v mpeg4", "avi", true);
    assert_int_equal(record(w.path, 100 * S, 110 * S, 1, &shown), 0);
    assert_int_equal(copy(w.path, "/no/such/folder/clip.mp4", shown.codec, &made, &bytes, &diag), ITS_EIO);
    CHECK_CONTAINS(diag.text, "No such file or directory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_h264_as_a_file_has_it),
        TEST(of_h264_as_a_camera_sends_it),
        TEST(of_h264_with_pictures_out_of_order),
        TEST(of_h265),
        TEST(of_motion_jpeg),
        TEST(where_nothing_was_kept_nothing_is_recorded),
        TEST(another_format_ends_the_recording),
        TEST(a_full_disk_is_named),
        TEST(what_cannot_be_written_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
