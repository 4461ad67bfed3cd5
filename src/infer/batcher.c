#include "infer/batcher_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"

/* A prediction that is right in nineteen cases of twenty condemns no frame before it has used this share of its budget: a
 * spell of slow runs must not shed everything and so never learn that it is over. As long as a frame period of the usual
 * camera (40 of 100 ms), so that every camera has a frame to offer at any moment and the choice between them stays fair. */
#define LEAST_TRIED_SHARE 0.4
/* Where even the quickest runs say no, and were seen of late, there is less to hope for; but the newest are tried. */
#define LEAST_HOPELESS_SHARE 0.1
#define OF_LATE_NS ITSI_NS_PER_S
/* Batches between two that are kept small for a starved camera. */
#define BATCHES_BETWEEN_STARVED 3

int itsi_batcher_create(struct itsi_batcher **out, const struct itsi_batcher_params *params, struct its_diag *diag)
{
    if (params->max_batch < 1 || params->max_batch > ITSI_RUN_IMAGES)
        return itsi_fail(diag, ITS_EINVAL, "batch size %d: allowed are 1 to %d", params->max_batch, ITSI_RUN_IMAGES);
    struct itsi_batcher *b = itsi_zalloc(sizeof *b);
    if (!b)
        return itsi_fail(diag, ITS_ENOMEM, "batcher: out of memory");
    b->params = *params;
    b->waiting.max_in_flight = params->max_in_flight;
    b->put_expiry = ITSI_NEVER;
    pthread_mutex_init(&b->mutex, NULL);
    itsi_cond_init(&b->changed);
    itsi_run_time_init(&b->run_time, params->batch_efficient);
    itsi_quantile_init(&b->rest, 0.95);
    itsi_quantile_init(&b->shortest_rest, 0.10);
    *out = b;
    return 0;
}

void itsi_batcher_destroy(struct itsi_batcher *b)
{
    if (!b)
        return;
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->mutex);
    itsi_free(b);
}

static bool is_fixed(const struct itsi_batcher *b) { return b->params.policy == ITSI_BATCH_FIXED; }

/* --- time and deadlines ------------------------------------------------------------------------------------------- */

static int64_t predicted_total(const struct itsi_batcher *b, int input, int n)
{
    return itsi_run_time_usual(&b->run_time, input, n) + (int64_t)b->rest.estimate;
}

/* Hardly ever less. 0 while unknown. */
static int64_t quickest_total(const struct itsi_batcher *b, int input, int n)
{
    int64_t run = itsi_run_time_shortest(&b->run_time, input, n);
    return run ? run + (int64_t)b->shortest_rest.estimate : 0;
}

/* No frame with this budget is condemned earlier than that after its origin. */
static int64_t least_tried(const struct itsi_batcher *b, int input, int64_t budget, int64_t now)
{
    int64_t least = (int64_t)((double)budget * LEAST_TRIED_SHARE);
    int64_t quickest = quickest_total(b, input, 1);
    if (quickest == 0 || now - b->run_time.seen[input] > OF_LATE_NS)
        return least;
    int64_t hopeless = budget - quickest;
    int64_t floor = (int64_t)((double)budget * LEAST_HOPELESS_SHARE);
    hopeless = hopeless > floor ? hopeless : floor;
    return hopeless < least ? hopeless : least;
}

/* The last moment to begin what then needs `needed` until the hand-over. */
static int64_t last_start(const struct itsi_batcher *b, const struct itsi_frame *frame, int input, int64_t needed,
                          int64_t now)
{
    if (frame->info.deadline == ITSI_NEVER || is_fixed(b))
        return ITSI_NEVER;
    int64_t origin = frame->info.trace.origin;
    int64_t least = origin + least_tried(b, input, frame->info.deadline - origin, now);
    int64_t last = frame->info.deadline - needed;
    return last > least ? last : least;
}

int64_t itsi_batcher_expiry(const struct itsi_batcher *b, const struct itsi_frame *frame, int input, int64_t now)
{
    return last_start(b, frame, input, predicted_total(b, input, 1), now);
}

static int64_t slack_of(const struct itsi_waiter *waiter, int64_t now)
{
    int64_t deadline = waiter->frame->info.deadline;
    return deadline == ITSI_NEVER ? ITSI_NEVER : deadline - now;
}

/* Without its frame the mailbox has room. */
static void drop_expired(struct itsi_batcher *b, struct itsi_waiter *waiter)
{
    struct itsi_mailbox *box = itsi_mailbox_of(waiter);
    itsi_mailbox_drop(box, itsi_waiting_remove(&b->waiting, waiter), ITSI_DROP_EXPIRED);
    pthread_cond_signal(&box->room);
}

/* Do more wait than can go at once? Only then does a frame take another's place. */
static bool is_crowded(const struct itsi_batcher *b)
{
    return b->waiting.count > (b->params.batch_efficient ? b->params.max_batch : 1);
}

/* In a crowd a frame goes when it is likely to be late, else when it is hopeless. */
static int64_t expires_at(const struct itsi_batcher *b, const struct itsi_frame *frame, int input, int64_t now)
{
    return is_crowded(b) ? itsi_batcher_expiry(b, frame, input, now)
                         : last_start(b, frame, input, quickest_total(b, input, 1), now);
}

/* Drops what has expired; returns the next expiry. All frames of a size have the same budget, so the first deadline is
 * the first expiry; where a budget was just changed, some frames go a little late, and no later than they are looked at. */
static int64_t shed_locked(struct itsi_batcher *b, int64_t now)
{
    int64_t next = ITSI_NEVER;
    b->put_expiry = ITSI_NEVER;
    for (int input = 0; input < ITSI_INPUTS; input++) {
        struct itsi_waiter *first;
        while ((first = itsi_waiting_tightest(&b->waiting, input)) != NULL) {
            int64_t expiry = expires_at(b, first->frame, input, now);
            if (expiry >= now) {
                next = expiry < next ? expiry : next;
                break;
            }
            drop_expired(b, first);
        }
    }
    return next;
}

/* --- which batch, and when ---------------------------------------------------------------------------------------- */

struct batch {
    int input, n; /* n 0: none is due */
    int64_t needed; /* frames with less slack are given up for the sake of the rest */
    struct itsi_waiter *first; /* goes before all others; NULL: nobody does */
};

/* The most frames of a size that are on time together by `total`: the freshest ones, were they taken. At least one, so that
 * a prediction that condemns everything is put to the test. Looks at a batch's worth of frames, however many wait. */
static struct batch most_in_time(const struct itsi_batcher *b, int input, int64_t now,
                                 int64_t (*total)(const struct itsi_batcher *, int input, int n))
{
    struct batch batch = {.input = input, .n = 1};
    const struct itsi_waiter *waiter = b->waiting.queue[input].newest;
    int64_t needed = 0, slack = ITSI_NEVER;
    for (int n = 1; waiter && n <= b->params.max_batch; n++, waiter = waiter->older) {
        if (((n - 1) & (n - 2)) == 0) /* where a bucket begins */
            needed = total(b, input, n);
        slack = slack_of(waiter, now) < slack ? slack_of(waiter, now) : slack;
        if (slack < needed)
            break;
        batch = (struct batch){.input = input, .n = n, .needed = needed};
    }
    return batch;
}

/* A camera whose frames come with too little time left for the batches that the others fill would never be in one. Once it
 * starves, a batch is kept so small that its frame is on time, where that can be: one in four at most. */
static void make_room_for_starved(const struct itsi_batcher *b, struct batch *batch, int64_t now)
{
    struct itsi_waiter *starved = itsi_waiting_starved(&b->waiting, batch->input);
    if (!starved || b->batches_since_starved < BATCHES_BETWEEN_STARVED || slack_of(starved, now) >= batch->needed)
        return;
    int n = batch->n;
    while (n > 0 && predicted_total(b, batch->input, n) > slack_of(starved, now))
        n--;
    if (n > 0)
        *batch = (struct batch){batch->input, n, predicted_total(b, batch->input, n), starved};
}

/* All that wait, where there is hope for all: who is likely to be late takes nobody's place then. Else as many as are likely
 * to be on time. */
static struct batch largest_in_time(const struct itsi_batcher *b, int input, int64_t now)
{
    struct batch likely = most_in_time(b, input, now, predicted_total);
    if (is_crowded(b))
        make_room_for_starved(b, &likely, now);
    if (likely.n == b->waiting.queue[input].count || is_crowded(b))
        return likely;
    struct batch hoped = most_in_time(b, input, now, quickest_total);
    return hoped.n == b->waiting.queue[input].count ? hoped : likely;
}

/* When the batch that waits for this size closes by itself. */
static int64_t closes_at(const struct itsi_batcher *b, int input)
{
    const struct itsi_waiting_queue *q = &b->waiting.queue[input];
    int64_t by_timeout = q->oldest->put_at + b->params.batch_timeout_ns;
    int64_t deadline = itsi_waiting_tightest(&b->waiting, input)->frame->info.deadline;
    if (is_fixed(b) || deadline == ITSI_NEVER)
        return by_timeout;
    int n = q->count < b->params.max_batch ? q->count : b->params.max_batch;
    int64_t by_deadline = deadline - predicted_total(b, input, n);
    return by_deadline < by_timeout ? by_deadline : by_timeout;
}

static struct batch as_many_as_fit(const struct itsi_batcher *b, int input, int64_t now)
{
    if (!is_fixed(b))
        return largest_in_time(b, input, now);
    int count = b->waiting.queue[input].count;
    return (struct batch){.input = input, .n = count < b->params.max_batch ? count : b->params.max_batch};
}

/* A batch that is full or whose time has come. */
static struct batch closed_batch(const struct itsi_batcher *b, int64_t now, int64_t *wake_at)
{
    int first = -1;
    int64_t first_at = ITSI_NEVER;
    for (int input = 0; input < ITSI_INPUTS; input++) {
        if (!b->waiting.queue[input].count)
            continue;
        int64_t at = b->waiting.queue[input].count >= b->params.max_batch ? now : closes_at(b, input);
        if (first < 0 || at < first_at) {
            first = input;
            first_at = at;
        }
    }
    if (first >= 0 && first_at <= now)
        return as_many_as_fit(b, first, now);
    *wake_at = first_at < *wake_at ? first_at : *wake_at;
    return (struct batch){0};
}

static int input_of_oldest(const struct itsi_waiting *w)
{
    int oldest = -1;
    for (int i = 0; i < ITSI_INPUTS; i++)
        if (w->queue[i].count && (oldest < 0 || w->queue[i].oldest->put_at < w->queue[oldest].oldest->put_at))
            oldest = i;
    return oldest;
}

static struct batch due(const struct itsi_batcher *b, int64_t now, bool engine_free, int64_t *wake_at)
{
    if (b->waiting.count == 0)
        return (struct batch){0};
    if (!b->params.batch_efficient)
        return (struct batch){
            .input = is_fixed(b) ? input_of_oldest(&b->waiting) : itsi_waiting_next_input(&b->waiting), .n = 1};
    if (engine_free && !is_fixed(b))
        return largest_in_time(b, itsi_waiting_next_input(&b->waiting), now);
    return closed_batch(b, now, wake_at);
}

static void fill(struct itsi_batcher *b, struct itsi_waiter *waiter, int64_t now, struct itsi_batch_item *item)
{
    struct itsi_mailbox *box = itsi_mailbox_of(waiter);
    *item = (struct itsi_batch_item){.frame = itsi_waiting_serve(&b->waiting, waiter, now),
                                     .owner = box->owner,
                                     .mailbox = box,
                                     .input = waiter->input};
    pthread_cond_signal(&box->room);
    if (b->params.retain)
        b->params.retain(box->owner);
    itsi_ledger_admit(box->ledger);
}

int itsi_batcher_take(struct itsi_batcher *b, int64_t now, bool engine_free, struct itsi_batch_item *items,
                      int64_t *wake_at)
{
    int taken = 0;
    pthread_mutex_lock(&b->mutex);
    b->puts_seen = b->puts;
    *wake_at = shed_locked(b, now);
    struct batch batch = due(b, now, engine_free, wake_at);
    if (batch.first)
        b->batches_since_starved = 0;
    else if (batch.n > 0 && b->batches_since_starved < BATCHES_BETWEEN_STARVED)
        b->batches_since_starved++;
    if (batch.first)
        fill(b, batch.first, now, &items[taken++]);
    while (taken < batch.n) {
        struct itsi_waiter *next = is_fixed(b) ? b->waiting.queue[batch.input].oldest
                                               : itsi_waiting_next(&b->waiting, batch.input);
        if (!is_fixed(b) && slack_of(next, now) < batch.needed)
            drop_expired(b, next); /* the engine is busy with this batch for longer than it has */
        else
            fill(b, next, now, &items[taken++]);
    }
    pthread_mutex_unlock(&b->mutex);
    return taken;
}

int64_t itsi_batcher_shed(struct itsi_batcher *b, int64_t now)
{
    pthread_mutex_lock(&b->mutex);
    int64_t next = shed_locked(b, now);
    pthread_mutex_unlock(&b->mutex);
    return next;
}

bool itsi_batcher_in_time(struct itsi_batcher *b, const struct itsi_batch_item *item, int n, int64_t now)
{
    pthread_mutex_lock(&b->mutex);
    /* its turn has been taken: only what is hopeless is given up */
    bool in_time = now <= last_start(b, item->frame, item->input,
                                     itsi_run_time_shortest(&b->run_time, item->input, n), now);
    pthread_mutex_unlock(&b->mutex);
    return in_time;
}

void itsi_batcher_done(struct itsi_batcher *b, const struct itsi_batch_item *items, int n)
{
    pthread_mutex_lock(&b->mutex);
    for (int i = 0; i < n; i++)
        itsi_waiting_done(&b->waiting, &items[i].mailbox->waiter);
    pthread_mutex_unlock(&b->mutex);
}

/* --- waiting for something to do ---------------------------------------------------------------------------------- */

void itsi_batcher_wait(struct itsi_batcher *b, int64_t until_ns, bool for_frames)
{
    bool in_time = true;
    pthread_mutex_lock(&b->mutex);
    while (in_time && b->kicks == b->kicks_seen && !(for_frames && b->puts != b->puts_seen)) {
        b->sleeps = true;
        b->sleeps_for_frames = for_frames;
        b->sleeps_until = until_ns < b->put_expiry ? until_ns : b->put_expiry;
        in_time = itsi_cond_wait_until(&b->changed, &b->mutex, b->sleeps_until);
        b->sleeps = false;
    }
    b->kicks_seen = b->kicks;
    b->puts_seen = b->puts;
    pthread_mutex_unlock(&b->mutex);
}

void itsi_batcher_kick(struct itsi_batcher *b)
{
    pthread_mutex_lock(&b->mutex);
    b->kicks++;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->mutex);
}

void itsi_batcher_set_timeout(struct itsi_batcher *b, int64_t batch_timeout_ns)
{
    pthread_mutex_lock(&b->mutex);
    b->params.batch_timeout_ns = batch_timeout_ns;
    pthread_mutex_unlock(&b->mutex);
}

/* --- what it learns ----------------------------------------------------------------------------------------------- */

void itsi_batcher_size(struct itsi_batcher *b, int input, int64_t pixels)
{
    pthread_mutex_lock(&b->mutex);
    itsi_run_time_size(&b->run_time, input, pixels);
    pthread_mutex_unlock(&b->mutex);
}

void itsi_batcher_observe(struct itsi_batcher *b, int input, int n, int64_t run_ns, int64_t now)
{
    pthread_mutex_lock(&b->mutex);
    itsi_run_time_observe(&b->run_time, input, n, run_ns, now);
    pthread_mutex_unlock(&b->mutex);
}

void itsi_batcher_observe_rest(struct itsi_batcher *b, int64_t rest_ns)
{
    pthread_mutex_lock(&b->mutex);
    itsi_quantile_observe(&b->rest, (double)rest_ns);
    itsi_quantile_observe(&b->shortest_rest, (double)rest_ns);
    pthread_mutex_unlock(&b->mutex);
}

int64_t itsi_batcher_predict(struct itsi_batcher *b, int input, int n)
{
    pthread_mutex_lock(&b->mutex);
    int64_t predicted = predicted_total(b, input, n);
    pthread_mutex_unlock(&b->mutex);
    return predicted;
}

int64_t itsi_batcher_shortest_run(struct itsi_batcher *b, int input, int n)
{
    pthread_mutex_lock(&b->mutex);
    int64_t shortest = itsi_run_time_shortest(&b->run_time, input, n);
    pthread_mutex_unlock(&b->mutex);
    return shortest;
}

int itsi_batcher_waiting(struct itsi_batcher *b)
{
    pthread_mutex_lock(&b->mutex);
    int waiting = b->waiting.count;
    pthread_mutex_unlock(&b->mutex);
    return waiting;
}
