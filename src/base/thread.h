/* Threads by name, and an event to wait on with a monotonic timeout. */
#ifndef ITSI_BASE_THREAD_H
#define ITSI_BASE_THREAD_H

#include "its/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts a joinable thread with all signals blocked (the daemon's main thread handles them). name: at most 15 bytes
 * show in the system's tools. */
ITS_NODISCARD int itsi_thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *arg,
                                    struct its_diag *diag);

/* A condition variable on CLOCK_MONOTONIC. */
int itsi_cond_init(pthread_cond_t *cond);
/* Waits until signalled or `until_ns` (ITSI_NEVER: no limit). True: signalled (or spurious); false: timed out. */
bool itsi_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t until_ns);

/* A latch that stays set: the stop flag of a thread, which can also be slept on. */
struct itsi_event {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool is_set;
};
void itsi_event_init(struct itsi_event *event);
void itsi_event_fini(struct itsi_event *event);
void itsi_event_set(struct itsi_event *event);
bool itsi_event_is_set(struct itsi_event *event);
/* True when set before until_ns. */
bool itsi_event_wait_until(struct itsi_event *event, int64_t until_ns);

#endif
