#include "base/system.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The beginning of a file as text; false: it cannot be read. Without stdio, which allocates. */
static bool read_text(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, out, size - 1);
    close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

bool itsi_system_parse_cpu(const char *text, struct itsi_cpu_ticks *out)
{
    uint64_t user, nice, system, idle, wait, irq, soft, stolen;
    if (sscanf(text, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
               &user, &nice, &system, &idle, &wait, &irq, &soft, &stolen) != 8)
        return false;
    /* what the hypervisor took is not there to be used: it counts as busy */
    out->busy = user + nice + system + irq + soft + stolen;
    out->all = out->busy + idle + wait;
    return true;
}

static bool parse_line(const char *text, const char *key, uint64_t *out)
{
    const char *at = strstr(text, key);
    return at && sscanf(at + strlen(key), " %" SCNu64, out) == 1;
}

bool itsi_system_parse_memory(const char *text, uint64_t *total_kib, uint64_t *available_kib)
{
    return parse_line(text, "MemTotal:", total_kib) && parse_line(text, "MemAvailable:", available_kib) &&
           *total_kib > 0 && *available_kib <= *total_kib;
}

double itsi_system_parse_quota(const char *text)
{
    double quota, period;
    return sscanf(text, "%lf %lf", &quota, &period) == 2 && quota > 0 && period > 0 ? quota / period : 0;
}

static double cpu_percent(struct itsi_system *system)
{
    char text[512];
    struct itsi_cpu_ticks now, before = system->last;
    if (!read_text("/proc/stat", text, sizeof text) || !itsi_system_parse_cpu(text, &now))
        return -1;
    system->last = now;
    if (before.all == 0 || now.all <= before.all || now.busy < before.busy)
        return -1;
    return 100.0 * (double)(now.busy - before.busy) / (double)(now.all - before.all);
}

static double host_memory_percent(uint64_t *total_kib)
{
    char text[2048];
    uint64_t available;
    if (!read_text("/proc/meminfo", text, sizeof text) || !itsi_system_parse_memory(text, total_kib, &available))
        return -1;
    return 100.0 * (double)(*total_kib - available) / (double)*total_kib;
}

/* Version 2, as seen from inside: the group's own files lie at the root of the mount. */
static double group_memory_percent(uint64_t total_kib)
{
    char text[2048];
    if (!read_text("/sys/fs/cgroup/memory.max", text, sizeof text))
        return -1;
    const double limit = strtod(text, NULL); /* "max": 0 */
    if (limit <= 0 || (total_kib > 0 && limit >= (double)total_kib * 1024))
        return -1;
    if (!read_text("/sys/fs/cgroup/memory.current", text, sizeof text))
        return -1;
    double used = strtod(text, NULL);
    uint64_t cached = 0;
    /* file pages that nobody has mapped go when somebody needs the room */
    if (read_text("/sys/fs/cgroup/memory.stat", text, sizeof text) && parse_line(text, "inactive_file", &cached))
        used -= (double)cached;
    return used > 0 ? 100.0 * used / limit : 0;
}

static double usable_cores(void)
{
    cpu_set_t set;
    char text[64];
    double cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    const double quota = read_text("/sys/fs/cgroup/cpu.max", text, sizeof text) ? itsi_system_parse_quota(text) : 0;
    return quota > 0 && quota < cores ? quota : cores;
}

void itsi_system_sample(struct itsi_system *system, struct itsi_system_load *out)
{
    uint64_t total_kib = 0;
    const double host = host_memory_percent(&total_kib), group = group_memory_percent(total_kib);
    *out = (struct itsi_system_load){
        .cpu_percent = cpu_percent(system),
        .memory_percent = group > host ? group : host,
        .cores = usable_cores(),
    };
}
