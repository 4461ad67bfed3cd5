/* A machine and its cameras for tests of the controller: a small queueing model with a clock of its own. Work is served
 * from `cores` (and an engine, where it has one of its own); what finds no room is shed uniformly; waiting follows
 * M/D/c (the approximation of Sakasegawa 1977, halved for constant service) and, beyond full, a backlog that a mailbox
 * bounds at the budget. */
#ifndef ITSI_QUALITY_PLANT_FIXTURE_H
#define ITSI_QUALITY_PLANT_FIXTURE_H

#include "base/rand.h"
#include "quality/controller.h"

enum { PLANT_CAMERAS = 1200, PLANT_EVENTS = 4096, PLANT_MEASURES = 5 };

struct plant_camera {
    struct itsi_quality_camera facts; /* as the controller is told */
    double true_fps;                  /* what really comes */
    double measured[PLANT_MEASURES];  /* smoothed */
    bool began;
    double done, counted;             /* where they are counted: part of a detection; detections of the tick before */
    int level_changes, rises;
    int least_level;                  /* since the last plant_watch() */
    double least_detected;            /* the same, detections per second asked for */
};

struct plant {
    /* the machine */
    double cores, foreign;            /* foreign: cores that others take */
    bool engine_on_cpu;
    double decode_per_pixel;          /* seconds */
    bool undecoded;                   /* frames need no decoding */
    double unit;                      /* seconds of one detection at the own input size */
    double scale;                     /* of all work: 3 is a threefold overload */
    double engine_scale;              /* of inference alone */
    double base_ms;                   /* latency that has nothing to do with load */
    double encode_per_row2;           /* of each camera somebody looks at; all */
    bool stalled;                     /* the engine does nothing */
    double stalled_ms;                /* for so long */
    bool hide_unit;                   /* nobody learned how long a run takes */
    bool counts;                      /* detections are counted, over two ticks as the pipeline does, not taken as a rate */
    bool never_late;                  /* what is admitted is in time, however much is shed */
    double knee;                      /* share of the machine beyond which latency breaks down, 1: where it is full */
    double memory_percent;
    double noise;                     /* relative, of the load figures */
    double backlog;                   /* seconds */
    struct itsi_rand rng;
    int64_t now, tick;
    /* the cameras */
    struct plant_camera cameras[PLANT_CAMERAS];
    int count;
    uint64_t next_key;
    /* the controller */
    struct itsi_quality_input inputs[3];
    struct itsi_quality_policy policy;
    struct itsi_quality_snapshot snapshot;
    struct itsi_quality_camera facts[PLANT_CAMERAS];
    struct itsi_quality_target targets[PLANT_CAMERAS];
    struct itsi_quality_event items[PLANT_EVENTS];
    struct itsi_quality_events events;
    struct itsi_quality_state *state;
    int total_changes;                /* events */
    double unmet, utilisation;        /* the truth, of the last tick */
    int64_t step_ns;                  /* processor time of the controller's last step */
};

struct plant *plant_create(double cores);
void plant_destroy(struct plant *plant);
/* Adds n cameras alike; returns the index of the first. */
int plant_add(struct plant *plant, int n, int width, int height, double fps);
void plant_remove(struct plant *plant, int index);
/* One tick of the machine and one step of the controller. */
void plant_tick(struct plant *plant);
void plant_run(struct plant *plant, double seconds);
/* Starts counting anew: changes, least levels. */
void plant_watch(struct plant *plant);
int plant_at_level(const struct plant *plant, int level);
/* Is the objective in danger now? */
bool plant_suffers(const struct plant *plant);

#endif
