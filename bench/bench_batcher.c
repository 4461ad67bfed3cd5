/* What a frame costs in mailbox and batcher, with ten cameras and with a thousand: 30,000 frames a second in all, in a time
 * of its own, to an engine that keeps up and to one that can take a third. CPU time per frame offered, its ledger entries
 * and its place in a pool included; medians of alternating rounds. */
#include "base/clock.h"
#include "infer/batcher.h"

#include <stdio.h>
#include <stdlib.h>

#define RATE 30000
#define BUDGET_NS (100 * ITSI_NS_PER_MS)
enum { MOST = 1000, BATCH = 32, FRAMES = 300000, ROUNDS = 5 };

static const int cameras[] = {10, 30, 100, 300, 1000};
enum { SIZES = sizeof cameras / sizeof cameras[0] };

struct bench {
    struct itsi_batcher *batcher;
    struct itsi_mailbox *box[MOST];
    struct itsi_ledger ledger[MOST];
    struct itsi_frame_pool *pool;
};

static void check(int rc, const struct its_diag *diag)
{
    if (rc == 0)
        return;
    fprintf(stderr, "%s\n", diag->text);
    exit(1);
}

static void open_bench(struct bench *b, int count)
{
    struct its_diag diag;
    const struct itsi_batcher_params params = {.max_batch = BATCH, .max_in_flight = 1, .batch_efficient = true};
    check(itsi_batcher_create(&b->batcher, &params, &diag), &diag);
    check(itsi_frame_pool_create(&b->pool, count + BATCH + 1, NULL, NULL, NULL, &diag), &diag);
    itsi_batcher_observe(b->batcher, 0, BATCH, ITSI_NS_PER_MS, 0);
    for (int i = 0; i < count; i++) {
        itsi_ledger_init(&b->ledger[i]);
        check(itsi_mailbox_create(b->batcher, &b->box[i], &b->ledger[i], &b->ledger[i], 1 + i % 10, &diag), &diag);
    }
}

static void close_bench(struct bench *b, int count)
{
    for (int i = 0; i < count; i++) {
        itsi_mailbox_free(b->box[i]);
        itsi_ledger_fini(&b->ledger[i]);
    }
    itsi_batcher_destroy(b->batcher);
    itsi_frame_pool_close(b->pool);
}

static void offer(struct bench *b, int camera, int64_t now)
{
    struct itsi_frame *frame = itsi_frame_pool_get(b->pool);
    frame->info.trace.origin = now;
    frame->info.deadline = now + BUDGET_NS;
    itsi_ledger_arrive(&b->ledger[camera]);
    (void)itsi_mailbox_put(b->box[camera], frame, false, now);
}

static int serve(struct bench *b, int64_t now)
{
    struct itsi_batch_item items[BATCH];
    int64_t wake_at;
    int n = itsi_batcher_take(b->batcher, now, true, items, &wake_at);
    for (int i = 0; i < n; i++) {
        itsi_ledger_deliver(items[i].owner, 0);
        itsi_frame_unref(&items[i].frame);
    }
    itsi_batcher_done(b->batcher, items, n);
    return n;
}

/* Nanoseconds per frame; how many of the frames were served. every: offered frames between two batches. */
static double run(int count, int every, double *served)
{
    static struct bench b;
    open_bench(&b, count);
    int64_t now = ITSI_NS_PER_S, taken = 0, start = itsi_thread_cpu_ns();
    for (int i = 0; i < FRAMES; i++) {
        now += ITSI_NS_PER_S / RATE;
        offer(&b, i % count, now);
        if (i % every == every - 1)
            taken += serve(&b, now);
    }
    double ns = (double)(itsi_thread_cpu_ns() - start) / FRAMES;
    *served = (double)taken / FRAMES;
    close_bench(&b, count);
    return ns;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(void)
{
    static const struct {
        const char *name;
        int every;
    } engines[] = {{"keeps_up", 8}, {"takes_a_third", 3 * BATCH}};
    for (int e = 0; e < 2; e++) {
        double ns[SIZES][ROUNDS], served[SIZES];
        for (int round = 0; round < ROUNDS; round++)
            for (int s = 0; s < SIZES; s++)
                ns[s][round] = run(cameras[s], engines[e].every, &served[s]);
        for (int s = 0; s < SIZES; s++) {
            qsort(ns[s], ROUNDS, sizeof ns[s][0], by_size);
            printf("{\"bench\": \"batcher\", \"engine\": \"%s\", \"cameras\": %d, \"ns_per_frame\": %.0f, "
                   "\"ns_least\": %.0f, \"ns_most\": %.0f, \"served\": %.3f}\n",
                   engines[e].name, cameras[s], ns[s][ROUNDS / 2], ns[s][0], ns[s][ROUNDS - 1], served[s]);
        }
    }
    return 0;
}
