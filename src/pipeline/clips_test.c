/* Incidents and what is kept of them: a camera of capture's own on a rendered road, its ring, the pool, the folder. */
#include "support/check.h"

#include "base/clock.h"
#include "capture/capture.h"
#include "net/loop.h"
#include "pipeline/clips.h"
#include "pipeline/clip_fixture.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define S ITSI_NS_PER_S

struct world {
    struct itsi_loop *loop;
    struct itsi_ffmpeg_pool *pool;
    struct itsi_packet_ring *ring;
    struct itsi_clips *clips;
    struct itsi_capture *capture;
    struct itsi_ledger ledger;
    char folder[64], clips_folder[96];
    atomic_int released;
};
static struct world w;

static int take_frame(void *arg, struct itsi_frame *frame, bool may_block)
{
    (void)arg, (void)may_block;
    itsi_frame_unref(&frame);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    strcpy(w.folder, "/tmp/its-clips-XXXXXX");
    assert_non_null(mkdtemp(w.folder));
    snprintf(w.clips_folder, sizeof w.clips_folder, "%s/data/clips", w.folder);
    open_for_clips(&w.loop, &w.pool, &w.ring, 1);
    return 0;
}

static int end(void **state)
{
    char command[128];
    (void)state;
    itsi_clips_destroy(w.clips);
    itsi_packet_ring_destroy(w.ring);
    itsi_ffmpeg_pool_destroy(w.pool, 0);
    itsi_loop_destroy(w.loop);
    snprintf(command, sizeof command, "rm -r %s", w.folder);
    return system(command);
}

static void make_clips(int64_t before_ns, int64_t after_ns)
{
    const struct itsi_clips_params params = {.pool = w.pool,
                                             .folder = w.clips_folder,
                                             .before_ns = before_ns,
                                             .after_ns = after_ns,
                                             .files = 2,
                                             .bytes = 1 << 30};
    struct its_diag diag;
    CHECK_OK(itsi_clips_create(&w.clips, &params, &diag), diag);
}

static void release(void *owner)
{
    assert_ptr_equal(owner, &w);
    atomic_fetch_add(&w.released, 1);
}

static int add(const char *camera, int64_t at)
{
    const struct itsi_incident incident = {.camera = camera,
                                           .at = at,
                                           .wall_ns = itsi_wall_ns() + (at - itsi_now_ns()),
                                           .ring = w.ring,
                                           .release = release,
                                           .owner = &w};
    return itsi_clips_add(w.clips, &incident);
}

static struct itsi_clips_stats await_ended(uint64_t count)
{
    struct itsi_clips_stats stats;
    const int64_t until = itsi_now_ns() + 30 * S;
    for (itsi_clips_stats(w.clips, &stats); stats.written + stats.failed < count; itsi_clips_stats(w.clips, &stats)) {
        assert_true(itsi_now_ns() < until);
        usleep(2000);
    }
    return stats;
}

static int count_files(void)
{
    DIR *dir = opendir(w.clips_folder);
    int count = 0;
    for (const struct dirent *entry; dir && (entry = readdir(dir)) != NULL;)
        count += strstr(entry->d_name, ".mp4") != NULL;
    if (dir)
        closedir(dir);
    return count;
}

/* A road at 25 pictures/s, played as a camera is, for `seconds`. */
static void watch_road(int64_t seconds)
{
    const struct its_cfg_capture cfg = {.frame_timeout_seconds = 10,
                                        .packet_timeout_seconds = 10,
                                        .connect_timeout_seconds = 10,
                                        .freeze_timeout_seconds = 10,
                                        .expected_fps = 25,
                                        .backoff_initial_seconds = 1,
                                        .backoff_max_seconds = 1,
                                        .max_frame_pixels = 1 << 24};
    const struct itsi_capture_params params = {.id = "road",
                                               .url = "synth://street?size=320x240&seconds=2",
                                               .cfg = &cfg,
                                               .cache_dir = w.folder,
                                               .frames = 8,
                                               .budget_ns = S,
                                               .ledger = &w.ledger,
                                               .ring = w.ring,
                                               .sink = {.put = take_frame}};
    struct its_diag diag;
    struct itsi_packet_ring_stats stats;
    itsi_ledger_init(&w.ledger);
    CHECK_OK(itsi_capture_create(&w.capture, &params, &diag), diag);
    CHECK_OK(itsi_capture_start(w.capture, &diag), diag);
    const int64_t until = itsi_now_ns() + 60 * S;
    do {
        usleep(10000);
        itsi_packet_ring_stats(w.ring, &stats);
        assert_true(itsi_now_ns() < until);
    } while (stats.span_ns < seconds * S);
    itsi_capture_destroy(w.capture);
    itsi_ledger_fini(&w.ledger);
}

static void an_incident_becomes_a_file(void **state)
{
    (void)state;
    make_clips(3 * S, S / 2);
    watch_road(5);
    const int64_t now = itsi_now_ns();
    assert_int_equal(add("road", now - S), 0);
    struct itsi_clips_stats stats = await_ended(1);
    assert_string_equal(stats.last_error, "");
    assert_int_equal(stats.written, 1);
    assert_int_equal(count_files(), 1);
    for (int i = 0; i < 3; i++) { /* other instants: two files stay */
        assert_int_equal(add("road", now - 2 * S + i * ITSI_NS_PER_MS * 10), 0);
        stats = await_ended((uint64_t)i + 2);
    }
    assert_int_equal(stats.written, 4);
    assert_int_equal(count_files(), 2);
    assert_int_equal(atomic_load(&w.released), 4);
}

static void an_instant_that_is_shown_already_is_not_shown_twice(void **state)
{
    (void)state;
    make_clips(S, 1000 * S);
    const int64_t now = itsi_now_ns();
    assert_int_equal(add("a", now), 0);
    assert_int_equal(add("a", now + 10 * S), ITS_EEXISTS);
    assert_int_equal(add("b", now), 0);
    itsi_clips_destroy(w.clips); /* both are given up */
    w.clips = NULL;
    assert_int_equal(atomic_load(&w.released), 2);
}

static void more_than_can_wait_are_dropped(void **state)
{
    struct itsi_clips_stats stats;
    char camera[16];
    int taken = 0;
    (void)state;
    make_clips(S, 1000 * S);
    for (int i = 0; i < 200; i++) {
        snprintf(camera, sizeof camera, "cam_%d", i);
        taken += add(camera, itsi_now_ns()) == 0;
    }
    itsi_clips_stats(w.clips, &stats);
    assert_int_equal(stats.waiting, taken);
    assert_int_equal(stats.dropped, 200 - taken);
    assert_true(taken < 200);
}

static void where_nothing_was_kept_it_says_so(void **state)
{
    (void)state;
    make_clips(S, 0);
    assert_int_equal(add("a", itsi_now_ns() - S), 0);
    const struct itsi_clips_stats stats = await_ended(1);
    assert_int_equal(stats.failed, 1);
    CHECK_CONTAINS(stats.last_error, "no coded pictures");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_incident_becomes_a_file),
        TEST(an_instant_that_is_shown_already_is_not_shown_twice),
        TEST(more_than_can_wait_are_dropped),
        TEST(where_nothing_was_kept_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
