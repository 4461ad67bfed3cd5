#include "support/check.h"

#include "quality/plant_fixture.h"

#include "base/clock.h"
#include "base/mem.h"

static void default_options(struct its_cfg_adaptive_quality *cfg)
{
    *cfg = (struct its_cfg_adaptive_quality){
        .default_quality = ITSI_QUALITY_HIGH,
        .enable_adaptive_quality = true,
        .quality_adjustment_interval_seconds = 2,
        .cpu_threshold_percent = 70,
        .memory_threshold_percent = 80,
        .gpu_memory_threshold_percent = 85,
        .latency_threshold_ms = 90,
        .gradual_quality_reduction = true,
        .quality_recovery_enabled = true,
        .enable_priority_streaming = true,
        .priority_quality_protection = true,
    };
}

struct plant *plant_create(double cores)
{
    struct plant *plant = itsi_zalloc(sizeof *plant);
    struct its_cfg_adaptive_quality cfg;
    struct its_diag diag;
    assert_non_null(plant);
    default_options(&cfg);
    itsi_quality_policy_make(&plant->policy, &cfg, 100);
    plant->policy.rise_dwell_ns = 10 * ITSI_NS_PER_S;
    plant->cores = cores;
    plant->engine_on_cpu = true;
    plant->decode_per_pixel = 1.7e-9; /* 360p: 0.4 ms a frame */
    plant->unit = 0.010;
    plant->scale = plant->engine_scale = plant->knee = 1;
    plant->base_ms = 8;
    plant->memory_percent = 40;
    plant->now = 1000 * ITSI_NS_PER_S;
    plant->tick = ITSI_QUALITY_TICK_NS;
    plant->next_key = 1;
    plant->inputs[0] = (struct itsi_quality_input){.width = 640, .height = 384};
    plant->inputs[1] = (struct itsi_quality_input){.width = 480, .height = 288};
    plant->inputs[2] = (struct itsi_quality_input){.width = 320, .height = 192};
    itsi_rand_seed(&plant->rng, 7);
    CHECK_OK(itsi_quality_state_create(&plant->state, PLANT_CAMERAS, &diag), diag);
    plant->events = (struct itsi_quality_events){.items = plant->items, .capacity = PLANT_EVENTS};
    return plant;
}

void plant_destroy(struct plant *plant)
{
    itsi_quality_state_destroy(plant->state);
    itsi_free(plant);
}

int plant_add(struct plant *plant, int n, int width, int height, double fps)
{
    const int first = plant->count;
    for (int i = first; i < first + n; i++) {
        struct plant_camera *camera = &plant->cameras[i];
        *camera = (struct plant_camera){
            .facts = {.key = plant->next_key++, .pin = -1, .boost = -1, .start = -1, .width = width, .height = height,
                      .fps = fps, .undecoded = plant->undecoded},
            .true_fps = fps,
            .least_level = ITSI_QUALITY_ULTRA_HIGH,
            .least_detected = 1e9};
        /* until it was told otherwise, the pipeline does what high means */
        plant->snapshot = (struct itsi_quality_snapshot){.inputs = plant->inputs, .input_count = 3};
        const struct itsi_quality_position at = itsi_quality_position_at(ITSI_QUALITY_HIGH);
        itsi_quality_target_make(&plant->snapshot, &camera->facts, &at, 1, &plant->targets[i]);
    }
    plant->count += n;
    return first;
}

void plant_remove(struct plant *plant, int index)
{
    plant->count--;
    for (int i = index; i < plant->count; i++) {
        plant->cameras[i] = plant->cameras[i + 1];
        plant->targets[i] = plant->targets[i + 1];
    }
}

/* The truth that the controller has to estimate: key frames here take 1.5 times an average one, a sub-stream is 640x360. */
static double decode_work(const struct plant *plant, const struct plant_camera *camera,
                          const struct itsi_quality_target *target)
{
    const struct itsi_quality_camera *facts = &camera->facts;
    const double pixels = target->sub_stream ? 640.0 * 360 : (double)facts->width * facts->height;
    double frames = facts->undecoded ? 0 : camera->true_fps;
    if (target->decode == ITSI_DECODE_REFERENCE)
        frames *= 1 - facts->droppable;
    else if (target->decode == ITSI_DECODE_KEY)
        frames = 1.5 * facts->key_fps;
    return frames * pixels * plant->decode_per_pixel * plant->scale;
}

static double unit_of(const struct plant *plant, int input)
{
    const double share = (double)plant->inputs[input].width / plant->inputs[0].width;
    /* a fixed part, so that cost by area is a little wrong */
    return plant->unit * (0.1 + 0.9 * share * share) * plant->scale * plant->engine_scale;
}

static double wanted_of(const struct plant_camera *camera, const struct itsi_quality_target *target)
{
    const double most = camera->true_fps / target->detect_interval;
    const double wanted = target->analysed_fps / target->detect_interval;
    return wanted < most ? wanted : most;
}

struct work {
    double decode, infer, encode, detections;
};

static struct work demand_of(const struct plant *plant)
{
    struct work sum = {0};
    for (int i = 0; i < plant->count; i++) {
        const struct itsi_quality_target *target = &plant->targets[i];
        const double wanted = wanted_of(&plant->cameras[i], target);
        sum.decode += decode_work(plant, &plant->cameras[i], target);
        sum.infer += wanted * unit_of(plant, target->input);
        sum.encode += plant->encode_per_row2 * target->encode_height * target->encode_height;
        sum.detections += wanted;
    }
    return sum;
}

static double waiting(double load, double servers, double service)
{
    if (load >= 1)
        return 0; /* the backlog says it */
    return service * pow(load, sqrt(2 * (servers + 1)) - 1) / (servers * (1 - load)) / 2;
}

static double noisy(struct plant *plant, double value)
{
    return value * (1 + plant->noise * itsi_rand_normal(&plant->rng));
}

static double at_most(double value, double limit)
{
    return value < limit ? value : limit;
}

/* What the machine did in a tick: shares of decoding and inference that found room, and the load it shows. */
static void serve(struct plant *plant, double *decoded, double *inferred)
{
    const struct work demand = demand_of(plant);
    const double dt = (double)plant->tick / 1e9, budget = plant->policy.budget_ms / 1e3;
    const double others = plant->foreign + demand.encode;
    *decoded = demand.decode > 0 ? at_most((plant->cores - others) / demand.decode, 1) : 1;
    const double left = plant->engine_on_cpu ? plant->cores - others - demand.decode * *decoded : 1;
    *inferred = demand.infer > 0 ? at_most(fmax(left, 0.02) / demand.infer, 1) : 1;
    if (plant->stalled)
        *inferred = 0;
    plant->stalled_ms = plant->stalled ? plant->stalled_ms + dt * 1e3 : 0;

    const double cpu = others + demand.decode + (plant->engine_on_cpu ? demand.infer : 0);
    const double engine = plant->engine_on_cpu ? demand.infer / plant->cores : demand.infer;
    const double load = fmax(cpu / plant->cores, plant->engine_on_cpu ? 0 : engine);
    const double service = demand.detections > 0 ? demand.infer / demand.detections : 0;
    const double flow = plant->stalled ? 1 : (load - plant->knee) / plant->knee;
    plant->backlog = fmax(at_most(plant->backlog + flow * dt, budget * 1.2), 0);
    const double wait = plant->backlog + waiting(load, plant->engine_on_cpu ? plant->cores : 1, service);
    const double slack = plant->policy.budget_ms - noisy(plant, plant->base_ms + (service + wait) * 1e3);

    struct itsi_quality_load *out = &plant->snapshot.load;
    itsi_quality_load_unknown(out);
    out->cpu_percent = at_most(noisy(plant, 100 * (others + demand.decode * *decoded +
                               (plant->engine_on_cpu ? demand.infer * *inferred : 0)) / plant->cores), 100);
    out->memory_percent = plant->memory_percent;
    out->engine_busy = plant->stalled ? 1 : at_most(noisy(plant, engine), 1);
    out->encode_share = at_most(noisy(plant, demand.encode), 1);
    out->slack_ms = fmax(slack, -50);
    out->queue_age_ms = wait * 1e3;
    out->on_time_ratio = slack >= 0 ? 1 : fmax(1 + slack / 100, 0.5);
    if (plant->never_late) {
        out->slack_ms = plant->policy.slack_calm_ms / 2 + plant->policy.slack_low_ms / 2;
        out->queue_age_ms = 0;
        out->on_time_ratio = 1;
    }
    plant->utilisation = load;
    plant->unmet = 1 - *inferred;
}

/* Rates and costs are means over the last second, as a pipeline that counts per second has them: for a while they speak
 * of targets that no longer hold. */
static void measure(struct plant *plant, double decoded, double inferred)
{
    const double weight = 1 - exp(-(double)plant->tick / 0.7e9);
    for (int i = 0; i < plant->count; i++) {
        struct plant_camera *camera = &plant->cameras[i];
        const struct itsi_quality_target *target = &plant->targets[i];
        struct itsi_quality_camera truth = camera->facts;
        truth.fps = camera->true_fps;
        const double detected = wanted_of(camera, target) * inferred * decoded;
        const double now[] = {itsi_quality_decoded_fps(&truth, target->decode) * decoded, detected,
                              decode_work(plant, camera, target) * decoded, detected * unit_of(plant, target->input),
                              plant->encode_per_row2 * target->encode_height * target->encode_height};
        for (int m = 0; m < PLANT_MEASURES; m++)
            camera->measured[m] += (camera->began ? weight : 1) * (now[m] - camera->measured[m]);
        camera->began = true;
        plant->facts[i] = camera->facts;
        plant->facts[i].decoded_fps = camera->measured[0];
        plant->facts[i].detected_fps = camera->measured[1];
        if (plant->counts) {
            const double dt = (double)plant->tick / 1e9, sum = camera->done + detected * dt;
            camera->done = sum - floor(sum);
            plant->facts[i].counted_s = 2 * dt;
            plant->facts[i].detected_fps = (floor(sum) + camera->counted) / (2 * dt);
            camera->counted = floor(sum);
        }
        plant->facts[i].cost = (struct itsi_quality_work){camera->measured[2], camera->measured[3], camera->measured[4]};
    }
    plant->inputs[0].seconds = plant->hide_unit ? 0 : unit_of(plant, 0); /* one size was learned, the others were not */
}

static void watch_targets(struct plant *plant, const int *levels)
{
    for (int i = 0; i < plant->count; i++) {
        struct plant_camera *camera = &plant->cameras[i];
        const struct itsi_quality_target *target = &plant->targets[i];
        camera->level_changes += target->level != levels[i];
        camera->rises += target->level > levels[i];
        if (target->level < camera->least_level)
            camera->least_level = target->level;
        const double wanted = wanted_of(camera, target);
        if (wanted < camera->least_detected)
            camera->least_detected = wanted;
    }
    plant->total_changes += (int)(plant->events.count + plant->events.suppressed);
}

void plant_tick(struct plant *plant)
{
    double decoded, inferred;
    int levels[PLANT_CAMERAS];
    plant->now += plant->tick;
    serve(plant, &decoded, &inferred);
    measure(plant, decoded, inferred);
    plant->snapshot = (struct itsi_quality_snapshot){
        .now = plant->now, .load = plant->snapshot.load, .cores = plant->cores, .engine_on_cpu = plant->engine_on_cpu,
        .engine = 1, .oldest_run_ms = plant->stalled_ms, .inputs = plant->inputs, .input_count = 3, .own_input = 0,
        .cameras = plant->facts, .count = plant->count};
    for (int i = 0; i < plant->count; i++)
        levels[i] = plant->targets[i].level;
    const int64_t began = itsi_thread_cpu_ns();
    assert_int_equal(itsi_quality_step(&plant->snapshot, &plant->policy, plant->state, plant->targets, &plant->events),
                     0);
    plant->step_ns = itsi_thread_cpu_ns() - began;
    watch_targets(plant, levels);
}

void plant_run(struct plant *plant, double seconds)
{
    for (int64_t end = plant->now + (int64_t)(seconds * 1e9); plant->now < end;)
        plant_tick(plant);
}

void plant_watch(struct plant *plant)
{
    plant->total_changes = 0;
    for (int i = 0; i < plant->count; i++) {
        struct plant_camera *camera = &plant->cameras[i];
        camera->level_changes = camera->rises = 0;
        camera->least_level = plant->targets[i].level;
        camera->least_detected = 1e9;
    }
}

int plant_at_level(const struct plant *plant, int level)
{
    int n = 0;
    for (int i = 0; i < plant->count; i++)
        n += plant->targets[i].level == level;
    return n;
}

bool plant_suffers(const struct plant *plant)
{
    return plant->snapshot.load.slack_ms < plant->policy.slack_low_ms || plant->unmet > plant->policy.unmet_high;
}
