#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "core/flight.h"

#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/its-flight-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/one", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static struct itsi_frame_info sample(uint32_t camera, uint64_t seq, int64_t origin)
{
    struct itsi_frame_info info = {.camera = camera, .seq = seq, .width = 1920, .height = 1080, .key = seq == 1};
    info.origin_kind = ITSI_ORIGIN_ARRIVAL;
    info.deadline = origin + 100 * ITSI_NS_PER_MS;
    info.trace = (struct itsi_trace){.origin = origin,
                                     .decode_start = origin + 1000,
                                     .decode_end = origin + 5 * ITSI_NS_PER_MS,
                                     .pre_start = origin + 6 * ITSI_NS_PER_MS,
                                     .pre_end = origin + 7 * ITSI_NS_PER_MS};
    return info;
}

static void an_entry_says_what_the_frame_went_through(void **state)
{
    (void)state;
    struct itsi_frame_info info = sample(7, (UINT64_C(1) << 32) + 3, 123456789000);
    struct itsi_flight_entry e;
    itsi_flight_entry_of(&info, &e);
    assert_int_equal(e.origin_us, 123456789);
    assert_int_equal(e.camera, 7);
    assert_int_equal(e.seq, 3);
    assert_int_equal(e.deadline_us, 100000);
    assert_int_equal(e.stamp_us[0], 1);
    assert_int_equal(e.stamp_us[1], 5000);
    assert_int_equal(e.stamp_us[3], 7000);
    assert_int_equal(e.stamp_us[4], ITSI_FLIGHT_NEVER);
    assert_int_equal(itsi_flight_ended_us(&e), 123456789 + 7000);
    assert_int_equal(e.width, 1920);
    info.deadline = ITSI_NEVER;
    itsi_flight_entry_of(&info, &e);
    assert_int_equal(e.deadline_us, ITSI_FLIGHT_NEVER);
}

static void write_two_cameras(int frames)
{
    struct itsi_flight_entry entries[64];
    struct its_diag diag;
    for (int i = 0; i < frames; i++) {
        struct itsi_frame_info info = sample((uint32_t)(i % 2), (uint64_t)i, 1000000 + i * ITSI_NS_PER_MS);
        itsi_flight_entry_of(&info, &entries[i]);
        entries[i].outcome = ITSI_FLIGHT_DROPPED;
        entries[i].reason = ITSI_DROP_EXPIRED;
    }
    CHECK_OK(itsi_flight_write(path, "{\"why\":\"test\"}", entries, (size_t)frames, &diag), diag);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct itsi_flight_file file;
    struct its_diag diag;
    write_two_cameras(33);
    CHECK_OK(itsi_flight_read(&file, path, ITSI_FLIGHT_ALL, &diag), diag);
    assert_string_equal(file.header, "{\"why\":\"test\"}");
    assert_int_equal(file.count, 33);
    assert_int_equal(file.first_us, 1000);
    assert_int_equal(file.last_us, 1000 + 32000 + 7000);
    assert_int_equal(file.entries[32].seq, 32);
    assert_int_equal(file.entries[32].reason, ITSI_DROP_EXPIRED);
    itsi_flight_file_fini(&file);
    CHECK_OK(itsi_flight_read(&file, path, 1, &diag), diag);
    assert_int_equal(file.count, 16);
    assert_int_equal(file.first_us, 1000); /* of the whole file: cameras stay in step */
    for (size_t i = 0; i < file.count; i++)
        assert_int_equal(file.entries[i].camera, 1);
    itsi_flight_file_fini(&file);
    CHECK_OK(itsi_flight_write(path, "{}", NULL, 0, &diag), diag);
    CHECK_OK(itsi_flight_read(&file, path, ITSI_FLIGHT_ALL, &diag), diag);
    assert_int_equal(file.count, 0);
    itsi_flight_file_fini(&file);
}

/* Changes a byte of the file, or cuts it there (value < 0), and expects the reading to fail with these words. */
static void damaged(off_t at, int value, int wanted, const char *words)
{
    struct itsi_flight_file file;
    struct its_diag diag;
    write_two_cameras(4);
    FILE *f = fopen(path, "r+be");
    assert_non_null(f);
    if (value >= 0) {
        assert_int_equal(fseek(f, (long)at, SEEK_SET), 0);
        assert_int_equal(fputc(value, f), value);
    } else {
        assert_int_equal(ftruncate(fileno(f), at), 0);
    }
    fclose(f);
    assert_int_equal(itsi_flight_read(&file, path, ITSI_FLIGHT_ALL, &diag), wanted);
    CHECK_CONTAINS(diag.text, path);
    CHECK_CONTAINS(diag.text, words);
    assert_null(file.entries);
}

static void damaged_files_are_refused_by_name(void **state)
{
    (void)state;
    const off_t entries = 16 + (off_t)strlen("{\"why\":\"test\"}");
    damaged(0, 'X', ITS_EFORMAT, "not a flight record");
    damaged(5, -1, ITS_EFORMAT, "not a flight record");
    damaged(8, 9, ITS_EFORMAT, "version 9");
    damaged(12, 0xff, ITS_EFORMAT, "damaged");
    damaged(15, 0xff, ITS_EFORMAT, "damaged");
    damaged(entries + 71, -1, ITS_EFORMAT, "cut short");
    damaged(entries + 72 + 64, 99, ITS_EFORMAT, "entry 1 is damaged"); /* outcome */
    damaged(entries + 65, 99, ITS_EFORMAT, "entry 0 is damaged");      /* stage */
    damaged(entries + 66, 99, ITS_EFORMAT, "entry 0 is damaged");      /* reason */
    damaged(entries + 7, 0x80, ITS_EFORMAT, "entry 0 is damaged");     /* a negative origin */
    struct itsi_flight_file file;
    struct its_diag diag;
    assert_int_equal(itsi_flight_read(&file, "/nowhere/at/all", ITSI_FLIGHT_ALL, &diag), ITS_ENOTFOUND);
    CHECK_CONTAINS(diag.text, "/nowhere/at/all");
    assert_int_not_equal(itsi_flight_read(&file, folder, ITSI_FLIGHT_ALL, &diag), 0);
}

static void a_file_that_cannot_be_written_leaves_nothing(void **state)
{
    (void)state;
    struct its_diag diag;
    assert_int_not_equal(itsi_flight_write("/nowhere/at/all", "{}", NULL, 0, &diag), 0);
    CHECK_CONTAINS(diag.text, "/nowhere/at/all");
    CHECK_OK(itsi_flight_write(path, "{}", NULL, 0, &diag), diag);
    char part[128];
    snprintf(part, sizeof part, "%s.part", path);
    assert_int_not_equal(access(part, F_OK), 0);
}

static void reading_survives_failing_allocations(void **state)
{
    (void)state;
    struct itsi_flight_file file;
    write_two_cameras(40);
    int64_t n = 1;
    for (int rc = ITS_ENOMEM; rc != 0; n++) {
        itsi_alloc_fail_at(n);
        rc = itsi_flight_read(&file, path, ITSI_FLIGHT_ALL, NULL);
        itsi_alloc_fail_at(0);
        assert_true(rc == 0 || rc == ITS_ENOMEM);
        assert_true(n < 100);
    }
    assert_true(n > 2);
    itsi_flight_file_fini(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_says_what_the_frame_went_through),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(damaged_files_are_refused_by_name),
        cmocka_unit_test(a_file_that_cannot_be_written_leaves_nothing),
        cmocka_unit_test(reading_survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
