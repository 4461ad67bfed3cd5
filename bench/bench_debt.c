/* How true the estimate of quality debt is: a tracker is fed the truth of a rendered road, of whose sightings some are dropped
 * at random, and what is estimated from its boxes is held against what was dropped.
 * usage: bench_debt synth://SCENE?... SHARE [SECONDS] */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "postprocess/track.h"
#include "quality/debt_match.h"
#include "render/road.h"

#include <stdio.h>
#include <stdlib.h>

enum { IDS = 1 << 16, HIDDEN_MS = 1500 };
#define LEAST_VISIBLE 0.25F
#define LEAST_SIDE 8.0F
#define START (100 * ITSI_NS_PER_S)

static struct itsi_road *road;
static struct itsi_road_params params;
static struct itsi_tracker *tracker;
static struct itsi_track_scratch *scratch;
static uint8_t *pixels;
static int64_t seen_at[IDS]; /* 0: not yet; who was hidden for HIDDEN_MS comes anew, as to a tracker */

struct outcome {
    double sightings, dropped, came;
    struct itsi_debt_traffic traffic;
    struct itsi_debt_tally tally;
};

static int open_all(const char *url, struct its_diag *diag)
{
    const struct itsi_tracker_params tracking = ITSI_TRACKER_DEFAULTS;
    itsi_road_params_default(&params);
    int rc = itsi_road_params_parse(&params, url, diag);
    if (rc == 0)
        rc = itsi_road_create(&road, &params, diag);
    if (rc == 0)
        rc = itsi_tracker_create(&tracker, &tracking, diag);
    if (rc == 0)
        rc = itsi_track_scratch_create(&scratch, diag);
    pixels = itsi_calloc((size_t)params.width * (size_t)params.height, 2);
    return rc == 0 && !pixels ? ITS_ENOMEM : rc;
}

static int truth_of(int64_t index, struct itsi_road_box boxes[ITSI_ROAD_MAX_BOXES])
{
    const size_t area = (size_t)params.width * (size_t)params.height;
    uint8_t *const plane[3] = {pixels, pixels + area, pixels + area + area / 4};
    const int stride[3] = {params.width, params.width / 2, params.width / 2};
    return itsi_road_render(road, index, plane, stride, boxes);
}

static bool counts(const struct itsi_road_box *b)
{
    return b->visible >= LEAST_VISIBLE && b->x2 - b->x1 >= LEAST_SIDE && b->y2 - b->y1 >= LEAST_SIDE;
}

static void picture(struct outcome *o, int64_t index, double share, struct itsi_rand *rng)
{
    struct itsi_road_box truth[ITSI_ROAD_MAX_BOXES];
    struct itsi_detection full[ITSI_ROAD_MAX_BOXES], shown[ITSI_ROAD_MAX_BOXES];
    const int64_t now = START + (int64_t)((double)index * 1e9 / params.fps);
    const int count = truth_of(index, truth);
    int fulls = 0, shows = 0;
    for (int i = 0; i < count; i++) {
        const struct itsi_road_box *b = &truth[i];
        if (!counts(b))
            continue;
        int64_t *seen = &seen_at[b->id % IDS];
        o->came += index > 0 && now - *seen > HIDDEN_MS * ITSI_NS_PER_MS;
        *seen = now;
        full[fulls] = (struct itsi_detection){b->x1, b->y1, b->x2, b->y2, 0.9F, b->cls, -1};
        if (itsi_rand_unit(rng) >= share)
            shown[shows++] = full[fulls];
        fulls++;
    }
    o->sightings += fulls;
    o->dropped += fulls - shows;
    itsi_tracker_update(tracker, scratch, now, params.width, params.height, shown, shows);
    itsi_debt_traffic_add(&o->traffic, shown, shows, now);
    const struct itsi_debt_picture both = itsi_debt_match(full, fulls, shown, shows);
    if (index % 10 == 3)
        itsi_debt_tally_add(&o->tally, &both, now);
}

int main(int argc, char **argv)
{
    struct its_diag diag = {""};
    struct itsi_debt_estimate e;
    struct outcome o = {0};
    struct itsi_rand rng;
    const double share = argc > 2 ? atof(argv[2]) : 0, seconds = argc > 3 ? atof(argv[3]) : 240;
    if (argc < 3 || open_all(argv[1], &diag) != 0) {
        fprintf(stderr, "usage: bench_debt synth://SCENE?... SHARE [SECONDS]\n%s\n", diag.text);
        return 2;
    }
    itsi_rand_seed(&rng, 5);
    const int64_t pictures = (int64_t)(seconds * params.fps);
    for (int64_t i = 0; i < pictures; i++)
        picture(&o, i, share, &rng);
    itsi_debt_estimate(&o.tally, &o.traffic, START + (int64_t)(seconds * 1e9), &e);
    const double dropped = o.dropped / o.sightings;
    printf("%.1f in view, %.1f s each\n", o.sightings / (double)pictures, o.sightings / params.fps / o.came);
    printf("share missed: %.4f, estimated %.4f (%.4f to %.4f)\n", dropped, e.missed_share.value, e.missed_share.low,
           e.missed_share.high);
    printf("objects an hour missed: %.0f, estimated %.0f (%.0f to %.0f)\n", o.came / seconds * 3600 * dropped,
           e.missed_per_hour.value, e.missed_per_hour.low, e.missed_per_hour.high);
    return 0;
}
