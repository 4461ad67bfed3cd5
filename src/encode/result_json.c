#include "encode/result_json.h"

#include "base/clock.h"

static double to_ms(int64_t ns) { return (double)ns / (double)ITSI_NS_PER_MS; }

static void put_stages(struct itsi_json *json, const struct itsi_breakdown *breakdown)
{
    itsi_json_object(json, "stages");
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        if (breakdown->wait[s] == 0 && breakdown->service[s] == 0)
            continue; /* happens after the hand-over, or did not happen */
        itsi_json_object(json, itsi_stage_name((enum itsi_stage)s));
        itsi_json_number(json, "wait_ms", to_ms(breakdown->wait[s]), 3);
        itsi_json_number(json, "service_ms", to_ms(breakdown->service[s]), 3);
        itsi_json_end(json, '}');
    }
    itsi_json_end(json, '}');
    itsi_json_number(json, "unattributed_ms", to_ms(breakdown->unattributed), 3);
}

static void put_detection(struct itsi_json *json, const struct itsi_detection *d, const char *const *names,
                          int name_count)
{
    char made_up[ITSI_CLASS_NAME_SIZE];
    itsi_json_object(json, NULL);
    itsi_json_string(json, "class", itsi_class_name(names, name_count, d->cls, made_up));
    itsi_json_int(json, "class_id", d->cls);
    itsi_json_number(json, "score", (double)d->score, 4);
    itsi_json_array(json, "box");
    itsi_json_number(json, NULL, (double)d->x1, 1);
    itsi_json_number(json, NULL, (double)d->y1, 1);
    itsi_json_number(json, NULL, (double)d->x2, 1);
    itsi_json_number(json, NULL, (double)d->y2, 1);
    itsi_json_end(json, ']');
    if (d->track >= 0)
        itsi_json_int(json, "track", d->track);
    itsi_json_end(json, '}');
}

void itsi_result_json(struct itsi_json *json, const char *key, const struct itsi_result *result,
                      const char *const *names, int name_count, int64_t now)
{
    const struct itsi_frame_info *info = &result->info;
    char time[32];
    itsi_format_wall(info->capture_wall_ns, time);
    itsi_json_object(json, key);
    itsi_json_string(json, "camera", info->camera_id);
    itsi_json_int(json, "seq", (int64_t)info->seq);
    itsi_json_int(json, "epoch", info->epoch);
    if (result->trace_id[0])
        itsi_json_string(json, "trace_id", result->trace_id);
    itsi_json_string(json, "capture_time", time);
    itsi_json_string(json, "origin", itsi_origin_name(info->origin_kind));
    itsi_json_number(json, "age_ms", to_ms(now - info->trace.origin), 1);
    itsi_json_number(json, "latency_ms", to_ms(result->breakdown.end_to_end), 3);
    itsi_json_bool(json, "late", result->late);
    itsi_json_bool(json, "tracked", result->tracked);
    itsi_json_int(json, "quality_level", result->quality_level);
    itsi_json_string(json, "quality", itsi_quality_name(result->quality_level));
    itsi_json_int(json, "batch", result->batch);
    itsi_json_int(json, "width", info->width);
    itsi_json_int(json, "height", info->height);
    if (info->media_ns >= 0)
        itsi_json_number(json, "media_ms", to_ms(info->media_ns), 3);
    put_stages(json, &result->breakdown);
    itsi_json_array(json, "detections");
    for (int i = 0; i < result->count; i++)
        put_detection(json, &result->boxes[i], names, name_count);
    itsi_json_end(json, ']');
    itsi_json_end(json, '}');
}
