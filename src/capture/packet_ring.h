/* The last seconds of a camera as it sent them: its coded pictures, from a key frame on, in a bounded amount of memory.
 * What an incident looked like can so be kept without decoding, coding or storing anything beforehand.
 *
 * One thread puts, any may read at the same time; either holds the lock for one picture. Nothing is allocated by a put:
 * chunks come from a store that all cameras share, and what is not held any more goes back there. */
#ifndef ITSI_CAPTURE_PACKET_RING_H
#define ITSI_CAPTURE_PACKET_RING_H

#include "base/buf.h"
#include "its/error.h"

#include <stdbool.h>
#include <stdint.h>

struct itsi_packet_ring;
struct itsi_packet_store;

struct itsi_packet_ring_params {
    struct itsi_packet_store *store; /* borrowed, outlives the ring */
    size_t bytes; /* at most; less where the store is short (itsi_packet_store_allowance) */
    int64_t keep_ns; /* at most, by arrival; a whole group of pictures more */
    int pictures; /* at most */
};
ITS_NODISCARD int itsi_packet_ring_create(struct itsi_packet_ring **out, const struct itsi_packet_ring_params *params,
                                          struct its_diag *diag);
void itsi_packet_ring_destroy(struct itsi_packet_ring *ring); /* takes NULL */

/* What the pictures are coded with. */
enum { ITSI_PACKET_CONFIG_SIZE = 8192 }; /* x265 writes two thousand bytes about itself into it */
struct itsi_packet_format {
    int codec; /* enum AVCodecID */
    int width, height;
    uint32_t config_size;
    uint8_t config[ITSI_PACKET_CONFIG_SIZE]; /* extradata */
};
bool itsi_packet_format_is_same(const struct itsi_packet_format *a, const struct itsi_packet_format *b);
/* Pictures to come are of this format. Another than before: what is kept cannot go into one file with them, and is
 * forgotten. ITS_ELIMIT: a configuration too large to be kept; nothing will be. */
int itsi_packet_ring_format(struct itsi_packet_ring *ring, const struct itsi_packet_format *format);

struct itsi_packet {
    int64_t at; /* arrival, monotonic */
    int64_t pts, dts; /* ns in the epoch; dts: ITSI_PACKET_NO_DTS: not known */
    uint32_t epoch; /* time stamps of two epochs have nothing to do with each other */
    bool key;
};
#define ITSI_PACKET_NO_DTS INT64_MIN

/* The oldest groups of pictures give way. A picture that is larger than all the memory is left out with its group. */
void itsi_packet_ring_put(struct itsi_packet_ring *ring, const struct itsi_packet *packet, const uint8_t *data,
                          size_t size);

/* Where a reader is; zeroed: before the oldest. */
struct itsi_packet_cursor {
    uint64_t next;
};
/* At the last key frame that came at or before `at`, or at the oldest there is. */
void itsi_packet_ring_seek(struct itsi_packet_ring *ring, int64_t at, struct itsi_packet_cursor *cursor);
/* The next picture, its data appended to the emptied `data`. ITS_EAGAIN: none yet. What was overtaken by the writer is
 * skipped, up to a key frame. ITS_ENOMEM. */
ITS_NODISCARD int itsi_packet_ring_read(struct itsi_packet_ring *ring, struct itsi_packet_cursor *cursor,
                                        struct itsi_packet *packet, struct itsi_buf *data);
void itsi_packet_ring_get_format(struct itsi_packet_ring *ring, struct itsi_packet_format *out); /* codec 0: none yet */

struct itsi_packet_ring_stats {
    int pictures;
    size_t bytes;
    int64_t span_ns; /* between the arrivals of the oldest and the newest */
    int64_t newest;  /* arrival; meaningless without pictures */
    int64_t cut_at;  /* arrival of the last picture for which younger ones than keep_ns had to give way; 0: none yet */
};
void itsi_packet_ring_stats(struct itsi_packet_ring *ring, struct itsi_packet_ring_stats *out);

#endif
