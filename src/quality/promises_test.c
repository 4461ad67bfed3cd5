/* What holds in every step, whatever happens: random fleets on random machines, with everything that can go wrong. */
#include "support/check.h"

#include "base/clock.h"
#include "quality/plant_fixture.h"

static double between(struct plant *plant, double low, double high)
{
    return itsi_rand_range(&plant->rng, low, high);
}

static bool chance(struct plant *plant, double probability)
{
    return itsi_rand_unit(&plant->rng) < probability;
}

static void add_random(struct plant *plant)
{
    static const int heights[] = {240, 360, 720, 1080, 2160};
    const int height = heights[itsi_rand_below(&plant->rng, 5)];
    const int at = plant_add(plant, 1, height * 16 / 9, height, between(plant, 1, 60));
    struct itsi_quality_camera *facts = &plant->cameras[at].facts;
    facts->is_priority = chance(plant, 0.2);
    facts->weight = (int)itsi_rand_below(&plant->rng, 10);
    facts->has_sub = chance(plant, 0.3);
    facts->droppable = chance(plant, 0.3) ? 0.5 : 0;
    facts->key_fps = chance(plant, 0.5) ? between(plant, 0.1, 3) : 0;
    facts->max_interval = (int)itsi_rand_below(&plant->rng, 6);
    facts->start = chance(plant, 0.2) ? (int)itsi_rand_below(&plant->rng, ITSI_QUALITY_LEVELS) : -1;
}

static struct plant *random_plant(uint64_t seed)
{
    struct plant *plant = plant_create(1);
    itsi_rand_seed(&plant->rng, seed);
    plant->cores = between(plant, 1, 64);
    plant->engine_on_cpu = chance(plant, 0.5);
    plant->unit = between(plant, 0.0003, 0.02);
    plant->base_ms = between(plant, 2, 95);
    plant->hide_unit = chance(plant, 0.3);
    plant->noise = between(plant, 0, 0.2);
    plant->policy.floor_fps = between(plant, 0.5, 3);
    for (int i = (int)itsi_rand_below(&plant->rng, 60); i >= 0; i--)
        add_random(plant);
    return plant;
}

static void disturb(struct plant *plant)
{
    struct itsi_quality_camera *facts = &plant->cameras[itsi_rand_below(&plant->rng, (uint32_t)plant->count)].facts;
    switch (itsi_rand_below(&plant->rng, 14)) {
    case 0:
        plant->scale = between(plant, 0.1, 6);
        break;
    case 1:
        plant->foreign = between(plant, 0, plant->cores);
        break;
    case 2:
        plant->stalled = !plant->stalled;
        break;
    case 3:
        plant->now += (int64_t)between(plant, -1e13, 1e13);
        break;
    case 4:
        facts->pin = chance(plant, 0.5) ? -1 : (int)itsi_rand_below(&plant->rng, ITSI_QUALITY_LEVELS);
        break;
    case 5:
        facts->boost = (int)itsi_rand_below(&plant->rng, ITSI_QUALITY_LEVELS);
        facts->boost_until = plant->now + (int64_t)between(plant, -1e9, 2e10);
        break;
    case 6:
        facts->fps = chance(plant, 0.3) ? 0 : between(plant, 1, 60);
        break;
    case 7:
        plant->policy.protect_priority = chance(plant, 0.7);
        break;
    case 8:
        plant->policy.default_level = (int)itsi_rand_below(&plant->rng, ITSI_QUALITY_LEVELS);
        break;
    case 9:
        plant->events.capacity = itsi_rand_below(&plant->rng, 100);
        break;
    case 10:
        if (plant->count > 1)
            plant_remove(plant, (int)itsi_rand_below(&plant->rng, (uint32_t)plant->count));
        break;
    case 11:
        facts->key_fps = chance(plant, 0.2) ? 0 : between(plant, 0.1, 3);
        break;
    case 12:
        facts->has_sub = !facts->has_sub;
        break;
    default:
        add_random(plant);
    }
}

static void check_camera(const struct plant *plant, int i)
{
    const struct itsi_quality_camera *facts = &plant->cameras[i].facts;
    const struct itsi_quality_target *target = &plant->targets[i];
    const struct itsi_quality_policy *policy = &plant->policy;
    assert_true(target->key == facts->key);
    assert_in_range(target->input, 0, 2);
    assert_true(target->detect_interval >= 1 && target->analysed_fps <= (facts->fps > 0 ? facts->fps : 30) + 1e-9);
    assert_true(facts->max_interval == 0 || target->detect_interval <= facts->max_interval);
    assert_true(target->analysed_fps / target->detect_interval >= 0.98 * fmin(facts->fps, policy->floor_fps));
    assert_true(!target->sub_stream || facts->has_sub);
    assert_int_equal(target->level, itsi_quality_position_level(&target->position));
    if (facts->pin >= 0)
        assert_int_equal(target->level, facts->pin);
    else if (facts->is_priority && policy->protect_priority)
        assert_true(target->level >= (policy->default_level < policy->priority_floor ? policy->default_level
                                                                                     : policy->priority_floor));
    if (facts->pin < 0 && facts->boost < 0)
        assert_true(target->level <= policy->default_level);
}

/* Is anything else decoded, though the rung is the same? */
static bool decodes_otherwise(const struct itsi_quality_target *was, const struct itsi_quality_target *is)
{
    return was->position.rung[ITSI_KNOB_DECODE] == is->position.rung[ITSI_KNOB_DECODE] &&
           (was->decode != is->decode || was->sub_stream != is->sub_stream);
}

/* Every change of a camera that was there before is an event, or is counted. */
static size_t changed_knobs(const struct plant *plant, const struct itsi_quality_target *before, int count)
{
    size_t changed = 0;
    for (int i = 0; i < count; i++) {
        changed += decodes_otherwise(&before[i], &plant->targets[i]);
        for (int k = 0; k < ITSI_KNOBS; k++)
            changed += before[i].position.rung[k] != plant->targets[i].position.rung[k];
    }
    return changed;
}

static void keeps_its_promises(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct plant *plant = random_plant(seed);
        struct itsi_quality_target before[PLANT_CAMERAS];
        plant_tick(plant);
        for (int step = 0; step < 300; step++) {
            const int count = plant->count;
            const uint64_t keys = plant->next_key;
            if (chance(plant, 0.2))
                disturb(plant);
            memcpy(before, plant->targets, (size_t)plant->count * sizeof *before);
            plant_tick(plant);
            for (int i = 0; i < plant->count; i++)
                check_camera(plant, i);
            if (plant->count == count && plant->next_key == keys)
                assert_int_equal(plant->events.count + plant->events.suppressed, changed_knobs(plant, before, count));
        }
        plant_destroy(plant);
    }
}

/* However it was shaken, a machine with room to spare comes back to full quality. */
static void comes_back_from_anything(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct plant *plant = random_plant(1000 + seed);
        for (int step = 0; step < 200; step++) {
            if (chance(plant, 0.2))
                disturb(plant);
            plant_tick(plant);
        }
        plant->stalled = false;
        plant->scale = 0.001;
        plant->foreign = 0;
        plant->base_ms = 5;
        plant->policy.default_level = ITSI_QUALITY_HIGH;
        for (int i = 0; i < plant->count; i++) {
            plant->cameras[i].facts.pin = plant->cameras[i].facts.boost = -1;
            plant->cameras[i].facts.fps = plant->cameras[i].true_fps;
        }
        plant_run(plant, 400);
        assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), plant->count);
        plant_destroy(plant);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_its_promises),
        cmocka_unit_test(comes_back_from_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
