/* The pool with the system's FFmpeg, as its tests use it. */
#ifndef ITSI_POOL_FFMPEG_POOL_FIXTURE_H
#define ITSI_POOL_FFMPEG_POOL_FIXTURE_H

#include "support/check.h"
#include "support/processes.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "net/loop.h"
#include "pool/ffmpeg_pool.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define S ITSI_NS_PER_S
#define MS ITSI_NS_PER_MS

struct world {
    struct itsi_loop *loop;
    struct itsi_ffmpeg_pool *pool;
    struct itsi_ffmpeg_pool_params params;
    struct itsi_ffmpeg_pool_stats stats;
    int descriptors;
};
static struct world w;

/* A job, and what came of it. */
struct asked {
    struct itsi_ffmpeg_job job;
    struct itsi_event done;
    struct itsi_ffmpeg_result result;
    char error[512], lines[4096];
};

static const char *const quick[] = {"-f", "lavfi", "-i", "color=size=16x16:duration=0.1", "-f", "null", "-", NULL};
static const char *const endless[] = {"-re", "-f", "lavfi", "-i", "color=size=16x16", "-f", "null", "-", NULL};

static inline int begin(void **state)
{
    const struct its_cfg_connection_pool cfg = {.ffmpeg_pool_size = 2,
                                                .ffmpeg_max_concurrent = 4,
                                                .ffmpeg_process_timeout = 60,
                                                .ffmpeg_restart_threshold = 100};
    struct its_diag diag;
    (void)state;
    memset(&w, 0, sizeof w);
    w.descriptors = processes_descriptors();
    itsi_ffmpeg_pool_usual(&w.params, &cfg);
    w.params.grace_ns = 300 * MS;
    w.params.open_timeout_ns = 60 * S; /* however busy the machine is */
    CHECK_OK(itsi_loop_create(&w.loop, "its-loop", &diag), diag);
    return 0;
}

static inline void make(void)
{
    struct its_diag diag;
    CHECK_OK(itsi_ffmpeg_pool_create(&w.pool, w.loop, &w.params, &diag), diag);
}

static inline int end(void **state)
{
    (void)state;
    itsi_ffmpeg_pool_destroy(w.pool, 0);
    itsi_loop_destroy(w.loop);
    assert_int_equal(processes_children(), 0);
    assert_int_equal(processes_descriptors(), w.descriptors);
    return 0;
}

static inline const struct itsi_ffmpeg_pool_stats *stats(void)
{
    struct its_diag diag;
    CHECK_OK(itsi_ffmpeg_pool_stats(w.pool, &w.stats, &diag), diag);
    return &w.stats;
}

static inline bool two_idle(void) { return stats()->leases.idle >= 2; }

static inline void await(bool (*condition)(void))
{
    const int64_t until = itsi_now_ns() + 30 * S;
    while (!condition()) {
        assert_true(itsi_now_ns() < until);
        usleep(2000);
    }
}

static inline void on_done(struct itsi_ffmpeg_job *job, const struct itsi_ffmpeg_result *result)
{
    struct asked *asked = job->arg;
    asked->result = *result;
    snprintf(asked->error, sizeof asked->error, "%s", result->error);
    snprintf(asked->lines, sizeof asked->lines, "%s", result->lines);
    itsi_event_set(&asked->done);
}

static inline void ask_within(struct asked *asked, const char *const *arguments, int64_t deadline,
                              const struct itsi_child_limits *limits)
{
    *asked = (struct asked){.job = {.arguments = arguments,
                                    .owner = {.component = "test", .stage = "ask"},
                                    .input = -1,
                                    .output = -1,
                                    .deadline = deadline,
                                    .limits = *limits,
                                    .done = on_done,
                                    .arg = asked}};
    itsi_event_init(&asked->done);
    itsi_ffmpeg_execute(w.pool, &asked->job);
}

static inline void ask(struct asked *asked, const char *const *arguments, int64_t deadline)
{
    ask_within(asked, arguments, deadline, &(struct itsi_child_limits){0});
}

static inline const struct itsi_ffmpeg_result *answer(struct asked *asked)
{
    assert_true(itsi_event_wait_until(&asked->done, itsi_now_ns() + 60 * S));
    itsi_event_fini(&asked->done);
    return &asked->result;
}

static inline const struct itsi_ffmpeg_result *run(struct asked *asked, const char *const *arguments)
{
    ask(asked, arguments, ITSI_NEVER);
    return answer(asked);
}

/* The numbers of this process's children, at most `most`. */
static inline int list_children(pid_t *out, int most)
{
    char text[1024];
    int count = 0, used, at = 0;
    DIR *tasks = opendir("/proc/self/task"); /* they are the loop's thread's */
    assert_non_null(tasks);
    for (const struct dirent *task; (task = readdir(tasks)) != NULL;) {
        char name[300];
        if (task->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "task/%s/children", task->d_name);
        processes_read(getpid(), name, text, sizeof text);
        for (at = 0; count < most && sscanf(text + at, "%d %n", &out[count], &used) == 1; at += used)
            count++;
    }
    closedir(tasks);
    return count;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
