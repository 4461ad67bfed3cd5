/* The process: what Prometheus' own client libraries tell under these names. */
#include "serve/metrics.h"

#include "base/clock.h"
#include "base/mem.h"
#include "optimizer/process.h"

#include <dirent.h>

static int open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = -3; /* ".", ".." and the folder itself */
    if (!dir)
        return 0;
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

void itsi_put_process_metrics(struct itsi_exposition *e, const struct itsi_server *server)
{
    itsi_put_counter(e, "process_cpu_seconds", "seconds", "CPU time used, user and system.",
                     (double)itsi_cpu_ns() / 1e9);
    itsi_put_gauge(e, "process_resident_memory_bytes", "bytes", "Resident memory.",
                   itsi_process_rss_mb() * 1024 * 1024);
    itsi_put_gauge(e, "process_open_fds", NULL, "Open file descriptors.", open_files());
    itsi_put_gauge(e, "process_start_time_seconds", "seconds", "Start, seconds since 1970.",
                   (double)(server->started_wall_ns / ITSI_NS_PER_MS) / 1e3);
    itsi_put_counter(e, "its_allocations", NULL, "Memory allocations by our own code.", (double)itsi_alloc_count());
    itsi_exposition_family(e, ITSI_METRIC_INFO, "its_build", NULL, "1, with the version.");
    itsi_exposition_count(e, ITSI_LABELS({"version", server->version}), 1);
}
