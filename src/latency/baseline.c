#include "latency/baseline.h"

#include "latency/regression_robust.h"

#include <math.h>
#include <string.h>

/* Deviations beyond so many standard deviations count as just that. */
#define WINSOR 4.0
/* A median absolute deviation of a normal distribution, as standard deviation. */
#define MAD_TO_DEVIATION 1.4826
#define LEAST_DEVIATION 0.005
#define LEAST_SPREAD (0.01 * 0.01)
#define MOST_CORRELATION 0.9
/* A variance from n blocks is low by chance by about its own size over the square root of n / 2; by how much more it is
 * taken for is from recorded noise (bench/data): a calm minute or two at the start must not stand for the hour. */
#define FEW_BLOCKS 10

const char *itsi_time_kind_name(enum itsi_time_kind kind)
{
    static const char *const names[] = {"service", "wait", "floor"};
    return names[kind];
}

static double clip(double value, double limit) { return fmax(-limit, fmin(limit, value)); }

/* From every run of ITSI_BASELINE_BLOCK neighbours: overlapping means use few values best (Meketon, Schmeiser 1984). */
static double long_run_of(const double *deviations, int count)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < count; i++) {
        sum += deviations[i];
        if (i >= ITSI_BASELINE_BLOCK)
            sum -= deviations[i - ITSI_BASELINE_BLOCK];
        if (i >= ITSI_BASELINE_BLOCK - 1)
            squares += sum * sum / ITSI_BASELINE_BLOCK;
    }
    return squares / (count - ITSI_BASELINE_BLOCK + 1);
}

void itsi_baseline_seed(struct itsi_baseline *baseline, const double *means, int count)
{
    double work[ITSI_BASELINE_SEED_MAX];
    memcpy(work, means, (size_t)count * sizeof *work);
    const double level = itsi_median(work, count);
    for (int i = 0; i < count; i++)
        work[i] = fabs(means[i] - level);
    const double deviation = fmax(MAD_TO_DEVIATION * itsi_median(work, count), LEAST_DEVIATION);
    double squares = 0, products = 0;
    for (int i = 0; i < count; i++) {
        work[i] = clip(means[i] - level, WINSOR * deviation);
        squares += work[i] * work[i];
        products += i ? work[i] * work[i - 1] : 0;
    }
    *baseline = (struct itsi_baseline){.batches = (uint32_t)count,
                                       .level = level,
                                       .variance = fmax(squares / count, LEAST_DEVIATION * LEAST_DEVIATION),
                                       .covariance = products / (count - 1),
                                       .long_run = long_run_of(work, count)};
}

void itsi_baseline_learner_reset(struct itsi_baseline_learner *learner)
{
    *learner = (struct itsi_baseline_learner){0};
}

static void learn_block(struct itsi_baseline *b, struct itsi_baseline_learner *learner, double deviation)
{
    learner->block_sum += deviation;
    if (++learner->block_count < ITSI_BASELINE_BLOCK)
        return;
    const double weight = (double)ITSI_BASELINE_BLOCK / b->batches;
    const double square = learner->block_sum * learner->block_sum / ITSI_BASELINE_BLOCK;
    b->long_run += fmin(weight, 1) * (square - b->long_run);
    learner->block_sum = 0;
    learner->block_count = 0;
}

void itsi_baseline_learn(struct itsi_baseline *b, struct itsi_baseline_learner *learner, double mean)
{
    if (b->batches >= ITSI_BASELINE_FULL)
        return;
    b->batches++;
    const double weight = 1.0 / b->batches;
    const double deviation = clip(mean - b->level, WINSOR * itsi_baseline_deviation(b));
    b->level += weight * deviation;
    b->variance += weight * (deviation * deviation - b->variance);
    if (learner->has_previous)
        b->covariance += weight * (deviation * learner->previous - b->covariance);
    learner->previous = deviation;
    learner->has_previous = true;
    learn_block(b, learner, deviation);
}

bool itsi_baseline_known(const struct itsi_baseline *b) { return b->batches >= ITSI_BASELINE_WARMUP; }

bool itsi_baseline_valid(const struct itsi_baseline *b)
{
    return itsi_baseline_known(b) && isfinite(b->level) && fabs(b->level) < 50 && isfinite(b->variance) &&
           b->variance > 0 && isfinite(b->covariance) && fabs(b->covariance) <= b->variance * 1.5 &&
           isfinite(b->long_run) && b->long_run >= 0;
}

double itsi_baseline_deviation(const struct itsi_baseline *b) { return fmax(sqrt(b->variance), LEAST_DEVIATION); }

double itsi_baseline_spread(const struct itsi_baseline *b)
{
    const double r = fmax(0, fmin(b->covariance / b->variance, MOST_CORRELATION));
    const double spread = fmax(b->long_run, b->variance * (1 + r) / (1 - r));
    const double blocks = (double)b->batches / ITSI_BASELINE_BLOCK;
    return fmax(spread, LEAST_SPREAD) * (1 + FEW_BLOCKS / blocks);
}

int itsi_load_band(double frames_per_second, int previous)
{
    if (!(frames_per_second > 0) || !isfinite(frames_per_second))
        return -1;
    const double place = 1 + fmax(-1, 4 * log2(frames_per_second)); /* 1 at 1 frame/s, 5 at 2 */
    if (previous >= 0 && place > previous - 0.5 && place < previous + 1.5)
        return previous;
    return (int)fmin(floor(place), ITSI_LOAD_BAND_COUNT - 1);
}
