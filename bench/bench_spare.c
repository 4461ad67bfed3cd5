/* What a process that waits saves: the time of one small FFmpeg job, from asking to its end, by a process that is
 * FFmpeg linked ahead, by one that executes it, and started plainly, alternating; medians, extremes, and ratios to
 * plain. The job takes FFmpeg itself next to nothing, so what is left is what starting costs. And the memory that such
 * a process has for itself. */
#include "base/clock.h"
#include "base/thread.h"
#include "net/loop.h"
#include "pool/ffmpeg_pool.h"
#include "pool/spawn.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 41 };

static const char *const arguments[] = {"-f", "lavfi", "-i", "color=size=16x16:duration=0.1", "-f", "null", "-", NULL};

static void must(int rc, const char *text)
{
    if (rc == 0)
        return;
    fprintf(stderr, "bench_spare: %s\n", text);
    exit(1);
}

struct asked {
    struct itsi_ffmpeg_job job;
    struct itsi_event done;
    int code;
};

static void on_done(struct itsi_ffmpeg_job *job, const struct itsi_ffmpeg_result *result)
{
    struct asked *asked = job->arg;
    asked->code = result->code;
    itsi_event_set(&asked->done);
}

static double by_pool(struct itsi_ffmpeg_pool *pool)
{
    struct asked asked = {.job = {.arguments = arguments,
                                  .owner = {"bench", "spare", 0},
                                  .input = -1,
                                  .output = -1,
                                  .deadline = ITSI_NEVER,
                                  .done = on_done}};
    asked.job.arg = &asked;
    itsi_event_init(&asked.done);
    const int64_t begin = itsi_now_ns();
    itsi_ffmpeg_execute(pool, &asked.job);
    (void)itsi_event_wait_until(&asked.done, ITSI_NEVER);
    const int64_t end = itsi_now_ns();
    itsi_event_fini(&asked.done);
    must(asked.code, "a job failed");
    return (double)(end - begin) / 1e6;
}

static double plainly(void)
{
    static const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", NULL};
    const char *argv[64] = {"ffmpeg"};
    const int fds[3] = {-1, -1, -1};
    struct its_diag diag;
    int argc = 1, pidfd = -1, status;
    pid_t pid;
    for (int i = 0; itsi_ffmpeg_first_arguments[i]; i++)
        argv[argc++] = itsi_ffmpeg_first_arguments[i];
    argv[argc - 1] = "pipe:1"; /* nobody reads its progress */
    for (int i = 0; arguments[i]; i++)
        argv[argc++] = arguments[i];
    const struct itsi_spawn what = {.program = "ffmpeg", .argv = argv, .env = env, .fds = fds, .fd_count = 3};
    const int64_t begin = itsi_now_ns();
    must(itsi_spawn(&what, &pid, &pidfd, &diag), diag.text);
    waitpid(pid, &status, 0);
    const int64_t end = itsi_now_ns();
    close(pidfd);
    must(status, "ffmpeg failed");
    return (double)(end - begin) / 1e6;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct itsi_ffmpeg_pool *make_pool(struct itsi_loop *loop, bool executes)
{
    const struct its_cfg_connection_pool cfg = {.ffmpeg_pool_size = 1,
                                                .ffmpeg_max_concurrent = 1,
                                                .ffmpeg_process_timeout = 60,
                                                .ffmpeg_restart_threshold = 1000000};
    struct itsi_ffmpeg_pool_params params;
    struct itsi_ffmpeg_pool *pool;
    struct its_diag diag;
    itsi_ffmpeg_pool_usual(&params, &cfg);
    params.executes = executes;
    must(itsi_ffmpeg_pool_create(&pool, loop, &params, &diag), diag.text);
    (void)by_pool(pool);
    return pool;
}

static void print(const char *name, double *ms, double plain)
{
    qsort(ms, ROUNDS, sizeof *ms, compare);
    printf("{\"bench\": \"spare\", \"case\": \"%s\", \"median_ms\": %.2f, \"least_ms\": %.2f, \"most_ms\": %.2f, "
           "\"ratio_to_plain\": %.3f}\n",
           name, ms[ROUNDS / 2], ms[0], ms[ROUNDS - 1], ms[ROUNDS / 2] / plain);
}

/* Of the children of this process: what each has for itself alone. */
static void print_memory(void)
{
    DIR *dir = opendir("/proc");
    for (const struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        char path[300], line[256], name[64] = "";
        long parent = 0, kib = 0;
        snprintf(path, sizeof path, "/proc/%.32s/status", entry->d_name);
        FILE *file = fopen(path, "re");
        while (file && fgets(line, sizeof line, file)) {
            (void)sscanf(line, "Name: %63s", name);
            (void)sscanf(line, "PPid: %ld", &parent);
        }
        if (file)
            fclose(file);
        if (parent != getpid())
            continue;
        snprintf(path, sizeof path, "/proc/%.32s/smaps_rollup", entry->d_name);
        file = fopen(path, "re");
        while (file && fgets(line, sizeof line, file))
            (void)sscanf(line, "Private_Dirty: %ld", &kib);
        if (file)
            fclose(file);
        printf("{\"bench\": \"spare\", \"case\": \"memory\", \"process\": \"%s\", \"private_kib\": %ld}\n", name, kib);
    }
    if (dir)
        closedir(dir);
}

int main(void)
{
    static double linked[ROUNDS], executing[ROUNDS], plain[ROUNDS];
    struct itsi_loop *loop;
    struct its_diag diag;
    must(itsi_loop_create(&loop, "its-loop", &diag), diag.text);
    struct itsi_ffmpeg_pool *const ahead = make_pool(loop, false), *const each = make_pool(loop, true);
    (void)plainly();
    print_memory();
    for (int i = 0; i < ROUNDS; i++) {
        linked[i] = by_pool(ahead);
        executing[i] = by_pool(each);
        plain[i] = plainly();
    }
    double sorted[ROUNDS];
    memcpy(sorted, plain, sizeof sorted);
    qsort(sorted, ROUNDS, sizeof *sorted, compare);
    print("linked", linked, sorted[ROUNDS / 2]);
    print("executing", executing, sorted[ROUNDS / 2]);
    print("plain", plain, sorted[ROUNDS / 2]);
    itsi_ffmpeg_pool_destroy(ahead, 0);
    itsi_ffmpeg_pool_destroy(each, 0);
    itsi_loop_destroy(loop);
    return 0;
}
