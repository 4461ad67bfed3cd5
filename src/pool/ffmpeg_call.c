#include "pool/ffmpeg_call.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

struct waiting {
    struct itsi_ffmpeg_job job;
    struct itsi_ffmpeg_call *call;
    struct itsi_event done;
};

/* On the loop's thread. */
static void on_done(struct itsi_ffmpeg_job *job, const struct itsi_ffmpeg_result *result)
{
    struct waiting *waiting = job->arg;
    struct itsi_ffmpeg_call *call = waiting->call;
    call->outcome = result->outcome;
    call->code = result->code;
    call->exit_code = result->exit_code;
    call->signal = result->signal;
    call->seconds = result->seconds;
    call->cpu_seconds = result->cpu_seconds;
    call->most_rss_bytes = result->most_rss_bytes;
    itsi_buf_puts(&call->error, result->error);
    itsi_buf_puts(&call->lines, result->lines);
    itsi_event_set(&waiting->done);
}

static void take(struct itsi_ffmpeg_call *call, const char *data, size_t size)
{
    const size_t room = call->output_limit - call->output.len;
    call->output_bytes += size;
    itsi_buf_add(&call->output, data, size < room ? size : room);
}

/* What is to be read now. False: no more will come. */
static bool read_some(struct itsi_ffmpeg_call *call, int fd)
{
    char data[1 << 16];
    for (;;) {
        const ssize_t got = read(fd, data, sizeof data);
        if (got > 0)
            take(call, data, (size_t)got);
        else if (got == 0 || (errno != EINTR && errno != EAGAIN))
            return false;
        else if (errno == EAGAIN)
            return true;
    }
}

/* Until the run has ended: its stdout may stay open in what it left behind. */
static void read_all(struct waiting *waiting, int fd)
{
    enum { LOOK_MS = 50 };
    bool open = true;
    while (!itsi_event_is_set(&waiting->done)) {
        struct pollfd watched = {.fd = fd, .events = POLLIN};
        if (!open)
            (void)itsi_event_wait_until(&waiting->done, ITSI_NEVER);
        else if (poll(&watched, 1, LOOK_MS) > 0)
            open = read_some(waiting->call, fd);
    }
    if (open)
        (void)read_some(waiting->call, fd);
}

int itsi_ffmpeg_call(struct itsi_ffmpeg_pool *pool, struct itsi_ffmpeg_call *call, struct its_diag *diag)
{
    int ends[2];
    struct waiting waiting = {.call = call,
                              .job = {.arguments = call->arguments,
                                      .owner = call->owner,
                                      .input = -1,
                                      .deadline = call->deadline,
                                      .done = on_done,
                                      .arg = &waiting}};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return itsi_fail_errno(diag, errno, "ffmpeg");
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    waiting.job.output = ends[1]; /* the job's now */
    itsi_event_init(&waiting.done);
    itsi_ffmpeg_execute(pool, &waiting.job);
    read_all(&waiting, ends[0]);
    itsi_event_fini(&waiting.done);
    close(ends[0]);
    if (call->outcome == ITSI_FFMPEG_REFUSED)
        return itsi_fail(diag, call->code, "%s", call->error.data ? call->error.data : "ffmpeg");
    if (call->output.failed || call->error.failed || call->lines.failed)
        return itsi_fail(diag, ITS_ENOMEM, "ffmpeg: out of memory");
    return 0;
}

void itsi_ffmpeg_call_fini(struct itsi_ffmpeg_call *call)
{
    itsi_buf_fini(&call->output);
    itsi_buf_fini(&call->error);
    itsi_buf_fini(&call->lines);
}
