#include "pool/job_limit.h"

#include "base/clock.h"

#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The kernel compares what it sampled at ticks, and tells later what it measured. */
#define CPU_SLACK_NS (50 * ITSI_NS_PER_MS)

const char *itsi_job_limit_name(enum itsi_job_limit limit)
{
    static const char *const names[] = {
#define ITSI_X(name, label, text) label,
        ITSI_JOB_LIMIT_MAP(ITSI_X)
#undef ITSI_X
    };
    return names[limit];
}

const char *itsi_job_limit_text(enum itsi_job_limit limit)
{
    static const char *const texts[] = {
#define ITSI_X(name, label, text) text,
        ITSI_JOB_LIMIT_MAP(ITSI_X)
#undef ITSI_X
    };
    return texts[limit];
}

static uint64_t smaller(uint64_t a, uint64_t b) { return !a || (b && b < a) ? b : a; }

struct itsi_child_limits itsi_child_limits_within(const struct itsi_child_limits *wanted,
                                                  const struct itsi_child_limits *most)
{
    return (struct itsi_child_limits){
        .data_bytes = smaller(wanted->data_bytes, most->data_bytes),
        .file_bytes = smaller(wanted->file_bytes, most->file_bytes),
        .cpu_seconds = (uint32_t)smaller(wanted->cpu_seconds, most->cpu_seconds),
        .descriptors = (uint32_t)smaller(wanted->descriptors, most->descriptors),
        .nice = wanted->nice > most->nice ? wanted->nice : most->nice,
    };
}

int itsi_job_limit_processors(double cores) { return cores > 2 ? (int)ceil(cores / 2) : 1; }

uint32_t itsi_job_limit_cpu(int64_t time_ns, int processors)
{
    if (time_ns == ITSI_NEVER || processors <= 0)
        return 0;
    if (time_ns <= 0)
        return 1;
    const uint64_t seconds = ((uint64_t)time_ns + ITSI_NS_PER_S - 1) / ITSI_NS_PER_S;
    return seconds < UINT32_MAX / (uint64_t)processors ? (uint32_t)seconds * (uint32_t)processors : UINT32_MAX;
}

/* ENOMEM in the locale C, which jobs have; FFmpeg's filters and codecs and x264 have words of their own. */
static bool says_no_memory(const char *lines)
{
    static const char *const words[] = {"Cannot allocate memory", "ould not alloc", "ailed to alloc",
                                        "ut of memory", "[error]: malloc of size"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(lines, words[i]))
            return true;
    return false;
}

enum { GOOD_BYE = 4 }; /* lines that FFmpeg ends with when something was refused to it, that itself included */

static const char *last_of(const char *lines, int count)
{
    for (const char *at = lines + strlen(lines); at > lines; at--)
        if (at[-1] == '\n' && at[0] && --count == 0)
            return at;
    return lines;
}

static bool is_out_of_memory(const struct itsi_child_limits *limits, const struct itsi_job_end *end)
{
    return limits->data_bytes && (says_no_memory(last_of(end->lines, GOOD_BYE)) ||
                                  (end->most_rss_bytes >= limits->data_bytes / 2 && says_no_memory(end->lines)));
}

/* Its own, not those of the system (ENFILE: "... in system"). */
static bool says_no_descriptors(const char *lines)
{
    static const char words[] = "Too many open files", others[] = " in system";
    const char *at = lines;
    while ((at = strstr(at, words)) != NULL) {
        at += sizeof words - 1;
        if (strncmp(at, others, sizeof others - 1) != 0)
            return true;
    }
    return false;
}

/* The time alone is not enough: what is told at the end may be a tenth of a second less than what the limit counted. */
static bool is_out_of_time(const struct itsi_child_limits *limits, const struct itsi_job_end *end)
{
    char heeded[40];
    snprintf(heeded, sizeof heeded, "received signal %d.", SIGXCPU); /* FFmpeg's good-bye */
    if (end->signal == SIGXCPU)
        return true;
    return limits->cpu_seconds && (end->cpu_ns + CPU_SLACK_NS >= (int64_t)limits->cpu_seconds * ITSI_NS_PER_S ||
                                   strstr(end->lines, heeded));
}

enum itsi_job_limit itsi_job_limit_find(const struct itsi_child_limits *limits, const struct itsi_job_end *end)
{
    if (is_out_of_time(limits, end))
        return ITSI_JOB_LIMIT_CPU;
    if (end->signal == SIGXFSZ)
        return ITSI_JOB_LIMIT_FILE_SIZE;
    if (limits->file_bytes && strstr(end->lines, "File too large"))
        return ITSI_JOB_LIMIT_FILE_SIZE;
    if (is_out_of_memory(limits, end))
        return ITSI_JOB_LIMIT_MEMORY;
    if (limits->descriptors && says_no_descriptors(end->lines))
        return ITSI_JOB_LIMIT_FILES;
    return ITSI_JOB_LIMIT_NONE;
}
