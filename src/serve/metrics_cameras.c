/* Cameras: gauges and a few counters each, gone with the camera. Never a histogram each. */
#include "serve/metrics.h"

#include "base/mem.h"
#include "optimizer/documents.h"

#include <math.h>

struct column {
    const char *name, *unit, *help;
    enum itsi_metric_type type;
    double (*value)(const struct itsi_camera_status *status); /* not finite: nothing to tell yet */
};

static double up(const struct itsi_camera_status *s) { return s->capture.state == ITSI_CAPTURE_RUNNING; }
static double analysed_fps(const struct itsi_camera_status *s) { return s->analysed_fps; }
static double source_fps(const struct itsi_camera_status *s) { return s->capture.fps; }
static double age(const struct itsi_camera_status *s) { return s->age_ms / 1e3; }
static double latency(const struct itsi_camera_status *s) { return s->latency_ms / 1e3; }
static double added(const struct itsi_camera_status *s) { return (double)(s->added_wall_ns / 1000000) / 1e3; }
static double expected(const struct itsi_camera_status *s) { return (double)s->ledger.expected; }
static double delivered(const struct itsi_camera_status *s) { return (double)s->ledger.delivered; }
static double skipped(const struct itsi_camera_status *s) { return (double)s->ledger.skipped; }
static double level(const struct itsi_camera_status *s) { return s->quality_level; }
/* At full quality nothing is missed that full analysis finds. */
static double missed_ratio(const struct itsi_camera_status *s)
{
    const struct itsi_debt_estimate *now = itsi_document_debt_now(s);
    return now ? now->missed_share.value : 0;
}
static double missed_per_hour(const struct itsi_camera_status *s)
{
    const struct itsi_debt_estimate *now = itsi_document_debt_now(s);
    return now ? now->missed_per_hour.value : 0;
}
static double reconnects(const struct itsi_camera_status *s) { return (double)s->capture.reconnects; }

static const struct column columns[] = {
    {"its_camera_up", NULL, "1 while the camera gives pictures.", ITSI_METRIC_GAUGE, up},
    {"its_camera_fps", NULL, "Frames analysed a second.", ITSI_METRIC_GAUGE, analysed_fps},
    {"its_camera_source_fps", NULL, "Frames a second the camera sends.", ITSI_METRIC_GAUGE, source_fps},
    {"its_camera_age_seconds", "seconds", "Age of the newest analysed picture, from its origin.",
     ITSI_METRIC_GAUGE, age},
    {"its_camera_latency_seconds", "seconds", "End to end of the newest result, as its_end_to_end_seconds has it.",
     ITSI_METRIC_GAUGE, latency},
    {"its_camera_start_time_seconds", "seconds", "When the camera was added and its counts began, seconds since 1970.",
     ITSI_METRIC_GAUGE, added},
    {"its_camera_frames_expected", NULL, "Frames the camera should have given.", ITSI_METRIC_COUNTER, expected},
    {"its_camera_frames_delivered", NULL, "Frames of the camera handed over in time.", ITSI_METRIC_COUNTER, delivered},
    {"its_camera_frames_skipped", NULL, "Frames of the camera left out by policy; they are not due.",
     ITSI_METRIC_COUNTER, skipped},
    {"its_quality_level", NULL, "Quality level of the camera's results: 0 ultra_low, 1 low, 2 medium, 3 high, 4 ultra_high.",
     ITSI_METRIC_GAUGE, level},
    {"its_camera_missed_ratio", "ratio",
     "Of what full analysis finds in the camera's pictures, the share that its quality level misses; absent while unknown.",
     ITSI_METRIC_GAUGE, missed_ratio},
    {"its_camera_missed_per_hour", NULL,
     "Objects an hour that the camera's quality level misses, estimated; absent while unknown.", ITSI_METRIC_GAUGE,
     missed_per_hour},
    {"its_camera_reconnects", NULL, "Times the camera came back.", ITSI_METRIC_COUNTER, reconnects},
};

static void put_column(struct itsi_exposition *e, const struct column *column, const struct itsi_camera_status *all,
                       int count)
{
    itsi_exposition_family(e, column->type, column->name, column->unit, column->help);
    for (int i = 0; i < count; i++) {
        const double value = column->value(&all[i]);
        if (isfinite(value))
            itsi_exposition_value(e, ITSI_LABELS({"camera", all[i].camera.id}), value);
    }
}

void itsi_put_camera_metrics(struct itsi_exposition *e, struct itsi_pipeline *pipeline)
{
    const int cap = itsi_pipeline_cameras(pipeline, NULL, 0);
    struct itsi_camera_status *all = itsi_calloc((size_t)cap + 1, sizeof *all);
    int count = all ? itsi_pipeline_cameras(pipeline, all, cap) : 0;
    e->out->failed |= !all;
    if (count > cap)
        count = cap;
    itsi_exposition_family(e, ITSI_METRIC_INFO, "its_camera", NULL,
                           "1, with the group of cameras it fails with: the host of its URL, empty where it has none.");
    for (int i = 0; i < count; i++)
        itsi_exposition_count(e, ITSI_LABELS({"camera", all[i].camera.id}, {"group", all[i].group}), 1);
    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
        put_column(e, &columns[c], all, count);
    itsi_free(all);
}
