/* Time. All instants are int64_t nanoseconds on the monotonic clock unless the name says wall. Functions that decide
 * by time take `now` as an argument, so tests never sleep to wait. */
#ifndef ITSI_BASE_CLOCK_H
#define ITSI_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define ITSI_NS_PER_US INT64_C(1000)
#define ITSI_NS_PER_MS INT64_C(1000000)
#define ITSI_NS_PER_S INT64_C(1000000000)
/* No deadline / never. */
#define ITSI_NEVER INT64_MAX

int64_t itsi_now_ns(void);        /* CLOCK_MONOTONIC */
/* The same clock as of the last tick of the kernel, up to 4 ms ago: a fifth of the cost, where an instant only starts or
 * ends something much longer. */
static inline int64_t itsi_now_coarse_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
    return (int64_t)ts.tv_sec * ITSI_NS_PER_S + ts.tv_nsec;
}
int64_t itsi_wall_ns(void);       /* CLOCK_REALTIME, since 1970 */
int64_t itsi_cpu_ns(void);        /* CPU time of the whole process */
int64_t itsi_thread_cpu_ns(void); /* CPU time of this thread */

/* Sleeps until the instant; returns at once when it has passed. For pacing real work, never for polling. */
void itsi_sleep_until_ns(int64_t when_ns);

/* "2026-01-31T12:00:00.123Z" into out (at least 25 bytes). */
void itsi_format_wall(int64_t wall_ns, char out[32]);

#endif
