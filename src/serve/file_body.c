#include "serve/file_body.h"

#include "base/bucket.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "serve/connections.h"
#include "serve/crew.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { READERS = 2, BLOCK = 64 * 1024, NAME_SIZE = 128 };
#define LINES_PER_SECOND 0.1 /* of the log, about a disk that does not answer */

struct chunk {
    size_t len, sent; /* len 0: to be filled */
    char *data;
};

/* A file on its way. Owned by its response, and by the readers while it is in their hands. Under the lock but for what a
 * reader fills: the data of a chunk whose len is 0. */
struct body {
    struct itsi_errand errand;
    struct itsi_reads *reads;
    struct MHD_Connection *connection;
    char name[NAME_SIZE];
    int fd, owners;
    uint64_t first, at, end; /* where it began, to be read next, and up to where */
    int64_t since;           /* suspended at */
    bool busy;               /* queued, or being read */
    bool suspended, failed;
    int sending; /* of the chunks */
    struct chunk chunks[2];
    struct body *prev, *next;
};

struct itsi_reads {
    /* const */
    itsi_read_file *read;
    struct itsi_crew *crew;
    struct itsi_serve_stats *stats; /* borrowed; not the readers' */
    /* lock */
    pthread_mutex_t lock;
    struct body *all;
    int count;  /* of all */
    int owners; /* the server, the bodies */
    bool stopping;
    struct itsi_bucket lines;
    int given_up; /* since the last of them */
};

static struct body *body_of(struct itsi_errand *errand) { return (struct body *)errand; /* its first member */ }

/* Gives the lock back, for good when the last owner goes. */
static void unlock_less_one_owner(struct itsi_reads *s)
{
    const bool last = --s->owners == 0;
    pthread_mutex_unlock(&s->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&s->lock);
    itsi_free(s);
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
    itsi_crew_post(b->reads->crew, &b->errand);
}

static void free_memory(struct body *b)
{
    itsi_free(b->chunks[0].data);
    itsi_free(b);
}

/* --- a reader ----------------------------------------------------------------------------------------------------- */

static void close_and_free(struct body *b)
{
    struct itsi_reads *s = b->reads;
    pthread_mutex_lock(&s->lock);
    if (b->prev)
        b->prev->next = b->next;
    else
        s->all = b->next;
    if (b->next)
        b->next->prev = b->prev;
    s->count--;
    pthread_mutex_unlock(&s->lock);
    if (b->fd >= 0)
        close(b->fd); /* the last of a deleted file: that may take a while too */
    free_memory(b);
    pthread_mutex_lock(&s->lock);
    unlock_less_one_owner(s);
}

/* Under the lock, which it gives back meanwhile. */
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

/* What its response has let go is only closed. */
static void read_or_close(struct itsi_errand *errand)
{
    struct body *b = body_of(errand);
    struct itsi_reads *s = b->reads;
    pthread_mutex_lock(&s->lock);
    if (b->owners) {
        if (!b->failed)
            read_next(b);
        b->busy = false;
        b->owners--;
    }
    const bool is_over = b->owners == 0;
    if (!is_over)
        want(b);
    pthread_mutex_unlock(&s->lock);
    if (is_over)
        close_and_free(b);
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

/* The response is done with it. What may block is left to a reader. */
static void let_go(void *arg)
{
    struct body *b = arg;
    struct itsi_reads *s = b->reads;
    pthread_mutex_lock(&s->lock);
    b->failed = true; /* nobody wants more of it */
    if (--b->owners == 0)
        itsi_crew_post(s->crew, &b->errand);
    pthread_mutex_unlock(&s->lock);
}

static struct body *make_body(struct itsi_reads *s, struct MHD_Connection *connection, const struct itsi_file_part *part)
{
    struct body *b = itsi_zalloc(sizeof *b);
    char *data = itsi_alloc(2 * ITSI_FILE_CHUNK);
    if (!b || !data) {
        itsi_free(b);
        itsi_free(data);
        return NULL;
    }
    b->errand.run = read_or_close;
    b->reads = s;
    b->connection = connection;
    snprintf(b->name, sizeof b->name, "%s", part->name);
    b->fd = part->fd;
    b->first = b->at = part->first;
    b->end = part->first + part->length;
    b->owners = 1;
    b->chunks[0].data = data;
    b->chunks[1].data = data + ITSI_FILE_CHUNK;
    return b;
}

static int add(struct itsi_reads *s, struct body *b, struct its_diag *diag)
{
    int rc = 0;
    pthread_mutex_lock(&s->lock);
    if (s->stopping)
        rc = itsi_fail(diag, ITS_ECANCELLED, "shutting down");
    else if (s->count >= ITSI_FILES_AT_ONCE)
        rc = itsi_fail(diag, ITS_EAGAIN, "%d files are being sent already", ITSI_FILES_AT_ONCE);
    if (rc == 0) {
        b->next = s->all;
        if (s->all)
            s->all->prev = b;
        s->all = b;
        s->count++;
        s->owners++;
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

int itsi_file_response(struct itsi_reads *s, struct MHD_Connection *connection, const struct itsi_file_part *part,
                       struct MHD_Response **out, struct its_diag *diag)
{
    struct body *b = make_body(s, connection, part);
    if (!b)
        return itsi_fail(diag, ITS_ENOMEM, "out of memory");
    const int rc = add(s, b, diag);
    if (rc != 0) {
        free_memory(b);
        return rc;
    }
    *out = MHD_create_response_from_callback(part->length, BLOCK, send_some, b, let_go);
    if (*out)
        return 0;
    b->fd = -1; /* stays the caller's */
    let_go(b);
    return itsi_fail(diag, ITS_ENOMEM, "out of memory");
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

int itsi_reads_create(struct itsi_reads **out, itsi_read_file *read, struct itsi_serve_stats *stats, struct its_diag *diag)
{
    struct itsi_reads *s = itsi_zalloc(sizeof *s);
    if (!s)
        return itsi_fail(diag, ITS_ENOMEM, "readers of files: out of memory");
    s->read = read ? read : pread;
    s->stats = stats;
    s->owners = 1;
    itsi_bucket_init(&s->lines, LINES_PER_SECOND, itsi_now_ns());
    pthread_mutex_init(&s->lock, NULL);
    const int rc = itsi_crew_create(&s->crew, "serve-read", READERS, diag);
    if (rc)
        itsi_reads_end(s, 0);
    else
        *out = s;
    return rc;
}

void itsi_reads_stop(struct itsi_reads *s)
{
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    for (struct body *b = s->all; b; b = b->next) {
        b->failed = true;
        wake(b);
    }
    pthread_mutex_unlock(&s->lock);
}

int itsi_reads_end(struct itsi_reads *s, int64_t until)
{
    if (!s)
        return 0;
    itsi_reads_stop(s);
    const int left = itsi_crew_end(s->crew, until);
    pthread_mutex_lock(&s->lock);
    unlock_less_one_owner(s);
    return left;
}

/* The lock is held. Returns how many were late, and of one of them what to say. */
static int give_up(struct itsi_reads *s, int64_t now, char *line, size_t size)
{
    int count = 0;
    for (struct body *b = s->all; b; b = b->next) {
        const bool is_late = b->suspended && now - b->since > ITSI_CREW_PATIENCE_NS;
        if (is_late)
            snprintf(line, size, "%s is given up after %" PRIu64 " of %" PRIu64 " bytes", b->name, b->at - b->first,
                     b->end - b->first);
        if (is_late || (b->suspended && itsi_connection_is_gone(b->connection))) {
            b->failed = true;
            wake(b);
        }
        count += is_late;
    }
    return count;
}

void itsi_reads_look(struct itsi_reads *s, int64_t now)
{
    char line[NAME_SIZE + 80];
    int others = -1;
    pthread_mutex_lock(&s->lock);
    const int late = give_up(s, now, line, sizeof line);
    s->given_up += late;
    if (late && itsi_bucket_take(&s->lines, now) == 0) {
        others = s->given_up - 1;
        s->given_up = 0;
    }
    pthread_mutex_unlock(&s->lock);
    atomic_fetch_add(&s->stats->disk_timeouts, (uint64_t)late);
    if (others >= 0)
        itsi_warn("serve", "clips: the disk does not answer: %s, as are %d others", line, others);
}
