/* What the files of this room share.
 *
 * Lock order: table -> camera -> (batcher | ledger | bus). The table's lock is never held while a capture is joined. */
#ifndef ITSI_PIPELINE_IMPL_H
#define ITSI_PIPELINE_IMPL_H

#include "base/thread.h"
#include "capture/metronome.h"
#include "infer/batcher.h"
#include "latency/flight_ring.h"
#include "latency/rolling.h"
#include "latency/trace.h"
#include "latency/violations.h"
#include "metrics/quantile.h"
#include "metrics/rate.h"
#include "pipeline/bus.h"
#include "pipeline/debt.h"
#include "pipeline/lanes.h"
#include "pipeline/pipeline.h"
#include "pipeline/records.h"
#include "pipeline/tracking.h"
#include "postprocess/yolo.h"
#include "preprocess/letterbox.h"
#include "quality/ladder.h"

#include <stdatomic.h>

/* What the quality manager asks of a camera and knows about it. */
struct itsi_stream_quality {
    /* any thread */
    atomic_int level, picture_height, picture_quality; /* for its results */
    atomic_uint_fast64_t detected;                     /* frames that went through the engine */
    atomic_int_fast64_t encode_ns;                     /* processor time of pictures made of it */
    /* under the table's lock */
    int start;      /* the level it was admitted at; -1: where its peers are */
    bool start_at_floor;
    int pin, boost; /* levels; -1: none */
    int64_t boost_until;
    struct itsi_quality_target target; /* in effect */
    int width, height;                 /* of the full stream, once seen */
    uint64_t changes;
    int64_t changed, changed_wall_ns;  /* the last; at first, when it was added */
    /* quality manager's thread: as of the two steps before, the older first */
    struct itsi_stream_sample {
        int64_t now; /* 0: there was none */
        int64_t cpu_ns, encode_ns;
        uint64_t decoded, detected;
    } before[2];
};

/* One camera's stream. Referenced by the table and by every job that carries one of its frames; the last unref settles
 * its ledger into the pipeline's. */
struct itsi_camera_stream {
    /* const */
    struct itsi_pipeline *pipeline;
    struct itsi_camera config;
    uint32_t index; /* grows with every camera ever added */
    int64_t added_wall_ns;
    int latency_series; /* in rolling; negative: none */
    char group[ITSI_ALERT_SUBJECT_SIZE]; /* what fails with it: the host of its URL; empty: alone */
    struct itsi_packet_ring *ring; /* owned; what capture reads, for clips; NULL: not kept */
    struct itsi_capture *capture;
    struct itsi_mailbox *mailbox;
    struct itsi_ledger ledger; /* a lock of its own */
    atomic_int refs;
    atomic_uint_fast64_t taken; /* frames that were analysed, or are about to be, or for which tracking stood in */
    /* under lock */
    pthread_mutex_t lock;
    struct itsi_result *latest; /* owned */
    struct itsi_frame *latest_frame; /* owned; its pixels */
    struct itsi_rate rate;
    int64_t last_result_ns;
    struct itsi_stream_quality quality; /* locks of its own */
    struct itsi_stream_tracking tracking;
    struct itsi_stream_debt debt;
    struct itsi_stream_records records;
    /* under the table's lock */
    struct itsi_camera_stream *next; /* all streams not settled yet, removed ones with frames in flight too */
    bool listed;
};

/* One engine slot's load. Written by the batcher thread before submit, read by the post-processing thread after. */
struct itsi_job {
    int count;
    bool again; /* one picture that was delivered before: see pipeline/debt.h */
    struct itsi_batch_item *items;
    struct itsi_letterbox *boxes;
    /* under the table's lock */
    int64_t submitted_ns; /* 0: none of it is anywhere */
    enum itsi_stage stage; /* where it is: inference or post-processing */
    char first_camera[ITSI_CAMERA_ID_SIZE];
};

/* Rows that apply live, read by the post-processing thread once per batch. */
struct itsi_live {
    float confidence, iou;
    int max_detections;
    bool use_mask;
    uint8_t class_mask[ITSI_MAX_CLASSES];
};

/* Whom stop() waits for, in the order it does. */
enum itsi_stop_part {
    ITSI_STOP_NOBODY,
    ITSI_STOP_CAPTURE,
    ITSI_STOP_MONITOR,
    ITSI_STOP_BATCHING,
    ITSI_STOP_ENGINE,
    ITSI_STOP_CLIPS,
    ITSI_STOP_SPANS
};

/* Names of cameras that are gone but whose frames the flight recorder may still hold. */
enum { ITSI_GONE = 256 };
struct itsi_gone_camera {
    uint32_t index;
    char id[ITSI_CAMERA_ID_SIZE];
};

struct itsi_pipeline {
    /* const after create */
    const struct itsi_backend *backend;
    struct itsi_engine *engine;
    struct itsi_engine_info info;
    char **class_names; /* owned */
    int classes;
    int max_cameras;
    bool measuring; /* baselines are neither read nor kept */
    char *cache_dir; /* owned */
    struct itsi_batcher *batcher;
    bool by_deadline; /* its policy */
    struct itsi_handshakes *handshakes;
    struct itsi_metronome *metronome;
    struct itsi_result_pool *results;
    struct itsi_letterboxer *boxer; /* batcher thread */
    struct itsi_quantile letterboxing; /* ns an image; batcher thread */
    struct itsi_yolo *yolo;         /* post-processing thread */
    struct itsi_track_scratch *track_scratch; /* the same; NULL: tracking is switched off */
    _Atomic float tolerance; /* of struct itsi_track_budget, for all cameras */
    atomic_bool left_standing; /* a frame stands by for a detection that was dropped */
    struct itsi_job *jobs;          /* one per engine slot */
    struct itsi_bus bus;
    struct itsi_latency_recorder *recorder;
    struct itsi_rolling *rolling;
    struct itsi_alerting *alerting;
    struct itsi_regressing *regressing;
    struct itsi_quality_control *quality; /* NULL: nothing adapts */
    struct itsi_debt *debt;               /* NULL where there is no quality manager */
    struct itsi_tracer *tracer;
    struct itsi_violations violations;
    struct itsi_flight_ring *flight; /* NULL: switched off */
    char *flight_folder;             /* owned */
    int64_t flight_ns;               /* how far back a record goes */
    pthread_mutex_t freezing;        /* one record is written at a time */
    atomic_int flight_files;         /* how many records stay */
    void (*look_at_pools)(void *arg, struct itsi_alert_pool_state out[ITSI_ALERT_POOLS]); /* NULL: nobody knows */
    void *pools;
    struct itsi_store *store;        /* borrowed; NULL: nothing is kept in a database */
    struct itsi_clips *clips;        /* NULL: none */
    struct itsi_packet_store *packets; /* memory of all cameras' rings; NULL: none */
    size_t clip_camera_bytes;        /* of each camera's ring */
    int64_t clip_ns;                 /* that it covers */
    int64_t started_ns;
    int64_t tick_ns; /* between two looks of the monitor's thread */

    pthread_mutex_t table; /* guards what follows */
    struct itsi_camera_stream *streams;      /* unsettled, newest first */
    struct itsi_camera_stream **cameras;     /* listed ones, in the order added; capacity max_cameras */
    int camera_count;
    uint32_t next_index;
    int next_name; /* every camera_NNN below is taken */
    struct itsi_ledger_counts settled; /* ledgers of streams that are gone */
    struct itsi_gone_camera gone[ITSI_GONE];
    uint64_t gone_count; /* ever; the newest ITSI_GONE are kept */
    struct itsi_live live;
    struct its_cfg_capture capture_cfg; /* for cameras to come; tls_ca_file is owned */
    bool started, stopping;
    enum itsi_stop_part stop_part;
    char stop_camera[ITSI_CAMERA_ID_SIZE]; /* CAPTURE: whose */
    struct itsi_rate rate;
    uint64_t result_count, batches, batch_images;
    int batch_max;

    pthread_t batch_thread, post_thread, monitor_thread;
    bool batch_running, post_running, monitor_running;
    struct itsi_event monitor_stop;
    bool short_of_memory; /* the monitor's thread: windows keep counts and sums only */
    atomic_bool stop_batching;
    atomic_bool monitoring; /* general.enable_monitoring: all that follows a frame's end but the cumulative figures */
    atomic_int_fast64_t interval_ns; /* between two rounds of the monitor's slow work */
    int64_t told_ns;                 /* the monitor's thread: when the log was last written to; 0: never */
    atomic_int_fast64_t budget_ns; /* from origin to deadline */
    atomic_int in_engine; /* slots submitted and not released */
    struct itsi_lanes lanes;
};

/* camera.c */
void itsi_stream_retain(void *stream); /* as the batcher calls it */
void itsi_stream_unref(struct itsi_camera_stream *stream);
static inline void itsi_stream_take(struct itsi_camera_stream *stream)
{
    atomic_fetch_add_explicit(&stream->taken, 1, memory_order_relaxed);
}
struct itsi_camera_stream *itsi_stream_find(struct itsi_pipeline *pipeline, const char *id); /* a reference; or NULL */
/* Ends capture and mailbox of a stream that left the table, and drops the table's reference. */
void itsi_stream_retire(struct itsi_camera_stream *stream, enum itsi_drop reason);
void itsi_stream_publish(struct itsi_camera_stream *stream, struct itsi_result *result, struct itsi_frame *frame,
                         int64_t now);

/* ends.c: by whoever ends a frame, once, while it holds a reference of the stream. */
void itsi_stream_delivered(struct itsi_camera_stream *stream, const struct itsi_result *result,
                           const struct itsi_trace_id *trace);
void itsi_stream_dropped(void *stream, const struct itsi_frame *frame, enum itsi_stage stage, enum itsi_drop reason);
/* Left out behind the way to detection: nobody broke a promise to it, and no more is told of it than of all others skipped. */
void itsi_stream_skipped(void *stream, const struct itsi_frame *frame);
/* As capture tells it: it never became a picture. */
void itsi_stream_lost(void *stream, const struct itsi_frame_info *info, enum itsi_drop reason, bool damaged);

/* flight.c: how frames ended, kept for the flight record. */
void itsi_flight_delivered(struct itsi_camera_stream *stream, const struct itsi_result *result);
void itsi_flight_dropped(struct itsi_camera_stream *stream, const struct itsi_frame *frame, enum itsi_stage stage,
                         enum itsi_drop reason);
void itsi_flight_lost(struct itsi_camera_stream *stream, const struct itsi_frame_info *info, enum itsi_drop reason,
                      bool damaged);
ITS_NODISCARD int itsi_pipeline_make_flight(struct itsi_pipeline *pipeline, const struct its_cfg *cfg,
                                            struct its_diag *diag);

/* incidents.c: clips of what cameras showed around an incident. */
ITS_NODISCARD int itsi_pipeline_make_clips(struct itsi_pipeline *pipeline, const struct itsi_pipeline_params *params,
                                           struct its_diag *diag);
ITS_NODISCARD int itsi_stream_ring_init(struct itsi_camera_stream *stream, struct its_diag *diag);
/* Now is an incident, of the camera, or (NULL) of all: then of the most important ones. Their clips are named in `frozen`,
 * whose path is that of the flight record. Never waits. */
void itsi_pipeline_keep_clips(struct itsi_pipeline *pipeline, const char *camera, const char *why,
                              struct itsi_frozen *frozen);
void itsi_pipeline_free_clips(struct itsi_pipeline *pipeline); /* what waits is left for the next start */

/* regressing.c */
ITS_NODISCARD int itsi_pipeline_make_regressing(struct itsi_pipeline *pipeline, const struct its_cfg *cfg,
                                                struct its_diag *diag);
ITS_NODISCARD int itsi_pipeline_configure_regressing(struct itsi_pipeline *pipeline, const struct its_cfg *cfg,
                                                     struct its_diag *diag);
void itsi_pipeline_free_regressing(struct itsi_pipeline *pipeline); /* keeps what was learned */
void itsi_pipeline_regress_frame(struct itsi_pipeline *pipeline, const struct itsi_breakdown *frame, int64_t now);
/* expected: frames due so far, of all cameras. */
void itsi_pipeline_tick_regressing(struct itsi_pipeline *pipeline, uint64_t expected, int64_t now);
/* Those that hold now, as alerts take them; returns how many were copied. */
size_t itsi_pipeline_regressions(struct itsi_pipeline *pipeline, struct itsi_alert_regression *out, size_t cap);

/* tracking.c */
enum { ITSI_TRACKING_MOST = 15 }; /* frames from one detection to the next, at most */
ITS_NODISCARD int itsi_pipeline_make_tracking(struct itsi_pipeline *pipeline, struct its_diag *diag);
ITS_NODISCARD int itsi_stream_tracking_init(struct itsi_camera_stream *stream, struct its_diag *diag);
void itsi_stream_tracking_fini(struct itsi_camera_stream *stream);
/* A frame of the camera goes to detection. */
void itsi_tracking_sent(struct itsi_camera_stream *stream);
/* It was dropped on the way, perhaps under a lock; the caller wakes the batcher's thread where that is not it. */
void itsi_tracking_gave_up(struct itsi_camera_stream *stream);
/* Its result was given; what stood by for it gets its own. No lock is held. */
void itsi_tracking_ended(struct itsi_camera_stream *stream);
/* Batcher's thread, no lock is held: frames that stood by for one that was dropped get their results. */
void itsi_tracking_catch_up(struct itsi_pipeline *pipeline);
/* Least score of the boxes that tracking wants to see, where `confidence` is that of those shown. */
float itsi_tracking_floor(const struct itsi_camera_stream *stream, float confidence);
/* Post-processing thread: boxes that were detected get their ids; only those above `confidence` stay. */
void itsi_tracking_detected(struct itsi_camera_stream *stream, struct itsi_result *result, float confidence);
/* Capture thread: does tracking stand in for this frame? Then the reference is taken over. */
bool itsi_tracking_takes(struct itsi_camera_stream *stream, struct itsi_frame *frame);
/* The longest detection interval, in frames, over which the tracks hold; 0: not known. */
int itsi_tracking_longest(struct itsi_camera_stream *stream);
void itsi_tracking_stop(struct itsi_camera_stream *stream, enum itsi_drop reason);
/* Every half second, one thread: how much doubt is tolerable, by what was paid for and spent since. */
void itsi_tracking_balance(struct itsi_pipeline *pipeline);

/* quality.c */
ITS_NODISCARD int itsi_pipeline_make_quality(struct itsi_pipeline *pipeline, const struct itsi_pipeline_params *params,
                                             struct its_diag *diag);
ITS_NODISCARD int itsi_pipeline_configure_quality(struct itsi_pipeline *pipeline, const struct its_cfg *cfg,
                                                  struct its_diag *diag);
void itsi_pipeline_free_quality(struct itsi_pipeline *pipeline);
ITS_NODISCARD int itsi_pipeline_start_quality(struct itsi_pipeline *pipeline, struct its_diag *diag);
void itsi_pipeline_stop_quality(struct itsi_pipeline *pipeline);
/* Fills what a camera's status says of its quality. The table's lock is held. */
void itsi_stream_quality_status(const struct itsi_camera_stream *stream, int64_t now, struct itsi_camera_status *out);
/* The input sizes that the levels need, besides the model's own; returns how many. */
int itsi_pipeline_quality_sizes(const struct its_cfg *cfg, const struct itsi_model *model, struct itsi_input_size own,
                                struct itsi_input_size more[ITSI_ENGINE_SIZES - 1]);
/* A stream that is new. */
void itsi_stream_quality_init(struct itsi_camera_stream *stream);
/* Does one more camera fit? ITS_ELIMIT: no, with the reason and what would make it fit. */
ITS_NODISCARD int itsi_stream_quality_admit(struct itsi_camera_stream *stream, struct its_diag *diag);
/* A frame that went through the engine, and what to write into its result. */
void itsi_quality_note_result(struct itsi_camera_stream *stream, struct itsi_result *result);
/* The latter alone. */
void itsi_quality_mark_result(struct itsi_camera_stream *stream, struct itsi_result *result);
void itsi_quality_note_run(struct itsi_pipeline *pipeline, int size, int images, int64_t run_ns);
void itsi_quality_note_failure(struct itsi_pipeline *pipeline);

/* run.c: into the engine, from the batcher's thread. Not 0: it was not taken, and the job is the caller's again. */
ITS_NODISCARD int itsi_pipeline_launch(struct itsi_pipeline *pipeline, int slot, struct itsi_job *job);

/* debt.c */
ITS_NODISCARD int itsi_pipeline_make_debt(struct itsi_pipeline *pipeline, struct its_diag *diag);
void itsi_pipeline_free_debt(struct itsi_pipeline *pipeline);
void itsi_debt_configure(struct itsi_pipeline *pipeline, double share); /* of the results below full quality */
void itsi_debt_set_room(struct itsi_pipeline *pipeline, int64_t run_ns); /* quality manager: a run may take so long now */
/* A result is handed over, under the stream's lock: is it one of the sample? Then, without the lock, it is kept. */
bool itsi_debt_note(struct itsi_camera_stream *stream, const struct itsi_result *result);
void itsi_debt_keep(struct itsi_camera_stream *stream, struct itsi_result *result, struct itsi_frame *frame);
void itsi_debt_close(struct itsi_camera_stream *stream); /* nothing of it is kept from now on */
/* One whose turn it is, with a reference of its stream; false: none waits. */
bool itsi_debt_take(struct itsi_debt *debt, struct itsi_debt_sample *out);
void itsi_debt_release(struct itsi_debt_sample *sample); /* picture and result, not the stream */
void itsi_debt_book(const struct itsi_debt_sample *sample, const struct itsi_debt_picture *picture, int64_t engine_ns);
void itsi_debt_book_failure(struct itsi_debt *debt);
uint64_t itsi_debt_runs(struct itsi_pipeline *pipeline); /* ever begun */
void itsi_debt_status(struct itsi_camera_stream *stream, int64_t now, struct itsi_debt_estimate out[ITSI_DEBT_LEVELS]);
/* debt_run.c. Batcher's thread, the slot is acquired and no frame is due: true when a picture is on its way in it. */
bool itsi_debt_run(struct itsi_pipeline *pipeline, int slot);
/* Post-processing thread: it came back. The slot is still the caller's to release. */
void itsi_debt_finish(struct itsi_pipeline *pipeline, struct itsi_job *job, const struct itsi_completion *done);

/* alerting.c */
void itsi_alerting_group_of(const char *url, char *out, size_t size);
/* The batch that was submitted first and has not ended; NULL: none. The table's lock is held. */
const struct itsi_job *itsi_pipeline_oldest(const struct itsi_pipeline *pipeline);
ITS_NODISCARD int itsi_pipeline_make_alerting(struct itsi_pipeline *pipeline, const struct its_cfg *cfg,
                                              struct its_diag *diag);
ITS_NODISCARD int itsi_pipeline_configure_alerting(struct itsi_pipeline *pipeline, const struct its_cfg *cfg,
                                                   struct its_diag *diag);
void itsi_pipeline_free_alerting(struct itsi_pipeline *pipeline);
void itsi_pipeline_tick_alerting(struct itsi_pipeline *pipeline, int64_t now);

/* monitor.c: the thread that looks once a second, and one such look. */
ITS_NODISCARD int itsi_pipeline_monitor_start(struct itsi_pipeline *pipeline, struct its_diag *diag);
void itsi_pipeline_monitor_stop(struct itsi_pipeline *pipeline);
void itsi_pipeline_tick(struct itsi_pipeline *pipeline, int64_t now); /* one thread at a time */

/* engine_make.c: the engine with its input sizes, and the jobs its slots work on. */
ITS_NODISCARD int itsi_pipeline_make_engine(struct itsi_pipeline *pipeline, const struct itsi_pipeline_params *params,
                                            struct its_diag *diag);
ITS_NODISCARD int itsi_pipeline_make_jobs(struct itsi_pipeline *pipeline); /* or ITS_ENOMEM */
void itsi_pipeline_free_engine(struct itsi_pipeline *pipeline);

/* live.c: the options that change while it runs; ITS_EINVAL: a class that the model does not have. */
ITS_NODISCARD int itsi_pipeline_set_live(struct itsi_pipeline *pipeline, const struct its_cfg *cfg,
                                         struct its_diag *diag);

/* pipeline.c: the sum of all cameras' ledgers, removed ones too. The table's lock is held. */
void itsi_pipeline_books(struct itsi_pipeline *pipeline, struct itsi_ledger_counts *out);

/* stopping.c: stop() says whom it waits for from now on. camera: "" for none. */
void itsi_pipeline_waits_for(struct itsi_pipeline *pipeline, enum itsi_stop_part part, const char *camera);

/* run.c */
ITS_NODISCARD int itsi_pipeline_make_batcher(struct itsi_pipeline *pipeline, const struct its_cfg *cfg,
                                             struct its_diag *diag);
ITS_NODISCARD int itsi_pipeline_run(struct itsi_pipeline *pipeline, struct its_diag *diag);
/* Joins both threads; what is in the engine is collected first. */
void itsi_pipeline_join(struct itsi_pipeline *pipeline);

#endif
