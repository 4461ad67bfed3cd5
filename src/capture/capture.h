/* One camera's source: connect, demux, decode, reconnect. One thread per camera owns all of it (libav's calls block;
 * an interrupt callback makes every one of them stoppable), so a dead camera delays nobody. Cameras without pictures that
 * never wait for anything (null://) share one instead (capture/metronome.h).
 *
 * One state machine serves "down at start" and "lost later". Frames leave through the sink; every frame due is entered
 * in the camera's ledger here, at the source. */
#ifndef ITSI_CAPTURE_CAPTURE_H
#define ITSI_CAPTURE_CAPTURE_H

#include "config/config.h"
#include "core/decode_mode.h"
#include "core/frame.h"
#include "core/ledger.h"
#include "its/error.h"

/* X(NAME, "text") */
#define ITSI_CAPTURE_STATE_MAP(X)                                                                                      \
    X(IDLE, "idle")             /* not started */                                                                      \
    X(PREPARING, "preparing")   /* rendering a synthetic clip that is not cached yet */                                \
    X(WAITING, "waiting")       /* for a place in the handshake limiter */                                             \
    X(CONNECTING, "connecting")                                                                                        \
    X(STARTING, "starting")     /* connected, no picture yet */                                                        \
    X(RUNNING, "running")                                                                                              \
    X(FROZEN, "frozen")         /* pictures come but do not change */                                                  \
    X(BACKOFF, "backoff")       /* lost or refused; will try again at next_retry_ns */                                 \
    X(ENDED, "ended")           /* a finite source played once to its end */                                           \
    X(STOPPED, "stopped")

enum itsi_capture_state {
#define ITSI_X(name, text) ITSI_CAPTURE_##name,
    ITSI_CAPTURE_STATE_MAP(ITSI_X)
#undef ITSI_X
        ITSI_CAPTURE_STATE_COUNT
};
const char *itsi_capture_state_name(enum itsi_capture_state state);

/* Limits handshakes over the whole fleet: at most `in_flight` at once and `per_second` on average (token bucket).
 * Thread-safe. */
struct itsi_handshakes;
ITS_NODISCARD int itsi_handshakes_create(struct itsi_handshakes **out, int in_flight, double per_second,
                                         struct its_diag *diag);
void itsi_handshakes_destroy(struct itsi_handshakes *handshakes);
struct itsi_handshakes_stats {
    int now, highest; /* in flight: now, and at most ever */
    int waiting;      /* for a place or for the rate */
};
void itsi_handshakes_stats(struct itsi_handshakes *handshakes, struct itsi_handshakes_stats *out);

/* Where frames go. put() takes over the caller's reference, always. may_block: the source runs at its own pace
 * (pace=off) and put() waits for room; it returns ITS_ECANCELLED when the receiver is stopping. */
struct itsi_frame_sink {
    int (*put)(void *arg, struct itsi_frame *frame, bool may_block);
    void *arg;
    /* A frame that arrived and became no picture, after its ledger was told: who it would have been (stamps as far as it
     * came), and why; of a damaged one the reason says nothing. NULL: nobody asks. Must not wait. */
    void (*lost)(void *arg, const struct itsi_frame_info *info, enum itsi_drop reason, bool damaged);
    /* How many of the frames put were taken up so far, ever; the others still wait, or time ran out for them. NULL: all
     * were. Must not wait. */
    uint64_t (*taken)(void *arg);
};

struct itsi_metronome;
struct itsi_packet_ring;

struct itsi_capture_params {
    const char *id;              /* camera id; copied */
    const char *url;             /* copied */
    const char *sub_url;         /* the camera's smaller stream, see economise(); copied; NULL or empty: none */
    const struct its_cfg_capture *cfg; /* copied */
    const char *cache_dir;       /* for rendered clips; copied */
    uint32_t camera, generation; /* stamped into the frames */
    int frames;                  /* size of the frame pool, beyond what the decoder needs */
    int64_t budget_ns;           /* deadline = origin + this; ITSI_NEVER: none */
    int64_t start_offset_ns;     /* files and synthetic clips begin here in their own timeline (wraps) */
    double expected_fps;         /* frames due per second while the real rate is unknown; 0: cfg's */
    struct itsi_ledger *ledger;           /* borrowed; outlives the capture */
    struct itsi_handshakes *handshakes;   /* borrowed; NULL: no limit */
    struct itsi_metronome *metronome;     /* borrowed, outlives the capture; NULL: a thread for every camera */
    struct itsi_packet_ring *ring;        /* what is read is kept there too; borrowed, outlives the capture; NULL: not */
    struct itsi_frame_sink sink;
};

struct itsi_capture_status {
    enum itsi_capture_state state;
    int64_t state_since_ns;
    int64_t next_retry_ns;   /* in BACKOFF */
    int attempts;            /* since the last stable run */
    int last_code;           /* its_errno of the last failure, 0 if none */
    char last_error[512];    /* redacted */
    char codec[32];          /* "h264", ... ; empty before the first connect */
    int width, height;
    double fps;              /* measured cadence of the source */
    bool live;               /* false: pace=off */
    bool has_b_frames;
    double key_seconds;      /* from one key frame to the next, as last seen; 0: not known yet */
    bool sub;                /* the smaller stream is being read */
    int64_t sub_again_ns;    /* it could not be had and is not tried before; 0: the last time it could */
    char sub_error[512];     /* why, the last time; redacted */
    int64_t cpu_ns;          /* processor time of its thread so far */
    enum itsi_origin origin_kind;
    double clock_offset_seconds; /* camera's clock minus ours, where sender reports give it; else NAN */
    uint32_t epoch;
    uint64_t disposable;     /* of the packets: those that no other picture needs, as far as the codec tells */
    uint64_t decoded;        /* pictures out of the decoder, handed on or not */
    uint64_t packets, bytes, frames, decode_errors, connects, reconnects, stalls, freezes;
    uint64_t seq;            /* of the newest frame */
};

/* What its URL tells of the frames to come, before any did. */
struct itsi_capture_told {
    bool undecoded;    /* they need no decoder */
    int width, height; /* 0: not told */
    double fps;        /* 0: not told */
};

struct itsi_capture;
/* Checks the URL's form (scheme, parameters); connects nothing. */
ITS_NODISCARD int itsi_capture_create(struct itsi_capture **out, const struct itsi_capture_params *params,
                                      struct its_diag *diag);
ITS_NODISCARD int itsi_capture_start(struct itsi_capture *capture, struct its_diag *diag);
/* Asks the thread to end (interrupts a blocking call) without waiting, so that many can be stopped together. */
void itsi_capture_request_stop(struct itsi_capture *capture);
/* Joins the thread. What the decoder still held is entered in the ledger as dropped (shutdown). */
void itsi_capture_stop(struct itsi_capture *capture);
void itsi_capture_destroy(struct itsi_capture *capture); /* takes NULL; stops first */
void itsi_capture_tell(const struct itsi_capture *capture, struct itsi_capture_told *out);
/* From the next access unit on; what is left out by it is in the ledger as skipped. Sources with pace=off are not
 * thinned. `most`: pictures per second that go on, 0: all. With ITSI_DECODE_KEY a group goes on being decoded behind its
 * key frame until the receiver has taken a picture of it, for half of the group at most: cameras whose key frames come
 * together are so spread in time by their receiver. `sub`: read the smaller stream, where there is one: it is opened
 * beside the full one, which is left once a key frame of the other was decoded; the same on the way back. While it cannot
 * be had the full one is read on, and the other tried again after a minute. Any thread; never waits. */
void itsi_capture_economise(struct itsi_capture *capture, enum itsi_decode_mode decode, double most, bool sub);
/* Enters what the camera owes by `now`, as its own thread does while it waits: for who looks from outside, since a thread
 * that hangs in a decoder counts nothing. Frames are entered once, whoever is first. */
void itsi_capture_watch(struct itsi_capture *capture, int64_t now);
void itsi_capture_status(struct itsi_capture *capture, struct itsi_capture_status *out);

/* Ground truth of a synthetic camera: the boxes of the frame at media_ns (frame->media_ns). Opens the clip's sidecar,
 * rendering the clip when it is not cached or its sidecar is damaged. */
struct itsi_synth_truth;
struct itsi_road_box;
ITS_NODISCARD int itsi_synth_truth_open(struct itsi_synth_truth **out, const char *url, const char *cache_dir,
                                        struct its_diag *diag);
/* Borrowed until close; returns their number, 0 when media_ns lies outside. */
int itsi_synth_truth_at(struct itsi_synth_truth *truth, int64_t media_ns, const struct itsi_road_box **boxes);
void itsi_synth_truth_close(struct itsi_synth_truth *truth);

/* camera probe: connects once, watches for `seconds`, and reports. */
struct itsi_probe_report {
    char codec[32], profile[32], pixel_format[32], transport[16];
    int width, height;
    double declared_fps, measured_fps;
    double bitrate_kbps;
    int gop;                     /* frames between key frames, 0 unknown (fewer than two seen) */
    int b_frames;                /* reorder depth, 0: none */
    bool sender_reports;         /* RTCP SR seen: capture time known */
    double first_picture_ms;     /* from connect to the first decoded picture */
    double jitter_ms_p95;        /* of packet arrival against the time stamps; files: 0 */
    uint64_t packets, frames, corrupt, lost; /* lost: gaps in the time stamps */
    bool can_meet_budget;        /* false with B-frames: says why in note */
    char note[256];
};
ITS_NODISCARD int itsi_capture_probe(struct itsi_probe_report *out, const char *url, const struct its_cfg_capture *cfg,
                                     const char *cache_dir, double seconds, struct its_diag *diag);

#endif
