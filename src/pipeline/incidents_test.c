/* A flight record that is frozen leaves clips of the cameras beside it. */
#include "pipeline/pipeline_fixture.h"

#include "net/loop.h"
#include "pool/ffmpeg_pool.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

static int count_clips(const char *folder, const char *camera)
{
    char path[128], suffix[80];
    int count = 0;
    snprintf(path, sizeof path, "%s/clips", folder);
    snprintf(suffix, sizeof suffix, "Z-%s.mp4", camera);
    DIR *dir = opendir(path);
    for (const struct dirent *e; dir && (e = readdir(dir));)
        count += strstr(e->d_name, suffix) != NULL;
    if (dir)
        closedir(dir);
    return count;
}

static void a_frozen_record_leaves_clips(void **state)
{
    (void)state;
    char folder[] = "/tmp/its-incident-XXXXXX", command[128];
    struct itsi_frozen frozen;
    const struct its_cfg_connection_pool pool_cfg = {.ffmpeg_pool_size = 1,
                                                     .ffmpeg_max_concurrent = 1,
                                                     .ffmpeg_process_timeout = 60,
                                                     .ffmpeg_restart_threshold = 100};
    struct itsi_ffmpeg_pool_params pool_params;
    struct itsi_ffmpeg_pool *pool;
    struct itsi_loop *loop;
    struct its_diag diag;
    assert_non_null(mkdtemp(folder));
    itsi_ffmpeg_pool_usual(&pool_params, &pool_cfg);
    CHECK_OK(itsi_loop_create(&loop, "its-loop", &diag), diag);
    CHECK_OK(itsi_ffmpeg_pool_create(&pool, loop, &pool_params, &diag), diag);
    itsi_free(cfg.general.data_dir);
    cfg.general.data_dir = itsi_strdup(folder);
    cfg.monitor.clip_seconds = 1;
    params.ffmpeg = pool;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "road", "synth://street?size=320x240&seconds=2");
    add_camera(p, "none", "null://?fps=25");
    int seen[2] = {0};
    while (seen[0] < 30)
        collect(p, 10, seen, 2);
    CHECK_OK(itsi_pipeline_freeze(p, "test", NULL, &frozen, &diag), diag);
    assert_int_equal(frozen.clip_count, 1);
    CHECK_CONTAINS(frozen.clips[0], "-road.mp4");
    for (const int64_t until = itsi_now_ns() + PATIENCE_NS; count_clips(folder, "road") == 0;) {
        assert_true(itsi_now_ns() < until);
        itsi_sleep_until_ns(itsi_now_ns() + 10 * MS);
    }
    assert_int_equal(count_clips(folder, "none"), 0);
    assert_int_equal(itsi_pipeline_freeze(p, "test", "nobody", &frozen, &diag), ITS_ENOTFOUND);
    CHECK_OK(itsi_pipeline_freeze(p, "test", "none", &frozen, &diag), diag);
    assert_int_equal(frozen.clip_count, 0);
    CHECK_OK(itsi_pipeline_freeze(p, "test", "road", &frozen, &diag), diag);
    CHECK_OK(itsi_pipeline_remove_camera(p, "road", &diag), diag); /* its pictures are kept until the clip is made */
    close_pipeline(p);
    assert_int_equal(count_clips(folder, "road"), 2); /* the last with what there was */
    itsi_ffmpeg_pool_destroy(pool, 0);
    itsi_loop_destroy(loop);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(a_frozen_record_leaves_clips)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
