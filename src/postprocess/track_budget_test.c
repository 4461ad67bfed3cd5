#include "support/check.h"

#include "base/clock.h"
#include "base/rand.h"
#include "postprocess/track_budget.h"

/* Cameras of very unlike doubt, every picture of each another one; 25 pictures a second, in steps of half a second. */
enum { CAMERAS = 3 };
static const int64_t frame = 40 * ITSI_NS_PER_MS;

struct road {
    float doubt;
    int since;
    int detected;
};

static double detected_share(struct road roads[CAMERAS], int interval, int pictures)
{
    struct itsi_track_budget budget = ITSI_TRACK_BUDGET_BEGIN;
    struct itsi_rand rng;
    double paid = 0, made = 0, counted = 0, detections = 0;
    itsi_rand_seed(&rng, 3);
    for (int i = 0; i < CAMERAS; i++)
        roads[i].detected = 0;
    for (int k = 0; k < pictures; k++) {
        for (int i = 0; i < CAMERAS; i++) {
            struct road *road = &roads[i];
            road->since++;
            struct itsi_track_cadence c = {.retention = 1, .doubt = road->doubt * (float)itsi_rand_range(&rng, 0.3, 1.7),
                                           .moved = (float)road->since, .frame_ns = frame, .since_ns = road->since * frame};
            itsi_track_budget_ask(&budget, interval, &c);
            const bool due = itsi_track_cadence_detect(&c);
            road->since = due ? 0 : road->since;
            paid += 1.0 / interval;
            made += due;
            counted += k >= 250;
            detections += due && k >= 250;
            road->detected += due && k >= 250;
        }
        if (k % 12 == 11) {
            itsi_track_budget_step(&budget, paid, made);
            paid = made = 0;
        }
    }
    return detections / counted;
}

static void test_what_is_paid_for_is_spent(void **state)
{
    (void)state;
    for (int interval = 2; interval <= 8; interval *= 2) {
        struct road roads[CAMERAS] = {{.doubt = 0.5F}, {.doubt = 1.5F}, {.doubt = 6}};
        CHECK_NEAR(detected_share(roads, interval, 2000), 1.0 / interval, 0.02 / interval);
        assert_true(roads[0].detected < roads[1].detected && roads[1].detected < roads[2].detected);
    }
}

/* However certain everything is, a camera is looked at again; however uncertain, not more than all of it. */
static void test_bounds(void **state)
{
    (void)state;
    struct road sure[CAMERAS] = {{.doubt = 0}}, unsure[CAMERAS] = {{.doubt = 300}, {.doubt = 300}, {.doubt = 300}};
    CHECK_NEAR(detected_share(sure, 3, 2000), 1.0 / (3 * ITSI_TRACK_STRETCH), 0.002);
    CHECK_NEAR(detected_share(unsure, 3, 2000), 1.0 / 3, 0.02);
}

static void test_every_picture(void **state)
{
    (void)state;
    const struct itsi_track_budget budget = ITSI_TRACK_BUDGET_BEGIN;
    struct itsi_track_cadence c = {.retention = 1, .frame_ns = frame, .since_ns = frame};
    itsi_track_budget_ask(&budget, 1, &c);
    assert_true(itsi_track_cadence_detect(&c));
}

static void test_nothing_happened(void **state)
{
    (void)state;
    struct itsi_track_budget budget = ITSI_TRACK_BUDGET_BEGIN;
    const float before = budget.tolerance;
    itsi_track_budget_step(&budget, 0, 0);
    CHECK_NEAR((double)budget.tolerance, (double)before, 1e-6);
    for (int i = 0; i < 10000; i++)
        itsi_track_budget_step(&budget, 100, 0);
    assert_true(budget.tolerance > 0);
    for (int i = 0; i < 100; i++)
        itsi_track_budget_step(&budget, 1, 100);
    assert_true(budget.tolerance > 1); /* comes back from where nothing was in doubt */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_paid_for_is_spent),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_every_picture),
        cmocka_unit_test(test_nothing_happened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
