#include "store/spool_impl.h"

#include "base/diag.h"
#include "base/dirs.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the list ------------------------------------------------------------------------------------------------------ */

static struct itsi_spool_entry *at(const struct itsi_spool *spool, size_t i)
{
    return &spool->entries[spool->first + i];
}

static uint64_t rows_of(const struct itsi_spool_entry *entry)
{
    uint64_t rows = 0;
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        rows += entry->rows[t];
    return rows;
}

int itsi_spool_append(struct itsi_spool *spool, const struct itsi_spool_entry *entry)
{
    if (spool->first + spool->count == spool->capacity && spool->first > spool->count) {
        memmove(spool->entries, at(spool, 0), spool->count * sizeof *spool->entries);
        spool->first = 0;
    }
    if (spool->first + spool->count == spool->capacity) {
        const size_t capacity = spool->capacity ? 2 * spool->capacity : 64;
        struct itsi_spool_entry *more = itsi_realloc(spool->entries, capacity * sizeof *more);
        if (!more)
            return ITS_ENOMEM;
        spool->entries = more;
        spool->capacity = capacity;
    }
    *at(spool, spool->count++) = *entry;
    spool->stats.files++;
    spool->stats.rows += rows_of(entry);
    spool->stats.bytes += entry->bytes;
    return 0;
}

static void forget(struct itsi_spool *spool, size_t i)
{
    spool->stats.files--;
    spool->stats.rows -= rows_of(at(spool, i));
    spool->stats.bytes -= at(spool, i)->bytes;
    /* from the front nearly always: those before it move up */
    memmove(at(spool, 1), at(spool, 0), i * sizeof *spool->entries);
    spool->first++;
    spool->count--;
}

void itsi_spool_fill_entry(struct itsi_spool_entry *entry, const struct itsi_batch_head *head)
{
    entry->is_counts = true;
    for (int t = 0; t < ITSI_STORE_TABLES; t++) {
        entry->rows[t] = head->rows[t];
        if (t != ITSI_STORE_COUNT && head->rows[t])
            entry->is_counts = false;
    }
}

const struct itsi_spool_entry *itsi_spool_first(const struct itsi_spool *spool)
{
    return spool->count ? at(spool, 0) : NULL;
}

/* --- the folder ---------------------------------------------------------------------------------------------------- */

static void leave_folder(struct itsi_spool *spool)
{
    if (spool->lock_fd >= 0)
        close(spool->lock_fd);
    if (spool->folder_fd >= 0)
        close(spool->folder_fd);
    spool->folder_fd = spool->lock_fd = -1;
}

static int enter_folder(struct itsi_spool *spool, struct its_diag *diag)
{
    int rc = itsi_make_dirs(spool->folder, "for the spool", diag);
    if (rc != 0)
        return rc;
    spool->folder_fd = open(spool->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spool->folder_fd >= 0)
        spool->lock_fd = openat(spool->folder_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (spool->folder_fd < 0 || spool->lock_fd < 0)
        return itsi_fail_errno(diag, errno, "spool %.200s", spool->folder);
    if (flock(spool->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? itsi_fail(diag, ITS_EBUSY, "spool %.200s: another process uses it", spool->folder)
                                    : itsi_fail_errno(diag, errno, "spool %.200s", spool->folder);
    return 0;
}

/* Somebody who cleared it away has not asked for nothing to be spooled any more. */
static int write_block(struct itsi_spool *spool, uint64_t number, const uint8_t *block, size_t size, struct its_diag *diag)
{
    int rc = spool->folder_fd >= 0 ? itsi_spool_write(spool, number, block, size, diag) : ITS_ENOTFOUND;
    if (rc != ITS_ENOTFOUND)
        return rc;
    leave_folder(spool);
    rc = enter_folder(spool, diag);
    if (rc != 0)
        leave_folder(spool);
    return rc ? rc : itsi_spool_write(spool, number, block, size, diag);
}

/* --- putting in ---------------------------------------------------------------------------------------------------- */

static void unlink_batch(struct itsi_spool *spool, uint64_t number)
{
    char name[ITSI_SPOOL_NAME_SIZE];
    itsi_spool_name(name, number, "batch");
    unlinkat(spool->folder_fd, name, 0); /* if that fails it is tried on the database again, and recognised there */
}

/* The oldest counts, or, where there are none, the oldest. */
static void drop_one(struct itsi_spool *spool)
{
    size_t victim = 0;
    while (victim < spool->count && !at(spool, victim)->is_counts)
        victim++;
    if (victim == spool->count)
        victim = 0;
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        spool->stats.dropped_rows[t] += at(spool, victim)->rows[t];
    unlink_batch(spool, at(spool, victim)->number);
    forget(spool, victim);
}

int itsi_spool_put(struct itsi_spool *spool, const uint8_t *block, size_t size, int64_t wall_ns, struct its_diag *diag)
{
    struct itsi_batch_head head;
    struct itsi_spool_entry entry = {.number = spool->next_number, .wall_ns = wall_ns, .bytes = itsi_spool_blocks(size)};
    int rc = itsi_batch_read_head(&head, block, size, diag);
    if (rc != 0)
        return rc;
    if (entry.bytes > spool->most_bytes)
        return itsi_fail(diag, ITS_ELIMIT, "spool %.200s: a batch of %zu bytes is larger than the spool may be", spool->folder, size);
    itsi_spool_fill_entry(&entry, &head);
    rc = write_block(spool, entry.number, block, size, diag);
    if (rc != 0)
        return rc;
    rc = itsi_spool_append(spool, &entry);
    if (rc != 0) {
        unlink_batch(spool, entry.number);
        return itsi_fail(diag, rc, "spool %.200s: out of memory", spool->folder);
    }
    spool->next_number++;
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        spool->stats.put_rows[t] += entry.rows[t];
    while (spool->stats.bytes > spool->most_bytes)
        drop_one(spool);
    return 0;
}

/* --- taking out ---------------------------------------------------------------------------------------------------- */

static void set_aside_first(struct itsi_spool *spool, const char *why, const char *text)
{
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        spool->stats.aside_rows[t] += at(spool, 0)->rows[t];
    itsi_spool_set_aside(spool, at(spool, 0)->number, why, text);
    forget(spool, 0);
}

bool itsi_spool_refuse_first(struct itsi_spool *spool, const char *text)
{
    if (++at(spool, 0)->failures < ITSI_SPOOL_FAILURES)
        return false;
    set_aside_first(spool, "refused", text);
    return true;
}

int itsi_spool_read_first(struct itsi_spool *spool, struct itsi_buf *bytes, struct itsi_batch *out, struct its_diag *diag)
{
    struct its_diag why;
    int rc = itsi_spool_read(spool, at(spool, 0)->number, bytes, &why);
    if (rc == 0)
        rc = itsi_batch_read(out, (const uint8_t *)bytes->data, bytes->len, &why);
    const bool is_its_fault = rc != 0 && rc != ITS_ENOMEM;
    if (rc == ITS_ENOTFOUND /* somebody took the file away */ ||
        (is_its_fault && ++at(spool, 0)->failures >= ITSI_SPOOL_FAILURES))
        rc = ITS_EFORMAT;
    if (rc == ITS_EFORMAT)
        set_aside_first(spool, "damaged", why.text);
    return rc ? itsi_fail(diag, rc, "%s", why.text) : 0;
}

void itsi_spool_remove_first(struct itsi_spool *spool)
{
    unlink_batch(spool, at(spool, 0)->number);
    forget(spool, 0);
}

void itsi_spool_stats(const struct itsi_spool *spool, struct itsi_spool_stats *out)
{
    *out = spool->stats;
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

int itsi_spool_open(struct itsi_spool **out, const char *folder, uint64_t most_bytes, itsi_spool_notice_fn *notice, void *arg,
                    struct its_diag *diag)
{
    if (most_bytes == 0 && !is_folder(folder)) {
        *out = NULL;
        return 0;
    }
    struct itsi_spool *spool = itsi_zalloc(sizeof *spool);
    if (spool) {
        spool->folder_fd = spool->lock_fd = -1;
        spool->folder = itsi_strdup(folder);
        spool->most_bytes = most_bytes;
        spool->next_number = 1;
        spool->notice = notice;
        spool->arg = arg;
    }
    int rc = spool && spool->folder ? enter_folder(spool, diag) : itsi_fail(diag, ITS_ENOMEM, "spool: out of memory");
    if (rc == 0)
        rc = itsi_spool_scan(spool, diag);
    const bool is_wanted = rc == 0 && (most_bytes != 0 || spool->count != 0);
    if (!is_wanted)
        itsi_spool_close(spool);
    if (rc == 0)
        *out = is_wanted ? spool : NULL;
    return rc;
}

void itsi_spool_close(struct itsi_spool *spool)
{
    if (!spool)
        return;
    leave_folder(spool);
    itsi_free(spool->entries);
    itsi_free(spool->folder);
    itsi_free(spool);
}
