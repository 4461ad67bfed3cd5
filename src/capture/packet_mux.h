/* Part of a packet ring as a file, as it comes: what is there at once, and later what came meanwhile. MPEG-TS for what
 * cameras send, Matroska for the rest; either can be read as far as it was written, whatever happens. Nothing is
 * decoded. One thread at a time. */
#ifndef ITSI_CAPTURE_PACKET_MUX_H
#define ITSI_CAPTURE_PACKET_MUX_H

#include "capture/packet_ring.h"

struct itsi_packet_mux;

/* What FFmpeg calls the form that such a codec's pictures take: "mpegts" or "matroska". */
const char *itsi_packet_mux_name(int codec);

/* Of pictures from the key frame at or before `from` (arrivals), or the oldest that there is. fd: borrowed until the
 * end. ITS_ENOTFOUND: nothing is kept, or nothing that came since `from`. */
ITS_NODISCARD int itsi_packet_mux_begin(struct itsi_packet_mux **out, struct itsi_packet_ring *ring, int64_t from,
                                        int fd, struct its_diag *diag);
/* Writes what came, up to `until`. ITS_EEOF: what comes now is of another format, and cannot go into this file. Any
 * other error: the file is no good, or cannot be written (ITS_EIO, ITS_ENOSPACE). */
ITS_NODISCARD int itsi_packet_mux_more(struct itsi_packet_mux *mux, int64_t until, struct its_diag *diag);

struct itsi_packet_mux_summary {
    int codec; /* enum AVCodecID */
    int pictures;
    int64_t first_at, last_at; /* arrivals */
};
/* What was written so far. */
void itsi_packet_mux_summary(const struct itsi_packet_mux *mux, struct itsi_packet_mux_summary *out);
/* Finishes the file, and frees the mux in any case. */
int itsi_packet_mux_end(struct itsi_packet_mux *mux, struct its_diag *diag);

#endif
