#include "store/spool.h"

#include "base/mem.h"
#include "support/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], notice[700];

static void keep_notice(void *arg, const char *text)
{
    (void)arg;
    snprintf(notice, sizeof notice, "%s", text);
}

static int fresh(void **state)
{
    (void)state;
    notice[0] = '\0';
    snprintf(folder, sizeof folder, "/tmp/its-spool-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int clean(void **state)
{
    (void)state;
    char path[400];
    DIR *dir = opendir(folder);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    closedir(dir);
    return rmdir(folder);
}

static struct itsi_spool *open_spool(uint64_t most)
{
    struct itsi_spool *spool;
    struct its_diag diag;
    CHECK_OK(itsi_spool_open(&spool, folder, most, keep_notice, NULL, &diag), diag);
    return spool;
}

/* A block of one row, which takes one block of the disk. */
static void make(struct itsi_buf *out, uint64_t seq, bool is_counts)
{
    static uint8_t bytes[512];
    struct itsi_section sections[ITSI_STORE_TABLES] = {{0}};
    const struct itsi_db_value count[] = {itsi_db_text("c"), itsi_db_int(1), itsi_db_text("car"), itsi_db_int(1)};
    const struct itsi_db_value event[] = {itsi_db_int(1),     itsi_db_text("c"),   itsi_db_text("left"),
                                          itsi_db_text(NULL), itsi_db_text(NULL), itsi_db_text(NULL)};
    size_t size = 0;
    const enum itsi_store_table table = is_counts ? ITSI_STORE_COUNT : ITSI_STORE_EVENT;
    assert_true(itsi_row_put(bytes, &size, sizeof bytes, is_counts ? count : event, is_counts ? 4 : 6));
    sections[table] = (struct itsi_section){bytes, size, 1};
    itsi_buf_init(out);
    itsi_batch_seal(out, 9, seq, sections);
}

static int put(struct itsi_spool *spool, uint64_t seq, bool is_counts)
{
    struct itsi_buf block;
    struct its_diag diag;
    make(&block, seq, is_counts);
    int rc = itsi_spool_put(spool, (uint8_t *)block.data, block.len, 1000 + (int64_t)seq, &diag);
    itsi_buf_fini(&block);
    return rc;
}

/* Takes all out; their numbers, in order, as text. */
static const char *drain(struct itsi_spool *spool)
{
    static char out[256];
    struct itsi_buf bytes;
    struct itsi_batch batch;
    struct its_diag diag;
    size_t used = 0;
    itsi_buf_init(&bytes);
    itsi_batch_init(&batch);
    out[0] = '\0';
    while (itsi_spool_first(spool)) {
        int rc = itsi_spool_read_first(spool, &bytes, &batch, &diag);
        if (rc == ITS_EFORMAT)
            continue;
        CHECK_OK(rc, diag);
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%d", used ? " " : "", (int)batch.head.seq);
        itsi_spool_remove_first(spool);
    }
    itsi_batch_fini(&batch);
    itsi_buf_fini(&bytes);
    return out;
}

static void batches_come_back_in_order_and_once(void **state)
{
    (void)state;
    struct itsi_spool *spool = open_spool(1 << 20);
    struct itsi_spool_stats stats;
    for (uint64_t seq = 1; seq <= 70; seq++) /* more than the list first has room for, with some taken out between */
        assert_int_equal(put(spool, seq, seq % 2), 0);
    for (int i = 0; i < 60; i++)
        itsi_spool_remove_first(spool);
    for (uint64_t seq = 71; seq <= 75; seq++)
        assert_int_equal(put(spool, seq, true), 0);
    itsi_spool_stats(spool, &stats);
    assert_int_equal(stats.files, 15);
    assert_int_equal(stats.bytes, 15 * 4096);
    itsi_spool_close(spool);
    spool = open_spool(1 << 20); /* another process */
    itsi_spool_stats(spool, &stats);
    assert_int_equal(stats.found_rows[ITSI_STORE_COUNT], 10);
    assert_int_equal(stats.found_rows[ITSI_STORE_EVENT], 5);
    assert_int_equal(put(spool, 76, true), 0);
    assert_string_equal(drain(spool), "61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76");
    assert_string_equal(drain(spool), "");
    itsi_spool_close(spool);
}

static void when_it_is_full_the_oldest_counts_go_first(void **state)
{
    (void)state;
    struct itsi_spool *spool = open_spool(4 * 4096);
    struct itsi_spool_stats stats;
    assert_int_equal(put(spool, 1, false), 0);
    assert_int_equal(put(spool, 2, true), 0);
    assert_int_equal(put(spool, 3, false), 0);
    assert_int_equal(put(spool, 4, true), 0);
    assert_int_equal(put(spool, 5, false), 0); /* 2 goes */
    assert_int_equal(put(spool, 6, false), 0); /* 4 goes */
    itsi_spool_stats(spool, &stats);
    assert_int_equal(stats.dropped_rows[ITSI_STORE_COUNT], 2);
    assert_int_equal(stats.dropped_rows[ITSI_STORE_EVENT], 0);
    assert_int_equal(put(spool, 7, false), 0); /* 1 goes */
    itsi_spool_stats(spool, &stats);
    assert_int_equal(stats.dropped_rows[ITSI_STORE_EVENT], 1);
    assert_int_equal(stats.bytes, 4 * 4096);
    itsi_spool_close(spool);
    spool = open_spool(4 * 4096);
    assert_string_equal(drain(spool), "3 5 6 7");
    itsi_spool_close(spool);
    spool = open_spool(100);
    assert_int_equal(put(spool, 8, false), ITS_ELIMIT);
    itsi_spool_close(spool);
}

static void without_room_only_what_is_there_is_read(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_spool *spool;
    char nowhere[80];
    snprintf(nowhere, sizeof nowhere, "%s/none", folder);
    CHECK_OK(itsi_spool_open(&spool, nowhere, 0, NULL, NULL, &diag), diag);
    assert_null(spool);
    assert_int_not_equal(access(nowhere, F_OK), 0);
    spool = open_spool(1 << 20);
    for (uint64_t seq = 1; seq <= 3; seq++)
        assert_int_equal(put(spool, seq, true), 0);
    itsi_spool_close(spool);
    spool = open_spool(0);
    assert_int_equal(put(spool, 4, true), ITS_ELIMIT);
    assert_string_equal(drain(spool), "1 2 3");
    itsi_spool_close(spool);
    assert_null(open_spool(0)); /* and leaves it to others */
    itsi_spool_close(open_spool(1 << 20));
}

static void damage(int n, long at, int size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%016x.batch", folder, (unsigned)n);
    if (size >= 0) {
        assert_int_equal(truncate(path, size), 0);
        return;
    }
    int fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, "\xff", 1, at), 1);
    close(fd);
}

static void what_is_damaged_is_set_aside_and_the_rest_goes_on(void **state)
{
    (void)state;
    struct itsi_spool *spool = open_spool(1 << 20);
    struct itsi_spool_stats stats;
    for (uint64_t seq = 1; seq <= 6; seq++)
        assert_int_equal(put(spool, seq, true), 0);
    itsi_spool_close(spool);
    damage(2, 60, -1);  /* a row */
    damage(3, 0, 20);   /* cut in its head */
    damage(4, 0, 70);   /* cut in its rows */
    damage(5, 0, 0);    /* empty, as some file systems leave it after a crash */
    spool = open_spool(1 << 20);
    CHECK_CONTAINS(notice, ".batch: is no batch of rows; kept as 000000000000000");
    assert_string_equal(drain(spool), "1 6");
    itsi_spool_stats(spool, &stats);
    assert_int_equal(stats.set_aside, 4);
    assert_int_equal(put(spool, 7, true), 0);
    itsi_spool_close(spool);
    char path[128];
    snprintf(path, sizeof path, "%s/%016x.damaged", folder, 4u);
    assert_int_equal(access(path, F_OK), 0);
    spool = open_spool(1 << 20);
    assert_string_equal(drain(spool), "7");
    for (uint64_t seq = 8; seq < 28; seq++) { /* of many set aside only a few are kept */
        assert_int_equal(put(spool, seq, true), 0);
        while (!itsi_spool_refuse_first(spool, "no such table"))
            ;
    }
    itsi_spool_close(spool);
    int kept = 0;
    DIR *dir = opendir(folder);
    for (const struct dirent *entry; (entry = readdir(dir));)
        kept += strstr(entry->d_name, ".refused") || strstr(entry->d_name, ".damaged");
    closedir(dir);
    assert_int_equal(kept, 8);
}

/* In the place of a batch's file: what opens and cannot be read. */
static void make_unreadable(int n, bool is_in_the_way)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%016x.batch", folder, (unsigned)n);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    if (is_in_the_way) { /* of its being renamed */
        snprintf(path, sizeof path, "%s/%016x.damaged", folder, (unsigned)n);
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
}

static void what_cannot_be_read_is_tried_some_times_and_set_aside(void **state)
{
    (void)state;
    for (int is_in_the_way = 0; is_in_the_way < 2; is_in_the_way++) {
        struct itsi_spool *spool = open_spool(1 << 20);
        struct itsi_spool_stats stats;
        struct itsi_buf bytes;
        struct itsi_batch batch;
        struct its_diag diag;
        char path[128];
        itsi_buf_init(&bytes);
        itsi_batch_init(&batch);
        for (uint64_t seq = 1; seq <= 3; seq++)
            assert_int_equal(put(spool, seq, true), 0);
        const int first = (int)itsi_spool_first(spool)->number;
        make_unreadable(first, is_in_the_way);
        for (int i = 1; i < ITSI_SPOOL_FAILURES; i++)
            assert_int_equal(itsi_spool_read_first(spool, &bytes, &batch, &diag), ITS_EIO);
        assert_string_equal(notice, "");
        assert_int_equal(itsi_spool_read_first(spool, &bytes, &batch, &diag), ITS_EFORMAT);
        CHECK_CONTAINS(notice, "Is a directory");
        assert_int_equal(!!strstr(notice, "kept as"), !is_in_the_way);
        assert_string_equal(drain(spool), "2 3");
        itsi_spool_stats(spool, &stats);
        assert_int_equal(stats.aside_rows[ITSI_STORE_COUNT], 1);
        assert_int_equal(stats.rows, 0);
        itsi_batch_fini(&batch);
        itsi_buf_fini(&bytes);
        itsi_spool_close(spool);
        snprintf(path, sizeof path, "%s/%016x.%s", folder, (unsigned)first, is_in_the_way ? "batch" : "damaged");
        assert_int_equal(rmdir(path), 0);
        notice[0] = '\0';
    }
}

static void a_process_killed_at_any_moment_leaves_whole_batches(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        int ready[2];
        assert_int_equal(pipe(ready), 0);
        pid_t child = fork();
        if (child == 0) {
            struct itsi_spool *spool = open_spool(1 << 24);
            for (uint64_t seq = 1;; seq++)
                if (put(spool, seq, true) != 0 || write(ready[1], "x", 1) != 1)
                    _exit(1);
        }
        close(ready[1]);
        char x;
        int acknowledged = 0;
        while (acknowledged < 3 + round && read(ready[0], &x, 1) == 1)
            acknowledged++;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(ready[0], &x, 1) == 1)
            acknowledged++;
        close(ready[0]);
        struct itsi_spool *spool = open_spool(1 << 24);
        struct itsi_spool_stats stats;
        struct itsi_buf bytes;
        struct itsi_batch batch;
        struct its_diag diag;
        itsi_buf_init(&bytes);
        itsi_batch_init(&batch);
        int seq = 0;
        while (itsi_spool_first(spool)) {
            CHECK_OK(itsi_spool_read_first(spool, &bytes, &batch, &diag), diag);
            assert_int_equal(batch.head.seq, ++seq);
            itsi_spool_remove_first(spool);
        }
        assert_true(seq == acknowledged || seq == acknowledged + 1);
        itsi_spool_stats(spool, &stats);
        assert_int_equal(stats.set_aside, 0);
        itsi_batch_fini(&batch);
        itsi_buf_fini(&bytes);
        itsi_spool_close(spool);
    }
}

static void a_disk_without_room_loses_nothing_that_is_there(void **state)
{
    (void)state;
    struct itsi_spool *spool = open_spool(1 << 20);
    const struct rlimit none = {.rlim_cur = 10, .rlim_max = RLIM_INFINITY};
    struct rlimit before;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(put(spool, 1, true), 0);
    getrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    int rc = put(spool, 2, true);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_true(rc == ITS_EIO || rc == ITS_ENOSPACE);
    assert_int_equal(put(spool, 2, true), 0);
    assert_string_equal(drain(spool), "1 2");
    itsi_spool_close(spool);
}

/* Descriptors that three more opens get at least. */
static rlim_t room_for_three(void)
{
    int fds[3];
    for (int i = 0; i < 3; i++)
        fds[i] = dup(0);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    return (rlim_t)fds[2] + 1;
}

/* What a process finds that has no more descriptors (folder, lock and list take the last) is none the worse for it. */
static void what_cannot_be_looked_at_now_is_not_damaged(void **state)
{
    (void)state;
    struct rlimit before, few;
    struct its_diag diag;
    struct itsi_spool *spool = open_spool(1 << 20);
    for (uint64_t seq = 1; seq <= 20; seq++)
        assert_int_equal(put(spool, seq, false), 0);
    itsi_spool_close(spool);
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    few.rlim_cur = room_for_three();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    const int rc = itsi_spool_open(&spool, folder, 1 << 20, keep_notice, NULL, &diag);
    setrlimit(RLIMIT_NOFILE, &before);
    if (rc == 0)
        itsi_spool_close(spool);
    assert_string_equal(notice, "");
    assert_int_not_equal(rc, 0);
    CHECK_CONTAINS(diag.text, "Too many open files");
    spool = open_spool(1 << 20);
    assert_string_equal(drain(spool), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20");
    itsi_spool_close(spool);
}

static void a_folder_that_is_cleared_away_is_made_again(void **state)
{
    (void)state;
    struct itsi_spool *spool = open_spool(1 << 20), *other;
    struct itsi_spool_stats stats;
    struct its_diag diag;
    assert_int_equal(put(spool, 1, true), 0);
    assert_int_equal(clean(NULL), 0);
    assert_int_equal(put(spool, 2, true), 0);
    assert_int_equal(itsi_spool_open(&other, folder, 1 << 20, NULL, NULL, &diag), ITS_EBUSY);
    assert_string_equal(drain(spool), "2");
    CHECK_CONTAINS(notice, "0000000000000001.batch");
    assert_int_equal(clean(NULL), 0);
    FILE *file = fopen(folder, "w"); /* in its place */
    fclose(file);
    for (int i = 0; i < 2; i++)
        assert_int_not_equal(put(spool, 3, true), 0);
    unlink(folder);
    assert_int_equal(put(spool, 3, true), 0);
    assert_string_equal(drain(spool), "3");
    itsi_spool_stats(spool, &stats);
    assert_int_equal(stats.aside_rows[ITSI_STORE_COUNT], 1);
    itsi_spool_close(spool);
}

static void one_process_a_folder(void **state)
{
    (void)state;
    struct itsi_spool *spool = open_spool(1 << 20), *other;
    struct its_diag diag;
    assert_int_equal(itsi_spool_open(&other, folder, 1 << 20, NULL, NULL, &diag), ITS_EBUSY);
    CHECK_CONTAINS(diag.text, folder);
    itsi_spool_close(spool);
    for (int n = 1; n <= 2; n++) {
        itsi_alloc_fail_at(n);
        assert_int_equal(itsi_spool_open(&other, folder, 1 << 20, NULL, NULL, &diag), ITS_ENOMEM);
    }
    itsi_alloc_fail_at(0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, clean)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(batches_come_back_in_order_and_once),
        TEST(when_it_is_full_the_oldest_counts_go_first),
        TEST(without_room_only_what_is_there_is_read),
        TEST(what_is_damaged_is_set_aside_and_the_rest_goes_on),
        TEST(what_cannot_be_read_is_tried_some_times_and_set_aside),
        TEST(a_process_killed_at_any_moment_leaves_whole_batches),
        TEST(a_disk_without_room_loses_nothing_that_is_there),
        TEST(what_cannot_be_looked_at_now_is_not_damaged),
        TEST(a_folder_that_is_cleared_away_is_made_again),
        TEST(one_process_a_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
