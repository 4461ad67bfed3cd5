/* The books of an engine's slots: which are free, being filled, waiting to run, running, finished, collected. Every
 * backend keeps them the same way, so the threading promised in infer/backend.h is written (and tested) once.
 *
 * Thread-safe: one lock, held for a few instructions, never across a call into an engine. */
#ifndef ITSI_INFER_SLOTS_H
#define ITSI_INFER_SLOTS_H

#include "infer/backend.h"

#include <pthread.h>

enum itsi_slot_state { ITSI_SLOT_FREE, ITSI_SLOT_FILLING, ITSI_SLOT_WAITING, ITSI_SLOT_RUNNING, ITSI_SLOT_DONE,
                       ITSI_SLOT_COLLECTED };

struct itsi_slot {
    enum itsi_slot_state state;
    int images;
    int size; /* of the input */
    int status;
    int64_t submitted_ns, started_ns, finished_ns;
};

/* Slot numbers in order of arrival; never holds more than there are slots. */
struct itsi_slot_queue {
    int *items;
    int head, len;
};

struct itsi_slots {
    /* const */
    int count, parallel;

    /* mutex */
    pthread_mutex_t mutex;
    pthread_cond_t finished; /* a slot was finished, or stop was asked for */
    pthread_cond_t idle;     /* nothing runs any more */
    struct itsi_slot *slot;
    struct itsi_slot_queue waiting, done;
    int running;
    bool stopping; /* no more submits; what is submitted still runs */
    bool closing;  /* nothing new is started */
    int *queue_memory;
};

ITS_NODISCARD int itsi_slots_init(struct itsi_slots *slots, int count, int parallel, struct its_diag *diag);
void itsi_slots_fini(struct itsi_slots *slots); /* takes zeroed */

/* The backend entries of the same names; sizes: how many input sizes there are. submit only queues; the caller then starts what may start. */
int itsi_slots_acquire(struct itsi_slots *slots);
int itsi_slots_resize(struct itsi_slots *slots, int slot, int size, int sizes);
int itsi_slots_submit(struct itsi_slots *slots, int slot, int images, int max_images);
int itsi_slots_collect(struct itsi_slots *slots, int64_t until_ns, struct itsi_completion *out);
void itsi_slots_release(struct itsi_slots *slots, int slot);
void itsi_slots_stop(struct itsi_slots *slots);

/* Takes the next waiting slot to run, if one more may run, and stamps its start. -1: none. */
int itsi_slots_start(struct itsi_slots *slots);
/* A running slot has ended: stamps it and hands it to collect(). */
void itsi_slots_finish(struct itsi_slots *slots, int slot, int status);
/* submit, start and finish in one step, for an engine whose work takes no time. */
int itsi_slots_pass(struct itsi_slots *slots, int slot, int images, int max_images);
/* From now on nothing starts; returns when nothing runs. */
void itsi_slots_drain(struct itsi_slots *slots);

#endif
