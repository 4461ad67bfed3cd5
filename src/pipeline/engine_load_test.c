/* The batcher, an engine that takes one batch at a time and the quality controller in a closed loop, with a clock of their own:
 * more is asked than the engine has, cameras fall to small inputs, and when the load is gone the first to rise is a large picture
 * among many small ones. */
#include "support/check.h"

#include "base/clock.h"
#include "pipeline/engine_load.h"
#include "quality/controller.h"

#include <math.h>

#define MS ITSI_NS_PER_MS
enum { CAMERAS = 80, BATCH = 8, SIZES = 3, BUDGET_MS = 50, EVENTS = 4 * CAMERAS };

static struct itsi_engine_info info = {
    .max_batch = BATCH, .parallel = 1, .batch_efficient = true, .size_count = SIZES, .sizes = {{640, 384}, {480, 288}, {320, 192}}};

struct site {
    struct itsi_batcher *batcher;
    struct itsi_frame_pool *pool;
    struct itsi_mailbox *box[CAMERAS];
    struct itsi_ledger ledger[CAMERAS];
    struct itsi_facts facts;
    /* the engine */
    struct itsi_batch_item items[BATCH];
    int in_engine;
    int64_t now, began_at, run_ns, free_at;
    uint64_t on_time, late;
    /* the cameras */
    double fps, owed[CAMERAS];              /* what each gives; part of a picture that its level lets through */
    int detected[CAMERAS], before[CAMERAS]; /* since the last step, and between the two before */
    /* the controller */
    struct itsi_quality_state *state;
    struct itsi_quality_policy policy;
    struct itsi_quality_camera cameras[CAMERAS];
    struct itsi_quality_target targets[CAMERAS];
    struct itsi_quality_event room[EVENTS];
};

/* Whatever the number of images: so long at the model's own size, and of that a part that every size takes. */
static struct {
    double own_ms, least_ms, slowness;
} engine;
static int64_t run_ns(int size)
{
    const struct itsi_input_size is = info.sizes[size], own = info.sizes[0];
    const double share = (double)(is.width * is.height) / (own.width * own.height);
    return (int64_t)(engine.slowness * (engine.least_ms + (engine.own_ms - engine.least_ms) * share) * 1e6);
}

static void make_policy(struct itsi_quality_policy *policy)
{
    struct its_cfg cfg;
    struct its_diag diag;
    CHECK_OK(its_cfg_init(&cfg, &diag), diag);
    itsi_quality_policy_make(policy, &cfg.adaptive_quality, BUDGET_MS);
    policy->rise_dwell_ns = 5 * ITSI_NS_PER_S;
    policy->rise_interval_ns = policy->trial_ns = 2 * ITSI_NS_PER_S;
    its_cfg_fini(&cfg);
}

static struct site *open_site(double own_ms, double least_ms)
{
    static struct site site;
    struct its_diag diag;
    const struct itsi_batcher_params params = {.max_batch = BATCH, .batch_efficient = true, .batch_timeout_ns = 10 * MS};
    site = (struct site){.now = 1000 * MS};
    engine.own_ms = own_ms;
    engine.least_ms = least_ms;
    engine.slowness = 1;
    make_policy(&site.policy);
    itsi_facts_init(&site.facts);
    CHECK_OK(itsi_quality_state_create(&site.state, CAMERAS, &diag), diag);
    CHECK_OK(itsi_batcher_create(&site.batcher, &params, &diag), diag);
    CHECK_OK(itsi_frame_pool_create(&site.pool, CAMERAS + BATCH + 1, NULL, NULL, NULL, &diag), diag);
    for (int size = 0; size < SIZES; size++)
        for (int i = 0; 1 << i <= BATCH; i++) {
            info.warm_ns[size][i] = run_ns(size);
            itsi_batcher_observe(site.batcher, size, 1 << i, run_ns(size), site.now);
        }
    for (int i = 0; i < CAMERAS; i++) {
        itsi_ledger_init(&site.ledger[i]);
        CHECK_OK(itsi_mailbox_create(site.batcher, &site.box[i], &site.ledger[i], (void *)(intptr_t)i, 1, &diag), diag);
        site.cameras[i] = (struct itsi_quality_camera){
            .key = (uint64_t)i + 1, .pin = -1, .boost = -1, .start = -1, .width = 640, .height = 360, .undecoded = true};
        site.targets[i] = (struct itsi_quality_target){.analysed_fps = 30, .detect_interval = 1};
    }
    return &site;
}

static void close_site(struct site *site)
{
    for (int i = 0; i < CAMERAS; i++) {
        itsi_mailbox_free(site->box[i]);
        itsi_ledger_fini(&site->ledger[i]);
    }
    for (int i = 0; i < site->in_engine; i++)
        itsi_frame_unref(&site->items[i].frame);
    itsi_batcher_destroy(site->batcher);
    itsi_frame_pool_close(site->pool);
    itsi_quality_state_destroy(site->state);
    itsi_facts_fini(&site->facts);
}

/* A camera's next picture, if its level lets it through. */
static void arrive(struct site *site, int camera)
{
    const struct itsi_quality_target *target = &site->targets[camera];
    site->owed[camera] += fmin(1, target->analysed_fps / target->detect_interval / site->fps);
    if (site->owed[camera] < 1)
        return;
    site->owed[camera] -= 1;
    struct itsi_frame *frame = itsi_frame_pool_get(site->pool);
    frame->info.trace.origin = frame->info.trace.decode_end = site->now;
    frame->info.deadline = site->now + BUDGET_MS * MS;
    itsi_ledger_arrive(&site->ledger[camera]);
    (void)itsi_mailbox_put(site->box[camera], frame, false, site->now);
}

static void finish(struct site *site)
{
    const int size = site->items[0].input;
    itsi_batcher_observe(site->batcher, size, site->in_engine, site->run_ns, site->now);
    itsi_batcher_done(site->batcher, site->items, site->in_engine);
    itsi_facts_run(&site->facts, size, site->in_engine, site->run_ns);
    for (int i = 0; i < site->in_engine; i++) {
        const int camera = (int)(intptr_t)site->items[i].owner;
        const struct itsi_frame_info *frame = &site->items[i].frame->info;
        const bool late = site->now > frame->deadline;
        itsi_facts_frame(&site->facts, frame->deadline - site->now, site->began_at - frame->trace.decode_end,
                         site->now - frame->trace.origin);
        itsi_ledger_deliver(&site->ledger[camera], late);
        *(late ? &site->late : &site->on_time) += 1;
        site->detected[camera]++;
        itsi_frame_unref(&site->items[i].frame);
    }
    site->in_engine = 0;
}

static void serve(struct site *site)
{
    int64_t wake_at;
    if (site->in_engine && site->now >= site->free_at)
        finish(site);
    if (site->in_engine)
        return;
    site->in_engine = itsi_batcher_take(site->batcher, site->now, true, site->items, &wake_at);
    if (!site->in_engine)
        return;
    site->began_at = site->now;
    site->run_ns = run_ns(site->items[0].input);
    site->free_at = site->now + site->run_ns;
}

static void measure_load(struct site *site, struct itsi_quality_load *load)
{
    struct itsi_facts_taken facts;
    const double seconds = (double)ITSI_QUALITY_TICK_NS / 1e9, ended = (double)(site->on_time + site->late);
    itsi_facts_take(&site->facts, &facts);
    itsi_quality_load_unknown(load);
    load->cpu_percent = 20;
    load->engine_busy = itsi_engine_busy(&info, &facts.sums, seconds);
    load->engine_needed = itsi_engine_needed(&info, site->batcher, &facts.sums, seconds);
    load->slack_ms = facts.slack_p10_ns == ITSI_NEVER ? (double)NAN : (double)facts.slack_p10_ns / 1e6;
    load->on_time_ratio = ended > 0 ? (double)site->on_time / ended : -1;
    if (facts.sums.frames > 0)
        load->queue_age_ms =
            fmax(0, (double)facts.sums.queue_ns / 1e6 - itsi_engine_runs_ahead_ms(&info, site->batcher, &facts.sums));
    site->on_time = site->late = 0;
}

static void measure_cameras(struct site *site)
{
    const double two_ticks = 2 * (double)ITSI_QUALITY_TICK_NS / 1e9;
    for (int i = 0; i < CAMERAS; i++) {
        struct itsi_quality_camera *camera = &site->cameras[i];
        camera->fps = site->fps;
        camera->counted_s = two_ticks;
        camera->detected_fps = (site->detected[i] + site->before[i]) / two_ticks;
        camera->cost.infer = camera->detected_fps * itsi_engine_seconds(&info, site->batcher, site->targets[i].input);
        site->before[i] = site->detected[i];
        site->detected[i] = 0;
    }
}

static void step(struct site *site)
{
    struct itsi_quality_input inputs[SIZES];
    struct itsi_quality_events events = {.items = site->room, .capacity = EVENTS};
    struct itsi_quality_snapshot snapshot = {.now = site->now, .cores = 2, .engine = 1, .inputs = inputs, .input_count = SIZES,
                                             .cameras = site->cameras, .count = CAMERAS};
    for (int i = 0; i < SIZES; i++)
        inputs[i] = (struct itsi_quality_input){.width = info.sizes[i].width, .height = info.sizes[i].height,
                                                .seconds = itsi_engine_seconds(&info, site->batcher, i)};
    measure_cameras(site);
    measure_load(site, &snapshot.load);
    assert_int_equal(itsi_quality_step(&snapshot, &site->policy, site->state, site->targets, &events), 0);
    for (int i = 0; i < CAMERAS; i++)
        itsi_mailbox_set_input(site->box[i], site->targets[i].input, site->now);
}

/* Every camera at so many pictures a second for a while, evenly out of step. */
static void pass(struct site *site, double fps, int seconds)
{
    const int period = (int)(1000 / fps + 0.5);
    site->fps = fps;
    for (int ms = 0; ms < seconds * 1000; ms++, site->now += MS) {
        for (int i = 0; i < CAMERAS; i++)
            if ((site->now / MS + i * period * 7 / CAMERAS) % period == 0)
                arrive(site, i);
        serve(site);
        if (site->now % ITSI_QUALITY_TICK_NS == 0)
            step(site);
    }
}

/* Five times the pictures, and an engine that takes four times as long. */
static void strain(struct site *site)
{
    engine.slowness = 4;
    pass(site, 25, 10);
    engine.slowness = 1;
}

static int at_full_quality(const struct site *site)
{
    int count = 0;
    for (int i = 0; i < CAMERAS; i++)
        count += site->targets[i].level == ITSI_QUALITY_HIGH;
    return count;
}

/* 400 pictures a second, six tenths of what the engine does, then more than it ever could. One size at a time runs: what waits
 * for another does so for a run, if sizes take turns as their cameras do. */
static void quality_comes_back_through_a_mix_of_sizes(void **state)
{
    (void)state;
    struct site *site = open_site(12, 0);
    pass(site, 5, 5);
    assert_int_equal(at_full_quality(site), CAMERAS);
    strain(site);
    assert_int_equal(at_full_quality(site), 0);
    pass(site, 5, 60);
    print_message("    %d of %d at full quality a minute after\n", at_full_quality(site), CAMERAS);
    assert_int_equal(at_full_quality(site), CAMERAS);
    close_site(site);
}

/* Pins keep a few large pictures and a few of middle size among the many small ones, so that each waits for a run of all three,
 * however little there is to do: that is no queue. */
static void quality_comes_back_beside_pinned_sizes(void **state)
{
    (void)state;
    enum { PINNED_LOW = 4 };
    struct site *site = open_site(11, 8.5);
    for (int i = 0; i < PINNED_LOW; i++) {
        site->cameras[20 * i].pin = ITSI_QUALITY_HIGH;
        site->cameras[20 * i + 10].pin = ITSI_QUALITY_LOW;
    }
    pass(site, 5, 5);
    strain(site);
    assert_int_equal(at_full_quality(site), PINNED_LOW);
    pass(site, 5, 60);
    print_message("    %d of %d at full quality a minute after\n", at_full_quality(site), CAMERAS - PINNED_LOW);
    assert_int_equal(at_full_quality(site), CAMERAS - PINNED_LOW);
    close_site(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quality_comes_back_through_a_mix_of_sizes),
        cmocka_unit_test(quality_comes_back_beside_pinned_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
