#include "base/clock.h"

#include <errno.h>
#include <stdio.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * ITSI_NS_PER_S + ts.tv_nsec;
}

int64_t itsi_now_ns(void) { return read_clock(CLOCK_MONOTONIC); }
int64_t itsi_wall_ns(void) { return read_clock(CLOCK_REALTIME); }
int64_t itsi_cpu_ns(void) { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }
int64_t itsi_thread_cpu_ns(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

void itsi_sleep_until_ns(int64_t when_ns)
{
    struct timespec ts = {.tv_sec = when_ns / ITSI_NS_PER_S, .tv_nsec = when_ns % ITSI_NS_PER_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
        ;
}

void itsi_format_wall(int64_t wall_ns, char out[32])
{
    time_t seconds = (time_t)(wall_ns / ITSI_NS_PER_S);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t used = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + used, 32 - used, ".%03dZ", (int)(wall_ns / ITSI_NS_PER_MS % 1000));
}
