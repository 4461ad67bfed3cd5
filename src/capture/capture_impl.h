/* What the files of this room share about one camera. */
#ifndef ITSI_CAPTURE_IMPL_H
#define ITSI_CAPTURE_IMPL_H

#include "base/clock.h"
#include "base/thread.h"
#include "capture/capture.h"
#include "capture/demux.h"
#include "capture/freeze.h"
#include "capture/machine.h"
#include "capture/metronome.h"
#include "capture/origin.h"
#include "capture/selection.h"
#include "capture/source.h"
#include "capture/timeline.h"

/* One of a camera's streams. */
struct itsi_stream_source {
    /* const */
    char *url; /* owned; NULL: there is none */
    struct itsi_source source;
    /* owner thread */
    int64_t again;        /* it could not be had and is not tried before */
    int reorder;          /* reorder depth learned from it, */
    enum AVCodecID codec; /* while it was of this codec */
};

struct itsi_session;
/* The other stream while it is opened (capture/successor.h). */
struct itsi_successor {
    pthread_t thread;
    bool running;                 /* the thread was not joined yet */
    int stream;
    atomic_bool stop, done;
    struct itsi_session *session; /* owned; its thread's while that runs */
    int rc;                       /* once done */
    struct its_diag diag;
};

struct itsi_capture {
    /* const but for what is the owner thread's in them */
    char id[ITSI_CAMERA_ID_SIZE];
    struct itsi_stream_source streams[2]; /* the full one and the smaller one */
    char *cache_dir; /* owned */
    struct its_cfg_capture cfg; /* its strings are owned here */
    uint32_t camera, generation;
    int64_t budget_ns, start_offset_ns;
    double expected_fps;
    struct itsi_ledger *ledger;
    struct itsi_handshakes *handshakes;
    struct itsi_metronome *metronome;
    struct itsi_frame_sink sink;
    struct itsi_frame_pool *pool;
    bool keeps_beat; /* the metronome's thread is the owner: there is none of its own */

    /* owner thread */
    pthread_t thread;
    bool started;
    int using;                 /* which of the streams */
    struct itsi_source source; /* of that one */
    struct itsi_successor successor;
    int64_t last_unit;         /* arrival of the newest unit that was counted */
    int64_t overlap;           /* of a stream that takes over: what came up to here was shown by the other */
    struct itsi_selection selection;
    int64_t last_key;          /* presentation time of the newest key frame; ITSI_NO_TIME: none in this epoch */
    struct itsi_metronome_member member;
    struct {
        int64_t anchor;       /* when the first frame was due */
        int64_t index, count; /* of the next frame; of all */
    } null;
    struct itsi_machine machine;
    struct itsi_cadence cadence;
    struct itsi_freeze freeze;
    int64_t last_tick;
    int64_t grace;    /* silence up to here is not yet an outage, ns */
    bool connected;   /* at least once */
    uint32_t epoch;
    uint64_t seq;

    /* any thread */
    atomic_bool stop;
    atomic_int decode; /* enum itsi_decode_mode */
    atomic_int most_millihertz;
    atomic_bool want_sub;
    struct itsi_event stop_event;

    /* lock */
    pthread_mutex_t mutex;
    struct itsi_capture_status status;
    struct itsi_dues dues;
    double due_fps;    /* as the owner last knew them, for who counts in its place */
    int64_t due_grace;
};

static inline bool itsi_capture_thins(const struct itsi_capture *c) { return !c->source.pace_off; }
/* Which of the streams is wanted now. */
int itsi_capture_wanted(const struct itsi_capture *c);
/* The stream could not be had: it is told, and not tried again at once. */
void itsi_capture_stream_failed(struct itsi_capture *c, int stream, const struct its_diag *diag);

static inline bool itsi_capture_stopping(struct itsi_capture *c) { return atomic_load(&c->stop); }

/* Publishes the machine's state. */
void itsi_capture_publish(struct itsi_capture *c, const struct its_diag *diag);
/* A good frame left: moves the state machine. */
void itsi_capture_good_frame(struct itsi_capture *c, int64_t now);

/* silence.c */

/* Frames due per second: measured, else what the operator said. */
double itsi_capture_fps(const struct itsi_capture *c);
#define ITSI_CAPTURE_TICK_NS (100 * ITSI_NS_PER_MS)
/* Enters frames that an outage or a silence owes, every tick. Cheap; called wherever the thread waits. */
void itsi_capture_tick(void *capture);
/* Frames are due from `since` on; without effect where they are already. */
void itsi_capture_owe(struct itsi_capture *c, int64_t since);
/* A picture came, or comes, at `at`: up to there all is in the books. Returns what the silence before entered. */
uint64_t itsi_capture_seen(struct itsi_capture *c, int64_t at);
/* The same, where no time stamps say what was lost before: what the clock owes is entered, if `owes` or if the silence
 * had begun to be. */
void itsi_capture_settle(struct itsi_capture *c, int64_t at, bool owes);

/* handover.c */

/* What becomes of the picture presented at `at`? One that is skipped the caller enters in the books. */
enum itsi_selection_verdict itsi_capture_wants(struct itsi_capture *c, bool key, int64_t at);
/* How much of the stream is to be decoded now. */
enum itsi_decode_mode itsi_capture_decodes(const struct itsi_capture *c);
/* Frames that the receiver has taken so far. */
uint64_t itsi_capture_taken(struct itsi_capture *c);
/* The picture presented at `at`, which was due, is about to be handed over. */
void itsi_capture_offer(struct itsi_capture *c, bool key, int64_t at);
/* A frame from the pool with the identity filled in; NULL: none free (never with pace=off unless stopping). */
struct itsi_frame *itsi_capture_frame(struct itsi_capture *c);
/* Hands the frame over and counts it. ITS_ECANCELLED: the receiver stops. */
ITS_NODISCARD int itsi_capture_put(struct itsi_capture *c, struct itsi_frame *frame, int64_t origin);
/* Tells the receiver of a frame that became no picture; the books are the caller's. origin: 0: now. */
void itsi_capture_lost(struct itsi_capture *c, int64_t origin, enum itsi_drop reason, bool damaged);
/* A frame that arrived and is dropped here: into the books, and told. */
void itsi_capture_drop_one(struct itsi_capture *c, int64_t origin, enum itsi_drop reason);
/* A frame without pixels that has just arrived: into the books, and from the pool. NULL: none was free, it is dropped. */
struct itsi_frame *itsi_capture_blank(struct itsi_capture *c, int64_t origin, int width, int height);
/* `count` frames that were due and that we did not get to: in the books as dropped here. */
void itsi_capture_drop(struct itsi_capture *c, uint64_t count, enum itsi_drop reason);

/* One connection, from open to its end. ITS_EEOF: a source played once has ended; ITS_EAGAIN: it was left for the
 * camera's other stream; else why it was lost. */
ITS_NODISCARD int itsi_session_run(struct itsi_capture *c, const char *address, struct its_diag *diag);
ITS_NODISCARD int itsi_null_run(struct itsi_capture *c);
/* The same in steps: when the first frame is due, then a frame, and when the next is. ITS_EEOF: that was the last;
 * ITS_ECANCELLED: the receiver stops. */
int64_t itsi_null_begin(struct itsi_capture *c);
ITS_NODISCARD int itsi_null_step(struct itsi_capture *c, int64_t now, int64_t *next);
ITS_NODISCARD int itsi_replay_run(struct itsi_capture *c, struct its_diag *diag);

#endif
