/* Every change of a camera's quality is an event: from what to what, by which knob, why, and the figures that decided. */
#ifndef ITSI_QUALITY_EVENT_H
#define ITSI_QUALITY_EVENT_H

#include "quality/ladder.h"

#include <stddef.h>

/* X(NAME, "text", "why, as a sentence goes on after the change") */
#define ITSI_QUALITY_REASON_MAP(X)                                                                                     \
    X(NONE, "none", "unchanged")                                                                                       \
    X(SLACK, "slack", "frames finish too close to their deadline")                                                     \
    X(QUEUE_AGE, "queue_age", "frames wait too long for the engine")                                                   \
    X(ON_TIME, "on_time", "too many admitted frames are late")                                                         \
    X(BUSY, "busy", "the machine is full and frames go unanalysed")                                                    \
    X(ENCODER, "encoder", "the picture encoder is full")                                                               \
    X(CAUSE, "cause", "it takes far more than the others")                                                             \
    X(PROBE, "probe", "calm for long enough: one camera tries first")                                                  \
    X(RECOVERY, "recovery", "calm, and the trial held")                                                                \
    X(RELAPSE, "relapse", "the rise brought overload back")                                                            \
    X(ADMITTED, "admitted", "it came while there was no room for more")                                                \
    X(PINNED, "pinned", "an operator fixed its level")                                                                 \
    X(BOOSTED, "boosted", "an incident asks for more")                                                                 \
    X(RELEASED, "released", "its pin or boost ended")                                                                  \
    X(POLICY, "policy", "the policy changed")                                                                          \
    X(SUB_STREAM, "sub_stream", "its smaller stream cannot be had, the full one is read on")                           \
    X(RARE_KEYS, "rare_keys", "its key frames come too rarely to live on them alone")                                  \
    X(STEADY_KEYS, "steady_keys", "its key frames have come often enough for a while")                                 \
    X(STREAM, "stream", "its stream lets other frames be left out than before")

enum itsi_quality_reason {
#define ITSI_X(name, text, sentence) ITSI_QUALITY_##name,
    ITSI_QUALITY_REASON_MAP(ITSI_X)
#undef ITSI_X
        ITSI_QUALITY_REASONS
};
const char *itsi_quality_reason_name(enum itsi_quality_reason reason);
const char *itsi_quality_reason_sentence(enum itsi_quality_reason reason);

/* What the controller looked at. Unknown: -1, slack NAN. */
struct itsi_quality_inputs {
    double slack_ms, queue_age_ms, on_time_ratio; /* smoothed */
    double busy;        /* of processors or engine, whichever is busier */
    double unmet;       /* share of the detections asked for that were not done */
    double utilisation; /* demand over capacity of the fullest resource */
};

struct itsi_quality_event {
    uint64_t key;
    int64_t now;             /* the snapshot's */
    enum itsi_quality_knob knob;
    int from_level, to_level; /* of the camera: they may be equal, with another knob lower still */
    int from_rung, to_rung;   /* of the knob */
    /* of the decode knob: what the camera's streams make of these */
    enum itsi_decode_mode from_decode, to_decode;
    bool from_sub, to_sub;
    double key_fps;           /* its key frames a second, as measured; 0: not known */
    enum itsi_quality_reason reason;
    struct itsi_quality_inputs inputs;
};

/* Room for the events of a step; what does not fit is counted. */
struct itsi_quality_events {
    struct itsi_quality_event *items; /* the caller's; NULL with capacity 0 */
    size_t capacity;
    size_t count, suppressed; /* written by every step */
};

void itsi_quality_events_add(struct itsi_quality_events *events, const struct itsi_quality_event *event);

/* "compute medium -> low (rung 2 -> 3): frames finish too close to their deadline; slack 4 ms, ..." */
void itsi_quality_event_text(const struct itsi_quality_event *event, char *out, size_t size);
/* Into the object that is open; what is unknown is null. */
struct itsi_json;
void itsi_quality_put_inputs(struct itsi_json *json, const struct itsi_quality_inputs *inputs);

#endif
