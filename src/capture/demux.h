/* One opened input: finding the video stream, reading its packets, going back to a position. Every blocking call of
 * libav can be interrupted by the stop flag and has a deadline. Used by one thread. */
#ifndef ITSI_CAPTURE_DEMUX_H
#define ITSI_CAPTURE_DEMUX_H

#include "capture/assemble.h"
#include "capture/nal.h"
#include "capture/source.h"
#include "config/config.h"

#include <libavformat/avformat.h>
#include <stdatomic.h>

struct itsi_interrupt {
    const atomic_bool *stop; /* may be NULL */
    int64_t deadline;        /* of the call now under way */
    void (*tick)(void *arg); /* called a few times a second while a call blocks; may be NULL */
    void *arg;
};

struct itsi_demux {
    AVFormatContext *fmt;
    AVStream *video;
    struct itsi_interrupt *interrupt;   /* borrowed */
    const struct itsi_source *source;   /* borrowed */
    const struct its_cfg_capture *cfg;  /* borrowed */
    struct itsi_tls_relay *relay;       /* rtsps with certificates checked */
    bool assembles;                     /* RTSP: access units are put together here */
    struct itsi_assembler assembler;
    AVPacket *piece;
    bool finite;  /* has an end and can be played again from the start */
    bool bursts;  /* HLS and files over HTTP: to be paced by the time stamps */
};

/* Connects (interrupt->deadline applies) up to the point where the camera has agreed to send. */
ITS_NODISCARD int itsi_demux_open(struct itsi_demux *d, const struct itsi_source *source, const char *address,
                                  const struct its_cfg_capture *cfg, struct itsi_interrupt *interrupt,
                                  struct its_diag *diag);
/* Finds the video stream, reading ahead where the format needs it. */
ITS_NODISCARD int itsi_demux_find_video(struct itsi_demux *d, struct its_diag *diag);
/* When an access unit was complete here, and when the camera's clock says it was taken. */
struct itsi_arrival {
    int64_t at;   /* monotonic ns */
    int64_t wall; /* ns since 1970; 0: unknown */
};
/* The next access unit of the video stream; what packet points to is valid until the next read. ITS_EEOF at the end,
 * ITS_ETIMEOUT past the deadline, ITS_ECANCELLED. */
ITS_NODISCARD int itsi_demux_read(struct itsi_demux *d, AVPacket *packet, struct itsi_arrival *arrival,
                                  struct its_diag *diag);
/* Goes to the key frame at or before the position (ns in the clip's own timeline). */
ITS_NODISCARD int itsi_demux_seek(struct itsi_demux *d, int64_t media_ns, struct its_diag *diag);
void itsi_demux_close(struct itsi_demux *d);

/* The stream's ticks <-> ns. */
int64_t itsi_demux_ns(const struct itsi_demux *d, int64_t ticks);
/* First presentation time of the clip, ns. */
int64_t itsi_demux_start_ns(const struct itsi_demux *d);
/* How the video stream's access units are written. */
void itsi_demux_nal_format(const struct itsi_demux *d, struct itsi_nal_format *out);
/* Declared frame rate, 0: none. */
double itsi_demux_fps(const struct itsi_demux *d);

#endif
