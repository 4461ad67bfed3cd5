/* What the files of clips share. */
#ifndef ITSI_PIPELINE_CLIPS_IMPL_H
#define ITSI_PIPELINE_CLIPS_IMPL_H

#include "capture/packet_mux.h"
#include "pipeline/clip.h"
#include "pipeline/clips.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ITSI_CLIPS_WAITING = 128 }; /* for their time, or their turn */
enum { ITSI_CLIPS_FAILURES = 16 }; /* that are remembered */

/* A clip in the making. */
struct itsi_clip {
    struct itsi_clip_facts facts; /* under the mutex */
    int64_t at;                   /* const: the incident, monotonic */
    struct itsi_incident incident; /* ring and owner, until they are released; its texts are not valid */
    /* clips' thread */
    bool sealed; /* nothing more is recorded; the ring is released */
    struct itsi_packet_mux *mux; /* NULL: no picture yet, or sealed */
    int fd;
    char path[PATH_MAX];
    char form[16];
    char recording[PATH_MAX + 16]; /* the path and the form; empty before there is one */
    bool hevc;
};

struct itsi_clips {
    /* const */
    struct itsi_clips_params params;
    char *folder; /* owned */
    pthread_t thread;
    bool started;
    atomic_int refs;
    /* clips' thread */
    struct itsi_clip *copying; /* NULL: none */
    struct itsi_clip_copy copy;
    bool cancelled; /* the copy was given up */
    /* mutex */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool closing;
    int64_t until; /* when closing */
    bool copied;   /* the copy has ended, one way or the other */
    struct itsi_clip *queue[ITSI_CLIPS_WAITING]; /* added at the end by any thread, taken out by the clips' own */
    struct itsi_clip_facts failures[ITSI_CLIPS_FAILURES];
    uint64_t failure_count; /* ever; the newest are kept */
    struct itsi_clips_stats stats;
};

void *itsi_clips_main(void *clips);

/* clip_record.c, clips' thread, no lock held */

/* Writes down what came. ITS_EEOF: no more can come (diag); another error: it fails. */
ITS_NODISCARD int itsi_clip_record(const struct itsi_clips *clips, struct itsi_clip *clip, struct its_diag *diag);
/* Ends the recording; `facts` are those of the clip, with what it shows and lacks. why: of an early end; "": its time has
 * passed. The ring is released. */
ITS_NODISCARD int itsi_clip_seal(const struct itsi_clips *clips, struct itsi_clip *clip, const char *why,
                                 struct itsi_clip_facts *facts, struct its_diag *diag);
/* Forgets what is open and releases the ring; the files stay. */
void itsi_clip_free(struct itsi_clip *clip);

#endif
