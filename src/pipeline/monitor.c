/* The thread that looks once a second, and what it makes known. */
#include "pipeline/pipeline_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"

#include <math.h>

/* For who reads the log of a machine without Prometheus. A measurement tells its own figures. */
static void tell_state(struct itsi_pipeline *p, int64_t now)
{
    struct itsi_pipeline_stats s;
    if (p->told_ns == 0)
        p->told_ns = now;
    if (p->measuring || now - p->told_ns < atomic_load(&p->interval_ns))
        return;
    p->told_ns = now;
    itsi_pipeline_stats(p, &s);
    if (s.cameras > 0)
        itsi_info("monitor", "%d of %d cameras run, %.1f frames/s, end to end p50 %.1f p95 %.1f p99 %.1f ms, %zu alerts",
                  s.cameras_running, s.cameras, s.analysed_fps, s.recent.p50_ms, s.recent.p95_ms, s.recent.p99_ms,
                  itsi_alerts_active(itsi_pipeline_alerts(p), NULL, 0));
}

void itsi_pipeline_tick(struct itsi_pipeline *p, int64_t now)
{
    bool was = p->short_of_memory;
    p->short_of_memory = itsi_rolling_tick(p->rolling, now) != 0;
    if (p->short_of_memory && !was)
        itsi_warn("monitor", "out of memory: latency windows keep counts and sums only");
    itsi_pipeline_tick_alerting(p, now);
    itsi_records_tick(p);
    tell_state(p, now);
}

static void *monitor_main(void *arg)
{
    struct itsi_pipeline *p = arg;
    int64_t next = p->tick_ns == ITSI_NEVER ? ITSI_NEVER : itsi_now_ns() + p->tick_ns;
    while (!itsi_event_wait_until(&p->monitor_stop, next)) {
        int64_t now = itsi_now_ns();
        itsi_pipeline_tick(p, now);
        next = next + p->tick_ns > now ? next + p->tick_ns : now + p->tick_ns;
    }
    return NULL;
}

int itsi_pipeline_monitor_start(struct itsi_pipeline *p, struct its_diag *diag)
{
    int rc = itsi_thread_start(&p->monitor_thread, "its-monitor", monitor_main, p, diag);
    p->monitor_running = rc == 0;
    return rc;
}

void itsi_pipeline_monitor_stop(struct itsi_pipeline *p)
{
    itsi_event_set(&p->monitor_stop);
    if (p->monitor_running)
        pthread_join(p->monitor_thread, NULL);
    p->monitor_running = false;
}

struct itsi_rolling *itsi_pipeline_rolling(struct itsi_pipeline *p) { return p->rolling; }

int itsi_pipeline_camera_window(struct itsi_pipeline *p, const char *id, enum itsi_rolling_window window,
                                struct itsi_window_figures *out)
{
    struct itsi_camera_stream *stream = itsi_stream_find(p, id);
    if (!stream)
        return ITS_ENOTFOUND;
    int rc = itsi_rolling_query(p->rolling, stream->latency_series, window, itsi_now_ns(), out);
    itsi_stream_unref(stream);
    return rc;
}

int itsi_pipeline_measure(struct itsi_pipeline *p, const char *camera_id, int series, double milliseconds,
                          struct its_diag *diag)
{
    if (!(milliseconds >= 0) || milliseconds > 3.6e6)
        return itsi_fail(diag, ITS_EINVAL, "latency_ms: allowed are 0 to 3600000");
    struct itsi_camera_stream *stream = itsi_stream_find(p, camera_id);
    if (!stream)
        return itsi_fail(diag, ITS_ENOTFOUND, "no camera %s", camera_id);
    int rc = itsi_rolling_measure(p->rolling, series, stream->latency_series, (int64_t)llround(milliseconds * 1e6));
    itsi_stream_unref(stream);
    return rc == 0 ? 0 : itsi_fail(diag, rc, "stage: takes no measurements");
}

size_t itsi_pipeline_violations(struct itsi_pipeline *p, struct itsi_violation *out, size_t cap)
{
    return itsi_violations_list(&p->violations, out, cap);
}

uint64_t itsi_pipeline_violations_by_stage(struct itsi_pipeline *p, uint64_t out[ITSI_STAGE_COUNT])
{
    return itsi_violations_by_stage(&p->violations, out);
}

struct itsi_tracer *itsi_pipeline_tracer(struct itsi_pipeline *p) { return p->tracer; }
