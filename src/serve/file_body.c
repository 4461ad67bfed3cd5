#include "serve/file_body.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/thread.h"
#include "serve/connections.h"

#include <errno.h>
#include <microhttpd.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { READERS = 2, BLOCK = 64 * 1024 };
#define STALL_NS (30 * ITSI_NS_PER_S)
#define LEAVE_S 1 /* what a read that stands still is waited for at the end */

struct chunk {
    size_t len, sent; /* len 0: to be filled */
    char *data;
};

/* A file on its way. Owned by its response, and by the readers while it is in their hands. Under the lock but for what a
 * reader fills: the data of a chunk whose len is 0. */
struct body {
    struct itsi_reads *reads;
    struct MHD_Connection *connection;
    int fd, owners;
    uint64_t at, end; /* to be read next, and up to where */
    int64_t since;    /* suspended at */
    bool busy;        /* queued, or being read */
    bool suspended, failed;
    int sending; /* of the chunks */
    struct chunk chunks[2];
    struct body *next_job;
    struct body *prev, *next;
};

struct itsi_reads {
    itsi_read_file *read; /* const */
    pthread_t threads[READERS];
    /* lock */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct body *first, *last; /* to be read, or freed where nobody owns it */
    struct body *all;
    int count;   /* of all */
    int owners;  /* the server, the threads, the bodies */
    int started; /* threads */
    bool stopping;
};

/* Gives the lock back, for good when the last owner goes. */
static void unlock_less_one_owner(struct itsi_reads *s)
{
    const bool last = --s->owners == 0;
    pthread_mutex_unlock(&s->lock);
    if (!last)
        return;
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    itsi_free(s);
}

static void push(struct itsi_reads *s, struct body *b)
{
    b->next_job = NULL;
    if (s->last)
        s->last->next_job = b;
    else
        s->first = b;
    s->last = b;
    pthread_cond_signal(&s->wake);
}

static struct body *pop(struct itsi_reads *s)
{
    struct body *b = s->first;
    s->first = b->next_job;
    if (!s->first)
        s->last = NULL;
    return b;
}

static void wake(struct body *b)
{
    if (!b->suspended)
        return;
    b->suspended = false;
    MHD_resume_connection(b->connection);
}

/* Reads ahead where there is room and something is left. */
static void want(struct body *b)
{
    const bool room = !b->chunks[0].len || !b->chunks[1].len;
    if (b->busy || b->failed || b->reads->stopping || !room || b->at == b->end)
        return;
    b->busy = true;
    b->owners++;
    push(b->reads, b);
}

/* Gives the lock back. */
static void free_and_unlock(struct body *b)
{
    struct itsi_reads *s = b->reads;
    if (b->prev)
        b->prev->next = b->next;
    else
        s->all = b->next;
    if (b->next)
        b->next->prev = b->prev;
    s->count--;
    pthread_mutex_unlock(&s->lock);
    close(b->fd); /* the last of a deleted file: that may take a while too */
    itsi_free(b->chunks[0].data);
    itsi_free(b);
    pthread_mutex_lock(&s->lock);
    unlock_less_one_owner(s);
}

/* --- a reader ----------------------------------------------------------------------------------------------------- */

static void read_next(struct body *b)
{
    struct itsi_reads *s = b->reads;
    struct chunk *chunk = &b->chunks[b->chunks[b->sending].len ? !b->sending : b->sending];
    const uint64_t left = b->end - b->at;
    const size_t size = left < ITSI_FILE_CHUNK ? (size_t)left : ITSI_FILE_CHUNK;
    ssize_t got;
    pthread_mutex_unlock(&s->lock);
    do
        got = s->read(b->fd, chunk->data, size, (off_t)b->at);
    while (got < 0 && errno == EINTR);
    pthread_mutex_lock(&s->lock);
    if (got > 0) {
        chunk->len = (size_t)got;
        chunk->sent = 0;
        b->at += (uint64_t)got;
    } else {
        b->failed = true; /* also where the file has become shorter: its length was promised */
    }
    wake(b);
}

static void *run(void *arg)
{
    struct itsi_reads *s = arg;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        if (!s->first) {
            if (s->stopping)
                break;
            itsi_cond_wait_until(&s->wake, &s->lock, ITSI_NEVER);
            continue;
        }
        struct body *b = pop(s);
        if (b->owners) {
            if (!b->failed)
                read_next(b);
            b->busy = false;
            b->owners--;
            if (b->owners) {
                want(b);
                continue;
            }
        }
        free_and_unlock(b);
        pthread_mutex_lock(&s->lock);
    }
    unlock_less_one_owner(s);
    return NULL;
}

/* --- the network thread ------------------------------------------------------------------------------------------- */

static ssize_t send_some(void *arg, uint64_t pos, char *out, size_t size)
{
    struct body *b = arg;
    struct chunk *chunk = &b->chunks[b->sending];
    ssize_t sent = 0;
    (void)pos;
    pthread_mutex_lock(&b->reads->lock);
    if (chunk->len) {
        const size_t left = chunk->len - chunk->sent;
        sent = (ssize_t)(left < size ? left : size);
        memcpy(out, chunk->data + chunk->sent, (size_t)sent);
        chunk->sent += (size_t)sent;
        if (chunk->sent == chunk->len) {
            chunk->len = 0;
            b->sending = !b->sending;
        }
    } else if (b->failed || b->reads->stopping) {
        sent = MHD_CONTENT_READER_END_WITH_ERROR;
    } else {
        b->suspended = true;
        b->since = itsi_now_ns();
        MHD_suspend_connection(b->connection);
    }
    want(b);
    pthread_mutex_unlock(&b->reads->lock);
    return sent;
}

/* The response is done with it. What may block is left to a reader, while there are any. */
static void let_go(void *arg)
{
    struct body *b = arg;
    struct itsi_reads *s = b->reads;
    pthread_mutex_lock(&s->lock);
    b->failed = true; /* nobody wants more of it */
    if (--b->owners) {
        pthread_mutex_unlock(&s->lock);
    } else if (s->stopping) {
        free_and_unlock(b);
    } else {
        push(s, b);
        pthread_mutex_unlock(&s->lock);
    }
}

static struct body *make_body(struct itsi_reads *s, struct MHD_Connection *connection, int fd)
{
    struct body *b = itsi_zalloc(sizeof *b);
    char *data = itsi_alloc(2 * ITSI_FILE_CHUNK);
    if (!b || !data) {
        itsi_free(b);
        itsi_free(data);
        return NULL;
    }
    b->reads = s;
    b->connection = connection;
    b->fd = fd;
    b->owners = 1;
    b->chunks[0].data = data;
    b->chunks[1].data = data + ITSI_FILE_CHUNK;
    return b;
}

/* False: there are too many. */
static bool add(struct itsi_reads *s, struct body *b)
{
    pthread_mutex_lock(&s->lock);
    const bool fits = s->count < ITSI_FILES_AT_ONCE && !s->stopping;
    if (fits) {
        b->next = s->all;
        if (s->all)
            s->all->prev = b;
        s->all = b;
        s->count++;
        s->owners++;
    }
    pthread_mutex_unlock(&s->lock);
    return fits;
}

int itsi_file_response(struct itsi_reads *s, struct MHD_Connection *connection, int fd, uint64_t first, uint64_t length,
                       struct MHD_Response **out, struct its_diag *diag)
{
    struct body *b = make_body(s, connection, fd);
    if (!b) {
        close(fd);
        return itsi_fail(diag, ITS_ENOMEM, "out of memory");
    }
    b->at = first;
    b->end = first + length;
    if (!add(s, b)) {
        close(fd);
        itsi_free(b->chunks[0].data);
        itsi_free(b);
        return itsi_fail(diag, ITS_EAGAIN, "%d files are being sent already", ITSI_FILES_AT_ONCE);
    }
    *out = MHD_create_response_from_callback(length, BLOCK, send_some, b, let_go);
    if (*out)
        return 0;
    let_go(b);
    return itsi_fail(diag, ITS_ENOMEM, "out of memory");
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

int itsi_reads_create(struct itsi_reads **out, itsi_read_file *read, struct its_diag *diag)
{
    struct itsi_reads *s = itsi_zalloc(sizeof *s);
    int rc = s ? 0 : itsi_fail(diag, ITS_ENOMEM, "readers of files: out of memory");
    if (rc)
        return rc;
    s->read = read ? read : pread;
    s->owners = 1;
    pthread_mutex_init(&s->lock, NULL);
    itsi_cond_init(&s->wake);
    pthread_mutex_lock(&s->lock);
    while (rc == 0 && s->started < READERS) {
        rc = itsi_thread_start(&s->threads[s->started], "serve-read", run, s, diag);
        s->started += rc == 0;
        s->owners += rc == 0;
    }
    pthread_mutex_unlock(&s->lock);
    if (rc)
        itsi_reads_destroy(s);
    else
        *out = s;
    return rc;
}

static void leave(pthread_t thread)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LEAVE_S;
    if (pthread_timedjoin_np(thread, NULL, &until) != 0)
        pthread_detach(thread); /* it has what it needs, and frees it */
}

void itsi_reads_stop(struct itsi_reads *s)
{
    pthread_mutex_lock(&s->lock);
    const bool first = !s->stopping;
    s->stopping = true;
    for (struct body *b = s->all; b; b = b->next) {
        b->failed = true;
        wake(b);
    }
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; first && i < s->started; i++)
        leave(s->threads[i]);
}

void itsi_reads_destroy(struct itsi_reads *s)
{
    if (!s)
        return;
    itsi_reads_stop(s);
    pthread_mutex_lock(&s->lock);
    unlock_less_one_owner(s);
}

void itsi_reads_look(struct itsi_reads *s, int64_t now)
{
    pthread_mutex_lock(&s->lock);
    for (struct body *b = s->all; b; b = b->next)
        if (b->suspended && (now - b->since > STALL_NS || itsi_connection_is_gone(b->connection))) {
            b->failed = true;
            wake(b);
        }
    pthread_mutex_unlock(&s->lock);
}
