#include "infer/run_time.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>

#define FORGET_NS (60 * ITSI_NS_PER_S)
/* Of a lone figure of a batch-efficient engine: as much as is taken to be per image. Between the two mistakes, a fixed
 * cost that is none and a growth that is none, it is wrong by at most a factor of two in either direction. */
#define SHARE_PER_IMAGE 0.5

void itsi_run_time_init(struct itsi_run_time *m, bool batch_efficient)
{
    *m = (struct itsi_run_time){.batch_efficient = batch_efficient};
}

void itsi_run_time_size(struct itsi_run_time *m, int input, int64_t pixels) { m->pixels[input] = pixels; }

static int bucket_of(int n)
{
    int bucket = 0;
    while ((1 << bucket) < n && bucket < ITSI_RUN_BUCKETS - 1)
        bucket++;
    return bucket;
}

static bool is_known(const struct itsi_run_time *m, int input, int bucket)
{
    const struct itsi_run_bucket *b = &m->bucket[input][bucket];
    return b->usual.count > 0 && m->seen[input] - b->seen <= FORGET_NS;
}

void itsi_run_time_observe(struct itsi_run_time *m, int input, int n, int64_t run_ns, int64_t now)
{
    int bucket = bucket_of(n);
    struct itsi_run_bucket *b = &m->bucket[input][bucket];
    m->seen[input] = now;
    if (!is_known(m, input, bucket)) {
        itsi_quantile_init(&b->usual, 0.95);
        itsi_quantile_init(&b->shortest, 0.10);
    }
    itsi_quantile_observe(&b->usual, (double)run_ns);
    itsi_quantile_observe(&b->shortest, (double)run_ns);
    b->seen = now;
}

/* The known bucket nearest to the wanted one, other than `but`; -1: none. */
static int nearest_known(const struct itsi_run_time *m, int input, int wanted, int but)
{
    int best = -1;
    for (int i = 0; i < ITSI_RUN_BUCKETS; i++)
        if (i != but && is_known(m, input, i) && (best < 0 || abs(i - wanted) < abs(best - wanted)))
            best = i;
    return best;
}

/* A line through the two nearest figures, or through one of them as steep as the kind of engine makes it. Never steeper
 * than in proportion to the images: there is no negative fixed cost. */
static double inferred(const struct itsi_run_time *m, int input, int wanted)
{
    int near = nearest_known(m, input, wanted, -1);
    if (near < 0)
        return 0;
    int other = nearest_known(m, input, wanted, near);
    double images = 1 << near, time = m->bucket[input][near].usual.estimate, steepest = time / images;
    double slope = m->batch_efficient ? SHARE_PER_IMAGE * steepest : steepest;
    if (other >= 0)
        slope = (m->bucket[input][other].usual.estimate - time) / ((double)(1 << other) - images);
    slope = fmin(fmax(slope, 0), steepest);
    return time + slope * ((double)(1 << wanted) - images);
}

/* The same from another input size's figures, in proportion to the pixels. */
static double inferred_from_other_sizes(const struct itsi_run_time *m, int input, int wanted)
{
    double best = 0, least_apart = INFINITY;
    for (int other = 0; other < ITSI_INPUTS; other++) {
        double time = other == input ? 0 : inferred(m, other, wanted);
        if (time <= 0)
            continue;
        double ratio = m->pixels[input] > 0 && m->pixels[other] > 0
                           ? (double)m->pixels[input] / (double)m->pixels[other]
                           : 1;
        if (fabs(log(ratio)) < least_apart) {
            least_apart = fabs(log(ratio));
            best = time * ratio;
        }
    }
    return best;
}

int64_t itsi_run_time_usual(const struct itsi_run_time *m, int input, int n)
{
    int wanted = bucket_of(n);
    if (is_known(m, input, wanted))
        return (int64_t)m->bucket[input][wanted].usual.estimate;
    double time = inferred(m, input, wanted);
    return (int64_t)(time > 0 ? time : inferred_from_other_sizes(m, input, wanted));
}

int64_t itsi_run_time_shortest(const struct itsi_run_time *m, int input, int n)
{
    int bucket = bucket_of(n);
    return is_known(m, input, bucket) ? (int64_t)m->bucket[input][bucket].shortest.estimate : 0;
}
