#include "latency/compare.h"

#include "base/mem.h"
#include "base/rand.h"
#include "support/check.h"

#define SECOND INT64_C(1000000000)

static const double typical_us[ITSI_STAGE_COUNT] = {4000, 300, 18000, 60, 0, 0};

/* What a run is made of: so many batches, one stage's time multiplied. */
struct plan {
    uint64_t seed;
    int batches;
    enum itsi_time_kind kind;
    enum itsi_stage stage;
    double factor;
};

static struct itsi_run *new_run(const char *build)
{
    struct itsi_run *run;
    struct its_diag diag;
    struct itsi_baseline_key setup;
    itsi_baseline_key(&setup, build, "its-road int8", "c0ffee", "2 cores", 20);
    CHECK_OK(itsi_run_create(&run, &setup, &diag), diag);
    return run;
}

/* Batch means with 5 % deviation, correlated by 0.5. */
static struct itsi_run *measure(const struct plan *plan)
{
    struct itsi_run *run = new_run("1.0");
    struct itsi_rand rng;
    double x[ITSI_TIME_KIND_COUNT][ITSI_STAGE_COUNT] = {{0}};
    itsi_rand_seed(&rng, plan->seed);
    for (int i = 0; i < plan->batches; i++) {
        struct itsi_batch batch = {.begin = i * SECOND, .end = (i + 1) * SECOND - 1, .frames = 50};
        for (int k = 0; k < ITSI_TIME_KIND_COUNT; k++)
            for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
                if (typical_us[s] == 0)
                    continue;
                x[k][s] = 0.5 * x[k][s] + 0.05 * sqrt(0.75) * itsi_rand_normal(&rng);
                batch.present[k][s] = true;
                batch.mean[k][s] = log(typical_us[s]) + x[k][s];
                if (k == (int)plan->kind && s == (int)plan->stage)
                    batch.mean[k][s] += log(plan->factor);
            }
        assert_int_equal(itsi_run_batch(run, &batch), 0);
    }
    return run;
}

static const struct plan ordinary = {1, 60, ITSI_TIME_SERVICE, ITSI_STAGE_ML_INFERENCE, 1};

static void compare_plans(const struct plan *before, const struct plan *after, struct itsi_comparison *out)
{
    struct its_diag diag;
    struct itsi_run *a = measure(before), *b = measure(after);
    CHECK_OK(itsi_compare(a, b, 20, out, &diag), diag);
    itsi_run_destroy(a);
    itsi_run_destroy(b);
}

/* A stage of 3 us that takes 4.5: half as long again, and nobody's concern. */
static void what_is_next_to_nothing_is_no_regression(void **state)
{
    (void)state;
    struct itsi_run *runs[2] = {new_run("1.0"), new_run("1.1")};
    for (int i = 0; i < 60; i++)
        for (int r = 0; r < 2; r++) {
            struct itsi_batch batch = {.begin = i * SECOND, .end = (i + 1) * SECOND - 1, .frames = 50};
            batch.present[ITSI_TIME_SERVICE][ITSI_STAGE_PREPROCESSING] = true;
            batch.mean[ITSI_TIME_SERVICE][ITSI_STAGE_PREPROCESSING] = log(r ? 4.5 : 3.0) + 0.001 * (i % 5);
            assert_int_equal(itsi_run_batch(runs[r], &batch), 0);
        }
    struct itsi_comparison c;
    struct its_diag diag;
    CHECK_OK(itsi_compare(runs[0], runs[1], 20, &c, &diag), diag);
    assert_int_equal(c.verdict, ITSI_VERDICT_SAME);
    assert_int_equal(c.primary, -1);
    CHECK_NEAR(c.series[ITSI_TIME_SERVICE][ITSI_STAGE_PREPROCESSING].percent, 50, 1);
    itsi_run_destroy(runs[0]);
    itsi_run_destroy(runs[1]);
}

static char *text_of(const struct itsi_comparison *comparison)
{
    static char text[4096];
    struct itsi_buf buf;
    itsi_buf_init(&buf);
    itsi_comparison_text(comparison, &buf);
    snprintf(text, sizeof text, "%s", buf.data);
    itsi_buf_fini(&buf);
    return text;
}

static json_t *json_of(const struct itsi_run *run)
{
    struct itsi_buf buf;
    struct itsi_json json;
    json_error_t error;
    itsi_buf_init(&buf);
    itsi_json_init(&json, &buf);
    itsi_run_json(run, &json, NULL);
    json_t *document = json_loadb(buf.data, buf.len, 0, &error);
    if (!document)
        fail_msg("%s in %s", error.text, buf.data);
    itsi_buf_fini(&buf);
    return document;
}

static void two_runs_of_the_same_are_the_same(void **state)
{
    (void)state;
    struct plan again = ordinary;
    struct itsi_comparison c;
    for (uint64_t seed = 2; seed < 12; seed++) {
        again.seed = seed;
        compare_plans(&ordinary, &again, &c);
        assert_int_equal(c.verdict, ITSI_VERDICT_SAME);
        assert_int_equal(c.primary, -1);
        const struct itsi_stage_comparison *s = &c.series[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE];
        assert_true(s->low_percent <= s->percent && s->percent <= s->high_percent);
        assert_true(fabs(s->percent) < 6);
    }
    CHECK_CONTAINS(text_of(&c), "no stage is slower by 20 % or more");
}

static void the_interval_covers_the_truth(void **state)
{
    (void)state;
    struct plan slower = ordinary;
    slower.factor = 1.3;
    int inside = 0;
    for (uint64_t seed = 2; seed < 42; seed++) {
        struct itsi_comparison c;
        slower.seed = seed;
        compare_plans(&ordinary, &slower, &c);
        const struct itsi_stage_comparison *s = &c.series[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE];
        inside += s->low_percent <= 30 && 30 <= s->high_percent;
    }
    assert_true(inside >= 36); /* of 40; blocks of a short run know a little less than all */
}

static void the_slower_stage_is_named(void **state)
{
    (void)state;
    for (int stage = 0; stage <= ITSI_STAGE_POSTPROCESSING; stage++) {
        struct itsi_comparison c;
        const struct plan slower = {2, 45, ITSI_TIME_SERVICE, (enum itsi_stage)stage, 1.35};
        compare_plans(&ordinary, &slower, &c);
        assert_int_equal(c.verdict, ITSI_VERDICT_SLOWER);
        assert_int_equal(c.primary, stage);
        const struct itsi_stage_comparison *s = &c.series[ITSI_TIME_SERVICE][stage];
        CHECK_NEAR(s->percent, 35, 6);
        CHECK_NEAR(s->confidence, 1, 1e-9);
        CHECK_NEAR(s->after_ms / s->before_ms, 1.35, 0.06);
        assert_int_equal(s->batches_after, 45);
        CHECK_CONTAINS(text_of(&c), "regression: ");
        CHECK_CONTAINS(text_of(&c), itsi_stage_name((enum itsi_stage)stage));
    }
}

static void below_the_threshold_passes(void **state)
{
    (void)state;
    struct itsi_comparison c;
    const struct plan slower = {2, 60, ITSI_TIME_SERVICE, ITSI_STAGE_ML_INFERENCE, 1.10};
    compare_plans(&ordinary, &slower, &c);
    assert_int_equal(c.verdict, ITSI_VERDICT_SAME);
    assert_true(c.series[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE].low_percent > 0); /* seen all the same */
}

static void the_threshold_decides(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_comparison c;
    struct plan slower = ordinary;
    slower.factor = 1.10;
    struct itsi_run *a = measure(&ordinary), *b = measure(&slower);
    CHECK_OK(itsi_compare(a, b, 5, &c, &diag), diag);
    assert_int_equal(c.verdict, ITSI_VERDICT_SLOWER);
    static const double bad[] = {0, -1, (double)NAN, (double)INFINITY};
    for (int i = 0; i < 4; i++)
        assert_int_equal(itsi_compare(a, b, bad[i], &c, &diag), ITS_EINVAL);
    itsi_run_destroy(a);
    itsi_run_destroy(b);
}

static void waiting_longer_accuses_nobody(void **state)
{
    (void)state;
    struct itsi_comparison c;
    const struct plan waits = {2, 60, ITSI_TIME_WAIT, ITSI_STAGE_ML_INFERENCE, 4};
    compare_plans(&ordinary, &waits, &c);
    assert_int_equal(c.verdict, ITSI_VERDICT_SAME);
    assert_int_equal(c.series[ITSI_TIME_WAIT][ITSI_STAGE_ML_INFERENCE].verdict, ITSI_VERDICT_SLOWER);
}

static void faster_is_no_regression(void **state)
{
    (void)state;
    struct itsi_comparison c;
    const struct plan faster = {2, 60, ITSI_TIME_SERVICE, ITSI_STAGE_ML_INFERENCE, 0.6};
    compare_plans(&ordinary, &faster, &c);
    assert_int_equal(c.verdict, ITSI_VERDICT_FASTER);
    assert_int_equal(c.primary, -1);
}

static void one_bad_second_is_no_regression(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_comparison c;
    struct itsi_run *a = measure(&ordinary), *b = measure(&ordinary);
    for (int i = 20; i < 25; i++)
        b->level[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE][i] += log(30);
    CHECK_OK(itsi_compare(a, b, 20, &c, &diag), diag);
    assert_int_equal(c.verdict, ITSI_VERDICT_SAME);
    itsi_run_destroy(a);
    itsi_run_destroy(b);
}

static void few_batches_give_no_verdict(void **state)
{
    (void)state;
    struct itsi_comparison c;
    const struct plan shorter = {2, ITSI_COMPARE_LEAST_BATCHES - 1, ITSI_TIME_SERVICE, ITSI_STAGE_ML_INFERENCE, 3};
    compare_plans(&ordinary, &shorter, &c);
    assert_int_equal(c.verdict, ITSI_VERDICT_NONE);
    CHECK_CONTAINS(text_of(&c), "too few batches: 60 and 19, 20 are needed");
    CHECK_CONTAINS(text_of(&c), "no verdict");
    const struct plan none = {2, 0, ITSI_TIME_SERVICE, ITSI_STAGE_ML_INFERENCE, 1};
    compare_plans(&none, &none, &c);
    assert_int_equal(c.verdict, ITSI_VERDICT_NONE);
}

static void another_setup_is_said(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_comparison c;
    struct itsi_run *a = measure(&ordinary), *b = measure(&ordinary);
    snprintf(b->setup.build, sizeof b->setup.build, "2.0"); /* what is compared */
    CHECK_OK(itsi_compare(a, b, 20, &c, &diag), diag);
    assert_null(strstr(text_of(&c), "note:"));
    snprintf(b->setup.model, sizeof b->setup.model, "another");
    b->setup.band++;
    CHECK_OK(itsi_compare(a, b, 20, &c, &diag), diag);
    CHECK_CONTAINS(text_of(&c), "not the same model load as");
    itsi_run_destroy(a);
    itsi_run_destroy(b);
}

static void the_same_documents_give_the_same_answer(void **state)
{
    (void)state;
    struct itsi_comparison a, b;
    struct plan slower = ordinary;
    slower.factor = 1.25;
    slower.seed = 9;
    compare_plans(&ordinary, &slower, &a);
    compare_plans(&ordinary, &slower, &b);
    CHECK_NEAR(a.series[0][ITSI_STAGE_ML_INFERENCE].low_percent, b.series[0][ITSI_STAGE_ML_INFERENCE].low_percent, 0);
    CHECK_NEAR(a.series[0][ITSI_STAGE_ML_INFERENCE].confidence, b.series[0][ITSI_STAGE_ML_INFERENCE].confidence, 0);
}

static void the_answer_is_json_too(void **state)
{
    (void)state;
    struct itsi_comparison c;
    struct itsi_buf buf;
    struct itsi_json json;
    struct plan slower = ordinary;
    slower.factor = 1.5;
    compare_plans(&ordinary, &slower, &c);
    itsi_buf_init(&buf);
    itsi_json_init(&json, &buf);
    itsi_comparison_json(&c, &json, NULL);
    json_t *root = json_loadb(buf.data, buf.len, 0, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "verdict")), "slower");
    assert_string_equal(json_string_value(json_object_get(root, "stage")), "ml_inference");
    const json_t *stage = json_object_get(json_object_get(root, "stages"), "ml_inference");
    CHECK_NEAR(json_number_value(json_object_get(json_object_get(stage, "service"), "percent")), 50, 1e-3);
    assert_null(json_object_get(json_object_get(root, "stages"), "encoding")); /* nothing measured */
    json_decref(root);
    itsi_buf_fini(&buf);
}

/* --- the document ------------------------------------------------------------------------------------------------- */

static void a_run_survives_its_document(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_run *run = measure(&ordinary), *back;
    run->level[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE][3] = (double)NAN;
    json_t *document = json_of(run);
    CHECK_OK(itsi_run_parse(&back, document, &diag), diag);
    assert_memory_equal(&back->setup, &run->setup, sizeof run->setup);
    assert_int_equal(back->count, run->count);
    assert_int_equal(back->batch_s, 1);
    for (int i = 0; i < run->count; i++) {
        assert_int_equal(back->frames[i], 50);
        assert_true(isnan(back->level[ITSI_TIME_SERVICE][ITSI_STAGE_ENCODING][i]));
        if (i != 3)
            CHECK_NEAR(back->level[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE][i],
                       run->level[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE][i], 1e-6);
    }
    assert_true(isnan(back->level[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE][3]));
    json_decref(document);
    itsi_run_destroy(run);
    itsi_run_destroy(back);
}

static void a_long_run_fits(void **state)
{
    (void)state;
    const struct plan day = {4, 20000, ITSI_TIME_SERVICE, ITSI_STAGE_ML_INFERENCE, 1.5};
    struct itsi_run *run = measure(&day);
    assert_true(run->count >= ITSI_RUN_BATCHES / 2 && run->count < ITSI_RUN_BATCHES);
    assert_int_equal(run->batch_s, 64);
    assert_int_equal(run->frames[0], 50 * 64);
    double sum = 0;
    for (int i = 0; i < run->count; i++)
        sum += run->level[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE][i];
    CHECK_NEAR(sum / run->count, log(18000 * 1.5), 0.005);
    itsi_run_destroy(run);
}

static void frames_make_batches(void **state)
{
    (void)state;
    struct itsi_run *run = new_run("1.0");
    struct itsi_breakdown frame = {0};
    frame.service[ITSI_STAGE_ML_INFERENCE] = 20 * INT64_C(1000000);
    for (int i = 0; i < 25 * 30 + 1; i++)
        assert_int_equal(itsi_run_frame(run, &frame, SECOND + i * (SECOND / 25)), 0);
    assert_int_equal(run->count, 30);
    CHECK_NEAR(run->level[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE][7], log(20000), 1e-9);
    frame.wait[ITSI_STAGE_ML_INFERENCE] = -5;
    assert_int_equal(itsi_run_frame(run, &frame, 100 * SECOND), ITS_EINVAL);
    const struct itsi_batch empty = {0};
    assert_int_equal(itsi_run_batch(run, &empty), ITS_EINVAL);
    itsi_run_destroy(run);
}

#define SETUP "\"setup\": {\"build\": \"1\", \"model\": \"m\", \"config\": \"c\", \"hardware\": \"h\", \"band\": 3}"
#define HEAD "{\"version\": 1, \"batch_s\": 1, " SETUP ", "

static void a_damaged_document_is_refused(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "[]",
        "{}",
        "{\"version\": 2, \"batch_s\": 1, " SETUP ", \"frames\": [], \"stages\": {}}",
        "{\"version\": 1, \"batch_s\": 0, " SETUP ", \"frames\": [], \"stages\": {}}",
        "{\"version\": 1, \"batch_s\": 1, \"frames\": [], \"stages\": {}}",
        HEAD "\"stages\": {}}",
        HEAD "\"frames\": [0], \"stages\": {}}",
        HEAD "\"frames\": [\"x\"], \"stages\": {}}",
        HEAD "\"frames\": [5]}",
        HEAD "\"frames\": [5], \"stages\": {\"encoding\": {\"service_us\": [1, 2]}}}",
        HEAD "\"frames\": [5], \"stages\": {\"encoding\": {\"service_us\": 3}}}",
        HEAD "\"frames\": [5], \"stages\": {\"encoding\": {\"service_us\": [0]}}}",
        HEAD "\"frames\": [5], \"stages\": {\"encoding\": {\"wait_us\": [\"x\"]}}}",
    };
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        struct its_diag diag = {""};
        struct itsi_run *run = NULL;
        json_t *document = json_loads(documents[i], 0, NULL);
        assert_non_null(document);
        if (itsi_run_parse(&run, document, &diag) != ITS_EFORMAT)
            fail_msg("taken: %s", documents[i]);
        assert_null(run);
        assert_true(diag.text[0] != '\0');
        json_decref(document);
    }
    assert_int_equal(itsi_run_parse(&(struct itsi_run *){NULL}, NULL, NULL), ITS_EFORMAT); /* a report without one */
}

static void too_many_batches_are_refused(void **state)
{
    (void)state;
    struct itsi_run *run = measure(&ordinary), *back = NULL;
    json_t *document = json_of(run), *frames = json_object_get(document, "frames");
    while (json_array_size(frames) <= ITSI_RUN_BATCHES)
        json_array_append_new(frames, json_integer(1));
    assert_int_equal(itsi_run_parse(&back, document, NULL), ITS_EFORMAT);
    json_decref(document);
    itsi_run_destroy(run);
}

static void survives_no_memory(void **state)
{
    (void)state;
    struct itsi_run *run = measure(&ordinary), *other = NULL;
    json_t *document = json_of(run);
    itsi_alloc_fail_at(1);
    assert_int_equal(itsi_run_create(&other, &run->setup, NULL), ITS_ENOMEM);
    itsi_alloc_fail_at(1);
    assert_int_equal(itsi_run_parse(&other, document, NULL), ITS_ENOMEM);
    itsi_alloc_fail_at(0);
    assert_null(other);
    json_decref(document);
    itsi_run_destroy(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_next_to_nothing_is_no_regression),
        cmocka_unit_test(two_runs_of_the_same_are_the_same),
        cmocka_unit_test(the_interval_covers_the_truth),
        cmocka_unit_test(the_slower_stage_is_named),
        cmocka_unit_test(below_the_threshold_passes),
        cmocka_unit_test(the_threshold_decides),
        cmocka_unit_test(waiting_longer_accuses_nobody),
        cmocka_unit_test(faster_is_no_regression),
        cmocka_unit_test(one_bad_second_is_no_regression),
        cmocka_unit_test(few_batches_give_no_verdict),
        cmocka_unit_test(another_setup_is_said),
        cmocka_unit_test(the_same_documents_give_the_same_answer),
        cmocka_unit_test(the_answer_is_json_too),
        cmocka_unit_test(a_run_survives_its_document),
        cmocka_unit_test(a_long_run_fits),
        cmocka_unit_test(frames_make_batches),
        cmocka_unit_test(a_damaged_document_is_refused),
        cmocka_unit_test(too_many_batches_are_refused),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
