#include "sink/jsonl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* How often a failing file is tried again, and how often a working one is looked for under its name. */
#define RETRY_NS ITSI_NS_PER_S

struct itsi_jsonl {
    /* const */
    char *path;
    int64_t max_bytes;
    int files;
    /* the writer's */
    int fd;         /* -1: not open */
    bool regular;   /* a file: may be cut, renamed and measured */
    bool torn;      /* part of a line may lie behind `size` */
    int64_t size;   /* whole lines, bytes */
    int64_t retry_at, look_at;
    /* lock */
    pthread_mutex_t mutex;
    struct itsi_jsonl_status status;
};

/* Where the last whole line of the file ends. */
static int64_t whole_lines(int fd, int64_t size)
{
    char block[4096];
    while (size > 0) {
        const int64_t from = size > (int64_t)sizeof block ? size - (int64_t)sizeof block : 0;
        const ssize_t got = pread(fd, block, (size_t)(size - from), from);
        if (got != size - from)
            return size;
        const char *end = memrchr(block, '\n', (size_t)got);
        if (end)
            return from + (end - block) + 1;
        size = from;
    }
    return 0;
}

/* Opens path and finds its end. The descriptor is set on success only. */
static int open_file(struct itsi_jsonl *j, struct its_diag *diag)
{
    const int fd = open(j->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0640);
    if (fd < 0)
        return itsi_fail_errno(diag, errno, "output file '%s'", j->path);
    struct stat st;
    if (fstat(fd, &st) != 0) {
        const int err = errno;
        close(fd);
        return itsi_fail_errno(diag, err, "output file '%s'", j->path);
    }
    j->regular = S_ISREG(st.st_mode);
    j->size = j->regular ? whole_lines(fd, st.st_size) : 0;
    j->torn = j->regular && j->size != st.st_size;
    j->fd = fd;
    return 0;
}

static void close_file(struct itsi_jsonl *j)
{
    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
}

int itsi_jsonl_open(struct itsi_jsonl **out, const struct itsi_jsonl_params *params, struct its_diag *diag)
{
    if (!params->path || !params->path[0] || params->max_bytes < 1 || params->files < 1)
        return itsi_fail(diag, ITS_EINVAL, "output file: needs a path, a size and a number of files");
    struct itsi_jsonl *j = itsi_zalloc(sizeof *j);
    if (!j || !(j->path = itsi_strdup(params->path))) {
        itsi_free(j);
        return itsi_fail(diag, ITS_ENOMEM, "output file: out of memory");
    }
    j->max_bytes = params->max_bytes;
    j->files = params->files;
    j->fd = -1;
    pthread_mutex_init(&j->mutex, NULL);
    const int rc = open_file(j, diag);
    if (rc != 0) {
        itsi_jsonl_close(j);
        return rc;
    }
    j->status.bytes = j->size;
    *out = j;
    return 0;
}

/* path -> path.1 -> path.2 ...; the oldest goes. */
static int rotate(struct itsi_jsonl *j, struct its_diag *diag)
{
    char from[4096 + 16], to[4096 + 16];
    if (j->files == 1) {
        if (ftruncate(j->fd, 0) != 0)
            return itsi_fail_errno(diag, errno, "output file '%s': starting over", j->path);
        j->size = 0;
        return 0;
    }
    for (int i = j->files - 1; i > 0; i--) {
        snprintf(to, sizeof to, "%s.%d", j->path, i);
        if (i > 1)
            snprintf(from, sizeof from, "%s.%d", j->path, i - 1);
        else
            snprintf(from, sizeof from, "%s", j->path);
        if (rename(from, to) != 0 && errno != ENOENT)
            return itsi_fail_errno(diag, errno, "output file '%s': rotating to '%s'", j->path, to);
    }
    close_file(j);
    return open_file(j, diag);
}

/* Someone may have moved or removed the file: then its name gets a new one. */
static void look(struct itsi_jsonl *j, int64_t now)
{
    if (!j->regular || now < j->look_at)
        return;
    j->look_at = now + RETRY_NS;
    struct stat named, held;
    if (stat(j->path, &named) == 0 && fstat(j->fd, &held) == 0 && named.st_ino == held.st_ino &&
        named.st_dev == held.st_dev)
        return;
    close_file(j);
}

static int append(struct itsi_jsonl *j, const char *line, size_t len, struct its_diag *diag)
{
    char newline = '\n';
    struct iovec parts[2] = {{.iov_base = (char *)line, .iov_len = len}, {.iov_base = &newline, .iov_len = 1}};
    ssize_t put;
    do
        put = writev(j->fd, parts, 2);
    while (put < 0 && errno == EINTR);
    if (put == (ssize_t)len + 1) {
        j->size += put;
        return 0;
    }
    const int err = put < 0 ? errno : ENOSPC;
    j->torn = j->regular && put > 0;
    return itsi_fail_errno(diag, err, "output file '%s'", j->path);
}

static int try_write(struct itsi_jsonl *j, const char *line, size_t len, int64_t now, uint64_t *rotations,
                     struct its_diag *diag)
{
    int rc = 0;
    if (j->fd >= 0)
        look(j, now);
    if (j->fd < 0)
        rc = open_file(j, diag);
    if (rc == 0 && j->torn) {
        if (ftruncate(j->fd, j->size) != 0)
            rc = itsi_fail_errno(diag, errno, "output file '%s': cutting off part of a line", j->path);
        else
            j->torn = false;
    }
    if (rc == 0 && j->regular && j->size > 0 && j->size + (int64_t)len + 1 > j->max_bytes) {
        rc = rotate(j, diag);
        *rotations += rc == 0;
    }
    if (rc == 0)
        rc = append(j, line, len, diag);
    /* cut at once where that works, so that readers never see part of a line for long */
    if (rc != 0 && j->torn && j->fd >= 0 && ftruncate(j->fd, j->size) == 0)
        j->torn = false;
    return rc;
}

/* Enters the outcome in the status; returns whether the state changed. */
static bool note(struct itsi_jsonl *j, int rc, uint64_t rotations, const struct its_diag *diag)
{
    pthread_mutex_lock(&j->mutex);
    struct itsi_jsonl_status *s = &j->status;
    const bool was_failing = s->failing;
    s->lines += rc == 0;
    s->dropped += rc != 0;
    s->rotations += rotations;
    s->bytes = j->size;
    s->failing = rc != 0;
    if (rc != 0)
        snprintf(s->last_error, sizeof s->last_error, "%.255s", diag->text);
    pthread_mutex_unlock(&j->mutex);
    return was_failing != (rc != 0);
}

static void count_dropped(struct itsi_jsonl *j)
{
    pthread_mutex_lock(&j->mutex);
    j->status.dropped++;
    pthread_mutex_unlock(&j->mutex);
}

int itsi_jsonl_write(struct itsi_jsonl *j, const char *line, size_t len, int64_t now)
{
    if ((int64_t)len + 1 > j->max_bytes && j->regular) {
        count_dropped(j);
        return ITS_ELIMIT;
    }
    if (j->status.failing && now < j->retry_at) { /* only this thread changes `failing` */
        count_dropped(j);
        return ITS_EAGAIN;
    }
    struct its_diag diag = {""};
    uint64_t rotations = 0;
    const int rc = try_write(j, line, len, now, &rotations, &diag);
    if (rc != 0)
        j->retry_at = now + RETRY_NS;
    if (note(j, rc, rotations, &diag)) {
        if (rc != 0)
            itsi_error("output", "%s: lines are dropped until there is room again", diag.text);
        else
            itsi_info("output", "'%s' takes lines again", j->path);
    }
    return rc;
}

void itsi_jsonl_status(struct itsi_jsonl *j, struct itsi_jsonl_status *out)
{
    pthread_mutex_lock(&j->mutex);
    *out = j->status;
    pthread_mutex_unlock(&j->mutex);
}

void itsi_jsonl_close(struct itsi_jsonl *j)
{
    if (!j)
        return;
    close_file(j);
    pthread_mutex_destroy(&j->mutex);
    itsi_free(j->path);
    itsi_free(j);
}
