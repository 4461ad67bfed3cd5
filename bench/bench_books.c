/* What the books cost: ledger entries, stage stamps, breakdown and histograms of one frame, as CPU time, and as a share of
 * the CPU time a frame costs in all (26 ms of one core at 640x384 in bf16 on the development machine; an argument gives
 * another figure in ms). */
#include "base/clock.h"
#include "base/rand.h"
#include "core/ledger.h"
#include "latency/recorder.h"

#include <stdio.h>
#include <stdlib.h>

enum { FRAMES = 2000000, WAYS = 1024, STAMPS = 10 };

/* How far each stamp of a frame is from its first: about as long as stages take, no two frames alike, so that what
 * looks for a bucket finds many. */
static void make_ways(int64_t ways[WAYS][STAMPS])
{
    static const double typical_ms[STAMPS] = {0, 0.2, 3, 0.5, 1, 4, 18, 0.1, 0.25, 0.02};
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 11);
    for (int i = 0; i < WAYS; i++) {
        int64_t at = 0;
        for (int s = 0; s < STAMPS; s++)
            ways[i][s] = at += (int64_t)(typical_ms[s] * 1e6 * itsi_rand_range(&rng, 0.2, 3));
    }
}

int main(int argc, char **argv)
{
    static int64_t ways[WAYS][STAMPS];
    double frame_ms = argc > 1 ? atof(argv[1]) : 26.0;
    struct itsi_latency_recorder *recorder;
    struct its_diag diag;
    if (itsi_latency_recorder_create(&recorder, &diag) != 0) {
        fprintf(stderr, "%s\n", diag.text);
        return 1;
    }
    struct itsi_ledger ledger;
    itsi_ledger_init(&ledger);
    make_ways(ways);
    int64_t start = itsi_thread_cpu_ns();
    for (int i = 0; i < FRAMES; i++) {
        struct itsi_trace trace;
        struct itsi_breakdown breakdown;
        int64_t *stamps = &trace.origin;
        itsi_ledger_arrive(&ledger);
        for (int s = 0; s < STAMPS; s++) /* as many clock readings as a frame has stamps */
            stamps[s] = itsi_now_ns() + ways[i % WAYS][s];
        itsi_ledger_admit(&ledger);
        itsi_trace_breakdown(&trace, &breakdown);
        itsi_latency_record(recorder, &breakdown);
        itsi_ledger_deliver(&ledger, 0);
    }
    double ns = (double)(itsi_thread_cpu_ns() - start) / FRAMES;
    struct itsi_ledger_counts counts;
    itsi_ledger_snapshot(&ledger, &counts);
    printf("{\"bench\": \"books\", \"ns_per_frame\": %.0f, \"frame_ms\": %.1f, \"share_percent\": %.4f, \"balanced\": %s}\n",
           ns, frame_ms, ns / (frame_ms * 1e6) * 100, itsi_ledger_balance(&counts) == 0 ? "true" : "false");
    itsi_ledger_fini(&ledger);
    itsi_latency_recorder_destroy(recorder);
    return 0;
}
