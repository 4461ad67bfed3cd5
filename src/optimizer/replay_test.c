/* From a running pipeline through a flight record to the same frames again. */
#include "support/pipeline_run.h"

#include "base/clock.h"
#include "base/mem.h"
#include "core/flight.h"
#include "optimizer/benchmark.h"

#include <dirent.h>
#include <jansson.h>
#include <stdatomic.h>
#include <unistd.h>

#define MS ITSI_NS_PER_MS

static char data_dir[64], folder[80];
static struct its_cfg cfg;
static struct itsi_pipeline_params params;

static int setup(void **state)
{
    (void)state;
    struct its_diag diag;
    strcpy(data_dir, "/tmp/its-replay-XXXXXX");
    if (!mkdtemp(data_dir))
        return -1;
    snprintf(folder, sizeof folder, "%s/flight", data_dir);
    CHECK_OK(its_cfg_init(&cfg, &diag), diag);
    itsi_free(cfg.general.data_dir);
    cfg.general.data_dir = itsi_strdup(data_dir);
    cfg.inference.parallel = 1;
    cfg.gpu.batch_size_range[1] = 1;
    params = (struct itsi_pipeline_params){.cfg = &cfg, .backend = &itsi_backend_null};
    return 0;
}

static int records(void)
{
    int count = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));)
        count += strstr(e->d_name, ".flight") != NULL;
    if (dir)
        closedir(dir);
    return count;
}

static int teardown(void **state)
{
    (void)state;
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        unlink(path);
    }
    if (dir)
        closedir(dir);
    its_cfg_fini(&cfg);
    (void)rmdir(folder);
    return rmdir(data_dir);
}

static void freeze(struct itsi_pipeline *p, char *path, size_t size)
{
    struct its_diag diag;
    struct itsi_frozen frozen;
    CHECK_OK(itsi_pipeline_freeze(p, "test", NULL, &frozen, &diag), diag);
    assert_true(strlen(frozen.path) < size);
    memcpy(path, frozen.path, strlen(frozen.path) + 1);
    assert_int_equal(access(path, R_OK), 0);
}

/* An overload on purpose: 150 frames a second for an engine that does 100, so that some of each kind end. */
static struct itsi_ledger_counts record(char *path, size_t size)
{
    struct itsi_pipeline_params slow = params;
    slow.null_per_image_ns = 10 * MS;
    struct itsi_pipeline *p = open_pipeline(&slow);
    add_camera(p, "north", "null://?fps=50&size=640x360");
    add_camera(p, "south", "null://?fps=50&size=640x360");
    add_camera(p, "gone", "null://?fps=50&size=320x180");
    itsi_sleep_until_ns(itsi_now_ns() + 600 * MS);
    struct its_diag diag;
    CHECK_OK(itsi_pipeline_remove_camera(p, "gone", &diag), diag);
    itsi_sleep_until_ns(itsi_now_ns() + 400 * MS);
    itsi_pipeline_stop(p, itsi_now_ns() + 2000 * MS);
    freeze(p, path, size);
    struct itsi_pipeline_stats stats;
    itsi_pipeline_stats(p, &stats);
    itsi_pipeline_destroy(p);
    return stats.ledger;
}

/* What is in the record is what is in the books: every frame that became a picture, once, and how it ended. */
static void every_frame_is_in_the_record(void **state)
{
    (void)state;
    char path[256];
    struct itsi_ledger_counts counts = record(path, sizeof path);
    struct itsi_flight_file file;
    struct its_diag diag;
    CHECK_OK(itsi_flight_read(&file, path, ITSI_FLIGHT_ALL, &diag), diag);
    uint64_t outcome[ITSI_FLIGHT_OUTCOMES] = {0}, dropped[ITSI_DROP_COUNT] = {0}, in_books[ITSI_DROP_COUNT] = {0};
    for (size_t i = 0; i < file.count; i++) {
        const struct itsi_flight_entry *e = &file.entries[i];
        outcome[e->outcome]++;
        if (e->outcome == ITSI_FLIGHT_DROPPED || e->outcome == ITSI_FLIGHT_LOST)
            dropped[e->reason]++;
        else if (e->outcome < ITSI_FLIGHT_DROPPED)
            assert_true(e->stamp_us[8] >= e->stamp_us[5] && e->stamp_us[5] >= e->stamp_us[4]);
    }
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        for (int r = 0; r < ITSI_DROP_COUNT; r++)
            in_books[r] += counts.dropped[s][r];
    assert_int_equal(outcome[ITSI_FLIGHT_DELIVERED], counts.delivered);
    assert_int_equal(outcome[ITSI_FLIGHT_LATE], counts.late);
    for (int r = 0; r < ITSI_DROP_COUNT; r++)
        assert_int_equal(dropped[r], in_books[r]);
    assert_true(counts.delivered > 50 && dropped[ITSI_DROP_REPLACED] > 10);
    json_t *header = json_loads(file.header, 0, NULL);
    assert_non_null(header);
    assert_string_equal(json_string_value(json_object_get(header, "why")), "test");
    json_decref(header);
    itsi_flight_file_fini(&file);
}

static struct itsi_replay *open_replay(const char *path)
{
    struct its_diag diag;
    struct itsi_replay *replay;
    CHECK_OK(itsi_replay_open(&replay, path, 0, &diag), diag);
    return replay;
}

static void a_replay_brings_the_same_frames_at_their_times(void **state)
{
    (void)state;
    char path[256], again[256];
    const int64_t began = itsi_now_ns();
    record(path, sizeof path);
    const double took_s = (double)(itsi_now_ns() - began) / 1e9;
    struct itsi_replay *replay = open_replay(path);
    const struct itsi_replay_recorded *recorded = itsi_replay_recorded(replay);
    assert_int_equal(itsi_replay_streams(replay), 3);
    /* the cameras ran for a second and for no longer than it took; a batch took what the engine was told, or more */
    assert_true(itsi_replay_seconds(replay) > 0.5 && itsi_replay_seconds(replay) < took_s);
    assert_true(recorded->inference_ms > 9.9 && recorded->inference_ms < recorded->end_to_end.max);

    struct itsi_benchmark_report report;
    struct its_diag diag;
    struct itsi_benchmark_params benchmark = {
        .pipeline = params,
        .streams = 3,
        .duration_s = itsi_replay_seconds(replay) + 3, /* a machine may have no time for a while */
        .replay = replay,
    };
    benchmark.pipeline.null_base_ns = (int64_t)(recorded->inference_ms * 1e6);
    CHECK_OK(itsi_benchmark_run(&benchmark, &report, &diag), diag);
    assert_true(report.ledger_balanced);
    assert_int_equal(report.counts.expected, recorded->frames);
    assert_true(report.counts.delivered > recorded->delivered / 2);
    assert_true(report.has_recorded);
    struct itsi_buf json;
    itsi_buf_init(&json);
    itsi_benchmark_json(&report, &json);
    json_t *root = json_loads(json.data, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(root, "recorded"), "frames")), recorded->frames);
    json_decref(root);
    itsi_buf_fini(&json);
    itsi_run_destroy(report.run);

    /* the arrivals of the repetition, against those of the record */
    struct itsi_pipeline *p = open_pipeline(&params);
    CHECK_OK(itsi_replay_add_cameras(replay, p, itsi_now_ns() + 200 * MS, &diag), diag);
    struct itsi_camera_status status;
    assert_int_equal(itsi_pipeline_camera(p, "north", &status), 0);
    struct itsi_flight_file a, b;
    struct itsi_pipeline_stats stats;
    CHECK_OK(itsi_flight_read(&a, path, ITSI_FLIGHT_ALL, &diag), diag);
    const int64_t until = itsi_now_ns() + 20000 * MS;
    do {
        itsi_sleep_until_ns(itsi_now_ns() + 5 * MS);
        itsi_pipeline_stats(p, &stats);
    } while (stats.flight_entries < a.count && itsi_now_ns() < until);
    freeze(p, again, sizeof again);
    itsi_pipeline_destroy(p);
    CHECK_OK(itsi_flight_read(&b, again, ITSI_FLIGHT_ALL, &diag), diag);
    assert_int_equal(a.count, b.count);
    /* origins repeat exactly, whatever the load: the earliest are apart by the shift of the clock and no more */
    int64_t shift = b.first_us - a.first_us;
    int matched = 0;
    for (size_t i = 0; i < a.count; i++)
        for (size_t k = 0; k < b.count; k++)
            if (llabs(b.entries[k].origin_us - a.entries[i].origin_us - shift) <= 1 &&
                a.entries[i].width == b.entries[k].width) {
                matched++;
                break;
            }
    assert_int_equal(matched, a.count);
    itsi_flight_file_fini(&a);
    itsi_flight_file_fini(&b);
    itsi_replay_close(replay);
}

/* In the place of the C library's: a disk that takes its time. */
static atomic_int disk_ms, syncing;
int fsync(int fd)
{
    (void)fd;
    atomic_fetch_add(&syncing, 1);
    itsi_sleep_until_ns(itsi_now_ns() + atomic_load(&disk_ms) * MS);
    atomic_fetch_sub(&syncing, 1);
    return 0;
}

/* While a breach is written down, who asks for alerts gets an answer. */
static void a_slow_disk_holds_up_nobody(void **state)
{
    (void)state;
    struct itsi_alert_receiver_stats receivers[ITSI_ALERT_RECEIVERS];
    cfg.latency_monitoring.monitoring_window_seconds = 2;
    cfg.latency_monitoring.alert_window_seconds = 4;
    atomic_store(&disk_ms, 3000);
    params.null_base_ns = 50 * MS;
    struct itsi_pipeline *p = open_pipeline(&params);
    for (int i = 0; i < 4; i++)
        add_camera(p, "", "null://?fps=50");
    const int64_t until = itsi_now_ns() + 20000 * MS;
    while (!atomic_load(&syncing) && itsi_now_ns() < until)
        itsi_sleep_until_ns(itsi_now_ns() + MS);
    assert_int_equal(atomic_load(&syncing), 1);
    itsi_pipeline_alert_receivers(p, receivers);
    assert_int_equal(atomic_load(&syncing), 1); /* it is still at it */
    atomic_store(&disk_ms, 0);
    itsi_pipeline_destroy(p);
    assert_true(records() >= 1); /* a graver word on the way makes another */
}

static void old_records_make_room(void **state)
{
    (void)state;
    char path[256], newest[256] = "";
    cfg.monitor.flight_recorder_files = 3;
    struct itsi_pipeline *p = open_pipeline(&params);
    freeze(p, path, sizeof path);
    for (int i = 0; i < 3; i++) { /* the clock was ahead, and has been set right */
        char ahead[256];
        snprintf(ahead, sizeof ahead, "%s/2999-01-01T00-00-0%d.000Z.flight", folder, i);
        assert_int_equal(link(path, ahead), 0);
    }
    for (int i = 0; i < 6; i++) {
        freeze(p, path, sizeof path);
        assert_true(strcmp(path, newest) > 0);
        strcpy(newest, path);
        itsi_sleep_until_ns(itsi_now_ns() + 2 * MS); /* names go by the millisecond */
    }
    assert_int_equal(records(), 3);
    assert_int_equal(access(newest, R_OK), 0);
    snprintf(path, sizeof path, "%s/2999-01-01T00-00-02.000Z.flight", folder);
    assert_int_equal(access(path, R_OK), -1); /* older than all that came after */
    itsi_pipeline_destroy(p);
}

/* It never had a frame, and must not lend its name to one that has. */
static void a_refused_camera_is_in_no_record(void **state)
{
    (void)state;
    char path[256];
    struct its_diag diag;
    struct itsi_flight_file file;
    struct itsi_camera camera = {.id = "refused", .url = "null://?fps=50"};
    cfg.general.max_concurrent_streams = 1;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "north", "null://?fps=50");
    assert_int_equal(itsi_pipeline_add_camera(p, &camera, &diag), ITS_ELIMIT);
    freeze(p, path, sizeof path);
    itsi_pipeline_destroy(p);
    CHECK_OK(itsi_flight_read(&file, path, ITSI_FLIGHT_ALL, &diag), diag);
    json_t *header = json_loads(file.header, 0, NULL), *cameras = json_object_get(header, "cameras");
    assert_int_equal(json_array_size(cameras), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(cameras, 0), "id")), "north");
    json_decref(header);
    itsi_flight_file_fini(&file);
}

/* A file from somewhere with a camera for every frame: quadratic work would take minutes. */
static void a_record_of_too_many_cameras_is_refused_at_once(void **state)
{
    (void)state;
    enum { FRAMES = 400000, MOST = 4096 };
    struct its_diag diag;
    struct itsi_replay *replay;
    char path[256];
    snprintf(path, sizeof path, "%s/crafted", data_dir);
    struct itsi_flight_entry *entries = itsi_calloc(FRAMES, sizeof *entries);
    assert_non_null(entries);
    for (uint32_t i = 0; i < FRAMES; i++)
        entries[i] = (struct itsi_flight_entry){.origin_us = i, .camera = FRAMES - i, .outcome = ITSI_FLIGHT_LOST};
    CHECK_OK(itsi_flight_write(path, "{}", entries, FRAMES, &diag), diag);
    const int64_t from = itsi_now_ns();
    assert_int_equal(itsi_replay_open(&replay, path, 0, &diag), ITS_ELIMIT);
    assert_true(itsi_now_ns() - from < 10 * ITSI_NS_PER_S);
    CHECK_CONTAINS(diag.text, "400000 cameras");
    for (uint32_t i = 0; i < FRAMES; i++)
        entries[i].camera %= MOST;
    CHECK_OK(itsi_flight_write(path, "{}", entries, FRAMES, &diag), diag);
    CHECK_OK(itsi_replay_open(&replay, path, 0, &diag), diag);
    assert_int_equal(itsi_replay_streams(replay), MOST);
    itsi_replay_close(replay);
    itsi_free(entries);
    unlink(path);
}

static void what_cannot_be_replayed_is_said(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_replay *replay;
    char path[256];
    struct itsi_pipeline *p = open_pipeline(&params);
    freeze(p, path, sizeof path);
    itsi_pipeline_destroy(p);
    assert_int_equal(itsi_replay_open(&replay, path, 0, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "no frame is in it");
    assert_int_equal(itsi_replay_open(&replay, "/nowhere", 0, &diag), ITS_ENOTFOUND);
    CHECK_CONTAINS(diag.text, "/nowhere");
    cfg.monitor.flight_recorder_seconds = 0;
    p = open_pipeline(&params);
    struct itsi_frozen frozen;
    assert_int_equal(itsi_pipeline_freeze(p, "test", NULL, &frozen, &diag), ITS_EUNSUPPORTED);
    CHECK_CONTAINS(diag.text, "flight_recorder_seconds");
    itsi_pipeline_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_frame_is_in_the_record, setup, teardown),
        cmocka_unit_test_setup_teardown(a_replay_brings_the_same_frames_at_their_times, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slow_disk_holds_up_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(old_records_make_room, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_camera_is_in_no_record, setup, teardown),
        cmocka_unit_test_setup_teardown(a_record_of_too_many_cameras_is_refused_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_replayed_is_said, setup, teardown),
    };
    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
