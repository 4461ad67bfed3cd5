#include "base/dirs.h"

#include "base/diag.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

int itsi_make_dirs(const char *path, const char *purpose, struct its_diag *diag)
{
    char part[4096];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return itsi_fail(diag, ITS_EINVAL, "%s: path too long", path);
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p)
            continue;
        char was = *p;
        *p = '\0';
        if (mkdir(part, 0755) && errno != EEXIST)
            return itsi_fail_errno(diag, errno, "making directory %s %s (data_dir says where)", part, purpose);
        if (!(*p = was))
            return 0;
    }
}
