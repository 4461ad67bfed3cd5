#include "support/check.h"

#include "base/clock.h"
#include "pipeline/clip_folder.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* 2026-01-31T12:00:00.123Z */
#define NOON (INT64_C(1769860800) * ITSI_NS_PER_S + 123 * ITSI_NS_PER_MS)

static char folder[64];

static int begin(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/its-clip-folder-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return 0;
}

static int end(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void make_file(const char *name, int size)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < size; i++)
        fputc('x', file);
    fclose(file);
}

static bool is_there(const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

/* A clip of the n-th second after noon, of camera "a". */
static const char *name_at(int n)
{
    static struct itsi_clip_facts facts;
    itsi_clip_facts_init(&facts, "a", NOON + n * ITSI_NS_PER_S);
    return facts.name;
}

static void names_say_when_and_of_what(void **state)
{
    struct itsi_clip_facts facts, read;
    (void)state;
    itsi_clip_facts_init(&facts, "gate-2.north_mp4", NOON);
    assert_string_equal(facts.name, "2026-01-31T12-00-00.123Z-gate-2.north_mp4.mp4");
    assert_true(itsi_clip_facts_of_name(&read, facts.name));
    assert_string_equal(read.camera, "gate-2.north_mp4");
    assert_int_equal(read.wall_ns, NOON);
    assert_true(isnan(read.seconds));
    char longest[65];
    memset(longest, 'x', 64);
    longest[64] = '\0';
    itsi_clip_facts_init(&facts, longest, NOON);
    assert_true(itsi_clip_facts_of_name(&read, facts.name));
    assert_string_equal(read.camera, longest);
}

static void other_names_are_no_clips(void **state)
{
    static const char *const names[] = {
        "",
        ".",
        "..",
        "../../etc/passwd",
        "2026-01-31T12-00-00.123Z-.mp4",
        "2026-01-31T12-00-00.123Z-..mp4",
        "2026-01-31T12-00-00.123Z-...mp4",
        "2026-01-31T12-00-00.123Z-../a.mp4",
        "2026-01-31T12-00-00.123Z-a/b.mp4",
        "2026-01-31T12-00-00.123Z-a",
        "2026-01-31T12-00-00.123Z-a.mp4.part",
        "2026-01-31T12-00-00.123Z-a.json",
        "2026-13-31T12-00-00.123Z-a.mp4",
        "2026-02-31T12-00-00.123Z-a.mp4",
        "2026-01-31T12:00:00.123Z-a.mp4",
        "2026-01-31T12-00-00.123Za.mp4",
        "+026-01-31T12-00-00.123Z-a.mp4",
        "1969-12-31T23-59-59.999Z-a.mp4",
        "9999-01-31T12-00-00.123Z-a.mp4",
        "2026-01-31T12-00-00.123Z-a%2f.mp4",
    };
    struct itsi_clip_facts facts;
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (itsi_clip_facts_of_name(&facts, names[i]))
            fail_msg("%s", names[i]);
}

static void what_was_noted_is_listed_newest_first(void **state)
{
    struct itsi_clip_facts facts, list[3];
    struct its_diag diag;
    (void)state;
    assert_int_equal(itsi_clip_folder_list(folder, list, 3), 0);
    assert_int_equal(itsi_clip_folder_list("/no/such/folder", list, 3), 0);
    itsi_clip_facts_init(&facts, "a", NOON);
    strcpy(facts.why, "a \"crash\"");
    strcpy(facts.record, "x.flight");
    strcpy(facts.note, "begins late");
    facts.seconds = 61.25;
    facts.before = 30.5;
    facts.pictures = 1500;
    CHECK_OK(itsi_clip_folder_note(folder, &facts, &diag), diag);
    assert_int_equal(itsi_clip_folder_list(folder, list, 3), 0); /* not made yet */
    make_file(facts.name, 777);
    make_file(name_at(5), 5);
    make_file("notes.txt", 5);
    assert_int_equal(itsi_clip_folder_list(folder, list, 3), 2);
    assert_string_equal(list[0].name, name_at(5));
    assert_true(isnan(list[0].seconds));
    assert_string_equal(list[0].why, "");
    const struct itsi_clip_facts *first = &list[1];
    assert_string_equal(first->why, facts.why);
    assert_string_equal(first->record, facts.record);
    assert_string_equal(first->note, facts.note);
    assert_string_equal(first->camera, "a");
    CHECK_NEAR(first->seconds, 61.25, 1e-9);
    CHECK_NEAR(first->before, 30.5, 1e-9);
    assert_int_equal(first->pictures, 1500);
    assert_int_equal(first->bytes, 777);
    assert_int_equal(first->state, ITSI_CLIP_WRITTEN);
    assert_int_equal(itsi_clip_folder_list(folder, list, 1), 1);
    assert_string_equal(list[0].name, name_at(5));
}

static void what_is_removed_is_gone_with_its_note(void **state)
{
    struct itsi_clip_facts facts;
    struct its_diag diag;
    (void)state;
    itsi_clip_facts_init(&facts, "a", NOON);
    CHECK_OK(itsi_clip_folder_note(folder, &facts, &diag), diag);
    make_file(facts.name, 10);
    CHECK_OK(itsi_clip_folder_remove(folder, facts.name, &diag), diag);
    assert_int_equal(rmdir(folder), 0); /* it is empty */
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(itsi_clip_folder_remove(folder, facts.name, &diag), ITS_ENOTFOUND);
    make_file("notes.txt", 5);
    assert_int_equal(itsi_clip_folder_remove(folder, "notes.txt", &diag), ITS_ENOTFOUND);
    assert_true(is_there("notes.txt"));
}

static void the_oldest_give_way(void **state)
{
    struct itsi_clip_totals left;
    (void)state;
    for (int i = 1; i <= 3; i++)
        make_file(name_at(i), 100);
    make_file("2026-01-00.mp4", 100);
    itsi_clip_folder_retain(folder, NULL, 10, 1000, &left);
    assert_int_equal(left.files, 3);
    assert_int_equal(left.bytes, 300);
    itsi_clip_folder_retain(folder, NULL, 10, 250, &left);
    assert_int_equal(left.bytes, 200);
    assert_false(is_there(name_at(1)));
    itsi_clip_folder_retain(folder, NULL, 1, 250, &left);
    assert_false(is_there(name_at(2)));
    itsi_clip_folder_retain(folder, NULL, 1, 50, &left); /* the newest stays */
    assert_int_equal(left.files, 1);
    assert_true(is_there(name_at(3)));
    assert_true(is_there("2026-01-00.mp4"));
}

static void a_clock_that_was_set_back_costs_no_new_clip(void **state)
{
    struct itsi_clip_totals left;
    (void)state;
    make_file(name_at(1), 100);
    make_file(name_at(500), 100); /* in what was the future */
    make_file(name_at(2), 100);
    itsi_clip_folder_retain(folder, name_at(2), 2, 1000, &left);
    assert_true(is_there(name_at(2)));
    assert_true(is_there(name_at(1)));
    assert_false(is_there(name_at(500)));
}

static void what_was_cut_short_is_found(void **state)
{
    struct itsi_clip_leftover left[4];
    struct itsi_clip_facts facts;
    struct its_diag diag;
    char name[200];
    (void)state;
    itsi_clip_facts_init(&facts, "a", NOON);
    strcpy(facts.why, "a crash");
    CHECK_OK(itsi_clip_folder_note(folder, &facts, &diag), diag);
    snprintf(name, sizeof name, "%s.mpegts", facts.name);
    make_file(name, 100);
    snprintf(name, sizeof name, "%s.part", facts.name);
    make_file(name, 100);
    snprintf(name, sizeof name, "%s.matroska", name_at(5));
    make_file(name, 0); /* nothing in it */
    make_file("other.mp4.part", 1);
    assert_int_equal(itsi_clip_folder_leftovers(folder, left, 4), 1);
    assert_string_equal(left[0].facts.name, facts.name);
    assert_string_equal(left[0].facts.why, "a crash");
    assert_string_equal(left[0].form, "mpegts");
    assert_false(is_there(name));
    snprintf(name, sizeof name, "%s.part", facts.name);
    assert_false(is_there(name));
    assert_true(is_there("other.mp4.part"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_say_when_and_of_what),
        TEST(other_names_are_no_clips),
        TEST(what_was_noted_is_listed_newest_first),
        TEST(what_is_removed_is_gone_with_its_note),
        TEST(the_oldest_give_way),
        TEST(a_clock_that_was_set_back_costs_no_new_clip),
        TEST(what_was_cut_short_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
