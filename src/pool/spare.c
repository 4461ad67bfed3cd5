#include "pool/spare.h"

#include "base/diag.h"
#include "base/mem.h"
#include "pool/worker_files.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char *itsi_spare_kind_name(enum itsi_spare_kind kind)
{
    return kind == ITSI_SPARE_LINKED ? "linked" : "executing";
}

/* --- its end ------------------------------------------------------------------------------------------------------ */

static void one_less(struct itsi_spare *w)
{
    if (--w->closing)
        return;
    close(w->socket);
    w->events->gone(w->arg, &w->exit);
}

static void poll_closed(uv_handle_t *handle) { one_less(handle->data); }

static void reader_closed(void *arg) { one_less(arg); }

static void on_message(struct itsi_spare *w, const struct itsi_worker_message *message);

/* Everything that is there to be heard; false: it has hung up. */
static bool listen_to(struct itsi_spare *w)
{
    struct itsi_worker_message message;
    for (;;) {
        const ssize_t got = recv(w->socket, &message, sizeof message, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == EAGAIN;
        if (got != (ssize_t)sizeof message)
            return false;
        on_message(w, &message);
    }
}

static void process_ended(void *arg, const struct itsi_process_exit *exit)
{
    struct itsi_spare *w = arg;
    w->exit = *exit;
    (void)listen_to(w); /* its last words */
    w->closing = 2;
    uv_close((uv_handle_t *)&w->poll, poll_closed);
    itsi_reader_close(&w->progress, reader_closed);
}

void itsi_spare_end(struct itsi_spare *w) { itsi_process_end(&w->process, 0); }

/* --- what it says --------------------------------------------------------------------------------------------------
 */

static void on_message(struct itsi_spare *w, const struct itsi_worker_message *message)
{
    switch (message->verb) {
    case ITSI_WORKER_READY:
        w->events->ready(w->arg);
        return;
    case ITSI_WORKER_STARTED:
        w->events->started(w->arg, message->u.pid);
        return;
    case ITSI_WORKER_FAILED:
        w->events->failed(w->arg, &message->u.error);
        return;
    case ITSI_WORKER_ENDED: /* what it wrote is in the pipes */
        itsi_reader_drain(&w->process.errors);
        itsi_reader_drain(&w->progress);
        w->events->ended(w->arg, message->u.ended.status, message->u.ended.cpu_ns, message->u.ended.most_rss_bytes);
        return;
    default:
        return;
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct itsi_spare *w = poll->data;
    (void)events;
    if (status < 0 || !listen_to(w)) {
        uv_poll_stop(poll); /* its exit will be told; should it live on, it is of no use */
        itsi_process_end(&w->process, 0);
    }
}

static void take_progress(void *arg, const char *data, size_t len)
{
    struct itsi_spare *w = arg;
    w->events->progress(w->arg, data, len);
}

/* --- its start ---------------------------------------------------------------------------------------------------- */

static const char *file_of(enum itsi_spare_kind kind)
{
    return kind == ITSI_SPARE_LINKED ? "its-linked-worker.so" : "its-process-worker";
}

static int spawn(struct itsi_spare *w, uv_loop_t *loop, const struct itsi_spare_setup *setup, int socket,
                 int progress, struct its_diag *diag)
{
    const bool linked = setup->kind == ITSI_SPARE_LINKED;
    char file[PATH_MAX], preload[PATH_MAX + 16];
    if (!itsi_worker_file(file_of(setup->kind), file, sizeof file))
        return itsi_fail(diag, ITS_ENOTFOUND, "%s: not installed", file_of(setup->kind));
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", file);
    const char *const name = strrchr(setup->program, '/');
    const char *const linked_argv[] = {name ? name + 1 : setup->program, NULL};
    const char *const executing_argv[] = {file, setup->program, NULL};
    const char *const env[] = {"LANG=C", linked ? preload : NULL, NULL};
    const int fds[ITSI_WORKER_FDS] = {-1, -1, -1, progress, socket};
    const struct itsi_spawn what = {
        .program = linked ? setup->program : file,
        .argv = linked ? linked_argv : executing_argv,
        .env = env,
        .fds = fds,
        .fd_count = ITSI_WORKER_FDS,
        .limits = setup->limits,
    };
    w->process.ended = process_ended;
    w->process.arg = w;
    return itsi_process_start(&w->process, loop, &what, diag);
}

static void close_all(const int *fds, int count)
{
    for (int i = 0; i < count; i++)
        close(fds[i]);
}

int itsi_spare_start(struct itsi_spare *w, uv_loop_t *loop, const struct itsi_spare_setup *setup,
                      struct its_diag *diag)
{
    int fds[4]; /* ours and its end of the socket, ours and its end of the pipe */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
        return itsi_fail_errno(diag, errno, "cannot make a socket");
    int rc = itsi_reader_pipe(fds + 2, diag);
    if (rc) {
        close_all(fds, 2);
        return rc;
    }
    rc = spawn(w, loop, setup, fds[1], fds[3], diag);
    close(fds[1]);
    close(fds[3]);
    if (rc) {
        close(fds[0]);
        close(fds[2]);
        return rc;
    }
    w->socket = fds[0];
    w->progress = (struct itsi_reader){.sink = take_progress, .arg = w};
    w->poll.data = w;
    /* sockets and pipes can always be watched but for lack of memory: then it ends as any other, and is gone */
    if (itsi_reader_open(&w->progress, loop, fds[2], NULL) != 0)
        itsi_process_end(&w->process, 0);
    uv_poll_init(loop, &w->poll, w->socket);
    uv_poll_start(&w->poll, UV_READABLE, on_readable);
    return 0;
}

/* --- jobs --------------------------------------------------------------------------------------------------------- */

static bool pack(struct itsi_worker_packet *packet, const char *const *strings, uint32_t *count)
{
    uint32_t *const used = &packet->message.u.job.bytes;
    for (*count = 0; strings[*count]; ++*count) {
        const size_t len = strlen(strings[*count]) + 1;
        if (len > ITSI_WORKER_TEXT - *used)
            return false;
        memcpy(packet->text + *used, strings[*count], len);
        *used += (uint32_t)len;
    }
    return true;
}

static bool send_job(int socket, const struct itsi_worker_packet *packet, const int fds[2])
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control = {.bytes = ""};
    struct iovec data = {(void *)(uintptr_t)packet, sizeof packet->message + packet->message.u.job.bytes};
    struct msghdr header = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *passed = CMSG_FIRSTHDR(&header);
    passed->cmsg_level = SOL_SOCKET;
    passed->cmsg_type = SCM_RIGHTS;
    passed->cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(passed), fds, 2 * sizeof(int));
    return sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

int itsi_spare_run(struct itsi_spare *w, const struct itsi_spare_order *order, struct its_diag *diag)
{
    struct itsi_worker_packet *packet = itsi_alloc(sizeof *packet);
    if (!packet)
        return itsi_fail(diag, ITS_ENOMEM, "a job: out of memory");
    packet->message = (struct itsi_worker_message){.verb = ITSI_WORKER_JOB, .serial = ++w->serial};
    packet->message.u.job.limits = order->limits;
    int rc = 0;
    if (!pack(packet, order->argv, &packet->message.u.job.arguments) ||
        !pack(packet, order->env, &packet->message.u.job.environment))
        rc = itsi_fail(diag, ITS_ELIMIT, "arguments and environment are longer than %d bytes", ITSI_WORKER_TEXT);
    else if (!send_job(w->socket, packet, order->fds))
        rc = itsi_fail_errno(diag, errno, "a job cannot be handed over");
    memset(packet->text, 0, packet->message.u.job.bytes); /* it may have held secrets */
    itsi_free(packet);
    return rc;
}

void itsi_spare_signal(struct itsi_spare *w, int number)
{
    const struct itsi_worker_message message = {.verb = ITSI_WORKER_SIGNAL, .serial = w->serial, .u.signal = number};
    (void)!send(w->socket, &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
}
