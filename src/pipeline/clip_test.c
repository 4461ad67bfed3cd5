/* A clip from a ring, with the system's FFmpeg: the pictures that were asked for, all of them, playable. */
#include "support/check.h"

#include "base/clock.h"
#include "net/loop.h"
#include "pipeline/clip.h"
#include "pipeline/clip_fixture.h"

#include <libavformat/avformat.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define S ITSI_NS_PER_S

struct world {
    struct itsi_loop *loop;
    struct itsi_ffmpeg_pool *pool;
    struct itsi_packet_ring *ring;
    char folder[64], path[128];
};
static struct world w;

static int begin(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    strcpy(w.folder, "/tmp/its-clip-XXXXXX");
    assert_non_null(mkdtemp(w.folder));
    snprintf(w.path, sizeof w.path, "%s/clip.mp4", w.folder);
    open_for_clips(&w.loop, &w.pool, &w.ring, 2);
    return 0;
}

static int end(void **state)
{
    char command[128];
    (void)state;
    itsi_packet_ring_destroy(w.ring);
    itsi_ffmpeg_pool_destroy(w.pool, 0);
    itsi_loop_destroy(w.loop);
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
    memcpy(format.config, stream->codecpar->extradata, format.config_size);
    assert_int_equal(itsi_packet_ring_format(w.ring, &format), 0);
    for (int i = 0; av_read_frame(fmt, p) >= 0; i++) {
        const struct itsi_packet packet = {
            .at = 100 * S + i * S / 25,
            .pts = av_rescale_q(p->pts, stream->time_base, (AVRational){1, (int)S}),
            .dts = with_dts ? av_rescale_q(p->dts, stream->time_base, (AVRational){1, (int)S}) : ITSI_PACKET_NO_DTS,
            .key = p->flags & AV_PKT_FLAG_KEY,
        };
        itsi_packet_ring_put(w.ring, &packet, p->data, (size_t)p->size);
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

static void check_cut(void)
{
    struct itsi_clip clip;
    struct its_diag diag;
    /* from 5.5 s to 12 s after the beginning: from the key frame at 5 s */
    CHECK_OK(itsi_clip_write(w.pool, w.ring, 105 * S + S / 2, 112 * S, w.path, itsi_now_ns() + 30 * S, &clip, &diag),
             diag);
    assert_int_equal(clip.pictures, 176);
    CHECK_NEAR(clip.seconds, 7.0, 0.001);
    assert_int_equal(clip.first_at, 105 * S);
    check_clip(176, 7.04);
    struct stat info;
    assert_int_equal(stat(w.path, &info), 0);
    assert_int_equal(clip.bytes, info.st_size);
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

static void of_motion_jpeg(void **state)
{
    (void)state;
    fill("-c:v mjpeg", "mkv", false);
    struct itsi_clip clip;
    struct its_diag diag;
    CHECK_OK(itsi_clip_write(w.pool, w.ring, 105 * S, 112 * S, w.path, itsi_now_ns() + 30 * S, &clip, &diag), diag);
    check_clip(176, 7.04);
}

static void where_nothing_was_kept_there_is_no_file(void **state)
{
    struct itsi_clip clip;
    struct its_diag diag;
    (void)state;
    assert_int_equal(itsi_clip_write(w.pool, w.ring, 0, S, w.path, itsi_now_ns() + 30 * S, &clip, &diag),
                     ITS_ENOTFOUND);
    fill("-c:v mpeg4", "avi", true);
    assert_int_equal(itsi_clip_write(w.pool, w.ring, 0, S, w.path, itsi_now_ns() + 30 * S, &clip, &diag),
                     ITS_ENOTFOUND);
    assert_int_equal(access(w.path, F_OK), -1);
}

static void what_cannot_be_written_says_why(void **state)
{
    struct itsi_clip clip;
    struct its_diag diag;
    (void)state;
    fill("-c:v mpeg4", "avi", true);
    assert_int_equal(itsi_clip_write(w.pool, w.ring, 100 * S, 200 * S, "/no/such/folder/clip.mp4",
                                     itsi_now_ns() + 30 * S, &clip, &diag),
                     ITS_EIO);
    CHECK_CONTAINS(diag.text, "No such file or directory");
}

static void make_file(const char *name, int size)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", w.folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < size; i++)
        fputc('x', file);
    fclose(file);
}

static bool is_there(const char *name)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", w.folder, name);
    return access(path, F_OK) == 0;
}

static void the_oldest_clips_give_way(void **state)
{
    (void)state;
    make_file("2026-01-01.mp4", 100);
    make_file("2026-01-02.mp4", 100);
    make_file("2026-01-03.mp4", 100);
    make_file("2026-01-00.txt", 100);
    itsi_clips_retain(w.folder, 10, 1000);
    assert_true(is_there("2026-01-01.mp4"));
    itsi_clips_retain(w.folder, 10, 250);
    assert_false(is_there("2026-01-01.mp4"));
    assert_true(is_there("2026-01-02.mp4"));
    itsi_clips_retain(w.folder, 1, 250);
    assert_false(is_there("2026-01-02.mp4"));
    itsi_clips_retain(w.folder, 1, 50);
    assert_true(is_there("2026-01-03.mp4"));
    assert_true(is_there("2026-01-00.txt"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_h264_as_a_file_has_it),
        TEST(of_h264_as_a_camera_sends_it),
        TEST(of_h264_with_pictures_out_of_order),
        TEST(of_motion_jpeg),
        TEST(where_nothing_was_kept_there_is_no_file),
        TEST(what_cannot_be_written_says_why),
        TEST(the_oldest_clips_give_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
