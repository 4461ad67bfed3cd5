/* How busy the machine is: processors and memory, as its kernel counts them (Linux). */
#ifndef ITSI_BASE_SYSTEM_H
#define ITSI_BASE_SYSTEM_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

/* Ticks of all processors since boot. */
struct itsi_cpu_ticks {
    uint64_t busy, all;
};

struct itsi_system_load {
    double cpu_percent;    /* of the processors that this process may use, by whomever, or of the control group's quota if that is
                            * fuller, since the sample before; -1: not known */
    double memory_percent; /* of what the machine, or the control group if that has less, has; -1: not known */
    double cores;          /* processors this process may use: affinity, and the control group's quota */
};

struct itsi_system {
    struct itsi_cpu_ticks last;
    uint64_t group_us; /* what the control group had used, */
    int64_t group_ns;  /* as of then; 0: never asked */
};

/* Reads a few small files of /proc and /sys; never fails. A zeroed `system` has no sample before. */
void itsi_system_sample(struct itsi_system *system, struct itsi_system_load *out);

/* The cores of a sample alone: at least one processor, or what the quota leaves of it. */
double itsi_system_cores(void);

/* The texts of /proc/stat and /proc/meminfo; false: not of that form. */
bool itsi_system_parse_cpu(const char *text, struct itsi_cpu_ticks *out);
/* Of these processors alone, or of all where one of them is not in the text. */
bool itsi_system_parse_cpus(const char *text, const cpu_set_t *processors, struct itsi_cpu_ticks *out);
bool itsi_system_parse_memory(const char *text, uint64_t *total_kib, uint64_t *available_kib);
/* cpu.max of a control group ("200000 100000", "max 100000"): processors, or 0 for no limit or no such text. */
double itsi_system_parse_quota(const char *text);
/* cpu.stat of a control group: how much of its quota of so many processors it has used since it was asked last; -1: not known. */
double itsi_system_quota_percent(struct itsi_system *system, const char *text, double quota, int64_t now_ns);

#endif
