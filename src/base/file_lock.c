#include "base/file_lock.h"

#include "base/clock.h"
#include "base/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* flock() has no timeout, and another process's release gives no notice that a stop flag could share. */
#define POLL_NS (20 * ITSI_NS_PER_MS)

static int wait_for(int fd, const char *path, int64_t until_ns, const atomic_bool *stop, struct its_diag *diag)
{
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return itsi_fail_errno(diag, errno, "locking %s", path);
        if (stop && atomic_load(stop))
            return itsi_fail(diag, ITS_ECANCELLED, "locking %s: stopped", path);
        const int64_t now = itsi_now_ns();
        if (now >= until_ns)
            return itsi_fail(diag, ITS_EBUSY, "%s: held by another process", path);
        itsi_sleep_until_ns(now + POLL_NS < until_ns ? now + POLL_NS : until_ns);
    }
    return 0;
}

/* Is it still the file at `path`? Whoever had the lock may have removed it. */
static bool stands(int fd, const char *path)
{
    struct stat held, there;
    return fstat(fd, &held) == 0 && stat(path, &there) == 0 && held.st_ino == there.st_ino &&
           held.st_dev == there.st_dev;
}

int itsi_file_lock(int *out, const char *path, int64_t until_ns, const atomic_bool *stop, struct its_diag *diag)
{
    for (;;) {
        const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0)
            return itsi_fail_errno(diag, errno, "writing %s", path);
        const int rc = wait_for(fd, path, until_ns, stop, diag);
        if (rc == 0 && stands(fd, path)) {
            *out = fd;
            return 0;
        }
        close(fd);
        if (rc != 0)
            return rc;
    }
}
