/* performance monitor: a line every interval of what a running daemon sees of itself. */
#ifndef ITSI_CLI_PERFORMANCE_MONITOR_H
#define ITSI_CLI_PERFORMANCE_MONITOR_H

#include "cli/daemon.h"

struct itsi_monitor_options {
    const struct itsi_daemon *daemon;
    double interval_s, duration_s; /* duration 0: until interrupted */
    bool json;                     /* one document a line */
};
/* Ends when the time is over or at SIGINT or SIGTERM, or with the exit code of an ask that failed. */
int itsi_performance_monitor(const struct itsi_monitor_options *options);

#endif
