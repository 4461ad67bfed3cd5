#include "base/replace_file.h"

#include "base/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* 0 or an errno value. */
static int write_all(int fd, const char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        const ssize_t put_now = write(fd, bytes + done, size - done);
        if (put_now < 0 && errno == EINTR)
            continue;
        if (put_now < 0)
            return errno;
        done += (size_t)put_now;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

/* Fills the open `part`, which is closed, and gives it its name; nothing of it is left after an error. */
static int finish(int fd, int folder, const char *part, const char *name, const void *bytes, size_t size)
{
    int err = write_all(fd, bytes, size);
    if (close(fd) != 0 && err == 0)
        err = errno;
    if (err == 0 && renameat(folder, part, folder, name) != 0)
        err = errno;
    if (err != 0)
        unlinkat(folder, part, 0);
    return err;
}

int itsi_replace_file(const char *path, const struct itsi_buf *text, struct its_diag *diag)
{
    char temporary[4096];
    const int used = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (used < 0 || (size_t)used >= sizeof temporary)
        return itsi_fail(diag, ITS_EINVAL, "cannot write \"%.200s\": the path is too long", path);
    const int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
    const int err = fd < 0 ? errno : finish(fd, AT_FDCWD, temporary, path, text->data, text->len);
    return err ? itsi_fail_errno(diag, err, "cannot write \"%.200s\"", path) : 0;
}

int itsi_replace_file_at(int folder, const char *part, const char *name, const void *bytes, size_t size)
{
    const int fd = openat(folder, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int err = fd < 0 ? errno : finish(fd, folder, part, name, bytes, size);
    if (err == 0 && fsync(folder) != 0) {
        err = errno;
        unlinkat(folder, name, 0);
    }
    return err;
}
