/* Quality debt as JSON: what the levels below full quality miss. Figures that are not known are null. */
#include "optimizer/documents.h"

#include <math.h>

static void put_range(struct itsi_json *json, const char *const keys[3], const struct itsi_debt_range *range, int digits)
{
    itsi_json_number(json, keys[0], range->value, digits);
    itsi_json_number(json, keys[1], range->low, digits);
    itsi_json_number(json, keys[2], range->high, digits);
}

static void put_estimate(struct itsi_json *json, const struct itsi_debt_estimate *e)
{
    static const char *const share[3] = {"missed_share", "missed_share_low", "missed_share_high"};
    static const char *const hour[3] = {"missed_per_hour", "missed_per_hour_low", "missed_per_hour_high"};
    put_range(json, share, &e->missed_share, 4);
    put_range(json, hour, &e->missed_per_hour, 1);
    itsi_json_number(json, "extra_share", e->extra_share, 4);
    itsi_json_number(json, "pictures", e->pictures, 1);
    itsi_json_number(json, "sightings", e->sightings, 1);
}

const struct itsi_debt_estimate *itsi_document_debt_now(const struct itsi_camera_status *s)
{
    return s->quality_level < ITSI_DEBT_LEVELS ? &s->debt[s->quality_level] : NULL;
}

void itsi_document_camera_debt(struct itsi_json *json, const struct itsi_camera_status *s)
{
    const struct itsi_debt_estimate *now = itsi_document_debt_now(s);
    if (now) {
        itsi_json_object(json, "debt");
        put_estimate(json, now);
        itsi_json_end(json, '}');
    } else {
        itsi_json_null(json, "debt");
    }
    itsi_json_object(json, "debt_by_level");
    for (int level = 0; level < ITSI_DEBT_LEVELS; level++) {
        if (!(s->debt[level].pictures > 0))
            continue;
        itsi_json_object(json, itsi_quality_name(level));
        put_estimate(json, &s->debt[level]);
        itsi_json_end(json, '}');
    }
    itsi_json_end(json, '}');
}

/* Objects that all cameras together miss an hour, as far as that is known. */
static void put_fleet(struct itsi_json *json, const struct itsi_camera_status *all, int count)
{
    int below = 0, known = 0;
    double missed = 0;
    for (int i = 0; i < count; i++) {
        const struct itsi_debt_estimate *now = itsi_document_debt_now(&all[i]);
        below += now != NULL;
        if (!now || isnan(now->missed_per_hour.value))
            continue;
        known++;
        missed += now->missed_per_hour.value;
    }
    itsi_json_int(json, "cameras_below_full", below);
    itsi_json_int(json, "cameras_estimated", known);
    itsi_json_number(json, "missed_per_hour", known || below == 0 ? missed : (double)NAN, 1);
}

static void put_level(struct itsi_json *json, const char *key, const struct itsi_debt_level *level)
{
    itsi_json_object(json, key);
    put_estimate(json, &level->estimate);
    itsi_json_object(json, "since_start");
    itsi_json_int(json, "pictures", (int64_t)level->counts.pictures);
    itsi_json_int(json, "sightings", (int64_t)level->counts.sightings);
    itsi_json_int(json, "missed", (int64_t)level->counts.missed);
    itsi_json_int(json, "extra", (int64_t)level->counts.extra);
    itsi_json_end(json, '}');
    itsi_json_end(json, '}');
}

void itsi_document_debt(struct itsi_json *json, const char *key, struct itsi_pipeline *pipeline,
                        const struct itsi_camera_status *all, int count)
{
    struct itsi_debt_overview o;
    itsi_pipeline_debt(pipeline, &o);
    itsi_json_object(json, key);
    itsi_json_number(json, "share", o.share, 6);
    put_fleet(json, all, count);
    itsi_json_number(json, "room_ms", (double)o.room_ns / 1e6, 1);
    itsi_json_int(json, "waiting", o.waiting);
    itsi_json_int(json, "analysed_again", (int64_t)o.runs);
    itsi_json_int(json, "shed", (int64_t)o.shed);
    itsi_json_int(json, "failed", (int64_t)o.failed);
    itsi_json_number(json, "engine_seconds", o.engine_seconds, 3);
    itsi_json_object(json, "levels");
    for (int level = 0; level < ITSI_DEBT_LEVELS; level++)
        put_level(json, itsi_quality_name(level), &o.levels[level]);
    itsi_json_end(json, '}');
    itsi_json_end(json, '}');
}
