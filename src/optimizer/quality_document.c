/* The Adaptive Quality Manager's state as JSON. Figures that are not known are null. */
#include "optimizer/documents.h"

#include "base/clock.h"
#include "base/figure.h"
#include "base/mem.h"

#include <math.h>

static void put_level(struct itsi_json *json, const char *key, int level)
{
    itsi_json_string(json, key, level >= 0 ? itsi_quality_name(level) : NULL);
}

static void put_wall(struct itsi_json *json, const char *key, int64_t wall_ns)
{
    itsi_json_number(json, key, (double)(wall_ns / 1000000) / 1e3, 3);
}

int itsi_document_quality_level(const struct itsi_quality_overview *overview)
{
    const int *cameras = overview->status.cameras;
    int all = 0, better = 0;
    for (int level = 0; level < ITSI_QUALITY_LEVELS; level++)
        all += cameras[level];
    for (int level = ITSI_QUALITY_LEVELS - 1; level >= 0; level--) {
        better += cameras[level];
        if (all > 0 && better * 2 >= all)
            return level;
    }
    return overview->default_level;
}

/* Why quality does not rise; NOTHING: null. */
static void put_hold(struct itsi_json *json, enum itsi_quality_hold hold)
{
    const bool held = hold != ITSI_HOLD_NOTHING;
    itsi_json_string(json, "held_by", held ? itsi_quality_hold_name(hold) : NULL);
    itsi_json_string(json, "held_why", held ? itsi_quality_hold_sentence(hold) : NULL);
}

/* --- one camera --------------------------------------------------------------------------------------------------- */

/* What the level means for this camera now. Rates are null where nothing limits them. */
static void put_target(struct itsi_json *json, const struct itsi_camera_status *s)
{
    const struct itsi_quality_target *t = &s->quality;
    const bool thinned = t->analysed_fps > 0;
    itsi_json_object(json, "target");
    itsi_json_number(json, "analysed_fps", thinned ? t->analysed_fps : (double)NAN, 2);
    itsi_json_int(json, "detect_interval", t->detect_interval);
    itsi_json_int(json, "input_width", s->quality_input.width);
    itsi_json_int(json, "input_height", s->quality_input.height);
    itsi_json_string(json, "decode", itsi_decode_mode_name(t->decode));
    itsi_json_bool(json, "sub_stream", t->sub_stream);
    itsi_json_number(json, "picture_height", s->picture_height ? s->picture_height : (double)NAN, 0);
    itsi_json_number(json, "picture_quality", s->picture_quality ? s->picture_quality : (double)NAN, 0);
    itsi_json_end(json, '}');
}

void itsi_document_camera_quality(struct itsi_json *json, const char *key, const struct itsi_camera_status *s,
                                  const struct itsi_quality_overview *overview)
{
    const bool lowered = s->pin < 0 && s->quality.level < overview->default_level;
    itsi_json_object(json, key);
    put_level(json, "current_quality", s->quality_level);
    put_level(json, "target_quality", s->quality.level);
    itsi_json_bool(json, "is_priority", s->is_priority);
    itsi_json_int(json, "adjustment_count", (int64_t)s->quality_changes);
    if (s->quality_changes)
        put_wall(json, "last_adjustment", s->quality_since_wall_ns);
    else
        itsi_json_null(json, "last_adjustment");
    put_wall(json, "stable_since", s->quality_since_wall_ns);
    itsi_json_bool(json, "is_stable", s->quality_seconds >= overview->adjustment_seconds);
    put_level(json, "pin", s->pin);
    put_level(json, "boost", s->boost);
    itsi_json_number(json, "boost_seconds_left", s->boost >= 0 ? s->boost_seconds : (double)NAN, 1);
    itsi_json_number(json, "analysed_fps", s->analysed_fps, 2);
    put_target(json, s);
    put_hold(json, lowered ? overview->status.hold : ITSI_HOLD_NOTHING);
    itsi_json_string(json, "note", s->quality_note[0] ? s->quality_note : NULL);
    itsi_document_camera_debt(json, s);
    itsi_json_end(json, '}');
}

static void put_cameras(struct itsi_json *json, const struct itsi_camera_status *all, int count,
                        const struct itsi_quality_overview *overview)
{
    int levels[ITSI_QUALITY_LEVELS] = {0}, priority = 0;
    for (int i = 0; i < count; i++) {
        levels[all[i].quality_level]++;
        priority += all[i].is_priority;
    }
    itsi_json_int(json, "total_cameras", count);
    itsi_json_int(json, "priority_cameras", priority);
    itsi_json_object(json, "quality_distribution");
    for (int level = 0; level < ITSI_QUALITY_LEVELS; level++)
        itsi_json_int(json, itsi_quality_name(level), levels[level]);
    itsi_json_end(json, '}');
    itsi_json_object(json, "camera_states");
    for (int i = 0; i < count; i++)
        itsi_document_camera_quality(json, all[i].camera.id, &all[i], overview);
    itsi_json_end(json, '}');
}

/* --- what it looks at --------------------------------------------------------------------------------------------- */

/* Python's SystemMetrics, as smoothed as the condition is. */
static void put_system(struct itsi_json *json, const struct itsi_quality_status *status,
                       const struct itsi_pipeline_stats *stats)
{
    const struct itsi_quality_load *load = &status->load;
    itsi_json_object(json, "system_metrics");
    put_wall(json, "timestamp", itsi_wall_ns());
    itsi_json_string(json, "load_condition", itsi_quality_condition_name(status->condition));
    itsi_json_number(json, "cpu_percent", itsi_figure_or_nan(load->cpu_percent), 1);
    itsi_json_number(json, "memory_percent", itsi_figure_or_nan(load->memory_percent), 1);
    itsi_json_number(json, "gpu_percent", itsi_figure_or_nan(load->gpu_percent), 1);
    itsi_json_number(json, "gpu_memory_percent", itsi_figure_or_nan(load->gpu_memory_percent), 1);
    itsi_json_int(json, "active_streams", stats->cameras_running);
    itsi_json_number(json, "average_latency_ms", itsi_figure_or_nan(load->latency_ms), 3);
    itsi_json_int(json, "queue_depth", (int64_t)stats->ledger.in_flight);
    itsi_json_number(json, "error_rate", itsi_figure_or_nan(load->error_rate), 5);
    itsi_json_end(json, '}');
}

static void put_load(struct itsi_json *json, const struct itsi_quality_load *load)
{
    itsi_json_object(json, "load");
    itsi_json_number(json, "engine_busy", itsi_figure_or_nan(load->engine_busy), 4);
    itsi_json_number(json, "decode_share", itsi_figure_or_nan(load->decode_share), 4);
    itsi_json_number(json, "encode_share", itsi_figure_or_nan(load->encode_share), 4);
    itsi_json_number(json, "slack_ms", load->slack_ms, 3);
    itsi_json_number(json, "queue_age_ms", itsi_figure_or_nan(load->queue_age_ms), 3);
    itsi_json_number(json, "on_time_ratio", itsi_figure_or_nan(load->on_time_ratio), 5);
    itsi_json_end(json, '}');
}

static void put_inputs(struct itsi_json *json, const struct itsi_quality_inputs *inputs)
{
    itsi_json_object(json, "inputs");
    itsi_quality_put_inputs(json, inputs);
    itsi_json_end(json, '}');
}

static void put_controller(struct itsi_json *json, const struct itsi_quality_overview *o)
{
    const struct itsi_quality_status *s = &o->status;
    itsi_json_string(json, "pressure", itsi_quality_pressure_name(s->pressure));
    itsi_json_string(json, "bottleneck", itsi_quality_resource_name(s->bottleneck));
    put_inputs(json, &s->inputs);
    put_load(json, &s->load);
    put_level(json, "default_quality", o->default_level);
    put_level(json, "lowest_quality", s->lowest_level);
    itsi_json_number(json, "recovery_in_seconds", s->rise_in_ns > 0 ? (double)s->rise_in_ns / 1e9 : (double)NAN, 1);
    put_hold(json, s->hold);
    itsi_json_number(json, "flaps", s->flaps, 2);
    itsi_json_number(json, "cores", o->cores > 0 ? o->cores : (double)NAN, 2);
    itsi_json_object(json, "changes_by_reason");
    for (int r = ITSI_QUALITY_NONE + 1; r < ITSI_QUALITY_REASONS; r++)
        itsi_json_int(json, itsi_quality_reason_name((enum itsi_quality_reason)r), (int64_t)s->changes_by_reason[r]);
    itsi_json_end(json, '}');
}

/* --- what it did -------------------------------------------------------------------------------------------------- */

/* What the camera's streams make of the decode knob's rung; null of the others. */
static void put_decoding(struct itsi_json *json, const struct itsi_quality_event *event)
{
    if (event->knob != ITSI_KNOB_DECODE) {
        itsi_json_null(json, "decoding");
        return;
    }
    itsi_json_object(json, "decoding");
    itsi_json_string(json, "from", itsi_decode_mode_name(event->from_decode));
    itsi_json_string(json, "to", itsi_decode_mode_name(event->to_decode));
    itsi_json_bool(json, "from_sub_stream", event->from_sub);
    itsi_json_bool(json, "to_sub_stream", event->to_sub);
    itsi_json_number(json, "key_fps", event->key_fps > 0 ? event->key_fps : (double)NAN, 3);
    itsi_json_end(json, '}');
}

static void put_change(struct itsi_json *json, const struct itsi_quality_change *change)
{
    const struct itsi_quality_event *event = &change->event;
    char text[400];
    itsi_json_object(json, NULL);
    put_wall(json, "timestamp", change->wall_ns);
    itsi_format_wall(change->wall_ns, text);
    itsi_json_string(json, "time", text);
    itsi_json_string(json, "camera", change->camera[0] ? change->camera : NULL);
    put_level(json, "quality", event->to_level);
    itsi_json_string(json, "knob", itsi_quality_knob_name(event->knob));
    put_level(json, "from", event->from_level);
    put_level(json, "to", event->to_level);
    itsi_json_int(json, "from_rung", event->from_rung);
    itsi_json_int(json, "to_rung", event->to_rung);
    put_decoding(json, event);
    itsi_json_string(json, "reason", itsi_quality_reason_name(event->reason));
    itsi_json_string(json, "why", itsi_quality_reason_sentence(event->reason));
    itsi_quality_event_text(event, text, sizeof text);
    itsi_json_string(json, "sentence", text);
    put_inputs(json, &event->inputs);
    itsi_json_end(json, '}');
}

static void put_changes(struct itsi_json *json, struct itsi_pipeline *pipeline, int most)
{
    struct itsi_quality_change *all = most > 0 ? itsi_calloc((size_t)most, sizeof *all) : NULL;
    const size_t count = all ? itsi_pipeline_quality_changes(pipeline, all, (size_t)most) : 0;
    itsi_json_array(json, "recent_adjustments");
    for (size_t i = 0; i < count; i++)
        put_change(json, &all[i]);
    itsi_json_end(json, ']');
    itsi_free(all);
}

void itsi_document_quality(struct itsi_json *json, const char *key, struct itsi_pipeline *pipeline, int changes)
{
    struct itsi_quality_overview overview;
    struct itsi_pipeline_stats stats;
    const int cap = itsi_pipeline_cameras(pipeline, NULL, 0);
    struct itsi_camera_status *all = itsi_calloc((size_t)cap + 1, sizeof *all);
    const int there = all ? itsi_pipeline_cameras(pipeline, all, cap) : 0;
    itsi_pipeline_quality(pipeline, &overview);
    itsi_pipeline_stats(pipeline, &stats);
    itsi_json_object(json, key);
    itsi_json_bool(json, "enabled", overview.active);
    put_level(json, "global_quality_level", itsi_document_quality_level(&overview));
    itsi_json_int(json, "total_adjustments", (int64_t)overview.status.changes);
    itsi_json_bool(json, "recovery_in_progress", overview.status.recovering);
    put_cameras(json, all, there < cap ? there : cap, &overview);
    put_system(json, &overview.status, &stats);
    put_controller(json, &overview);
    itsi_document_debt(json, "debt", pipeline, all, there < cap ? there : cap);
    put_changes(json, pipeline, changes);
    itsi_json_end(json, '}');
    if (!all)
        json->out->failed = true;
    itsi_free(all);
}
