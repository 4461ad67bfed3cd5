/* Who waits for the engine, and whose turn it is: the batcher's order book. One frame per camera, kept per input size (a
 * batch holds one size) in three orders: by turn, by deadline, by arrival.
 *
 * Turns are weighted fair (stride scheduling, Waldspurger and Weihl 1995): the camera served least for its weight goes
 * first. Among equals those go first who lost a frame since they were last served, in the order in which that was, so that
 * under overload each is served at even intervals; then the earlier deadline. Two rules bend that. A camera not served for a second has aged and goes first,
 * longest first, at every fourth turn at most: so the lowest class keeps a floor, once a second each, or a quarter of the
 * engine among all who starve. And a camera with max_in_flight frames in the engine stands back while another waits: one
 * whose frames take long does not hold every slot.
 *
 * Nothing is allocated; every step costs O(log cameras) at most. Under the batcher's mutex; time is an argument. */
#ifndef ITSI_INFER_WAITING_H
#define ITSI_INFER_WAITING_H

#include "base/heap.h"
#include "core/frame.h"
#include "infer/run_time.h"

/* A camera's place in the book: lives in its mailbox. */
struct itsi_waiter {
    struct itsi_frame *frame; /* owned; NULL: none waits */
    int input;                /* input size its frames are analysed at */
    int in_flight;            /* its frames taken and not done */
    bool lost;                /* a frame, since it was last served */
    int64_t put_at;           /* when the frame came */
    int64_t served_at;        /* when a frame of it was last taken; 0: never */
    int64_t stride, pass;
    struct itsi_heap_node turn, deadline, aged;
    struct itsi_waiter *older, *newer; /* by arrival */
};

/* Those of one input size. */
struct itsi_waiting_queue {
    struct itsi_heap turns;      /* by pass */
    struct itsi_heap standing_back; /* the same, of those with enough in flight */
    struct itsi_heap aged;       /* by the last service; some of the above */
    struct itsi_heap deadlines;
    struct itsi_waiter *oldest, *newest;
    int count;
};

struct itsi_waiting {
    int max_in_flight; /* of one camera, while others wait; 0: any number */
    struct itsi_waiting_queue queue[ITSI_INPUTS];
    int count;
    int64_t virtual_time; /* pass of the one served last by its turn */
    int turns_since_aged;
};

void itsi_waiter_init(struct itsi_waiter *waiter, int weight);
/* Enters the frame, or replaces the one that waits: that is returned, and is the caller's. */
struct itsi_frame *itsi_waiting_put(struct itsi_waiting *w, struct itsi_waiter *waiter, struct itsi_frame *frame,
                                    int64_t now);
/* Takes its frame out without serving it: that one is lost. NULL: none waits. */
struct itsi_frame *itsi_waiting_remove(struct itsi_waiting *w, struct itsi_waiter *waiter);
/* Frames of it are analysed at another size from now on, the one that waits too. */
void itsi_waiting_move(struct itsi_waiting *w, struct itsi_waiter *waiter, int input);
/* Takes its frame out and charges it for the turn. */
struct itsi_frame *itsi_waiting_serve(struct itsi_waiting *w, struct itsi_waiter *waiter, int64_t now);
/* A frame of it left the engine. */
void itsi_waiting_done(struct itsi_waiting *w, struct itsi_waiter *waiter);

/* Whose turn it is among one input size; NULL: nobody waits there. */
struct itsi_waiter *itsi_waiting_next(const struct itsi_waiting *w, int input);
/* The camera unserved for longest among one input size, if for so long that it has aged; NULL: none. */
struct itsi_waiter *itsi_waiting_starved(const struct itsi_waiting *w, int input);
/* The input size whose turn it is; -1: nobody waits. */
int itsi_waiting_next_input(const struct itsi_waiting *w);
/* The frame that is due first among one input size; NULL: nobody waits there. */
struct itsi_waiter *itsi_waiting_tightest(const struct itsi_waiting *w, int input);

#endif
