/* One connection to a camera: its access units from the demuxer through the decoder to the sink, each in the ledger
 * from arrival to its one outcome. Owned by the capture thread. */
#ifndef ITSI_CAPTURE_SESSION_H
#define ITSI_CAPTURE_SESSION_H

#include "capture/capture_impl.h"
#include "capture/decode.h"
#include "capture/nal.h"

static inline int64_t seconds_ns(double seconds) { return (int64_t)(seconds * ITSI_NS_PER_S); }

/* An access unit between demuxer and picture. Decoders hold back at most 16 pictures. */
struct itsi_unit {
    uint64_t serial;      /* travels through the decoder as the time stamp; 0: slot is free */
    int64_t pts;          /* ns, unwrapped, of the stream */
    int64_t media, out;   /* ns: position in the clip (-1 live), presentation time handed on */
    int64_t origin;       /* monotonic */
    int64_t due;          /* paced: when to hand it over; 0: at once */
    int64_t decode_start;
    enum itsi_origin kind;
    bool exact;   /* pts comes from the stream, so it tells the order of presentation */
    bool counted; /* entered in the ledger; false: decoded for reference only */
    bool damaged; /* the demuxer says so */
    bool entry;      /* decoding may begin at it: a key frame, or where a gradual refresh begins */
    bool key;        /* a whole picture comes of it alone */
    bool disposable; /* no other picture needs it */
};
#define ITSI_UNITS 64

struct itsi_session {
    struct itsi_capture *c;
    const struct itsi_source *source; /* the stream it reads; borrowed of c */
    struct itsi_interrupt interrupt;
    struct itsi_demux demux;
    struct itsi_decoder decoder;
    AVPacket *packet;
    struct itsi_arrival came; /* of `packet` */
    bool primed;              /* the first packet was read while the connection was opened, */
    bool joined;              /* or so many that its decoder gives whole pictures already: it waits for no key frame */
    int64_t overlap;          /* what came up to here was shown by the stream before this one */
    enum AVCodecID codec;
    bool paced;   /* by the time stamps: files, HLS */
    bool live;    /* pace=off is not */

    struct itsi_unwrap unwrap_pts, unwrap_dts;
    struct itsi_epochs epochs;
    int64_t last_ticks;   /* time stamp of the packet before */
    struct itsi_origin_clock clock;
    struct itsi_unit units[ITSI_UNITS];
    uint64_t serial;      /* of the newest unit */
    bool wait_key;
    int64_t wait_since;
    int64_t key_pts;      /* pictures presented before the first whole one may lack their references */
#define ITSI_REFRESHING INT64_MAX /* key_pts: there was none yet */
    struct itsi_nal_format nal;
    uint64_t excess;      /* next units that are in the books already (entered as missing during a silence) */
    bool first_unit;      /* none seen on this connection */

    int64_t anchor;       /* paced: instant of presentation time 0; ITSI_NO_TIME: at the first unit */
    int64_t loop_base;    /* what the rounds before add to the presentation time */
    int64_t clip_end;     /* end of the clip seen so far */
    int64_t preroll;      /* pictures before this position are decoded only */
    uint64_t round_frames;
    int64_t last_out;     /* presentation time last handed over */
    int64_t last_packet, last_frame; /* for the watchdogs */
    int width, height;
    int rc;               /* why the session ends; 0: it goes on */
};

/* opening.c: any thread, as long as it is the only one that holds the session. `stop` interrupts it and outlives it. */
struct itsi_session *itsi_session_create(struct itsi_capture *c, int stream, const atomic_bool *stop,
                                         struct its_diag *diag); /* NULL: out of memory */
void itsi_session_free(struct itsi_session *s); /* takes NULL */
/* Up to a decoder that is ready for the first packet. shown: the owner does it, and its state says how far it is. */
ITS_NODISCARD int itsi_session_connect(struct itsi_session *s, const char *address, bool shown, struct its_diag *diag);
ITS_NODISCARD int itsi_session_open_decoder(struct itsi_session *s, struct its_diag *diag);
void itsi_session_publish(struct itsi_session *s); /* which stream it is, its codec and size */
bool itsi_session_on_disk(const struct itsi_session *s);

/* keeping.c: into the camera's ring, where it has one: of what codec the stream is, and an access unit that was stamped.
 * dts: ns of the stream, or ITSI_NO_TIME. */
void itsi_session_keep_format(const struct itsi_session *s);
void itsi_session_keep(const struct itsi_session *s, const struct itsi_unit *unit, int64_t dts, int64_t arrival);

/* units.c: from access unit to picture and ledger. */
void itsi_units_feed(struct itsi_session *s, struct itsi_unit *unit, AVPacket *packet);
/* Takes what the decoder holds; what never comes out ends as `left`. Leaves the decoder fresh. */
void itsi_units_drain(struct itsi_session *s, bool deliver, enum itsi_drop left);
/* Is the unit fed last still in the decoder? */
bool itsi_units_holds_newest(struct itsi_session *s);
/* Ends a unit, that came at `origin`, without a picture. */
void itsi_units_drop(struct itsi_session *s, int64_t origin, enum itsi_drop reason);
/* Leaves a unit out that was counted. */
void itsi_units_skip(struct itsi_session *s);

#endif
