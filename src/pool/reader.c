#include "pool/reader.h"

#include "base/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* At most so much in one turn of the loop, and when drained (what a pipe holds is no more). */
enum { TURN = 1 << 16, PIECE = 1 << 13, PIPE_MOST = 1 << 20 };

/* False: it has ended. */
static bool take(struct itsi_reader *reader, size_t most)
{
    char data[PIECE];
    while (most >= sizeof data) {
        const ssize_t got = read(reader->fd, data, sizeof data);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 && errno == EAGAIN;
        reader->sink(reader->arg, data, (size_t)got);
        most -= (size_t)got;
    }
    return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct itsi_reader *reader = poll->data;
    (void)events;
    if (status < 0 || !take(reader, TURN))
        uv_poll_stop(poll); /* all writers are gone */
}

int itsi_reader_pipe(int ends[2], struct its_diag *diag)
{
    if (pipe2(ends, O_CLOEXEC) != 0)
        return itsi_fail_errno(diag, errno, "cannot make a pipe");
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return 0;
}

int itsi_reader_open(struct itsi_reader *reader, uv_loop_t *loop, int fd, struct its_diag *diag)
{
    if (uv_poll_init(loop, &reader->poll, fd) != 0) {
        close(fd);
        return itsi_fail(diag, ITS_EIO, "cannot watch a pipe");
    }
    reader->polled = true;
    reader->poll.data = reader;
    reader->fd = fd;
    uv_poll_start(&reader->poll, UV_READABLE, on_readable);
    return 0;
}

void itsi_reader_drain(struct itsi_reader *reader)
{
    if (reader->polled)
        (void)take(reader, PIPE_MOST);
}

static void on_closed(uv_handle_t *handle)
{
    struct itsi_reader *reader = handle->data;
    close(reader->fd);
    reader->polled = false;
    reader->closed(reader->arg);
}

void itsi_reader_close(struct itsi_reader *reader, void (*closed)(void *arg))
{
    reader->closed = closed;
    if (reader->polled)
        uv_close((uv_handle_t *)&reader->poll, on_closed);
    else
        closed(reader->arg);
}
