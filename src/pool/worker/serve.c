#include "pool/worker/serve.h"

#include "pool/worker/message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STRINGS = 8192 };

/* One job at a time, so one of each. The child has a copy. */
static struct itsi_worker_packet packet;
static char *strings[STRINGS];

static struct {
    uint32_t serial;
    pid_t pid; /* 0: none runs */
    int pidfd;
} child = {.pidfd = -1};

static void tell(const struct itsi_worker_message *message)
{
    /* who does not listen any more has gone, which the next poll tells */
    (void)!send(ITSI_WORKER_SOCKET, message, sizeof *message, MSG_NOSIGNAL);
}

static void tell_failure(uint32_t serial, const struct itsi_child_error *error)
{
    tell(&(struct itsi_worker_message){.verb = ITSI_WORKER_FAILED, .serial = serial, .u.error = *error});
}

void itsi_worker_give_up(const struct itsi_child_error *error)
{
    tell_failure(packet.message.serial, error);
    _exit(127);
}

static void reap(void)
{
    struct itsi_worker_message message = {.verb = ITSI_WORKER_ENDED, .serial = child.serial};
    struct rusage used = {.ru_maxrss = 0};
    int status = 0;
    kill(-child.pid, SIGKILL); /* its number is its own until it is reaped */
    wait4(child.pid, &status, 0, &used);
    close(child.pidfd);
    child.pid = 0;
    child.pidfd = -1;
    message.u.ended.status = status;
    message.u.ended.cpu_ns = ((int64_t)used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000 +
                             ((int64_t)used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000;
    message.u.ended.most_rss_bytes = (uint64_t)used.ru_maxrss * 1024;
    tell(&message);
}

static _Noreturn void finish(void)
{
    if (child.pid) {
        kill(-child.pid, SIGKILL);
        waitpid(child.pid, NULL, 0);
    }
    _exit(0);
}

/* --- a job -------------------------------------------------------------------------------------------------------- */

/* argv, NULL, environment, NULL. False: not a message of ours. */
static bool split(struct itsi_worker_job *job, size_t bytes)
{
    const uint32_t arguments = packet.message.u.job.arguments, environment = packet.message.u.job.environment;
    char *text = packet.text;
    uint32_t found = 0;
    if (bytes == 0 || bytes != packet.message.u.job.bytes || text[bytes - 1] || arguments > STRINGS / 2 ||
        environment > STRINGS / 2 - 2)
        return false;
    for (const char *end = text + bytes; text < end && found < arguments + environment;
         text += strlen(text) + 1, found++)
        strings[found + (found >= arguments)] = text;
    strings[arguments] = strings[arguments + environment + 1] = NULL;
    *job = (struct itsi_worker_job){(int)arguments, strings, strings + arguments + 1};
    return found == arguments + environment && arguments > 0;
}

static void prepare(pid_t worker, const int fds[2])
{
    struct itsi_child_error error = {0};
    itsi_child_detach(worker, &packet.message.u.job.limits, &error);
    if (!error.step && (dup2(fds[0], 0) < 0 || dup2(fds[1], 1) < 0))
        error.error = errno;
    if (error.step || error.error)
        itsi_worker_give_up(&error);
    close(fds[0]);
    close(fds[1]);
}

/* True in the child. */
static bool start(struct itsi_worker_job *job, size_t bytes, const int fds[2])
{
    const uint32_t serial = packet.message.serial;
    struct itsi_child_error error = {0};
    const pid_t worker = getpid();
    if (child.pid || !split(job, bytes))
        finish(); /* who talks to us is not who we take it for */
    const pid_t pid = fork();
    if (pid == 0) {
        prepare(worker, fds);
        return true;
    }
    error.error = errno;
    close(fds[0]);
    close(fds[1]);
    if (pid < 0) {
        tell_failure(serial, &error);
        tell(&(struct itsi_worker_message){.verb = ITSI_WORKER_ENDED, .serial = serial});
        return false;
    }
    child.serial = serial;
    child.pid = pid;
    (void)setpgid(pid, pid); /* as it does itself: whoever is first */
    if ((child.pidfd = pidfd_open(pid, 0)) < 0)
        finish();
    tell(&(struct itsi_worker_message){.verb = ITSI_WORKER_STARTED, .serial = serial, .u.pid = pid});
    return false;
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

static ssize_t receive(int fds[2])
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec data = {&packet, sizeof packet};
    struct msghdr header = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    fds[0] = fds[1] = -1;
    const ssize_t got = recvmsg(ITSI_WORKER_SOCKET, &header, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *passed = got > 0 ? CMSG_FIRSTHDR(&header) : NULL;
    if (passed && passed->cmsg_type == SCM_RIGHTS && passed->cmsg_len == CMSG_LEN(2 * sizeof(int)))
        memcpy(fds, CMSG_DATA(passed), 2 * sizeof(int));
    return got;
}

/* True in the child of a job. */
static bool on_message(struct itsi_worker_job *job)
{
    int fds[2];
    const ssize_t got = receive(fds);
    if (got < 0 && errno == EINTR)
        return false;
    if (got < (ssize_t)sizeof packet.message)
        finish();
    if (packet.message.verb == ITSI_WORKER_JOB && fds[0] >= 0)
        return start(job, (size_t)got - sizeof packet.message, fds);
    if (packet.message.verb == ITSI_WORKER_SIGNAL && child.pid && packet.message.serial == child.serial)
        kill(-child.pid, packet.message.u.signal);
    return false;
}

/* Cores are off (pool/child.h), but for one case that only this covers: jobs inherit it through fork and exec, and nothing that
 * is in memory goes into a core. A process of its own memory alone may do it: not a child between vfork and exec. */
static void keep_memory_out_of_cores(void)
{
    const int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return; /* a kernel without cores */
    (void)!write(fd, "0", 1);
    close(fd);
}

void itsi_worker_serve(struct itsi_worker_job *job)
{
    keep_memory_out_of_cores();
    tell(&(struct itsi_worker_message){.verb = ITSI_WORKER_READY});
    for (;;) {
        struct pollfd watched[2] = {{.fd = ITSI_WORKER_SOCKET, .events = POLLIN},
                                    {.fd = child.pidfd, .events = POLLIN}};
        if (poll(watched, 2, -1) < 0)
            continue;
        if (watched[1].revents)
            reap();
        if (watched[0].revents && on_message(job))
            return;
    }
}
