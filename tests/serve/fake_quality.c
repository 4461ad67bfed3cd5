/* Quality of the stand-in's cameras: what pins and boosts say, at once. */
#include "fake_pipeline_impl.h"

#include "base/clock.h"
#include "base/diag.h"

#include <stdio.h>

int fake_level_of(const struct fake_camera *c, int64_t now)
{
    if (c->pin >= 0)
        return c->pin;
    return c->boost > ITSI_QUALITY_HIGH && c->boost_until > now ? c->boost : ITSI_QUALITY_HIGH;
}

/* What a level misses by the stand-in's word: a tenth at low, nothing is known of the others. */
static void owe(int level, struct itsi_debt_estimate out[ITSI_DEBT_LEVELS])
{
    static const struct itsi_debt_tally nothing;
    for (int l = 0; l < ITSI_DEBT_LEVELS; l++)
        itsi_debt_estimate(&nothing, NULL, 0, &out[l]);
    if (level == ITSI_QUALITY_LOW)
        out[level] = (struct itsi_debt_estimate){40, 200, {0.1, 0.07, 0.15}, {36, 25.2, 54}, 0.02};
}

void itsi_pipeline_debt(struct itsi_pipeline *p, struct itsi_debt_overview *out)
{
    *out = (struct itsi_debt_overview){.share = 0.01, .room_ns = 31500000, .waiting = 1, .runs = 40, .shed = 3,
                                       .engine_seconds = 0.48};
    struct itsi_debt_estimate all[ITSI_DEBT_LEVELS];
    owe(p->params.no_quality ? ITSI_QUALITY_HIGH : ITSI_QUALITY_LOW, all);
    for (int level = 0; level < ITSI_DEBT_LEVELS; level++)
        out->levels[level].estimate = all[level];
    out->levels[ITSI_QUALITY_LOW].counts = (struct itsi_debt_counts){40, 200, 20, 4};
}

void fake_quality_of(const struct fake_camera *c, int64_t now, struct itsi_camera_status *out)
{
    const int level = fake_level_of(c, now);
    const bool boosted = c->boost >= 0 && c->boost_until > now;
    const struct itsi_quality_profile *profile = itsi_quality_profile(level);
    out->quality_level = level;
    out->quality = (struct itsi_quality_target){.level = level, .analysed_fps = profile->fps,
                                                .detect_interval = profile->detect_interval};
    out->quality_input = (struct itsi_input_size){640, 384};
    out->picture_height = level < ITSI_QUALITY_HIGH ? profile->height : 0;
    out->picture_quality = level < ITSI_QUALITY_HIGH ? profile->jpeg_quality : 0;
    out->is_priority = c->config.priority == 9;
    owe(level, out->debt);
    out->pin = c->pin;
    out->boost = boosted ? c->boost : -1;
    out->boost_seconds = boosted ? (double)(c->boost_until - now) / 1e9 : 0;
    out->quality_changes = c->quality_changes;
    out->quality_since_wall_ns = c->quality_since_wall;
    out->quality_seconds = (double)(now - c->quality_since) / 1e9;
}

static void note_change(struct itsi_pipeline *p, struct fake_camera *c, int from, int64_t now,
                        enum itsi_quality_reason reason)
{
    const int to = fake_level_of(c, now);
    if (from == to)
        return;
    struct itsi_quality_change *change = &p->changes[p->change_count++ % ITSI_QUALITY_HISTORY];
    snprintf(change->camera, sizeof change->camera, "%s", c->config.id);
    change->wall_ns = c->quality_since_wall = itsi_wall_ns();
    change->event = (struct itsi_quality_event){.key = c->index + 1, .now = now, .knob = ITSI_KNOB_COMPUTE,
                                                .from_level = from, .to_level = to,
                                                .from_rung = itsi_quality_rung_of(from),
                                                .to_rung = itsi_quality_rung_of(to), .reason = reason,
                                                .inputs = {.slack_ms = 41.5, .queue_age_ms = -1, .on_time_ratio = 0.98,
                                                           .busy = 0.5, .unmet = 0, .utilisation = 0.6}};
    c->quality_since = now;
    c->quality_changes++;
}

void itsi_pipeline_quality(struct itsi_pipeline *p, struct itsi_quality_overview *out)
{
    *out = (struct itsi_quality_overview){.active = !p->params.no_quality, .default_level = ITSI_QUALITY_HIGH,
                                          .adjustment_seconds = 30, .cores = 2, .status.lowest_level = -1};
    struct itsi_quality_status *s = &out->status;
    itsi_quality_load_unknown(&s->load);
    s->load.cpu_percent = 66;
    s->load.slack_ms = 41.5;
    s->condition = itsi_quality_condition(&s->load);
    s->pressure = ITSI_PRESSURE_STEADY;
    s->inputs = (struct itsi_quality_inputs){.slack_ms = 41.5, .queue_age_ms = -1, .on_time_ratio = 0.98, .busy = 0.5,
                                             .unmet = 0, .utilisation = 0.6};
    s->rise_in_ns = 12 * ITSI_NS_PER_S;
    s->hold = ITSI_HOLD_MEMORY;
    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < p->count; i++) {
        const int level = fake_level_of(p->cameras[i], itsi_now_ns());
        s->cameras[level]++;
        s->lowest_level = s->lowest_level < 0 || level < s->lowest_level ? level : s->lowest_level;
    }
    s->changes = p->change_count;
    for (uint64_t i = 0; i < p->change_count && i < ITSI_QUALITY_HISTORY; i++)
        s->changes_by_reason[p->changes[i].event.reason]++;
    pthread_mutex_unlock(&p->lock);
}

size_t itsi_pipeline_quality_changes(struct itsi_pipeline *p, struct itsi_quality_change *out, size_t cap)
{
    size_t count = 0;
    pthread_mutex_lock(&p->lock);
    for (; count < cap && count < p->change_count && count < ITSI_QUALITY_HISTORY; count++)
        out[count] = p->changes[(p->change_count - 1 - count) % ITSI_QUALITY_HISTORY];
    pthread_mutex_unlock(&p->lock);
    return count;
}

/* Under the lock; NULL and a reason where its level may not be set. */
static struct fake_camera *settable(struct itsi_pipeline *p, const char *id, int *rc, struct its_diag *diag)
{
    const int at = fake_find(p, id);
    *rc = 0;
    if (p->params.no_quality)
        *rc = itsi_fail(diag, ITS_EUNSUPPORTED, "there is no quality manager");
    else if (at < 0)
        *rc = itsi_fail(diag, ITS_ENOTFOUND, "no camera %s", id);
    return *rc == 0 ? p->cameras[at] : NULL;
}

int itsi_pipeline_pin_quality(struct itsi_pipeline *p, const char *id, int level, struct its_diag *diag)
{
    int rc;
    const int64_t now = itsi_now_ns();
    pthread_mutex_lock(&p->lock);
    struct fake_camera *c = settable(p, id, &rc, diag);
    if (c) {
        const int from = fake_level_of(c, now);
        c->pin = level;
        note_change(p, c, from, now, level >= 0 ? ITSI_QUALITY_PINNED : ITSI_QUALITY_RELEASED);
    }
    pthread_mutex_unlock(&p->lock);
    return rc;
}

int itsi_pipeline_boost_quality(struct itsi_pipeline *p, const char *id, int level, double seconds, struct its_diag *diag)
{
    int rc;
    const int64_t now = itsi_now_ns();
    pthread_mutex_lock(&p->lock);
    struct fake_camera *c = settable(p, id, &rc, diag);
    if (c) {
        const int from = fake_level_of(c, now);
        c->boost = level;
        c->boost_until = now + (int64_t)(seconds * 1e9);
        note_change(p, c, from, now, level >= 0 ? ITSI_QUALITY_BOOSTED : ITSI_QUALITY_RELEASED);
    }
    pthread_mutex_unlock(&p->lock);
    return rc;
}

void itsi_pipeline_set_encoders(struct itsi_pipeline *p, int threads)
{
    (void)p;
    (void)threads;
}

void itsi_pipeline_note_encoding(struct itsi_pipeline *p, const char *id, int64_t cpu_ns)
{
    (void)id;
    atomic_fetch_add(&p->encode_ns, cpu_ns);
}

int64_t fake_encode_ns(struct itsi_pipeline *p) { return atomic_load(&p->encode_ns); }
