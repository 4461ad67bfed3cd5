/* Part of a packet ring as one file, written to a descriptor as it is made: MPEG-TS for what cameras send, Matroska for
 * the rest. Nothing is decoded. */
#ifndef ITSI_CAPTURE_PACKET_MUX_H
#define ITSI_CAPTURE_PACKET_MUX_H

#include "capture/packet_ring.h"

/* What FFmpeg calls the form that such a codec's pictures take: "mpegts" or "matroska". */
const char *itsi_packet_mux_name(int codec);

struct itsi_packet_mux_summary {
    int pictures;
    int64_t first_at, last_at; /* arrivals */
};
/* Pictures from the key frame at or before `from` to `until` (arrivals) to `socket`, a stream socket; blocks while it
 * is full, until `deadline` at most. ITS_ENOTFOUND: there are none; ITS_ETIMEOUT; ITS_EIO: the other end was closed. */
ITS_NODISCARD int itsi_packet_mux(struct itsi_packet_ring *ring, int64_t from, int64_t until, int socket,
                                  int64_t deadline, struct itsi_packet_mux_summary *out, struct its_diag *diag);

#endif
