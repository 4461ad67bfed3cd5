#include "base/replace_file.h"

#include "base/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* 0 or an errno value. */
static int write_all(int fd, const struct itsi_buf *text)
{
    for (size_t done = 0; done < text->len;) {
        const ssize_t put_now = write(fd, text->data + done, text->len - done);
        if (put_now < 0 && errno == EINTR)
            continue;
        if (put_now < 0)
            return errno;
        done += (size_t)put_now;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

int itsi_replace_file(const char *path, const struct itsi_buf *text, struct its_diag *diag)
{
    char temporary[4096];
    const int used = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (used < 0 || (size_t)used >= sizeof temporary)
        return itsi_fail(diag, ITS_EINVAL, "cannot write \"%.200s\": the path is too long", path);
    const int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
    if (fd < 0)
        return itsi_fail_errno(diag, errno, "cannot write \"%.200s\"", path);
    int err = write_all(fd, text);
    if (close(fd) != 0 && err == 0)
        err = errno;
    if (err == 0 && rename(temporary, path) != 0)
        err = errno;
    if (err == 0)
        return 0;
    unlink(temporary);
    return itsi_fail_errno(diag, err, "cannot write \"%.200s\"", path);
}
