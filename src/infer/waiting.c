#include "infer/waiting.h"

#include "base/clock.h"

#define STRIDE (INT64_C(1) << 20)
#define AGED_NS ITSI_NS_PER_S
#define TURNS_BETWEEN_AGED 3

#define OWNER(node, member) ITSI_HEAP_OWNER(node, struct itsi_waiter, member)

void itsi_waiter_init(struct itsi_waiter *waiter, int weight)
{
    *waiter = (struct itsi_waiter){.stride = STRIDE / (weight > 0 ? weight : 1)};
}

/* --- entering and leaving ----------------------------------------------------------------------------------------- */

static struct itsi_waiting_queue *queue_of(struct itsi_waiting *w, const struct itsi_waiter *waiter)
{
    return &w->queue[waiter->input];
}

static void append(struct itsi_waiting_queue *q, struct itsi_waiter *waiter)
{
    waiter->older = q->newest;
    waiter->newer = NULL;
    if (q->newest)
        q->newest->newer = waiter;
    else
        q->oldest = waiter;
    q->newest = waiter;
}

static void unlink_arrival(struct itsi_waiting_queue *q, struct itsi_waiter *waiter)
{
    if (waiter->older)
        waiter->older->newer = waiter->newer;
    else
        q->oldest = waiter->newer;
    if (waiter->newer)
        waiter->newer->older = waiter->older;
    else
        q->newest = waiter->older;
    waiter->older = waiter->newer = NULL;
}

static bool stands_back(const struct itsi_waiting *w, const struct itsi_waiter *waiter)
{
    return w->max_in_flight > 0 && waiter->in_flight >= w->max_in_flight;
}

/* The last service lies before every deadline to come, so that one number orders both kinds. */
static void take_turn(struct itsi_waiting *w, struct itsi_waiter *waiter)
{
    struct itsi_waiting_queue *q = queue_of(w, waiter);
    itsi_heap_insert(stands_back(w, waiter) ? &q->standing_back : &q->turns, &waiter->turn, waiter->pass,
                     waiter->lost ? waiter->served_at : waiter->frame->info.deadline);
}

/* With its frame, into every order. */
static void enter(struct itsi_waiting *w, struct itsi_waiter *waiter)
{
    struct itsi_waiting_queue *q = queue_of(w, waiter);
    append(q, waiter);
    itsi_heap_insert(&q->deadlines, &waiter->deadline, waiter->frame->info.deadline, 0);
    take_turn(w, waiter);
    if (waiter->put_at - waiter->served_at >= AGED_NS)
        itsi_heap_insert(&q->aged, &waiter->aged, waiter->served_at, waiter->pass);
    q->count++;
    w->count++;
}

static void leave(struct itsi_waiting *w, struct itsi_waiter *waiter)
{
    struct itsi_waiting_queue *q = queue_of(w, waiter);
    unlink_arrival(q, waiter);
    itsi_heap_remove(&waiter->deadline);
    itsi_heap_remove(&waiter->turn);
    itsi_heap_remove(&waiter->aged);
    q->count--;
    w->count--;
}

struct itsi_frame *itsi_waiting_remove(struct itsi_waiting *w, struct itsi_waiter *waiter)
{
    struct itsi_frame *frame = waiter->frame;
    if (frame) {
        leave(w, waiter);
        waiter->lost = true;
    }
    waiter->frame = NULL;
    return frame;
}

struct itsi_frame *itsi_waiting_put(struct itsi_waiting *w, struct itsi_waiter *waiter, struct itsi_frame *frame,
                                    int64_t now)
{
    struct itsi_frame *replaced = itsi_waiting_remove(w, waiter);
    if (!replaced && waiter->pass < w->virtual_time)
        waiter->pass = w->virtual_time; /* who was silent does not save up turns */
    if (!waiter->served_at)
        waiter->served_at = now; /* a new camera has not starved yet */
    waiter->frame = frame;
    waiter->put_at = now;
    enter(w, waiter);
    return replaced;
}

void itsi_waiting_move(struct itsi_waiting *w, struct itsi_waiter *waiter, int input)
{
    if (waiter->frame)
        leave(w, waiter);
    waiter->input = input;
    if (waiter->frame)
        enter(w, waiter);
}

static bool is_turn_of_aged(const struct itsi_waiting *w) { return w->turns_since_aged >= TURNS_BETWEEN_AGED; }

static const struct itsi_heap *turns(const struct itsi_waiting_queue *q)
{
    return q->turns.first ? &q->turns : &q->standing_back;
}

struct itsi_frame *itsi_waiting_serve(struct itsi_waiting *w, struct itsi_waiter *waiter, int64_t now)
{
    bool by_age = is_turn_of_aged(w) && waiter->aged.heap;
    /* of one served out of turn the pass may lie far ahead of all others' */
    if (turns(queue_of(w, waiter))->first == &waiter->turn && waiter->pass > w->virtual_time)
        w->virtual_time = waiter->pass;
    struct itsi_frame *frame = itsi_waiting_remove(w, waiter);
    w->turns_since_aged = by_age ? 0 : w->turns_since_aged + 1;
    waiter->pass += waiter->stride;
    waiter->served_at = now;
    waiter->lost = false;
    waiter->in_flight++;
    return frame;
}

void itsi_waiting_done(struct itsi_waiting *w, struct itsi_waiter *waiter)
{
    waiter->in_flight--;
    if (waiter->frame && waiter->turn.heap == &queue_of(w, waiter)->standing_back && !stands_back(w, waiter)) {
        itsi_heap_remove(&waiter->turn);
        take_turn(w, waiter);
    }
}

/* --- the choice --------------------------------------------------------------------------------------------------- */

struct itsi_waiter *itsi_waiting_starved(const struct itsi_waiting *w, int input)
{
    const struct itsi_heap *aged = &w->queue[input].aged;
    return aged->first ? OWNER(aged->first, aged) : NULL;
}

struct itsi_waiter *itsi_waiting_next(const struct itsi_waiting *w, int input)
{
    const struct itsi_waiting_queue *q = &w->queue[input];
    if (is_turn_of_aged(w) && q->aged.first)
        return OWNER(q->aged.first, aged);
    struct itsi_heap_node *first = turns(q)->first;
    return first ? OWNER(first, turn) : NULL;
}

int itsi_waiting_next_input(const struct itsi_waiting *w)
{
    int longest = -1, first = -1;
    for (int i = 0; i < ITSI_INPUTS; i++) {
        const struct itsi_waiting_queue *q = &w->queue[i];
        if (!q->count)
            continue;
        if (q->aged.first && (longest < 0 || itsi_heap_comes_before(q->aged.first, w->queue[longest].aged.first)))
            longest = i;
        if (first < 0) {
            first = i;
            continue;
        }
        const struct itsi_waiting_queue *other = &w->queue[first];
        bool free = q->turns.first != NULL, other_free = other->turns.first != NULL;
        if (free != other_free ? free : itsi_heap_comes_before(turns(q)->first, turns(other)->first))
            first = i;
    }
    return is_turn_of_aged(w) && longest >= 0 ? longest : first;
}

struct itsi_waiter *itsi_waiting_tightest(const struct itsi_waiting *w, int input)
{
    struct itsi_heap_node *first = w->queue[input].deadlines.first;
    return first ? OWNER(first, deadline) : NULL;
}
