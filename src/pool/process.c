#include "pool/process.h"

#include "base/diag.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void take_errors(void *arg, const char *data, size_t len)
{
    struct itsi_process *p = arg;
    itsi_last_lines_feed(&p->lines, data, len);
}

static void one_less(struct itsi_process *p)
{
    if (--p->handles)
        return;
    close(p->pidfd);
    p->pidfd = -1;
    p->pid = 0;
    p->ended(p->arg, &p->exit);
}

static void handle_closed(uv_handle_t *handle) { one_less(handle->data); }

static void reader_closed(void *arg) { one_less(arg); }

static void close_handles(struct itsi_process *p)
{
    p->handles = 3;
    uv_close((uv_handle_t *)&p->poll, handle_closed);
    uv_close((uv_handle_t *)&p->killer, handle_closed);
    itsi_reader_close(&p->errors, reader_closed);
}

static void signal_group(const struct itsi_process *p, int number) { (void)kill(-p->pid, number); }

static void reap(struct itsi_process *p)
{
    int status = 0;
    struct rusage used = {.ru_maxrss = 0};
    /* while the leader is not reaped its number is nobody else's: what is left of its group can be hit safely */
    signal_group(p, SIGKILL);
    /* unknown where the process ignores SIGCHLD: it is gone all the same */
    const bool known = wait4(p->pid, &status, 0, &used) == p->pid;
    p->exit = (struct itsi_process_exit){
        .code = known && WIFEXITED(status) ? WEXITSTATUS(status) : -1,
        .signal = known && WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        .cpu_ns = ((int64_t)used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000 +
                  ((int64_t)used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000,
        .most_rss_bytes = (uint64_t)used.ru_maxrss * 1024,
    };
}

static void on_exit_readable(uv_poll_t *poll, int status, int events)
{
    struct itsi_process *p = poll->data;
    (void)status;
    (void)events;
    reap(p);
    itsi_reader_drain(&p->errors);
    close_handles(p);
}

static void on_killer(uv_timer_t *timer) { signal_group(timer->data, SIGKILL); }

/* With descriptor 2 going into a pipe, whose other end is *errors. */
static int spawn(struct itsi_process *p, const struct itsi_spawn *what, int *errors, struct its_diag *diag)
{
    int fds[ITSI_CHILD_FDS] = {-1, -1, -1}, ends[2];
    struct itsi_spawn mine = *what;
    for (int i = 0; i < what->fd_count && i < ITSI_CHILD_FDS; i++)
        fds[i] = what->fds[i];
    int rc = itsi_reader_pipe(ends, diag);
    if (rc)
        return rc;
    fds[2] = ends[1];
    mine.fds = fds;
    mine.fd_count = what->fd_count < 3 ? 3 : what->fd_count;
    rc = itsi_spawn(&mine, &p->pid, &p->pidfd, diag);
    close(ends[1]);
    *errors = ends[0];
    if (rc)
        close(ends[0]);
    return rc;
}

static int give_up(struct itsi_process *p, int errors, struct its_diag *diag)
{
    signal_group(p, SIGKILL);
    (void)waitpid(p->pid, NULL, 0);
    close(p->pidfd);
    close(errors);
    p->pid = 0;
    return itsi_fail(diag, ITS_EIO, "a process cannot be watched");
}

int itsi_process_start(struct itsi_process *p, uv_loop_t *loop, const struct itsi_spawn *what, struct its_diag *diag)
{
    static const char unread[] = "its stderr cannot be read\n";
    int errors, rc = spawn(p, what, &errors, diag);
    if (rc)
        return rc;
    itsi_last_lines_reset(&p->lines);
    if (uv_poll_init(loop, &p->poll, p->pidfd) != 0)
        return give_up(p, errors, diag);
    uv_timer_init(loop, &p->killer);
    p->poll.data = p->killer.data = p;
    uv_poll_start(&p->poll, UV_READABLE, on_exit_readable);
    p->errors = (struct itsi_reader){.sink = take_errors, .arg = p};
    if (itsi_reader_open(&p->errors, loop, errors, NULL) !=
        0) { /* from here on there is one way to end: as any other */
        itsi_last_lines_feed(&p->lines, unread, sizeof unread - 1);
        signal_group(p, SIGKILL);
    }
    return 0;
}

void itsi_process_end(struct itsi_process *p, uint64_t grace_ms)
{
    if (p->handles || !p->pid)
        return; /* it has ended */
    signal_group(p, grace_ms ? SIGTERM : SIGKILL);
    if (grace_ms)
        uv_timer_start(&p->killer, on_killer, grace_ms, 0);
}

uint64_t itsi_process_rss(pid_t pid)
{
    char path[32], text[128];
    unsigned long long all, resident = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    if (!fgets(text, sizeof text, file) || sscanf(text, "%llu %llu", &all, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
