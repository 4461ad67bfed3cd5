/* A machine under steady load and the detector that watches it, for the tests of the latter. */
#ifndef ITSI_LATENCY_REGRESSION_FIXTURE_H
#define ITSI_LATENCY_REGRESSION_FIXTURE_H

#include "latency/regression.h"

#include "base/rand.h"
#include "support/check.h"

#define SECOND INT64_C(1000000000)

/* A machine under steady load: batch means of four stages, each a first-order autoregressive series. */
enum { STAGES = 4 };
static const double typical_us[STAGES] = {4000, 300, 18000, 60};

struct machine {
    struct itsi_rand rng;
    double sigma, phi;
    double state[ITSI_TIME_KIND_COUNT][STAGES];
    double extra[ITSI_TIME_KIND_COUNT][STAGES]; /* log of the factor on top */
    int64_t now;
    struct itsi_regression *detector;
};

static inline void machine_on(struct machine *m, double sigma, double phi)
{
    struct its_diag diag;
    const struct itsi_regression_params params = {.threshold_percent = 20};
    *m = (struct machine){.sigma = sigma, .phi = phi, .now = 1000 * SECOND};
    itsi_rand_seed(&m->rng, 11);
    CHECK_OK(itsi_regression_create(&m->detector, &params, &diag), diag);
}

static inline void machine_off(struct machine *m) { itsi_regression_destroy(m->detector); }

static inline void make_batch(struct machine *m, struct itsi_batch *out)
{
    *out = (struct itsi_batch){.begin = m->now, .end = m->now + SECOND - 1, .frames = 50};
    m->now += SECOND;
    for (int k = 0; k < ITSI_TIME_KIND_COUNT; k++)
        for (int s = 0; s < STAGES; s++) {
            double *x = &m->state[k][s];
            *x = m->phi * *x + m->sigma * sqrt(1 - m->phi * m->phi) * itsi_rand_normal(&m->rng);
            out->present[k][s] = true;
            out->mean[k][s] = log(typical_us[s]) + *x + m->extra[k][s];
        }
}

static inline void run(struct machine *m, int seconds)
{
    struct itsi_batch batch;
    for (int i = 0; i < seconds; i++) {
        make_batch(m, &batch);
        assert_int_equal(itsi_regression_batch(m->detector, &batch), 0);
    }
}

/* A machine whose baseline is learned: ten minutes have passed. */
static inline void machine_learned(struct machine *m, double sigma, double phi)
{
    machine_on(m, sigma, phi);
    run(m, 600);
}

/* The same with limits of its own. */
static inline void machine_learned_with(struct machine *m, double sigma, double phi,
                                        const struct itsi_regression_params *params)
{
    struct its_diag diag;
    machine_on(m, sigma, phi);
    CHECK_OK(itsi_regression_configure(m->detector, params, &diag), diag);
    run(m, 600);
}

/* From now on the stage takes so many times what it took at first. */
static inline void slow_down(struct machine *m, enum itsi_stage stage, double times)
{
    m->extra[ITSI_TIME_SERVICE][stage] = log(times);
}

static inline void slow_down_all(struct machine *m, double times)
{
    for (int s = 0; s < STAGES; s++)
        slow_down(m, (enum itsi_stage)s, times);
}

/* Runs until the next event, at most so many seconds; false: none came. */
static inline bool until_event(struct machine *m, int seconds, struct itsi_regression_event *event)
{
    for (int i = 0; i < seconds; i++) {
        run(m, 1);
        if (itsi_regression_next(m->detector, event))
            return true;
    }
    return false;
}

static inline void check_quiet(struct machine *m)
{
    struct itsi_regression_event event;
    if (itsi_regression_next(m->detector, &event)) {
        char text[160];
        itsi_move_text(&event.move, text, sizeof text);
        fail_msg("an event that should not be (%d): %s", event.what, text);
    }
}

#endif
