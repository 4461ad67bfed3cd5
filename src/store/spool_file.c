/* The spool's files. */
#include "store/spool_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/replace_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 4096, ASIDE_KEPT = 8 };

uint32_t itsi_spool_blocks(uint64_t size)
{
    return (uint32_t)((size + BLOCK - 1) / BLOCK * BLOCK);
}

/* --- writing and reading ------------------------------------------------------------------------------------------ */

int itsi_spool_write(struct itsi_spool *spool, uint64_t number, const uint8_t *block, size_t size, struct its_diag *diag)
{
    char part[ITSI_SPOOL_NAME_SIZE], name[ITSI_SPOOL_NAME_SIZE];
    itsi_spool_name(part, number, "part");
    itsi_spool_name(name, number, "batch");
    const int err = itsi_replace_file_at(spool->folder_fd, part, name, block, size);
    return err ? itsi_fail_errno(diag, err, "spool %.200s", spool->folder) : 0;
}

static int read_all(int fd, size_t size, struct itsi_buf *out)
{
    if (itsi_buf_reserve(out, size) != 0)
        return ENOMEM;
    while (out->len < size) {
        ssize_t got = read(fd, out->data + out->len, size - out->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0)
            break; /* shorter than it was: the batch says that it is damaged */
        out->len += (size_t)got;
    }
    return 0;
}

/* Up to `most` bytes of it. */
static int read_file(struct itsi_spool *spool, const char *name, size_t most, struct itsi_buf *out, struct stat *info,
                     struct its_diag *diag)
{
    itsi_buf_reset(out);
    int fd = openat(spool->folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        const int err = errno, rc = itsi_fail_errno(diag, err, "spool %.200s/%s", spool->folder, name);
        return err == EMFILE || err == ENFILE ? ITS_ENOMEM : rc; /* for want of ours, not of the file's */
    }
    int err = fstat(fd, info) == 0 ? 0 : errno;
    if (err == 0)
        err = read_all(fd, (uint64_t)info->st_size < most ? (size_t)info->st_size : most, out);
    close(fd);
    return err ? itsi_fail_errno(diag, err, "spool %.200s/%s", spool->folder, name) : 0;
}

int itsi_spool_read(struct itsi_spool *spool, uint64_t number, struct itsi_buf *out, struct its_diag *diag)
{
    char name[ITSI_SPOOL_NAME_SIZE];
    struct stat info;
    itsi_spool_name(name, number, "batch");
    return read_file(spool, name, UINT32_MAX, out, &info, diag);
}

/* --- what is there ------------------------------------------------------------------------------------------------- */

static bool parse_name(const char *name, const char *suffix, uint64_t *number)
{
    char *end, again[ITSI_SPOOL_NAME_SIZE];
    *number = strtoull(name, &end, 16);
    itsi_spool_name(again, *number, suffix);
    return strcmp(again, name) == 0;
}

static int take_over(struct itsi_spool *spool, const char *name, uint64_t number, struct its_diag *why)
{
    struct itsi_buf bytes;
    struct stat info = {.st_size = 0};
    struct itsi_batch_head head;
    struct itsi_spool_entry entry = {.number = number};
    itsi_buf_init(&bytes);
    int rc = read_file(spool, name, ITSI_BATCH_HEAD_SIZE, &bytes, &info, why);
    if (rc == 0)
        rc = itsi_batch_read_head(&head, (const uint8_t *)bytes.data, bytes.len, why);
    itsi_buf_fini(&bytes);
    if (rc == ITS_ENOMEM || rc == ITS_EAUTH) /* nothing is wrong with it */
        return rc;
    if (rc != 0) {
        itsi_spool_set_aside(spool, number, "damaged", why->text);
        return 0;
    }
    itsi_spool_fill_entry(&entry, &head);
    entry.bytes = itsi_spool_blocks((uint64_t)info.st_size);
    entry.wall_ns = info.st_mtim.tv_sec * ITSI_NS_PER_S + info.st_mtim.tv_nsec;
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        spool->stats.found_rows[t] += entry.rows[t];
    rc = itsi_spool_append(spool, &entry);
    return rc ? itsi_fail(why, rc, "spool %.200s: out of memory", spool->folder) : 0;
}

static int by_number(const void *a, const void *b)
{
    const struct itsi_spool_entry *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static int look_at(struct itsi_spool *spool, const char *name, struct its_diag *why)
{
    uint64_t number;
    int rc = 0;
    if (parse_name(name, "part", &number))
        unlinkat(spool->folder_fd, name, 0); /* was never acknowledged by a rename */
    else if (parse_name(name, "batch", &number))
        rc = take_over(spool, name, number, why);
    else if (!parse_name(name, "damaged", &number) && !parse_name(name, "refused", &number))
        return 0;
    if (number >= spool->next_number)
        spool->next_number = number + 1;
    return rc;
}

int itsi_spool_scan(struct itsi_spool *spool, struct its_diag *diag)
{
    int fd = openat(spool->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        int err = errno;
        if (fd >= 0)
            close(fd);
        return itsi_fail_errno(diag, err, "spool %.200s", spool->folder);
    }
    struct its_diag why;
    int rc = 0;
    for (const struct dirent *entry; rc == 0 && (entry = readdir(dir));)
        rc = look_at(spool, entry->d_name, &why);
    closedir(dir);
    if (rc != 0)
        return itsi_fail(diag, rc, "%s", why.text);
    if (spool->count)
        qsort(spool->entries, spool->count, sizeof *spool->entries, by_number);
    return 0;
}

/* --- setting aside ------------------------------------------------------------------------------------------------- */

/* Removes the oldest of those set aside, when there are more than are kept. */
static void tidy(struct itsi_spool *spool)
{
    char oldest[ITSI_SPOOL_NAME_SIZE] = "";
    uint64_t least = UINT64_MAX, number;
    int count = 0;
    int fd = openat(spool->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(dir));) {
        if (!parse_name(entry->d_name, "damaged", &number) && !parse_name(entry->d_name, "refused", &number))
            continue;
        count++;
        if (number < least) {
            least = number;
            snprintf(oldest, sizeof oldest, "%.63s", entry->d_name);
        }
    }
    closedir(dir);
    if (count > ASIDE_KEPT)
        unlinkat(spool->folder_fd, oldest, 0);
}

void itsi_spool_set_aside(struct itsi_spool *spool, uint64_t number, const char *why, const char *text)
{
    char name[ITSI_SPOOL_NAME_SIZE], aside[ITSI_SPOOL_NAME_SIZE], notice[700];
    itsi_spool_name(name, number, "batch");
    itsi_spool_name(aside, number, why);
    bool is_moved = renameat(spool->folder_fd, name, spool->folder_fd, aside) == 0;
    spool->stats.set_aside++;
    tidy(spool);
    snprintf(notice, sizeof notice, "spool %.100s/%s: %s%s%s", spool->folder, name, text, is_moved ? "; kept as " : "",
             is_moved ? aside : "");
    if (spool->notice)
        spool->notice(spool->arg, notice);
}
