/* The quality manager made, configured and asked. */
#include "pipeline/quality_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "config/value.h"

#include <math.h>

/* --- input sizes -------------------------------------------------------------------------------------------------- */

static int to_32(double pixels)
{
    const int rounded = (int)(pixels / 32 + 0.5) * 32;
    return rounded < 32 ? 32 : rounded;
}

static bool is_new(struct itsi_input_size size, struct itsi_input_size own, const struct itsi_input_size *more, int count)
{
    bool known = size.width == own.width && size.height == own.height;
    for (int i = 0; i < count; i++)
        known = known || (size.width == more[i].width && size.height == more[i].height);
    return !known;
}

int itsi_pipeline_quality_sizes(const struct its_cfg *cfg, const struct itsi_model *model, struct itsi_input_size own,
                                struct itsi_input_size more[ITSI_ENGINE_SIZES - 1])
{
    int count = 0;
    if (!cfg->general.enabled || !cfg->adaptive_quality.enable_adaptive_quality)
        return 0;
    for (int rung = ITSI_QUALITY_RUNGS - 1; rung >= 0 && count < ITSI_ENGINE_SIZES - 1; rung--) {
        const double share = itsi_quality_input_share(rung);
        /* each size takes time at the start and memory: the enhanced one is built where it is what is wanted */
        if (share > 1 && cfg->adaptive_quality.default_quality != itsi_quality_level_of(rung))
            continue;
        struct itsi_input_size size = {to_32(own.width * share), to_32(own.height * share)};
        /* a model of one size runs at that alone */
        if (model && itsi_model_input_size(model, size.width, size.height, &size.width, &size.height, NULL) != 0)
            continue;
        if (is_new(size, own, more, count))
            more[count++] = size;
    }
    return count;
}

static int64_t area(const struct itsi_pipeline *p, int size)
{
    return (int64_t)p->info.sizes[size].width * p->info.sizes[size].height;
}

/* The controller wants them largest first. */
static void order_sizes(struct itsi_pipeline *p, struct itsi_quality_control *q)
{
    q->input_count = p->info.size_count;
    for (int i = 0; i < q->input_count; i++) {
        int at = i;
        for (; at > 0 && area(p, q->order[at - 1]) < area(p, i); at--)
            q->order[at] = q->order[at - 1];
        q->order[at] = i;
    }
    for (int i = 0; i < q->input_count; i++)
        if (q->order[i] == 0)
            q->own_input = i;
}

/* --- making ------------------------------------------------------------------------------------------------------- */

static void make_policy(const struct its_cfg *cfg, struct itsi_quality_policy *out)
{
    itsi_quality_policy_make(out, &cfg->adaptive_quality,
                             fmin(cfg->general.target_latency_ms, cfg->latency_monitoring.latency_sla_ms));
    if (cfg->quality.recovery_stability_seconds > 0)
        out->rise_dwell_ns = (int64_t)(cfg->quality.recovery_stability_seconds * 1e9);
    out->floor_fps = cfg->quality.floor_fps;
    out->priority_floor = cfg->quality.priority_floor;
    out->admission = cfg->quality.admission == 0 ? ITSI_ADMIT_DEGRADE : ITSI_ADMIT_REFUSE;
}

int itsi_pipeline_configure_quality(struct itsi_pipeline *p, const struct its_cfg *cfg, struct its_diag *diag)
{
    struct itsi_quality_control *q = p->quality;
    int rc;
    if (!q)
        return 0;
    pthread_mutex_lock(&p->table); /* the gathering reads the list under it */
    pthread_mutex_lock(&q->mutex);
    rc = itsi_str_list_copy(&q->priority, &cfg->adaptive_quality.priority_camera_ids);
    if (rc == 0)
        make_policy(cfg, &q->policy);
    itsi_debt_configure(p, cfg->quality.debt_share);
    pthread_mutex_unlock(&q->mutex);
    pthread_mutex_unlock(&p->table);
    return rc == 0 ? 0 : itsi_fail(diag, rc, "quality manager: out of memory");
}

/* A step before there is anybody: whoever asks before the first measurement is judged by what there is, too. */
static int look_before(struct itsi_pipeline *p, double cores, struct its_diag *diag)
{
    struct itsi_quality_control *q = p->quality;
    struct itsi_quality_snapshot nobody;
    struct itsi_quality_events none = {.items = q->events};
    itsi_quality_gather_idle(p, cores, itsi_now_ns(), &nobody);
    if (itsi_quality_step(&nobody, &q->policy, q->state, q->targets, &none) != 0)
        return itsi_fail(diag, ITS_EINVAL, "quality manager: more input sizes than it knows");
    itsi_quality_capacity(q->state, &q->capacity);
    return 0;
}

int itsi_pipeline_make_quality(struct itsi_pipeline *p, const struct itsi_pipeline_params *params,
                               struct its_diag *diag)
{
    const struct its_cfg *cfg = params->cfg;
    if (!cfg->general.enabled)
        return 0;
    struct itsi_quality_control *q = p->quality = itsi_zalloc(sizeof *q);
    if (!q)
        return itsi_fail(diag, ITS_ENOMEM, "quality manager: out of memory");
    pthread_mutex_init(&q->mutex, NULL);
    itsi_event_init(&q->stop);
    itsi_facts_init(&q->facts);
    q->max_cameras = p->max_cameras;
    q->machine = params->machine;
    /* null has time of its own; a device that gains from batches has processors of its own */
    q->engine_on_cpu = p->backend != &itsi_backend_null && !p->info.batch_efficient;
    struct itsi_system_load machine;
    itsi_system_sample(&q->system, &machine);
    if (q->machine)
        q->machine(&machine);
    q->engine_cores = params->cfg->inference.threads > 0 ? fmin((double)params->cfg->inference.threads, machine.cores)
                                                         : machine.cores;
    q->before[0] = q->before[1] = (struct itsi_cpu_sample){itsi_now_ns(), itsi_cpu_ns(), 0};
    order_sizes(p, q);
    q->cameras = itsi_calloc((size_t)q->max_cameras, sizeof *q->cameras);
    q->pixels = itsi_calloc((size_t)q->max_cameras, sizeof *q->pixels);
    q->unit = itsi_calloc((size_t)q->max_cameras, sizeof *q->unit);
    q->targets = itsi_calloc((size_t)q->max_cameras, sizeof *q->targets);
    q->events = itsi_calloc((size_t)q->max_cameras * ITSI_QUALITY_CAMERA_EVENTS, sizeof *q->events);
    if (!q->cameras || !q->pixels || !q->unit || !q->targets || !q->events)
        return itsi_fail(diag, ITS_ENOMEM, "quality manager: out of memory");
    int rc = itsi_quality_state_create(&q->state, q->max_cameras, diag);
    if (rc == 0)
        rc = itsi_quality_grants_init(&q->grants, q->max_cameras, diag);
    if (rc == 0)
        itsi_quality_status(q->state, &q->overview.status); /* what is said before the first step */
    if (rc == 0)
        rc = itsi_pipeline_make_debt(p, diag);
    if (rc == 0)
        rc = itsi_pipeline_configure_quality(p, cfg, diag);
    return rc == 0 ? look_before(p, machine.cores, diag) : rc;
}

void itsi_pipeline_free_quality(struct itsi_pipeline *p)
{
    struct itsi_quality_control *q = p->quality;
    if (!q)
        return;
    itsi_quality_state_destroy(q->state);
    itsi_quality_grants_fini(&q->grants);
    itsi_str_list_fini(&q->priority);
    itsi_free(q->cameras);
    itsi_free(q->pixels);
    itsi_free(q->unit);
    itsi_free(q->targets);
    itsi_free(q->events);
    itsi_facts_fini(&q->facts);
    itsi_event_fini(&q->stop);
    pthread_mutex_destroy(&q->mutex);
    itsi_free(q);
    p->quality = NULL;
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

void itsi_pipeline_quality(struct itsi_pipeline *p, struct itsi_quality_overview *out)
{
    struct itsi_quality_control *q = p->quality;
    *out = (struct itsi_quality_overview){.default_level = ITSI_QUALITY_HIGH, .status.lowest_level = -1};
    itsi_quality_load_unknown(&out->status.load);
    if (!q)
        return;
    pthread_mutex_lock(&q->mutex);
    *out = q->overview;
    out->active = q->policy.enabled;
    out->default_level = q->policy.default_level;
    out->adjustment_seconds = (double)q->policy.rise_interval_ns / 1e9;
    pthread_mutex_unlock(&q->mutex);
}

void itsi_stream_quality_status(const struct itsi_camera_stream *stream, int64_t now, struct itsi_camera_status *out)
{
    const struct itsi_pipeline *p = stream->pipeline;
    const struct itsi_stream_quality *s = &stream->quality;
    out->quality_level = atomic_load(&s->level);
    out->quality = s->target;
    out->quality_input = p->info.sizes[p->quality ? p->quality->order[s->target.input] : 0];
    out->picture_height = atomic_load(&s->picture_height);
    out->picture_quality = atomic_load(&s->picture_quality);
    out->is_priority = p->quality && itsi_quality_is_priority(p->quality, stream->config.id);
    out->pin = s->pin;
    out->boost = s->boost_until > now ? s->boost : -1;
    out->boost_seconds = out->boost >= 0 ? (double)(s->boost_until - now) / 1e9 : 0;
    out->quality_changes = s->changes;
    out->quality_since_wall_ns = s->changed_wall_ns;
    out->quality_seconds = (double)(now - s->changed) / 1e9;
    itsi_stream_quality_note(stream, &out->capture, now, out->quality_note, sizeof out->quality_note);
}

size_t itsi_pipeline_quality_changes(struct itsi_pipeline *p, struct itsi_quality_change *out, size_t cap)
{
    struct itsi_quality_control *q = p->quality;
    size_t count = 0;
    if (!q)
        return 0;
    pthread_mutex_lock(&q->mutex);
    const uint64_t known = q->changes < ITSI_QUALITY_HISTORY ? q->changes : ITSI_QUALITY_HISTORY;
    for (; count < cap && count < known; count++)
        out[count] = q->history[(q->changes - 1 - count) % ITSI_QUALITY_HISTORY];
    pthread_mutex_unlock(&q->mutex);
    return count;
}

/* A reference of the camera whose level may be set. One that waits for its results gives way to nobody, and what its level
 * would leave out is not left out: to be told so is better than a pin that does nothing. */
static int find_camera(struct itsi_pipeline *p, const char *id, int level, struct itsi_camera_stream **out,
                       struct its_diag *diag)
{
    struct itsi_camera_status status;
    if (!p->quality)
        return itsi_fail(diag, ITS_EUNSUPPORTED, "there is no quality manager: the system was started with enabled=false");
    if (level < -1 || level >= ITSI_QUALITY_LEVELS)
        return itsi_fail(diag, ITS_EINVAL, "quality level %d: there are 0 to %d", level, ITSI_QUALITY_LEVELS - 1);
    if (itsi_pipeline_camera(p, id, &status) != 0 || !(*out = itsi_stream_find(p, id)))
        return itsi_fail(diag, ITS_ENOTFOUND, "no camera %s", id);
    if (level < 0 || status.capture.live)
        return 0;
    itsi_stream_unref(*out);
    return itsi_fail(diag, ITS_EUNSUPPORTED,
                     "camera %s plays at its own pace (pace=off): every frame of it is analysed, at no other level", id);
}

int itsi_pipeline_pin_quality(struct itsi_pipeline *p, const char *id, int level, struct its_diag *diag)
{
    struct itsi_camera_stream *stream;
    int rc = find_camera(p, id, level, &stream, diag);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&p->table);
    stream->quality.pin = level;
    pthread_mutex_unlock(&p->table);
    itsi_stream_unref(stream);
    return 0;
}

int itsi_pipeline_boost_quality(struct itsi_pipeline *p, const char *id, int level, double seconds, struct its_diag *diag)
{
    if (level >= 0 && !(seconds > 0 && seconds <= 86400))
        return itsi_fail(diag, ITS_EINVAL, "seconds: allowed are up to 86400, not %g", seconds);
    struct itsi_camera_stream *stream;
    int rc = find_camera(p, id, level, &stream, diag);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&p->table);
    stream->quality.boost = level;
    stream->quality.boost_until = level >= 0 ? itsi_now_ns() + (int64_t)(seconds * 1e9) : 0;
    pthread_mutex_unlock(&p->table);
    itsi_stream_unref(stream);
    return 0;
}

void itsi_pipeline_set_encoders(struct itsi_pipeline *p, int threads)
{
    if (p->quality)
        atomic_store(&p->quality->encoders, threads);
}

void itsi_pipeline_note_encoding(struct itsi_pipeline *p, const char *id, int64_t cpu_ns)
{
    struct itsi_camera_stream *stream = itsi_stream_find(p, id);
    if (!stream)
        return;
    atomic_fetch_add_explicit(&stream->quality.encode_ns, cpu_ns, memory_order_relaxed);
    itsi_stream_unref(stream);
}
