#include "latency/rolling.h"

#include "base/diag.h"
#include "base/mem.h"

#include <stdatomic.h>

/* Most threads that hold a writer of their own: post-processing. Others share one. */
enum { WRITERS = 1 };
/* Series of removed cameras wait two ticks before they are given out again. */
enum { CAMERAS_IN_TRANSIT = 64 };

struct itsi_rolling {
    struct itsi_recording *recording;
    struct itsi_windows *windows;
    struct itsi_writer *writer; /* the post-processing thread's */
    atomic_int_fast64_t promise_ns;
    atomic_bool detailed; /* stages are kept apart */
    _Atomic int64_t seconds[ITSI_WINDOW_COUNT];
};

const char *itsi_rolling_window_name(enum itsi_rolling_window window)
{
    static const char *const names[] = {"short_window", "medium_window", "long_window"};
    return names[window];
}

static void read_lengths(const struct its_cfg_latency_monitoring *cfg, int64_t seconds[ITSI_WINDOW_COUNT])
{
    seconds[ITSI_WINDOW_SHORT] = cfg->monitoring_window_seconds;
    seconds[ITSI_WINDOW_MEDIUM] = cfg->alert_window_seconds;
    seconds[ITSI_WINDOW_LONG] = cfg->trend_analysis_minutes * 60;
}

int itsi_rolling_create(struct itsi_rolling **out, const struct its_cfg_latency_monitoring *cfg, int cameras,
                        int64_t now, struct its_diag *diag)
{
    struct itsi_rolling *r = itsi_zalloc(sizeof *r);
    if (!r)
        return itsi_fail(diag, ITS_ENOMEM, "latency windows: out of memory");
    const struct itsi_recording_params recording = {
        .fine = ITSI_ROLLING_FINE, .coarse = cameras + CAMERAS_IN_TRANSIT, .writers = WRITERS};
    struct itsi_windows_params windows = {.count = ITSI_WINDOW_COUNT};
    read_lengths(cfg, windows.seconds);
    for (int w = 0; w < ITSI_WINDOW_COUNT; w++)
        atomic_init(&r->seconds[w], windows.seconds[w]);
    atomic_init(&r->promise_ns, (int64_t)(cfg->latency_sla_ms * 1e6));
    atomic_init(&r->detailed, cfg->collect_detailed_metrics);
    int rc = itsi_recording_create(&r->recording, &recording, diag);
    if (rc == 0) {
        windows.recording = r->recording;
        rc = itsi_windows_create(&r->windows, &windows, now, diag);
    }
    if (rc == 0)
        rc = itsi_writer_open(r->recording, 0, recording.fine + recording.coarse, &r->writer, diag);
    if (rc != 0) {
        itsi_rolling_destroy(r);
        return rc;
    }
    *out = r;
    return 0;
}

void itsi_rolling_destroy(struct itsi_rolling *r)
{
    if (!r)
        return;
    itsi_writer_close(r->writer);
    itsi_windows_destroy(r->windows);
    itsi_recording_destroy(r->recording);
    itsi_free(r);
}

int itsi_rolling_configure(struct itsi_rolling *r, const struct its_cfg_latency_monitoring *cfg, struct its_diag *diag)
{
    int64_t seconds[ITSI_WINDOW_COUNT];
    read_lengths(cfg, seconds);
    atomic_store(&r->promise_ns, (int64_t)(cfg->latency_sla_ms * 1e6));
    atomic_store(&r->detailed, cfg->collect_detailed_metrics);
    for (int w = 0; w < ITSI_WINDOW_COUNT; w++) {
        if (seconds[w] == atomic_load(&r->seconds[w]))
            continue;
        int rc = itsi_windows_resize(r->windows, w, seconds[w], diag);
        if (rc != 0)
            return rc;
        atomic_store(&r->seconds[w], seconds[w]);
    }
    return 0;
}

int64_t itsi_rolling_seconds(const struct itsi_rolling *r, enum itsi_rolling_window window)
{
    return atomic_load(&r->seconds[window]);
}

int itsi_rolling_camera_claim(struct itsi_rolling *r)
{
    int series;
    return itsi_windows_claim(r->windows, &series, NULL) == 0 ? series : -1;
}

void itsi_rolling_camera_release(struct itsi_rolling *r, int series)
{
    if (series >= 0)
        itsi_windows_release(r->windows, series);
}

/* Above which a value of the series is a violation. */
static int64_t limit_of(const struct itsi_rolling *r, int series)
{
    if (series >= ITSI_ROLLING_STAGE && series < ITSI_ROLLING_WAIT)
        return (int64_t)(itsi_stage_budget_ms((enum itsi_stage)(series - ITSI_ROLLING_STAGE)) * 1e6);
    bool whole = series == ITSI_ROLLING_END_TO_END || series >= ITSI_ROLLING_LEVEL; /* levels and cameras */
    return whole ? atomic_load_explicit(&r->promise_ns, memory_order_relaxed) : INT64_MAX;
}

static bool is_detailed(const struct itsi_rolling *r)
{
    return atomic_load_explicit(&r->detailed, memory_order_relaxed);
}

static void put_stages(struct itsi_rolling *r, const struct itsi_breakdown *b)
{
    struct itsi_writer *w = r->writer;
    itsi_writer_put(w, ITSI_ROLLING_UNATTRIBUTED, b->unattributed, INT64_MAX);
    for (int s = 0; s <= ITSI_STAGE_POSTPROCESSING; s++) {
        int64_t both = b->wait[s] + b->service[s];
        itsi_writer_put(w, ITSI_ROLLING_STAGE + s, both, limit_of(r, ITSI_ROLLING_STAGE + s));
        itsi_writer_put(w, ITSI_ROLLING_WAIT + s, b->wait[s], INT64_MAX);
        itsi_writer_put(w, ITSI_ROLLING_SERVICE + s, b->service[s], INT64_MAX);
    }
}

void itsi_rolling_frame(struct itsi_rolling *r, const struct itsi_breakdown *b, int level, int camera_series)
{
    struct itsi_writer *w = r->writer;
    int64_t promise = limit_of(r, ITSI_ROLLING_END_TO_END);
    itsi_writer_begin(w);
    itsi_writer_put(w, ITSI_ROLLING_END_TO_END, b->end_to_end, promise);
    if (is_detailed(r))
        put_stages(r, b);
    if (level >= 0 && level < ITSI_LEVEL_COUNT)
        itsi_writer_put(w, ITSI_ROLLING_LEVEL + level, b->end_to_end, promise);
    if (camera_series >= 0)
        itsi_writer_put(w, camera_series, b->end_to_end, promise);
    itsi_writer_end(w);
}

int itsi_rolling_measure(struct itsi_rolling *r, int series, int camera_series, int64_t ns)
{
    bool known = series >= 0 && series < ITSI_ROLLING_WAIT && series != ITSI_ROLLING_UNATTRIBUTED;
    if (!known || ns < 0)
        return ITS_EINVAL;
    itsi_recording_record_shared(r->recording, series, ns, limit_of(r, series));
    if (series == ITSI_ROLLING_END_TO_END && camera_series >= 0)
        itsi_recording_record_shared(r->recording, camera_series, ns, limit_of(r, camera_series));
    return 0;
}

void itsi_rolling_stage(struct itsi_rolling *r, enum itsi_stage stage, int64_t wait_ns, int64_t service_ns)
{
    const int s = (int)stage, both = ITSI_ROLLING_STAGE + s;
    if (!is_detailed(r))
        return;
    itsi_recording_record_shared(r->recording, both, wait_ns + service_ns, limit_of(r, both));
    itsi_recording_record_shared(r->recording, ITSI_ROLLING_WAIT + s, wait_ns, INT64_MAX);
    itsi_recording_record_shared(r->recording, ITSI_ROLLING_SERVICE + s, service_ns, INT64_MAX);
}

int itsi_rolling_tick(struct itsi_rolling *r, int64_t now) { return itsi_windows_tick(r->windows, now); }

int itsi_rolling_query(struct itsi_rolling *r, int series, enum itsi_rolling_window window, int64_t now,
                       struct itsi_window_figures *out)
{
    return itsi_windows_query(r->windows, series, (int)window, now, out);
}

void itsi_rolling_stats(struct itsi_rolling *r, struct itsi_rolling_stats *out)
{
    struct itsi_moments totals;
    struct itsi_recording_stats recording;
    struct itsi_windows_stats windows;
    *out = (struct itsi_rolling_stats){0};
    if (itsi_windows_totals(r->windows, ITSI_ROLLING_END_TO_END, &totals) == 0) {
        out->measurements = totals.count;
        out->violations = totals.violations;
    }
    itsi_recording_stats(r->recording, &recording);
    itsi_windows_stats(r->windows, &windows);
    out->bytes = recording.bytes + windows.bytes;
}
