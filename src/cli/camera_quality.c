#include "cli/camera_quality.h"

#include "base/json.h"
#include "cli/cli.h"
#include "config/camera.h"
#include "core/detection.h"
#include "quality/profile.h"

#include <stdio.h>
#include <string.h>

/* --- asking ------------------------------------------------------------------------------------------------------- */

static bool is_none(const char *level) { return strcmp(level, "none") == 0; }

static int check_level(const char *option, const char *level)
{
    bool known = !level || is_none(level);
    for (int l = 0; l < ITSI_QUALITY_LEVELS && !known; l++)
        known = strcmp(level, itsi_quality_name(l)) == 0;
    if (known)
        return ITSI_EXIT_OK;
    fprintf(stderr, "its-camera-ai: camera: %s must be one of", option);
    for (int l = 0; l < ITSI_QUALITY_LEVELS; l++)
        fprintf(stderr, " %s,", itsi_quality_name(l));
    fprintf(stderr, " none, not '%s'\n", level);
    return ITSI_EXIT_USAGE;
}

static int complain(const char *what)
{
    fprintf(stderr, "its-camera-ai: camera: quality: %s\n", what);
    return ITSI_EXIT_USAGE;
}

static int check(const char *id, const struct itsi_quality_wish *wish)
{
    const bool boosts = wish->boost && !is_none(wish->boost), pins = wish->pin && !is_none(wish->pin);
    int rc = check_level("--pin", wish->pin);
    if (rc == ITSI_EXIT_OK)
        rc = check_level("--boost", wish->boost);
    if (rc != ITSI_EXIT_OK)
        return rc;
    if (boosts && wish->seconds == 0)
        return complain("--boost needs --seconds: how long it holds");
    if (!boosts && wish->seconds > 0)
        return complain("--seconds belongs to --boost LEVEL");
    if (boosts && pins)
        return complain("--pin and --boost at once: a pin goes before a boost; ask for one of them");
    return itsi_camera_id_valid(id) ? ITSI_EXIT_OK : complain("that is not a camera id");
}

static void put_level(struct itsi_json *json, const char *key, const char *level)
{
    if (level)
        itsi_json_string(json, key, is_none(level) ? NULL : level);
}

static int ask(const struct itsi_daemon *daemon, const char *id, const struct itsi_quality_wish *wish, json_t **answer)
{
    struct itsi_buf body;
    struct itsi_json json;
    char path[160];
    if (!wish->pin && !wish->boost) {
        snprintf(path, sizeof path, "/api/v1/cameras/%s", id);
        return itsi_daemon_ask(daemon, "GET", path, NULL, answer);
    }
    snprintf(path, sizeof path, "/api/v1/cameras/%s/quality", id);
    itsi_buf_init(&body);
    itsi_json_init(&json, &body);
    itsi_json_object(&json, NULL);
    put_level(&json, "pin", wish->pin);
    put_level(&json, "boost", wish->boost);
    if (wish->seconds > 0)
        itsi_json_number(&json, "seconds", wish->seconds, 3);
    itsi_json_end(&json, '}');
    int rc = itsi_daemon_ask(daemon, "POST", path, body.data, answer);
    itsi_buf_fini(&body);
    return rc;
}

/* --- telling ------------------------------------------------------------------------------------------------------ */

static const char *text_of(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : otherwise;
}

static void print_target(const json_t *camera, const json_t *target)
{
    const json_t *fps = json_object_get(target, "analysed_fps"), *rows = json_object_get(target, "picture_height");
    const json_int_t interval = json_integer_value(json_object_get(target, "detect_interval"));
    printf("  analysed      %.1f of %.1f frames/s", json_number_value(json_object_get(camera, "analysed_fps")),
           json_number_value(json_object_get(camera, "source_fps")));
    if (json_is_number(fps))
        printf(", at most %.1f", json_number_value(fps));
    printf("\n  detected      at %lldx%lld", (long long)json_integer_value(json_object_get(target, "input_width")),
           (long long)json_integer_value(json_object_get(target, "input_height")));
    if (interval > 1)
        printf(", one frame of %lld", (long long)interval);
    printf("\n  decoded       %s frames of the %s stream\n", text_of(target, "decode", "all"),
           json_is_true(json_object_get(target, "sub_stream")) ? "sub" : "main");
    if (json_is_number(rows))
        printf("  pictures      at most %.0f rows, JPEG quality %.0f\n", json_number_value(rows),
               json_number_value(json_object_get(target, "picture_quality")));
    else
        printf("  pictures      as the server is configured\n");
}

static double figure(const json_t *object, const char *key) { return json_number_value(json_object_get(object, key)); }

/* What the level misses; at full quality there is nothing to say. */
static void print_debt(const json_t *debt)
{
    if (!json_is_object(debt))
        return;
    printf("  misses        ");
    if (!json_is_number(json_object_get(debt, "missed_share"))) {
        printf("not known yet (%.0f pictures compared with full analysis)\n", figure(debt, "pictures"));
        return;
    }
    printf("%.1f %% (%.1f to %.1f) of what full analysis finds", figure(debt, "missed_share") * 100,
           figure(debt, "missed_share_low") * 100, figure(debt, "missed_share_high") * 100);
    if (json_is_number(json_object_get(debt, "missed_per_hour")))
        printf(", about %.0f objects an hour", figure(debt, "missed_per_hour"));
    printf("; %.0f pictures compared\n", figure(debt, "pictures"));
}

static void print_table(const json_t *camera)
{
    const json_t *quality = json_object_get(camera, "quality");
    const json_int_t changes = json_integer_value(json_object_get(quality, "adjustment_count"));
    printf("%s\n", text_of(camera, "id", "?"));
    printf("  level         %s, %lld change%s%s\n", text_of(quality, "current_quality", "?"), (long long)changes,
           changes == 1 ? "" : "s", json_is_true(json_object_get(quality, "is_priority")) ? ", priority" : "");
    if (json_is_string(json_object_get(quality, "held_why")))
        printf("  held          %s\n", text_of(quality, "held_why", ""));
    print_target(camera, json_object_get(quality, "target"));
    print_debt(json_object_get(quality, "debt"));
    printf("  pin           %s\n", text_of(quality, "pin", "none"));
    printf("  boost         %s", text_of(quality, "boost", "none"));
    if (json_is_string(json_object_get(quality, "boost")))
        printf(", %.0f s left", json_number_value(json_object_get(quality, "boost_seconds_left")));
    putchar('\n');
    if (json_is_string(json_object_get(quality, "note")))
        printf("  note          %s\n", text_of(quality, "note", ""));
}

int itsi_camera_quality(const struct itsi_daemon *daemon, const char *id, const struct itsi_quality_wish *wish, bool json)
{
    json_t *answer = NULL;
    int rc = check(id, wish);
    if (rc == ITSI_EXIT_OK)
        rc = ask(daemon, id, wish, &answer);
    if (rc == ITSI_EXIT_OK && json) {
        json_dumpf(answer, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (rc == ITSI_EXIT_OK) {
        print_table(answer);
    }
    json_decref(answer);
    return rc;
}
