#include "base/system.h"

#include "base/clock.h"

#include <fcntl.h>
#include <inttypes.h>
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

static bool parse_ticks(const char *text, struct itsi_cpu_ticks *out)
{
    uint64_t user, nice, system, idle, wait, irq, soft, stolen;
    if (sscanf(text, " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
               &user, &nice, &system, &idle, &wait, &irq, &soft, &stolen) != 8)
        return false;
    /* what the hypervisor took is not there to be used: it counts as busy */
    out->busy = user + nice + system + irq + soft + stolen;
    out->all = out->busy + idle + wait;
    return true;
}

bool itsi_system_parse_cpu(const char *text, struct itsi_cpu_ticks *out)
{
    return strncmp(text, "cpu ", 4) == 0 && parse_ticks(text + 4, out);
}

bool itsi_system_parse_cpus(const char *text, const cpu_set_t *processors, struct itsi_cpu_ticks *out)
{
    struct itsi_cpu_ticks sum = {0, 0}, one;
    int found = 0;
    for (const char *line = text; (line = strstr(line, "\ncpu")) != NULL; line++) {
        char *end;
        const long number = strtol(line + 4, &end, 10);
        if (end == line + 4 || number < 0 || number >= CPU_SETSIZE || !CPU_ISSET((size_t)number, processors) ||
            !parse_ticks(end, &one))
            continue;
        sum.busy += one.busy;
        sum.all += one.all;
        found++;
    }
    if (found == 0 || found != CPU_COUNT(processors))
        return itsi_system_parse_cpu(text, out);
    *out = sum;
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

double itsi_system_quota_percent(struct itsi_system *system, const char *text, double quota, int64_t now_ns)
{
    const uint64_t before_us = system->group_us;
    const int64_t before_ns = system->group_ns;
    uint64_t used_us;
    if (!parse_line(text, "usage_usec", &used_us))
        return -1;
    system->group_us = used_us;
    system->group_ns = now_ns;
    if (before_ns == 0 || now_ns <= before_ns || used_us < before_us)
        return -1;
    const double percent = 100e3 * (double)(used_us - before_us) / ((double)(now_ns - before_ns) * quota);
    return percent < 100 ? percent : 100;
}

/* The processors that this process may use; 0: nobody says. */
static int own_processors(cpu_set_t *out)
{
    return sched_getaffinity(0, sizeof *out, out) == 0 ? CPU_COUNT(out) : 0;
}

static double cpu_percent(struct itsi_system *system)
{
    char text[16384]; /* more than 200 processors */
    cpu_set_t own;
    struct itsi_cpu_ticks now, before = system->last;
    if (!read_text("/proc/stat", text, sizeof text))
        return -1;
    if (!(own_processors(&own) > 0 && strlen(text) < sizeof text - 1 ? itsi_system_parse_cpus(text, &own, &now)
                                                                     : itsi_system_parse_cpu(text, &now)))
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

/* Of the control group in processors; 0: none. */
static double own_quota(void)
{
    char text[64];
    return read_text("/sys/fs/cgroup/cpu.max", text, sizeof text) ? itsi_system_parse_quota(text) : 0;
}

static double group_cpu_percent(struct itsi_system *system, double quota)
{
    char text[2048];
    if (quota <= 0 || !read_text("/sys/fs/cgroup/cpu.stat", text, sizeof text))
        return -1;
    return itsi_system_quota_percent(system, text, quota, itsi_now_ns());
}

static double cores_within(double quota)
{
    cpu_set_t own;
    const int processors = own_processors(&own);
    const double cores = processors > 0 ? processors : 1;
    return quota > 0 && quota < cores ? quota : cores;
}

double itsi_system_cores(void) { return cores_within(own_quota()); }

void itsi_system_sample(struct itsi_system *system, struct itsi_system_load *out)
{
    uint64_t total_kib = 0;
    const double quota = own_quota();
    const double memory = host_memory_percent(&total_kib), group_memory = group_memory_percent(total_kib);
    const double cpu = cpu_percent(system), group_cpu = group_cpu_percent(system, quota);
    *out = (struct itsi_system_load){
        .cpu_percent = group_cpu > cpu ? group_cpu : cpu,
        .memory_percent = group_memory > memory ? group_memory : memory,
        .cores = cores_within(quota),
    };
}
