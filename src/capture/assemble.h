/* H.264 and HEVC over RTP: from the pieces libav's depacketizer gives to whole access units, without waiting for the
 * next one to begin. Pure.
 *
 * libav's own parser knows the end of a picture only when the next has arrived: at 25 frames a second every picture
 * would come 40 ms late, and with the arrival and the sender's clock of its successor. The RTP marker that tells the end
 * is not shown to us. So the end is predicted: a picture has as many slices as those before it, and the last piece of a
 * slice is shorter than a full packet. Where a prediction turns out wrong (one damaged picture, counted as such), and
 * until enough pictures were seen, a picture ends when the time stamp changes. */
#ifndef ITSI_CAPTURE_ASSEMBLE_H
#define ITSI_CAPTURE_ASSEMBLE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct itsi_piece {
    const uint8_t *data;
    int size;
    int64_t pts;     /* ticks */
    int64_t arrival; /* monotonic ns */
    int64_t wall;    /* the camera's clock, ns; 0: unknown */
};

/* One access unit; data is valid until the next feed or take. */
struct itsi_assembled {
    const uint8_t *data; /* zero bytes follow it */
    int size;
    int64_t pts, arrival, wall;
    bool key;
};

struct itsi_assembler {
    bool hevc;
    struct itsi_buf now, ready; /* being collected; handed out */
    int64_t pts, arrival, wall;
    bool collecting, key;
    int slices, pictures;        /* of the one being collected; pictures: first slices seen in it */
    bool whole;                  /* predicted to be complete */
    /* what was learned */
    int expected_slices, alike;  /* pictures in a row with so many slices */
    int longest;                 /* payload of a full RTP packet, 0: none seen */
    int distrust;                /* pictures until predictions are made again */
    bool ended;                  /* the picture with this pts was handed out already */
    bool no_stamps;              /* time stamps do not tell pictures apart: the slices do */
    uint64_t mispredicted;
};

void itsi_assembler_init(struct itsi_assembler *a, bool hevc);
void itsi_assembler_fini(struct itsi_assembler *a);
/* Takes a piece. 1: *out is a whole access unit; 0: more is needed; ITS_ENOMEM. */
ITS_NODISCARD int itsi_assembler_feed(struct itsi_assembler *a, const struct itsi_piece *piece,
                                      struct itsi_assembled *out);
/* After a feed that returned 1: the piece may have been a whole access unit of its own. Results as feed's. */
ITS_NODISCARD int itsi_assembler_poll(struct itsi_assembler *a, struct itsi_assembled *out);

#endif
