#include "capture/packet_ring.h"

#include "base/diag.h"
#include "base/mem.h"
#include "capture/packet_store.h"

#include <pthread.h>
#include <string.h>

struct entry {
    struct itsi_packet packet;
    uint64_t offset; /* of its data, counted from the beginning of time */
    size_t size;
};

/* Pictures first..end-1 are kept, numbered since the beginning; the first is a key frame. Their data lie in chunks
 * low..high-1, numbered likewise: byte n is in chunk n / ITSI_PACKET_CHUNK. */
struct itsi_packet_ring {
    /* const */
    struct itsi_packet_ring_params params;
    /* mutex: a leaf but for the store's */
    pthread_mutex_t mutex;
    struct itsi_packet_format format;
    struct entry *entries; /* owned, params.pictures */
    uint8_t **chunks;      /* owned, `places`; the store's */
    size_t places;
    uint64_t first, end;
    uint64_t low, high;
    uint64_t written; /* bytes, ever */
    bool wants_key;   /* nothing is kept until the next */
    int64_t cut_at;
};

int itsi_packet_ring_create(struct itsi_packet_ring **out, const struct itsi_packet_ring_params *params,
                            struct its_diag *diag)
{
    if (params->bytes == 0 || params->pictures < 1 || params->keep_ns <= 0)
        return itsi_fail(diag, ITS_EINVAL, "packet ring: no room");
    struct itsi_packet_ring *ring = itsi_zalloc(sizeof *ring);
    const size_t places = params->bytes / ITSI_PACKET_CHUNK + 2; /* they may begin and end within a chunk */
    uint8_t **chunks = ring ? itsi_calloc(places, sizeof *chunks) : NULL;
    struct entry *entries = chunks ? itsi_alloc((size_t)params->pictures * sizeof *entries) : NULL;
    if (!entries) {
        itsi_free(chunks);
        itsi_free(ring);
        return itsi_fail(diag, ITS_ENOMEM, "packet ring: out of memory");
    }
    ring->params = *params;
    ring->chunks = chunks;
    ring->places = places;
    ring->entries = entries;
    ring->wants_key = true;
    pthread_mutex_init(&ring->mutex, NULL);
    itsi_packet_store_join(params->store);
    *out = ring;
    return 0;
}

static struct entry *at(const struct itsi_packet_ring *ring, uint64_t number)
{
    return &ring->entries[number % (uint64_t)ring->params.pictures];
}

static uint8_t **chunk(const struct itsi_packet_ring *ring, uint64_t number)
{
    return &ring->chunks[number % ring->places];
}

/* Chunks before the oldest picture go back. */
static void give_back(struct itsi_packet_ring *ring)
{
    const uint64_t needed =
        ring->first == ring->end ? ring->high : at(ring, ring->first)->offset / ITSI_PACKET_CHUNK;
    for (; ring->low < needed; ring->low++)
        itsi_packet_store_give(ring->params.store, *chunk(ring, ring->low));
}

static void forget_all(struct itsi_packet_ring *ring)
{
    ring->first = ring->end;
    ring->wants_key = true;
    give_back(ring);
    ring->written = ring->high * ITSI_PACKET_CHUNK; /* on with a new chunk */
}

void itsi_packet_ring_destroy(struct itsi_packet_ring *ring)
{
    if (!ring)
        return;
    forget_all(ring);
    itsi_packet_store_leave(ring->params.store);
    pthread_mutex_destroy(&ring->mutex);
    itsi_free(ring->chunks);
    itsi_free(ring->entries);
    itsi_free(ring);
}

bool itsi_packet_format_is_same(const struct itsi_packet_format *a, const struct itsi_packet_format *b)
{
    return a->codec == b->codec && a->width == b->width && a->height == b->height && a->config_size == b->config_size &&
           memcmp(a->config, b->config, a->config_size) == 0;
}

int itsi_packet_ring_format(struct itsi_packet_ring *ring, const struct itsi_packet_format *format)
{
    const bool fits = format->config_size <= sizeof format->config;
    pthread_mutex_lock(&ring->mutex);
    if (!fits || !itsi_packet_format_is_same(&ring->format, format)) {
        forget_all(ring);
        ring->format = fits ? *format : (struct itsi_packet_format){.codec = 0};
    }
    pthread_mutex_unlock(&ring->mutex);
    return fits ? 0 : ITS_ELIMIT;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static size_t used(const struct itsi_packet_ring *ring)
{
    return ring->first == ring->end ? 0 : (size_t)(ring->written - at(ring, ring->first)->offset);
}

/* The oldest key frame and all that needs it. */
static void drop_group(struct itsi_packet_ring *ring)
{
    do
        ring->first++;
    while (ring->first < ring->end && !at(ring, ring->first)->packet.key);
    if (ring->first == ring->end)
        forget_all(ring);
    else
        give_back(ring);
}

static bool has_old_group(const struct itsi_packet_ring *ring, int64_t now)
{
    /* kept while the next group does not yet cover the time asked for */
    uint64_t next = ring->first + 1;
    while (next < ring->end && !at(ring, next)->packet.key)
        next++;
    return next < ring->end && at(ring, next)->packet.at <= now - ring->params.keep_ns;
}

/* A group that is still wanted gives way. */
static void cut(struct itsi_packet_ring *ring, int64_t now)
{
    drop_group(ring);
    ring->cut_at = now;
}

static void make_room(struct itsi_packet_ring *ring, size_t size, size_t most, int64_t now)
{
    while (ring->first < ring->end && has_old_group(ring, now))
        drop_group(ring);
    while (ring->first < ring->end &&
           (used(ring) + size > most || ring->end - ring->first == (uint64_t)ring->params.pictures))
        cut(ring, now);
}

/* Chunks up to the end of a picture that comes next. False: not even without all others. */
static bool take_chunks(struct itsi_packet_ring *ring, size_t size, int64_t now)
{
    while (ring->high * ITSI_PACKET_CHUNK < ring->written + size) {
        uint8_t *more = itsi_packet_store_take(ring->params.store);
        if (more)
            *chunk(ring, ring->high++) = more;
        else if (ring->first < ring->end)
            cut(ring, now);
        else
            return false;
    }
    return true;
}

/* Where a byte is, and how much of `size` lies there without a break. */
static uint8_t *locate(const struct itsi_packet_ring *ring, uint64_t offset, size_t size, size_t *length)
{
    const size_t begin = (size_t)(offset % ITSI_PACKET_CHUNK), room = ITSI_PACKET_CHUNK - begin;
    *length = size < room ? size : room;
    return *chunk(ring, offset / ITSI_PACKET_CHUNK) + begin;
}

static void store(struct itsi_packet_ring *ring, const uint8_t *data, size_t size)
{
    size_t length;
    for (size_t done = 0; done < size; done += length) {
        uint8_t *piece = locate(ring, ring->written + done, size - done, &length);
        memcpy(piece, data + done, length);
    }
}

static void put(struct itsi_packet_ring *ring, const struct itsi_packet *packet, const uint8_t *data, size_t size)
{
    const size_t allowed = itsi_packet_store_allowance(ring->params.store);
    const size_t most = allowed < ring->params.bytes ? allowed : ring->params.bytes;
    if (packet->key)
        ring->wants_key = false;
    if (size > most)
        forget_all(ring);
    if (ring->wants_key || !ring->format.codec)
        return;
    make_room(ring, size, most, packet->at);
    const bool fits = take_chunks(ring, size, packet->at);
    if (!fits || (ring->first == ring->end && !packet->key)) { /* its own group had to give way */
        forget_all(ring);
        return;
    }
    *at(ring, ring->end) = (struct entry){*packet, ring->written, size};
    store(ring, data, size);
    ring->written += size;
    ring->end++;
    ring->wants_key = false; /* what gave way may have been all there was */
}

void itsi_packet_ring_put(struct itsi_packet_ring *ring, const struct itsi_packet *packet, const uint8_t *data,
                          size_t size)
{
    pthread_mutex_lock(&ring->mutex);
    put(ring, packet, data, size);
    pthread_mutex_unlock(&ring->mutex);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

void itsi_packet_ring_seek(struct itsi_packet_ring *ring, int64_t when, struct itsi_packet_cursor *cursor)
{
    pthread_mutex_lock(&ring->mutex);
    cursor->next = ring->first;
    for (uint64_t n = ring->first; n < ring->end && at(ring, n)->packet.at <= when; n++)
        if (at(ring, n)->packet.key)
            cursor->next = n;
    pthread_mutex_unlock(&ring->mutex);
}

static void load(const struct itsi_packet_ring *ring, const struct entry *entry, struct itsi_buf *out)
{
    size_t length;
    itsi_buf_reset(out);
    for (size_t done = 0; done < entry->size; done += length) {
        const uint8_t *piece = locate(ring, entry->offset + done, entry->size - done, &length);
        itsi_buf_add(out, piece, length);
    }
}

int itsi_packet_ring_read(struct itsi_packet_ring *ring, struct itsi_packet_cursor *cursor, struct itsi_packet *packet,
                          struct itsi_buf *data)
{
    int rc = ITS_EAGAIN;
    pthread_mutex_lock(&ring->mutex);
    if (cursor->next < ring->first)
        cursor->next = ring->first;
    if (cursor->next < ring->end) {
        const struct entry *entry = at(ring, cursor->next);
        load(ring, entry, data);
        *packet = entry->packet;
        rc = data->failed ? ITS_ENOMEM : 0;
        cursor->next += rc == 0;
    }
    pthread_mutex_unlock(&ring->mutex);
    return rc;
}

void itsi_packet_ring_get_format(struct itsi_packet_ring *ring, struct itsi_packet_format *out)
{
    pthread_mutex_lock(&ring->mutex);
    *out = ring->format;
    pthread_mutex_unlock(&ring->mutex);
}

void itsi_packet_ring_stats(struct itsi_packet_ring *ring, struct itsi_packet_ring_stats *out)
{
    pthread_mutex_lock(&ring->mutex);
    *out = (struct itsi_packet_ring_stats){.pictures = (int)(ring->end - ring->first), .bytes = used(ring), .cut_at = ring->cut_at};
    if (ring->first < ring->end) {
        out->newest = at(ring, ring->end - 1)->packet.at;
        out->span_ns = out->newest - at(ring, ring->first)->packet.at;
    }
    pthread_mutex_unlock(&ring->mutex);
}
