/* The process's event loop: one thread on which the pools' connections, their timers and child processes live (libuv).
 * Nothing on it may block: what takes long, or waits for a disk, has a thread of its own. */
#ifndef ITSI_NET_LOOP_H
#define ITSI_NET_LOOP_H

#include "its/error.h"

#include <stdbool.h>
#include <uv.h>

struct itsi_loop;

/* Starts the thread. name: of the thread, at most 15 bytes show. */
ITS_NODISCARD int itsi_loop_create(struct itsi_loop **out, const char *name, struct its_diag *diag);
/* Runs what was posted, waits until every handle on the loop has been closed by its owner, ends and joins the thread. Not
 * from the loop's thread. Takes NULL. */
void itsi_loop_destroy(struct itsi_loop *loop);

/* On the loop's thread only. */
uv_loop_t *itsi_loop_uv(struct itsi_loop *loop);
bool itsi_loop_is_here(const struct itsi_loop *loop);

/* Something to be done on the loop's thread. Lives in its owner, zeroed before the first use; nothing is allocated. From
 * the posting until `run` is called it belongs to the loop; `run` may free it or post it again. */
struct itsi_loop_task {
    void (*run)(struct itsi_loop_task *task);
    struct itsi_loop_task *next; /* the loop's own */
};

/* From any thread, the loop's own included; in the order posted. */
void itsi_loop_post(struct itsi_loop *loop, struct itsi_loop_task *task);
/* Runs call(arg) on the loop's thread and returns when it has; at once when it is that thread. */
void itsi_loop_call(struct itsi_loop *loop, void (*call)(void *arg), void *arg);

#endif
