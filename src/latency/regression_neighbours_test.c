/* The detector on a machine whose cores are shared: all stages slow together, each by its own amount, and one stage's
 * mean wanders by itself. */
#include "latency/regression_fixture.h"

#include <string.h>

/* How much of what the neighbours take each stage feels. */
static const double gain[STAGES] = {1.1, 1.0, 0.6, 1.5};

struct host {
    struct machine machine;
    double load;           /* the neighbours', a slow first-order process; logs */
    double wander;         /* of preprocessing's mean alone: the share of its frames that are disturbed */
    double wandering;      /* how much of it there is: 0 none */
    double shift[STAGES];  /* of all frames of a stage */
    double floor[STAGES];  /* of the fastest alone */
    bool has_floor;
};

static void host_on(struct host *h)
{
    *h = (struct host){0};
    machine_on(&h->machine, 0.02, 0.3);
}

static double slow_process(struct itsi_rand *rng, double x, double sigma)
{
    return 0.95 * x + sigma * sqrt(1 - 0.95 * 0.95) * itsi_rand_normal(rng);
}

static void host_run(struct host *h, int seconds)
{
    struct itsi_batch batch;
    for (int i = 0; i < seconds; i++) {
        h->load = slow_process(&h->machine.rng, h->load, 0.06);
        h->wander = slow_process(&h->machine.rng, h->wander, 0.09);
        for (int s = 0; s < STAGES; s++)
            h->machine.extra[ITSI_TIME_SERVICE][s] = gain[s] * h->load + h->shift[s];
        h->machine.extra[ITSI_TIME_SERVICE][ITSI_STAGE_PREPROCESSING] += h->wandering * h->wander;
        make_batch(&h->machine, &batch);
        for (int s = 0; h->has_floor && s < STAGES; s++) {
            batch.present[ITSI_TIME_FLOOR][s] = true;
            batch.mean[ITSI_TIME_FLOOR][s] = log(0.8 * typical_us[s]) + 0.03 * itsi_rand_normal(&h->machine.rng) +
                                             0.3 * gain[s] * h->load + h->shift[s] + h->floor[s];
        }
        assert_int_equal(itsi_regression_batch(h->machine.detector, &batch), 0);
    }
}

/* Runs until the next event, at most so many seconds; false: none came. */
static bool host_until(struct host *h, int seconds, struct itsi_regression_event *event)
{
    for (int i = 0; i < seconds; i++) {
        host_run(h, 1);
        if (itsi_regression_next(h->machine.detector, event))
            return true;
    }
    return false;
}

static void host_off(struct host *h) { machine_off(&h->machine); }

static void what_the_neighbours_do_is_no_alarm(void **state)
{
    (void)state;
    struct host h;
    host_on(&h);
    h.has_floor = true;
    h.wandering = 1;
    host_run(&h, 6 * 3600);
    check_quiet(&h.machine);
    struct itsi_baseline_set set;
    itsi_regression_baselines(h.machine.detector, &set);
    for (int s = 0; s < STAGES; s++) { /* little is left of most */
        const double raw = itsi_baseline_spread(&set.series[ITSI_TIME_SERVICE][s]);
        const double left = itsi_baseline_spread(&set.residual[ITSI_TIME_SERVICE][s]);
        assert_true(s == ITSI_STAGE_PREPROCESSING ? left < raw : left < 0.15 * raw);
    }
    host_off(&h);
}

static void a_shift_is_found_under_them_with_its_true_size(void **state)
{
    (void)state;
    for (int s = 0; s < STAGES; s++) {
        struct host h;
        struct itsi_regression_event event;
        struct itsi_regression_report report;
        host_on(&h);
        host_run(&h, 300);
        h.shift[s] = log(1.2);
        assert_true(host_until(&h, 60, &event));
        assert_true(event.regression);
        assert_false(event.move.whole);
        assert_int_equal(event.move.stage, s);
        host_run(&h, 100);
        check_quiet(&h.machine); /* its peers look faster by what it foretold of them: that is no news */
        itsi_regression_report(h.machine.detector, &report);
        assert_int_equal(report.count, 1);
        CHECK_NEAR(report.moves[0].percent, 20, 5);
        host_off(&h);
    }
}

static void two_at_once_do_not_excuse_each_other(void **state)
{
    (void)state;
    struct host h;
    struct itsi_regression_report report;
    host_on(&h);
    host_run(&h, 900);
    h.shift[ITSI_STAGE_CAMERA_CAPTURE] = log(1.5);
    host_run(&h, 30);
    h.shift[ITSI_STAGE_ML_INFERENCE] = log(1.4);
    host_run(&h, 120);
    itsi_regression_report(h.machine.detector, &report);
    assert_int_equal(report.count, 2);
    CHECK_NEAR(report.moves[0].percent, 50, 10);
    CHECK_NEAR(report.moves[1].percent, 40, 10);
    host_off(&h);
}

static void peers_that_become_faster_accuse_nobody(void **state)
{
    (void)state;
    for (int run = 0; run < 5; run++) {
        struct host h;
        struct itsi_regression_event event;
        host_on(&h);
        host_run(&h, 900 + 100 * run);
        for (int s = 0; s < STAGES; s++) /* three of four: a smaller picture, say */
            h.shift[s] = s == ITSI_STAGE_CAMERA_CAPTURE ? 0 : log(0.6);
        host_run(&h, 600);
        while (itsi_regression_next(h.machine.detector, &event))
            assert_false(event.regression);
        host_off(&h);
    }
}

static void a_shift_of_everything_is_the_whole_alone(void **state)
{
    (void)state;
    struct host h;
    struct itsi_regression_report report;
    host_on(&h);
    host_run(&h, 900);
    for (int s = 0; s < STAGES; s++) /* alike: not as the slopes would have it */
        h.shift[s] = log(2);
    host_run(&h, 300);
    itsi_regression_report(h.machine.detector, &report);
    assert_int_equal(report.count, 1);
    assert_true(report.moves[0].whole);
    assert_true(report.moves[0].regression);
    CHECK_NEAR(report.moves[0].percent, 100, 15);
    host_off(&h);
}

static void where_the_mean_wanders_the_floor_tells(void **state)
{
    (void)state;
    struct host h;
    struct itsi_regression_event event;
    struct itsi_regression_report report;
    host_on(&h);
    h.has_floor = true;
    h.wandering = 1;
    host_run(&h, 1200);
    check_quiet(&h.machine);
    h.shift[ITSI_STAGE_PREPROCESSING] = log(1.2);
    assert_true(host_until(&h, 60, &event));
    assert_true(event.regression);
    assert_int_equal(event.move.stage, ITSI_STAGE_PREPROCESSING);
    assert_int_equal(event.move.kind, ITSI_TIME_SERVICE);
    CHECK_NEAR(event.move.percent, 20, 6);
    host_run(&h, 120);
    check_quiet(&h.machine); /* mean and floor are one regression */
    h.shift[ITSI_STAGE_PREPROCESSING] = 0;
    assert_true(host_until(&h, 120, &event));
    assert_int_equal(event.what, ITSI_REGRESSION_BACK);
    itsi_regression_report(h.machine.detector, &report);
    assert_int_equal(report.count, 0);
    host_off(&h);
}

static void a_floor_that_moves_alone_accuses_nobody(void **state)
{
    (void)state;
    struct host h;
    host_on(&h);
    h.has_floor = true;
    host_run(&h, 1200);
    h.floor[ITSI_STAGE_CAMERA_CAPTURE] = log(1.5); /* the camera with the smallest picture went */
    host_run(&h, 900);
    check_quiet(&h.machine);
    host_off(&h);
}

static void an_operator_accepts_mean_and_floor(void **state)
{
    (void)state;
    struct host h;
    struct itsi_regression_event event;
    host_on(&h);
    h.has_floor = true;
    host_run(&h, 1200);
    h.shift[ITSI_STAGE_ML_INFERENCE] = log(1.5);
    assert_true(host_until(&h, 60, &event));
    host_run(&h, 130);
    assert_int_equal(itsi_regression_accept(h.machine.detector, ITSI_STAGE_ML_INFERENCE, h.machine.now), 0);
    assert_true(itsi_regression_next(h.machine.detector, &event));
    assert_int_equal(event.what, ITSI_REGRESSION_ACCEPTED);
    host_run(&h, 3600);
    check_quiet(&h.machine);
    h.shift[ITSI_STAGE_ML_INFERENCE] = log(1.5 * 1.3);
    assert_true(host_until(&h, 60, &event));
    assert_int_equal(event.move.stage, ITSI_STAGE_ML_INFERENCE);
    host_off(&h);
}

/* --- what is known already ---------------------------------------------------------------------------------------- */

static void known_peers_judge_at_once(void **state)
{
    (void)state;
    struct host h;
    struct itsi_regression_event event;
    struct itsi_baseline_set known;
    host_on(&h);
    host_run(&h, 1800);
    itsi_regression_baselines(h.machine.detector, &known);
    assert_true(known.peers[ITSI_TIME_SERVICE].batches > 1500);
    h.shift[ITSI_STAGE_ML_INFERENCE] = log(1.2); /* while nobody looked */
    itsi_regression_enter(h.machine.detector, &known, h.machine.now);
    assert_true(host_until(&h, 60, &event));
    assert_int_equal(event.move.stage, ITSI_STAGE_ML_INFERENCE);
    CHECK_NEAR(event.move.percent, 20, 8);
    host_off(&h);
}

static void levels_without_peers_learn_them(void **state)
{
    (void)state;
    struct host h;
    struct itsi_regression_event event;
    struct itsi_baseline_set known, after;
    host_on(&h);
    host_run(&h, 3700);
    itsi_regression_baselines(h.machine.detector, &known);
    memset(known.peers, 0, sizeof known.peers); /* as a file of version 1 has it */
    memset(known.residual, 0, sizeof known.residual);
    itsi_regression_enter(h.machine.detector, &known, h.machine.now);
    host_run(&h, 600);
    check_quiet(&h.machine);
    itsi_regression_baselines(h.machine.detector, &after);
    assert_true(itsi_baseline_known(&after.residual[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE]));
    CHECK_NEAR(after.series[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE].level,
               known.series[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE].level, 1e-12); /* frozen as it was */
    h.shift[ITSI_STAGE_CAMERA_CAPTURE] = log(1.2);
    assert_true(host_until(&h, 60, &event));
    assert_int_equal(event.move.stage, ITSI_STAGE_CAMERA_CAPTURE);
    host_off(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_neighbours_do_is_no_alarm),
        cmocka_unit_test(a_shift_is_found_under_them_with_its_true_size),
        cmocka_unit_test(two_at_once_do_not_excuse_each_other),
        cmocka_unit_test(peers_that_become_faster_accuse_nobody),
        cmocka_unit_test(a_shift_of_everything_is_the_whole_alone),
        cmocka_unit_test(where_the_mean_wanders_the_floor_tells),
        cmocka_unit_test(a_floor_that_moves_alone_accuses_nobody),
        cmocka_unit_test(an_operator_accepts_mean_and_floor),
        cmocka_unit_test(known_peers_judge_at_once),
        cmocka_unit_test(levels_without_peers_learn_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
