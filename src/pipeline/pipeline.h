/* The wiring: cameras into mailboxes, mailboxes into the batcher, batches through the engine, boxes onto the detection
 * bus. The only room that knows every stage.
 *
 * Threads: one capture thread per camera; one batcher thread (takes, letterboxes, submits); one post-processing thread
 * (collects, decodes boxes, keeps the books, publishes). All functions here are thread-safe unless they say otherwise. */
#ifndef ITSI_PIPELINE_PIPELINE_H
#define ITSI_PIPELINE_PIPELINE_H

#include "base/system.h"
#include "capture/capture.h"
#include "capture/packet_store.h"
#include "config/config.h"
#include "core/detection.h"
#include "core/ledger.h"
#include "infer/backend.h"
#include "infer/model.h"
#include "latency/alert_delivery.h"
#include "latency/alerts.h"
#include "latency/compare_run.h"
#include "latency/recorder.h"
#include "latency/regression.h"
#include "latency/rolling.h"
#include "latency/trace.h"
#include "latency/violations.h"
#include "pipeline/clips.h"
#include "quality/controller.h"
#include "quality/debt.h"

struct itsi_pipeline;

struct itsi_ffmpeg_pool;
struct itsi_store;

struct itsi_pipeline_params {
    const struct its_cfg *cfg;       /* copied by value where needed; outlives the pipeline */
    const struct itsi_model *model;  /* borrowed, outlives it; NULL with the null backend */
    const struct itsi_backend *backend; /* NULL: the first that works for the model */
    int64_t null_base_ns, null_per_image_ns; /* the null backend's service time */
    struct itsi_ffmpeg_pool *ffmpeg; /* for clips of incidents; borrowed, outlives the pipeline; NULL: none are kept */
    /* How the pools are, for the alerts: asked once a second by the monitor's thread. NULL: nobody knows. */
    void (*look_at_pools)(void *arg, struct itsi_alert_pool_state out[ITSI_ALERT_POOLS]);
    void *pools;
    struct itsi_store *store; /* for what is kept of cameras and traffic; borrowed, outlives it; NULL: nothing is */
    void (*machine)(struct itsi_system_load *out); /* how busy the quality manager takes the machine for; NULL: as it is */
    int64_t tick_ns; /* how often windows, alerts and regressions look; 0: once a second, ITSI_NEVER: nobody does */
    bool unpaced; /* every camera it will have plays at its own pace, at no level: input sizes for levels are not built */
    bool measuring; /* what it learns of the machine's latency is not what the daemon's cameras are like: not kept */
};

ITS_NODISCARD int itsi_pipeline_create(struct itsi_pipeline **out, const struct itsi_pipeline_params *params,
                                       struct its_diag *diag);
ITS_NODISCARD int itsi_pipeline_start(struct itsi_pipeline *pipeline, struct its_diag *diag);
/* Would configure() take it? ITS_EINVAL: a class the model does not have. */
ITS_NODISCARD int itsi_pipeline_check(struct itsi_pipeline *pipeline, const struct its_cfg *cfg, struct its_diag *diag);
/* Applies the live rows: confidence, classes, deadlines (of all cameras) and how cameras added from now on connect. */
ITS_NODISCARD int itsi_pipeline_configure(struct itsi_pipeline *pipeline, const struct its_cfg *cfg,
                                          struct its_diag *diag);
/* Stops capture, lets what is in flight end (until_ns at the latest), joins everything. Idempotent. */
void itsi_pipeline_stop(struct itsi_pipeline *pipeline, int64_t until_ns);
/* Whom a stop() that does not return waits for: one sentence with the stage and, where it is known, the camera; empty: for
 * nobody. A thread cannot be ended from outside, so stop() has no limit beyond until_ns; a program that must end asks
 * this from a thread of its own and exits. */
void itsi_pipeline_hang(struct itsi_pipeline *pipeline, char *out, size_t size);
void itsi_pipeline_destroy(struct itsi_pipeline *pipeline); /* takes NULL; stops first */

/* A camera as the operator names it. */
struct itsi_camera {
    char id[ITSI_CAMERA_ID_SIZE];
    char url[2048];
    char sub_url[2048]; /* empty: none */
    int priority;       /* 0 ordinary .. 9 most important */
    double fps;         /* expected; 0: unknown */
    int64_t start_offset_ns; /* where a file begins */
    bool configured;    /* part of what the operator set up: taken whether there is room or not, quality gives way for it */
};
/* ITS_EINVAL bad id or URL, ITS_EEXISTS, ITS_ELIMIT (max_concurrent_streams; it does not fit). Starts it when the pipeline runs.
 * An empty id gets the next free "camera_001"; the id used is written back. */
ITS_NODISCARD int itsi_pipeline_add_camera(struct itsi_pipeline *pipeline, struct itsi_camera *camera,
                                           struct its_diag *diag);
ITS_NODISCARD int itsi_pipeline_remove_camera(struct itsi_pipeline *pipeline, const char *id, struct its_diag *diag);

struct itsi_camera_status {
    struct itsi_camera camera;   /* url still holds the password: redact before showing */
    struct itsi_capture_status capture;
    struct itsi_ledger_counts ledger;
    double analysed_fps;         /* results per second, over the last seconds */
    int64_t last_result_ns;      /* 0: none yet */
    double age_ms;               /* of the newest result's picture, now; NAN: none yet */
    double latency_ms;           /* end to end of the newest result; NAN: none yet */
    int last_count;              /* boxes in the newest result */
    int quality_level;
    struct itsi_quality_target quality; /* what is done for it */
    struct itsi_input_size quality_input; /* size its frames are detected at */
    int picture_height, picture_quality;  /* most that pictures of it have; 0: as the server is configured */
    bool is_priority;                   /* one of priority_camera_ids */
    int pin, boost;                     /* levels; -1: none */
    double boost_seconds;               /* left */
    uint64_t quality_changes;           /* of any of its knobs, ever */
    int64_t quality_since_wall_ns;      /* the last of them, or when it was added */
    double quality_seconds;             /* since then */
    char quality_note[256];             /* what of its level cannot be had, and why; empty: nothing */
    struct itsi_debt_estimate debt[ITSI_DEBT_LEVELS]; /* what it misses at each of the lower levels */
    char group[ITSI_ALERT_SUBJECT_SIZE]; /* what fails with it: the host of its URL; empty: alone */
    int64_t added_wall_ns;               /* since 1970; its books begin there */
};
/* Copies up to cap entries in the order added; returns how many cameras there are. */
int itsi_pipeline_cameras(struct itsi_pipeline *pipeline, struct itsi_camera_status *out, int cap);
ITS_NODISCARD int itsi_pipeline_camera(struct itsi_pipeline *pipeline, const char *id, struct itsi_camera_status *out);

struct itsi_pipeline_stats {
    struct itsi_engine_info engine;
    int cameras, cameras_running;
    int64_t started_ns;
    struct itsi_ledger_counts ledger; /* all cameras, removed ones too */
    struct itsi_latency_report latency; /* since start or the last reset */
    struct itsi_window_figures recent;  /* end to end in the short window, as of the last second */
    bool by_deadline; /* the batcher; false: the fixed one */
    uint64_t batches, batch_images;
    int batch_max;
    uint64_t results;
    double analysed_fps;  /* the last seconds */
    struct itsi_handshakes_stats handshakes;
    uint64_t bus_lost;    /* results subscribers were too slow for */
    double oldest_in_flight_seconds; /* of the batches in inference or post-processing; 0: none is */
    uint64_t flight_entries;         /* ends of frames the flight recorder took down; 0: switched off */
};
void itsi_pipeline_stats(struct itsi_pipeline *pipeline, struct itsi_pipeline_stats *out);
/* Begins a new measurement: histograms and batch counts start at zero (the benchmark's end of warm-up). Ledgers are
 * cumulative: take the difference of two snapshots. */
void itsi_pipeline_reset_stats(struct itsi_pipeline *pipeline);
/* Histograms since the start at the fixed edges of the metrics, for Prometheus; see latency/recorder.h. */
void itsi_pipeline_latency_counts(struct itsi_pipeline *pipeline, struct itsi_latency_counts *out);

/* The rolling windows: for queries only, valid while the pipeline lives. */
struct itsi_rolling *itsi_pipeline_rolling(struct itsi_pipeline *pipeline);
/* The same of one camera, end to end. ITS_ENOTFOUND: no such camera. */
ITS_NODISCARD int itsi_pipeline_camera_window(struct itsi_pipeline *pipeline, const char *id,
                                              enum itsi_rolling_window window, struct itsi_window_figures *out);
/* The alert conditions, for queries only, and what became of the messages to each receiver. */
struct itsi_alerts *itsi_pipeline_alerts(struct itsi_pipeline *pipeline);
void itsi_pipeline_alert_receivers(struct itsi_pipeline *pipeline,
                                   struct itsi_alert_receiver_stats out[ITSI_ALERT_RECEIVERS]);
/* What the regression detector knows, as of the last second; *band: the load it is in, -1: none yet. */
void itsi_pipeline_regression_report(struct itsi_pipeline *pipeline, struct itsi_regression_report *out, int *band);
/* What a baseline of this pipeline holds for: build, model, configuration, hardware. */
void itsi_pipeline_setup_key(struct itsi_pipeline *pipeline, struct itsi_baseline_key *out);
/* From now on delivered frames are recorded in the run as well, until it is NULL again. Borrowed. */
void itsi_pipeline_record_run(struct itsi_pipeline *pipeline, struct itsi_run *run);
/* Frames that missed their deadline, newest first; returns how many were copied. */
size_t itsi_pipeline_violations(struct itsi_pipeline *pipeline, struct itsi_violation *out, size_t cap);
/* How many by the stage to blame; returns their sum. */
uint64_t itsi_pipeline_violations_by_stage(struct itsi_pipeline *pipeline, uint64_t out[ITSI_STAGE_COUNT]);
/* For those who serve pictures, and for its books. */
struct itsi_tracer *itsi_pipeline_tracer(struct itsi_pipeline *pipeline);
/* A measurement from outside into the same windows: `series` as in itsi_rolling_measure. An end-to-end one counts for
 * its camera too. ITS_ENOTFOUND: no such camera; ITS_EINVAL: no such series, or no duration (0 to an hour). */
ITS_NODISCARD int itsi_pipeline_measure(struct itsi_pipeline *pipeline, const char *camera_id, int series,
                                        double milliseconds, struct its_diag *diag);

/* --- quality ------------------------------------------------------------------------------------------------------ */

enum { ITSI_QUALITY_HISTORY = 512 }; /* changes that are kept */

/* A change of a camera's quality, with its reason. */
struct itsi_quality_change {
    char camera[ITSI_CAMERA_ID_SIZE];
    int64_t wall_ns; /* since 1970 */
    struct itsi_quality_event event;
};
struct itsi_quality_overview {
    bool active; /* false: nothing adapts (enabled=false, or the option); pins hold all the same where it runs */
    int default_level;              /* without load, and of every camera where nothing adapts */
    double adjustment_seconds;      /* between upgrades: a camera unchanged for so long is stable */
    struct itsi_quality_status status; /* as of the last step */
    double cores;
};
void itsi_pipeline_quality(struct itsi_pipeline *pipeline, struct itsi_quality_overview *out);
/* The newest first; returns how many were copied. */
size_t itsi_pipeline_quality_changes(struct itsi_pipeline *pipeline, struct itsi_quality_change *out, size_t cap);
/* Fixes a camera's level (-1: no more). ITS_ENOTFOUND, ITS_EINVAL, ITS_EUNSUPPORTED: there is no quality manager, or
 * the camera plays at its own pace (pace=off) and so at no level. */
ITS_NODISCARD int itsi_pipeline_pin_quality(struct itsi_pipeline *pipeline, const char *id, int level,
                                            struct its_diag *diag);
/* An incident: at least this level for so many seconds (level -1: no more). Likewise. */
ITS_NODISCARD int itsi_pipeline_boost_quality(struct itsi_pipeline *pipeline, const char *id, int level, double seconds,
                                              struct its_diag *diag);
/* What the levels below `high` miss, by the pictures analysed again at full size. */
struct itsi_debt_level {
    struct itsi_debt_estimate estimate; /* of all cameras; objects an hour are known by camera only */
    struct itsi_debt_counts counts;     /* since the start */
};
struct itsi_debt_overview {
    double share;    /* of the results below full quality that are sampled; 0: none */
    int64_t room_ns; /* a run may take so long now; 0: there is no room */
    int waiting;     /* kept, and not analysed again yet */
    uint64_t runs;   /* through the engine, since the start */
    uint64_t shed, failed; /* sampled and given up for want of room or with its camera; the engine's failures */
    double engine_seconds; /* what the runs took */
    struct itsi_debt_level levels[ITSI_DEBT_LEVELS];
};
void itsi_pipeline_debt(struct itsi_pipeline *pipeline, struct itsi_debt_overview *out);
/* Pictures are made by so many threads from now on. Any thread. */
void itsi_pipeline_set_encoders(struct itsi_pipeline *pipeline, int threads);
/* A picture of the camera was encoded by one of them, which took so much processor time. Any thread. */
void itsi_pipeline_note_encoding(struct itsi_pipeline *pipeline, const char *id, int64_t cpu_ns);

/* Cameras whose clips an incident of the whole system leaves: the most important ones. An incident is when the machine
 * has least to spare. */
enum { ITSI_FROZEN_CLIPS = 4 };
/* What is left of an incident. */
struct itsi_frozen {
    char path[4096]; /* of the flight record */
    int clip_count;
    char clips[ITSI_FROZEN_CLIPS][ITSI_CLIP_NAME_SIZE]; /* being made, or failing: see the clips' list */
};
/* Writes what the flight recorder holds to a file of its own in data_dir/flight (made if need be), whose name begins with
 * the time, and has clips made of what the camera shows, or (NULL) the most important cameras. `why` stands in the file's
 * header and with the clips. At most flight_recorder_files stay, the oldest go. ITS_EUNSUPPORTED: the recorder is
 * switched off; ITS_ENOTFOUND: no such camera. Blocks on the disk; any thread, one at a time. */
ITS_NODISCARD int itsi_pipeline_freeze(struct itsi_pipeline *pipeline, const char *why, const char *camera,
                                       struct itsi_frozen *out, struct its_diag *diag);
/* The clips; NULL: none are made (clip_camera_mb is 0, or there is no FFmpeg pool). */
struct itsi_clips *itsi_pipeline_clips(struct itsi_pipeline *pipeline);
/* Memory of the cameras' coded pictures. */
void itsi_pipeline_clip_memory(struct itsi_pipeline *pipeline, struct itsi_packet_store_stats *out);

/* Class names in the model's order; borrowed for the pipeline's life. */
const char *const *itsi_pipeline_class_names(struct itsi_pipeline *pipeline, int *count);

/* --- the detection bus ------------------------------------------------------------------------------------------- */

struct itsi_subscription;
/* Results of one camera (NULL: of all). `depth` results wait at most; when a slow subscriber falls behind, the oldest is
 * dropped for it and counted: the producer never waits. `wake` (may be NULL) is called from the post-processing thread
 * after a result was queued: it must not block. */
ITS_NODISCARD int itsi_pipeline_subscribe(struct itsi_pipeline *pipeline, const char *camera_id, int depth,
                                          void (*wake)(void *arg), void *wake_arg, struct itsi_subscription **out,
                                          struct its_diag *diag);
/* The next result (caller unrefs), or NULL at until_ns (0: do not wait) or when the bus was closed. */
struct itsi_result *itsi_subscription_next(struct itsi_subscription *subscription, int64_t until_ns);
uint64_t itsi_subscription_lost(struct itsi_subscription *subscription);
bool itsi_subscription_ended(struct itsi_subscription *subscription); /* bus closed and nothing left */
void itsi_subscription_close(struct itsi_subscription *subscription); /* takes NULL */

/* The newest result of a camera and the picture it belongs to (caller unrefs both); NULL: none yet or no such camera.
 * frame may be NULL when only the result is wanted. Hold the frame briefly (encode, then unref): it comes from the
 * camera's small pool. */
struct itsi_result *itsi_pipeline_latest(struct itsi_pipeline *pipeline, const char *id, struct itsi_frame **frame);

#endif
