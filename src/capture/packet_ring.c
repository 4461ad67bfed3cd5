#include "capture/packet_ring.h"

#include "base/diag.h"
#include "base/mem.h"

#include <pthread.h>
#include <string.h>

struct entry {
    struct itsi_packet packet;
    uint64_t offset; /* of its data, counted from the beginning of time */
    size_t size;
};

/* Pictures first..end-1 are kept, numbered since the beginning; the first is a key frame. */
struct itsi_packet_ring {
    /* const */
    struct itsi_packet_ring_params params;
    /* mutex: a leaf */
    pthread_mutex_t mutex;
    struct itsi_packet_format format;
    uint8_t *data;         /* owned, params.bytes */
    struct entry *entries; /* owned, params.pictures */
    uint64_t first, end;
    uint64_t written; /* bytes, ever */
    bool wants_key;   /* nothing is kept until the next */
};

int itsi_packet_ring_create(struct itsi_packet_ring **out, const struct itsi_packet_ring_params *params,
                            struct its_diag *diag)
{
    if (params->bytes == 0 || params->pictures < 1 || params->keep_ns <= 0)
        return itsi_fail(diag, ITS_EINVAL, "packet ring: no room");
    struct itsi_packet_ring *ring = itsi_zalloc(sizeof *ring);
    uint8_t *data = ring ? itsi_alloc(params->bytes) : NULL;
    struct entry *entries = data ? itsi_alloc((size_t)params->pictures * sizeof *entries) : NULL;
    if (!entries) {
        itsi_free(data);
        itsi_free(ring);
        return itsi_fail(diag, ITS_ENOMEM, "packet ring: out of memory");
    }
    ring->params = *params;
    ring->data = data;
    ring->entries = entries;
    ring->wants_key = true;
    pthread_mutex_init(&ring->mutex, NULL);
    *out = ring;
    return 0;
}

void itsi_packet_ring_destroy(struct itsi_packet_ring *ring)
{
    if (!ring)
        return;
    pthread_mutex_destroy(&ring->mutex);
    itsi_free(ring->data);
    itsi_free(ring->entries);
    itsi_free(ring);
}

static struct entry *at(const struct itsi_packet_ring *ring, uint64_t number)
{
    return &ring->entries[number % (uint64_t)ring->params.pictures];
}

static void forget_all(struct itsi_packet_ring *ring)
{
    ring->first = ring->end;
    ring->wants_key = true;
}

static bool is_same(const struct itsi_packet_format *a, const struct itsi_packet_format *b)
{
    return a->codec == b->codec && a->width == b->width && a->height == b->height && a->config_size == b->config_size &&
           memcmp(a->config, b->config, a->config_size) == 0;
}

int itsi_packet_ring_format(struct itsi_packet_ring *ring, const struct itsi_packet_format *format)
{
    const bool fits = format->config_size <= sizeof format->config;
    pthread_mutex_lock(&ring->mutex);
    if (!fits || !is_same(&ring->format, format)) {
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
}

static bool has_old_group(const struct itsi_packet_ring *ring, int64_t now)
{
    /* kept while the next group does not yet cover the time asked for */
    uint64_t next = ring->first + 1;
    while (next < ring->end && !at(ring, next)->packet.key)
        next++;
    return next < ring->end && at(ring, next)->packet.at <= now - ring->params.keep_ns;
}

static void make_room(struct itsi_packet_ring *ring, size_t size, int64_t now)
{
    while (ring->first < ring->end && has_old_group(ring, now))
        drop_group(ring);
    while (ring->first < ring->end &&
           (used(ring) + size > ring->params.bytes || ring->end - ring->first == (uint64_t)ring->params.pictures))
        drop_group(ring);
}

static void store(struct itsi_packet_ring *ring, const uint8_t *data, size_t size)
{
    const size_t begin = (size_t)(ring->written % ring->params.bytes), room = ring->params.bytes - begin;
    const size_t head = size < room ? size : room;
    memcpy(ring->data + begin, data, head);
    memcpy(ring->data, data + head, size - head);
}

void itsi_packet_ring_put(struct itsi_packet_ring *ring, const struct itsi_packet *packet, const uint8_t *data,
                          size_t size)
{
    pthread_mutex_lock(&ring->mutex);
    if (packet->key)
        ring->wants_key = false;
    if (size > ring->params.bytes)
        forget_all(ring);
    if (!ring->wants_key && ring->format.codec) {
        make_room(ring, size, packet->at);
        if (ring->first == ring->end && !packet->key) { /* its own group had to give way */
            ring->wants_key = true;
        } else {
            *at(ring, ring->end) = (struct entry){*packet, ring->written, size};
            store(ring, data, size);
            ring->written += size;
            ring->end++;
        }
    }
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
    const size_t begin = (size_t)(entry->offset % ring->params.bytes), room = ring->params.bytes - begin;
    const size_t head = entry->size < room ? entry->size : room;
    itsi_buf_reset(out);
    itsi_buf_add(out, ring->data + begin, head);
    itsi_buf_add(out, ring->data, entry->size - head);
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
    *out = (struct itsi_packet_ring_stats){.pictures = (int)(ring->end - ring->first), .bytes = used(ring)};
    if (ring->first < ring->end)
        out->span_ns = at(ring, ring->end - 1)->packet.at - at(ring, ring->first)->packet.at;
    pthread_mutex_unlock(&ring->mutex);
}
