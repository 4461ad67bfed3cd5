#include "pipeline/pipeline_fixture.h"

#include "pipeline/result_writer.h"

#include <jansson.h>
#include <unistd.h>

static void results_are_written_as_lines(void **state)
{
    (void)state;
    struct its_diag diag;
    char path[] = "/tmp/its-lines-XXXXXX";
    close(mkstemp(path));
    struct its_cfg_output output = cfg.output;
    output.jsonl_path = path;
    struct itsi_pipeline *p = open_pipeline(&params);
    struct itsi_result_writer *writer;
    CHECK_OK(itsi_result_writer_start(&writer, p, &output, &diag), diag);
    add_camera(p, "a", "null://?fps=100");
    collect(p, 30, NULL, 0);
    itsi_pipeline_stop(p, itsi_now_ns() + 1000 * MS);
    struct itsi_pipeline_stats stats;
    itsi_pipeline_stats(p, &stats);
    itsi_result_writer_destroy(writer);
    FILE *file = fopen(path, "r");
    char line[8192];
    uint64_t lines = 0;
    for (; fgets(line, sizeof line, file); lines++) {
        json_t *json = json_loads(line, 0, NULL);
        assert_non_null(json);
        assert_string_equal(json_string_value(json_object_get(json, "camera")), "a");
        json_decref(json);
    }
    fclose(file);
    unlink(path);
    assert_true(lines >= 30);
    assert_int_equal(lines, stats.results);
    itsi_pipeline_destroy(p);
}

static void a_full_disk_loses_lines_not_frames(void **state)
{
    (void)state;
    struct its_diag diag;
    struct its_cfg_output output = cfg.output;
    output.jsonl_path = (char *)"/dev/full";
    struct itsi_pipeline *p = open_pipeline(&params);
    struct itsi_result_writer *writer;
    CHECK_OK(itsi_result_writer_start(&writer, p, &output, &diag), diag);
    add_camera(p, "a", "null://?fps=100");
    struct itsi_jsonl_status status = {.dropped = 0};
    for (int64_t until = itsi_now_ns() + PATIENCE_NS; status.dropped <= 10 && itsi_now_ns() < until;) {
        collect(p, 1, NULL, 0);
        itsi_result_writer_status(writer, &status, NULL);
    }
    assert_true(status.failing);
    assert_true(status.dropped > 10);
    CHECK_CONTAINS(status.last_error, "No space left");
    itsi_result_writer_destroy(writer);
    output.jsonl_path = (char *)"/nonexistent/dir/lines";
    assert_int_equal(itsi_result_writer_start(&writer, p, &output, &diag), ITS_ENOTFOUND);
    CHECK_CONTAINS(diag.text, "/nonexistent/dir/lines");
    close_pipeline(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(results_are_written_as_lines),
        TEST(a_full_disk_loses_lines_not_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
