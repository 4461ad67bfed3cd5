#include "pool/redis_reader.h"

#include "base/diag.h"
#include "base/mem.h"

#include <hiredis/hiredis.h>
#include <string.h>

#define KEPT_BYTES 16384
#define LINE_LIMIT 65536 /* of errors and the like; Redis's own stay far below */
#define NUMBER_LIMIT 32  /* of a length or count */
/* hiredis moves what is left of its buffer each time it has taken 1 kB: little at once keeps that cheap. */
#define SLICE 4096
#define UNUSED_LIMIT ((size_t)1 << 20) /* of hiredis's buffer, beyond which it is freed when empty */

/* Memory of one reply: taken by pieces, given back at once. */
struct chunk {
    struct chunk *next;
    size_t size, used;
    _Alignas(16) char bytes[];
};

struct itsi_redis_reader {
    redisReader *parser;
    struct chunk *chunks; /* the last of the list is kept */
    size_t limit, taken;
};

static struct chunk *make_chunk(size_t size)
{
    struct chunk *chunk = itsi_alloc(sizeof *chunk + size);
    if (chunk) {
        chunk->next = NULL;
        chunk->size = size;
        chunk->used = 0;
    }
    return chunk;
}

static void forget(struct itsi_redis_reader *r)
{
    while (r->chunks->next) {
        struct chunk *next = r->chunks->next;
        itsi_free(r->chunks);
        r->chunks = next;
    }
    r->chunks->used = 0;
    r->taken = 0;
}

/* NULL: no memory, or over the limit (which hiredis then calls out of memory; see `refused`). */
static void *take(struct itsi_redis_reader *r, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (size > r->limit - r->taken)
        return NULL;
    if (size > r->chunks->size - r->chunks->used) {
        struct chunk *chunk = make_chunk(size > KEPT_BYTES ? size : KEPT_BYTES);
        if (!chunk)
            return NULL;
        chunk->next = r->chunks;
        r->chunks = chunk;
    }
    void *out = r->chunks->bytes + r->chunks->used;
    r->chunks->used += size;
    r->taken += size;
    return out;
}

/* --- what hiredis calls to build a reply -------------------------------------------------------------------------- */

/* An element's place is in its array already; only the outermost needs memory of its own. */
static struct itsi_redis_reply *place(const redisReadTask *task, enum itsi_redis_type type)
{
    struct itsi_redis_reply *reply;
    if (task->parent) {
        struct itsi_redis_reply *array = task->parent->obj;
        reply = &array->elements[task->idx];
    } else {
        reply = take(task->privdata, sizeof *reply);
    }
    if (reply) {
        memset(reply, 0, sizeof *reply);
        reply->type = type;
    }
    return reply;
}

static void *on_string(const redisReadTask *task, char *text, size_t len)
{
    struct itsi_redis_reply *reply = place(task, task->type == REDIS_REPLY_ERROR    ? ITSI_REDIS_ERROR
                                                 : task->type == REDIS_REPLY_STATUS ? ITSI_REDIS_STATUS
                                                                                    : ITSI_REDIS_STRING);
    char *copy = reply ? take(task->privdata, len + 1) : NULL;
    if (!copy)
        return NULL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    reply->text = copy;
    reply->len = len;
    return reply;
}

#if HIREDIS_MAJOR >= 1
static void *on_array(const redisReadTask *task, size_t count)
#else
static void *on_array(const redisReadTask *task, int count)
#endif
{
    struct itsi_redis_reply *reply = place(task, ITSI_REDIS_ARRAY);
    if (!reply)
        return NULL;
    const struct itsi_redis_reader *r = task->privdata;
    size_t wanted = (size_t)count;
    if (wanted > r->limit / sizeof *reply)
        return NULL;
    if (wanted) {
        reply->elements = take(task->privdata, wanted * sizeof *reply);
        if (!reply->elements)
            return NULL;
    }
    reply->count = wanted;
    return reply;
}

static void *on_integer(const redisReadTask *task, long long value)
{
    struct itsi_redis_reply *reply = place(task, ITSI_REDIS_INTEGER);
    if (reply)
        reply->integer = value;
    return reply;
}

static void *on_nil(const redisReadTask *task) { return place(task, ITSI_REDIS_NIL); }

static void on_free(void *reply) { (void)reply; }

/* RESP3, which we never ask for, has doubles and booleans: without functions for them later versions of hiredis refuse. */
static redisReplyObjectFunctions functions = {
    .createString = on_string,
    .createArray = on_array,
    .createInteger = on_integer,
    .createNil = on_nil,
    .freeObject = on_free,
};

/* --- the reader --------------------------------------------------------------------------------------------------- */

int itsi_redis_reader_create(struct itsi_redis_reader **out, size_t limit, struct its_diag *diag)
{
    struct itsi_redis_reader *r = itsi_zalloc(sizeof *r);
    if (r) {
        r->limit = limit;
        r->chunks = make_chunk(KEPT_BYTES);
        r->parser = redisReaderCreateWithFunctions(&functions);
    }
    if (!r || !r->chunks || !r->parser) {
        itsi_redis_reader_destroy(r);
        return itsi_fail(diag, ITS_ENOMEM, "Redis reader: out of memory");
    }
    r->parser->privdata = r;
    r->parser->maxbuf = UNUSED_LIMIT;
    *out = r;
    return 0;
}

void itsi_redis_reader_destroy(struct itsi_redis_reader *r)
{
    if (!r)
        return;
    if (r->parser)
        redisReaderFree(r->parser);
    if (r->chunks) {
        forget(r);
        itsi_free(r->chunks);
    }
    itsi_free(r);
}

static const redisReadTask *current_task(const redisReader *parser)
{
#if HIREDIS_MAJOR >= 1
    return parser->task[parser->ridx];
#else
    return &parser->rstack[parser->ridx];
#endif
}

/* hiredis waits for ever for the end of a line, and looks for it from its beginning with each feed. */
static int check_pending(const struct itsi_redis_reader *r, struct its_diag *diag)
{
    const redisReader *parser = r->parser;
    size_t pending = parser->len - parser->pos;
    if (parser->ridx < 0 || !pending)
        return 0;
    if (pending > r->limit)
        return itsi_fail(diag, ITS_ELIMIT, "a reply of over %zu bytes", r->limit);
    const char *start = parser->buf + parser->pos;
    int type = current_task(parser)->type;
    bool has_number = type == REDIS_REPLY_STRING || type == REDIS_REPLY_ARRAY || type == REDIS_REPLY_INTEGER;
    if (pending < (has_number ? NUMBER_LIMIT : LINE_LIMIT))
        return 0;
    /* a length that ends in time may be followed by as much as it says */
    if (!has_number || !memmem(start, NUMBER_LIMIT, "\r\n", 2))
        return itsi_fail(diag, ITS_EFORMAT, "no protocol of Redis: a line without end");
    return 0;
}

static int refused(const struct itsi_redis_reader *r, struct its_diag *diag)
{
    if (r->parser->err == REDIS_ERR_OOM)
        return itsi_fail(diag, ITS_ELIMIT, "a reply that takes over %zu bytes, or no memory for it", r->limit);
    /* hiredis quotes the byte it does not understand; anything may follow it */
    return itsi_fail(diag, ITS_EFORMAT, "no protocol of Redis: %s", r->parser->errstr);
}

static int parse(struct itsi_redis_reader *r, bool (*each)(void *, const struct itsi_redis_reply *), void *self,
                 struct its_diag *diag)
{
    for (;;) {
        void *reply = NULL;
        if (r->parser->ridx < 0)
            forget(r);
        if (redisReaderGetReply(r->parser, &reply) != REDIS_OK)
            return refused(r, diag);
        if (!reply)
            return check_pending(r, diag);
        if (!each(self, reply))
            return itsi_fail(diag, ITS_ECANCELLED, "the reader was told to stop");
    }
}

int itsi_redis_reader_feed(struct itsi_redis_reader *r, const char *data, size_t len,
                           bool (*each)(void *, const struct itsi_redis_reply *), void *self, struct its_diag *diag)
{
    while (len) {
        size_t slice = len < SLICE ? len : SLICE;
        if (redisReaderFeed(r->parser, data, slice) != REDIS_OK)
            return refused(r, diag);
        int rc = parse(r, each, self, diag);
        if (rc)
            return rc;
        data += slice;
        len -= slice;
    }
    return 0;
}
