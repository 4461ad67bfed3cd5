/* The store on SQLite. */
#include "support/check.h"
#include "support/store_conformance.h"

#include <unistd.h>

int main(void)
{
    char path[] = "/tmp/its-store-sqlite-XXXXXX", side[64];
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    int failed = store_conformance_run("the store on SQLite", NULL, path);
    unlink(path);
    for (int i = 0; i < 2; i++) {
        snprintf(side, sizeof side, "%s-%s", path, i ? "wal" : "shm");
        unlink(side);
    }
    return failed;
}
