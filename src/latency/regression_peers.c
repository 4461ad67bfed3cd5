#include "latency/regression_peers.h"

#include "latency/regression_robust.h"

#include <math.h>
#include <string.h>

#define WINSOR 4.0
#define MAD_TO_DEVIATION 1.4826
#define LEAST_DEVIATION 0.005
/* Of each peer's own variance: always, and divided by the blocks of ITSI_BASELINE_BLOCK that are known. */
#define RIDGE 0.02
#define RIDGE_FEW 1.0
enum { SWEEPS = 64 };

/* Median off, wild values cut. False: the stage lacks somewhere. */
static bool deviations_of(const double (*rows)[ITSI_STAGE_COUNT], int count, int stage, double *out)
{
    double work[ITSI_BASELINE_SEED_MAX];
    for (int i = 0; i < count; i++) {
        if (isnan(rows[i][stage]))
            return false;
        work[i] = rows[i][stage];
    }
    const double level = itsi_median(work, count);
    for (int i = 0; i < count; i++)
        work[i] = fabs(rows[i][stage] - level);
    const double most = WINSOR * fmax(MAD_TO_DEVIATION * itsi_median(work, count), LEAST_DEVIATION);
    for (int i = 0; i < count; i++)
        out[i] = fmax(-most, fmin(most, rows[i][stage] - level));
    return true;
}

void itsi_peers_seed(struct itsi_peers *peers, const double (*rows)[ITSI_STAGE_COUNT], int count)
{
    double deviations[ITSI_STAGE_COUNT][ITSI_BASELINE_SEED_MAX];
    bool whole[ITSI_STAGE_COUNT];
    *peers = (struct itsi_peers){.batches = (uint32_t)count};
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        whole[s] = deviations_of(rows, count, s, deviations[s]);
    for (int a = 0; a < ITSI_STAGE_COUNT; a++)
        for (int b = 0; b < ITSI_STAGE_COUNT; b++) {
            double sum = 0;
            for (int i = 0; whole[a] && whole[b] && i < count; i++)
                sum += deviations[a][i] * deviations[b][i];
            peers->product[a][b] = sum / count;
            if (a == b && whole[a]) /* a stage that never varies is known, too */
                peers->product[a][a] = fmax(peers->product[a][a], LEAST_DEVIATION * LEAST_DEVIATION);
        }
}

bool itsi_peers_known(const struct itsi_peers *peers) { return peers->batches >= ITSI_BASELINE_WARMUP; }

bool itsi_peers_valid(const struct itsi_peers *peers)
{
    for (int a = 0; a < ITSI_STAGE_COUNT; a++)
        for (int b = 0; b < ITSI_STAGE_COUNT; b++) {
            const double product = peers->product[a][b];
            const double most = sqrt(peers->product[a][a] * peers->product[b][b]) * 1.001 + 1e-8; /* a file rounds */
            if (peers->product[a][a] < 0 || !isfinite(product) || !(fabs(product) <= most) ||
                fabs(product - peers->product[b][a]) > 1e-8)
                return false;
        }
    return itsi_peers_known(peers);
}

bool itsi_peers_has(const struct itsi_peers *peers, enum itsi_stage stage) { return peers->product[stage][stage] > 0; }

void itsi_peers_learn(struct itsi_peers *peers, const double deviations[ITSI_STAGE_COUNT])
{
    double x[ITSI_STAGE_COUNT] = {0};
    if (peers->batches >= ITSI_BASELINE_FULL)
        return;
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        if (!itsi_peers_has(peers, (enum itsi_stage)s))
            continue;
        if (isnan(deviations[s]))
            return;
        const double most = WINSOR * sqrt(peers->product[s][s]);
        x[s] = fmax(-most, fmin(most, deviations[s]));
    }
    const double weight = 1.0 / ++peers->batches;
    for (int a = 0; a < ITSI_STAGE_COUNT; a++)
        for (int b = 0; b < ITSI_STAGE_COUNT; b++) {
            peers->product[a][b] += weight * (x[a] * x[b] - peers->product[a][b]);
            if (a == b && itsi_peers_has(peers, (enum itsi_stage)a))
                peers->product[a][a] = fmax(peers->product[a][a], LEAST_DEVIATION * LEAST_DEVIATION);
        }
}

void itsi_peers_slopes(const struct itsi_peers *peers, const bool present[ITSI_STAGE_COUNT], enum itsi_stage stage,
                       double slopes[ITSI_STAGE_COUNT])
{
    memset(slopes, 0, ITSI_STAGE_COUNT * sizeof *slopes);
    if (!itsi_peers_known(peers) || !itsi_peers_has(peers, stage))
        return;
    const double ridge = RIDGE + RIDGE_FEW * ITSI_BASELINE_BLOCK / peers->batches;
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        for (int k = 0; k < ITSI_STAGE_COUNT; k++) {
            if (k == (int)stage || !present[k] || !itsi_peers_has(peers, (enum itsi_stage)k))
                continue;
            double left = peers->product[k][stage];
            for (int l = 0; l < ITSI_STAGE_COUNT; l++)
                left -= l == k ? 0 : peers->product[k][l] * slopes[l];
            slopes[k] = fmax(0, left / (peers->product[k][k] * (1 + ridge)));
        }
}
