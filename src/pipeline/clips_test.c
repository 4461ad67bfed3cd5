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
    struct clip_world made;
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
    open_for_clips(&w.made, "ffmpeg");
    return 0;
}

static int end(void **state)
{
    char command[128];
    (void)state;
    itsi_clips_destroy(w.clips);
    close_for_clips(&w.made);
    snprintf(command, sizeof command, "rm -r %s", w.folder);
    return system(command);
}

static void make_clips(int64_t before_ns, int64_t after_ns)
{
    const struct itsi_clips_params params = {.pool = w.made.pool,
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

static char added[ITSI_CLIP_NAME_SIZE]; /* the last */

static int add(const char *camera, int64_t at)
{
    const struct itsi_incident incident = {.camera = camera,
                                           .at = at,
                                           .wall_ns = itsi_wall_ns() + (at - itsi_now_ns()),
                                           .why = "a test",
                                           .record = "x.flight",
                                           .ring = w.made.ring,
                                           .release = release,
                                           .owner = &w};
    return itsi_clips_add(w.clips, &incident, added);
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

static bool holds(int64_t seconds)
{
    struct itsi_packet_ring_stats stats;
    itsi_packet_ring_stats(w.made.ring, &stats);
    return stats.span_ns >= seconds * S;
}

static bool was_cut(int64_t unused)
{
    struct itsi_packet_ring_stats stats;
    (void)unused;
    itsi_packet_ring_stats(w.made.ring, &stats);
    return stats.cut_at > 0 && stats.pictures > 0;
}

/* A road at 25 pictures/s, played as a camera is, until something is so of its ring. */
static void watch(bool (*enough)(int64_t), int64_t seconds)
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
                                               .ring = w.made.ring,
                                               .sink = {.put = take_frame}};
    struct its_diag diag;
    itsi_ledger_init(&w.ledger);
    CHECK_OK(itsi_capture_create(&w.capture, &params, &diag), diag);
    CHECK_OK(itsi_capture_start(w.capture, &diag), diag);
    const int64_t until = itsi_now_ns() + 60 * S;
    do {
        usleep(10000);
        assert_true(itsi_now_ns() < until);
    } while (!enough(seconds));
    itsi_capture_destroy(w.capture);
    itsi_ledger_fini(&w.ledger);
}

static void watch_road(int64_t seconds) { watch(holds, seconds); }

static struct itsi_clip_facts find(const char *name)
{
    struct itsi_clip_facts facts;
    assert_int_equal(itsi_clips_find(w.clips, name, &facts), 0);
    return facts;
}

static void an_incident_becomes_a_file(void **state)
{
    struct itsi_clip_facts list[8];
    struct its_diag diag;
    uint64_t bytes;
    int fd;
    (void)state;
    make_clips(3 * S, S / 2);
    watch_road(5);
    const int64_t now = itsi_now_ns();
    assert_int_equal(add("road", now - S), 0);
    struct itsi_clips_stats stats = await_ended(1);
    assert_string_equal(stats.last_error, "");
    assert_int_equal(stats.written, 1);
    assert_int_equal(count_files(), 1);
    const struct itsi_clip_facts facts = find(added);
    assert_int_equal(facts.state, ITSI_CLIP_WRITTEN);
    assert_string_equal(facts.why, "a test");
    assert_string_equal(facts.record, "x.flight");
    assert_string_equal(facts.note, "");
    assert_true(facts.before >= 3 && facts.seconds > facts.before && facts.pictures > 80);
    CHECK_OK(itsi_clips_open(w.clips, added, &fd, &bytes, &diag), diag);
    assert_int_equal(lseek(fd, 0, SEEK_END), bytes);
    close(fd);
    for (int i = 0; i < 3; i++) { /* other instants: two files stay */
        assert_int_equal(add("road", now - 2 * S + i * ITSI_NS_PER_MS * 10), 0);
        stats = await_ended((uint64_t)i + 2);
    }
    assert_int_equal(stats.written, 4);
    assert_int_equal(stats.kept.files, 2);
    assert_int_equal(count_files(), 2);
    assert_int_equal(atomic_load(&w.released), 4);
    assert_int_equal(itsi_clips_list(w.clips, list, 8), 2);
    CHECK_OK(itsi_clips_remove(w.clips, list[0].name, &diag), diag);
    assert_int_equal(itsi_clips_remove(w.clips, list[0].name, &diag), ITS_ENOTFOUND);
    itsi_clips_stats(w.clips, &stats);
    assert_int_equal(stats.kept.files, 1);
    assert_int_equal(stats.kept.bytes, list[1].bytes);
}

static void an_instant_that_is_shown_already_is_not_shown_twice(void **state)
{
    char first[ITSI_CLIP_NAME_SIZE];
    struct its_diag diag;
    int fd;
    uint64_t bytes;
    (void)state;
    make_clips(S, 1000 * S);
    const int64_t now = itsi_now_ns();
    assert_int_equal(add("a", now), 0);
    memcpy(first, added, sizeof first);
    assert_int_equal(find(first).state, ITSI_CLIP_WAITING);
    assert_int_equal(add("a", now + 10 * S), ITS_EEXISTS);
    assert_string_equal(added, first);
    assert_int_equal(add("b", now), 0);
    assert_int_equal(itsi_clips_open(w.clips, first, &fd, &bytes, &diag), ITS_EBUSY);
    assert_int_equal(itsi_clips_remove(w.clips, first, &diag), ITS_EBUSY);
    itsi_clips_destroy(w.clips); /* nothing came: both fail */
    w.clips = NULL;
    assert_int_equal(atomic_load(&w.released), 2);
    assert_int_equal(count_files(), 0);
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
    struct itsi_clip_facts list[2];
    struct its_diag diag;
    (void)state;
    make_clips(S, 0);
    assert_int_equal(add("a", itsi_now_ns() - S), 0);
    const struct itsi_clips_stats stats = await_ended(1);
    assert_int_equal(stats.failed, 1);
    CHECK_CONTAINS(stats.last_error, "no pictures");
    assert_int_equal(itsi_clips_list(w.clips, list, 2), 1);
    assert_int_equal(list[0].state, ITSI_CLIP_FAILED);
    assert_string_equal(list[0].note, stats.last_error);
    CHECK_OK(itsi_clips_remove(w.clips, added, &diag), diag); /* seen, and done with */
    assert_int_equal(itsi_clips_list(w.clips, list, 2), 0);
}

/* A daemon that ends does not wait for the time after, and writes what there is. */
static void at_the_end_what_waits_is_written(void **state)
{
    (void)state;
    make_clips(3 * S, 1000 * S);
    watch_road(4);
    assert_int_equal(add("road", itsi_now_ns() - S), 0);
    itsi_clips_finish(w.clips, itsi_now_ns() + 20 * S);
    assert_int_equal(add("road", itsi_now_ns()), ITS_ECANCELLED);
    assert_int_equal(count_files(), 1);
    const struct itsi_clip_facts facts = find(added);
    assert_int_equal(facts.state, ITSI_CLIP_WRITTEN);
    CHECK_CONTAINS(facts.note, "the daemon ended");
    assert_int_equal(atomic_load(&w.released), 1);
}

static int count_in_folder(const char *part)
{
    DIR *dir = opendir(w.clips_folder);
    int count = 0;
    for (const struct dirent *entry; dir && (entry = readdir(dir)) != NULL;)
        count += strstr(entry->d_name, part) != NULL;
    if (dir)
        closedir(dir);
    return count;
}

static void what_there_is_no_time_for_is_made_at_the_next_start(void **state)
{
    char name[ITSI_CLIP_NAME_SIZE];
    (void)state;
    make_clips(3 * S, 1000 * S);
    watch_road(4);
    assert_int_equal(add("road", itsi_now_ns() - S), 0);
    memcpy(name, added, sizeof name);
    itsi_clips_finish(w.clips, 0);
    assert_int_equal(count_in_folder(".mpegts"), 1);
    itsi_clips_destroy(w.clips);
    make_clips(3 * S, 1000 * S);
    await_ended(1);
    const struct itsi_clip_facts facts = find(name);
    assert_int_equal(facts.state, ITSI_CLIP_WRITTEN);
    assert_string_equal(facts.why, "a test");
    CHECK_CONTAINS(facts.note, "the daemon ended");
    assert_true(facts.seconds >= 3 && facts.bytes > 0);
    assert_int_equal(count_in_folder(".mpegts"), 0);
}

static void without_ffmpeg_a_clip_says_so(void **state)
{
    (void)state;
    close_for_clips(&w.made);
    open_for_clips(&w.made, "no-such-ffmpeg");
    make_clips(3 * S, S / 2);
    watch_road(4);
    assert_int_equal(add("road", itsi_now_ns() - S), 0);
    const struct itsi_clips_stats stats = await_ended(1);
    assert_int_equal(stats.failed, 1);
    CHECK_CONTAINS(stats.last_error, "no-such-ffmpeg");
    assert_int_equal(count_in_folder("Z-road"), 0); /* nothing stays of it */
}

static void a_folder_that_cannot_be_written_is_named(void **state)
{
    char path[96];
    (void)state;
    snprintf(path, sizeof path, "%s/data", w.folder); /* a file where a folder is wanted */
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    make_clips(3 * S, S / 2);
    watch_road(4);
    assert_int_equal(add("road", itsi_now_ns() - S), 0);
    const struct itsi_clips_stats stats = await_ended(1);
    assert_int_equal(stats.failed, 1);
    CHECK_CONTAINS(stats.last_error, "data");
    assert_int_equal(find(added).state, ITSI_CLIP_FAILED);
}

static void a_ring_that_is_too_small_is_named(void **state)
{
    struct itsi_packet_ring_params small = {.store = w.made.store, .bytes = 60000, .keep_ns = 60 * S, .pictures = 5000};
    struct its_diag diag;
    (void)state;
    itsi_packet_ring_destroy(w.made.ring);
    CHECK_OK(itsi_packet_ring_create(&w.made.ring, &small, &diag), diag);
    make_clips(20 * S, 0);
    watch(was_cut, 0);
    assert_int_equal(add("road", itsi_now_ns()), 0);
    await_ended(1);
    const struct itsi_clip_facts facts = find(added);
    assert_int_equal(facts.state, ITSI_CLIP_WRITTEN);
    CHECK_CONTAINS(facts.note, "clip_camera_mb");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_incident_becomes_a_file),
        TEST(an_instant_that_is_shown_already_is_not_shown_twice),
        TEST(more_than_can_wait_are_dropped),
        TEST(where_nothing_was_kept_it_says_so),
        TEST(at_the_end_what_waits_is_written),
        TEST(what_there_is_no_time_for_is_made_at_the_next_start),
        TEST(without_ffmpeg_a_clip_says_so),
        TEST(a_folder_that_cannot_be_written_is_named),
        TEST(a_ring_that_is_too_small_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
