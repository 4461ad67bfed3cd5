/* The flight recorder's place in the pipeline: every frame's end goes in, and a breach freezes it to a file. */
#include "pipeline/pipeline_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/dirs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/url.h"
#include "its/its.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".flight"

/* What a minute of a camera takes, at the rate most cameras send; a quicker one shortens the record, it loses nothing
 * else. */
static size_t ring_capacity(const struct its_cfg *cfg)
{
    const size_t most = ((size_t)64 << 20) / sizeof(struct itsi_flight_entry);
    double wanted = (double)cfg->monitor.flight_recorder_seconds * 30.0 *
                    (double)cfg->general.max_concurrent_streams;
    return wanted < (double)most ? (size_t)wanted + 1 : most;
}

int itsi_pipeline_make_flight(struct itsi_pipeline *p, const struct its_cfg *cfg, struct its_diag *diag)
{
    char folder[4096];
    if (cfg->monitor.flight_recorder_seconds == 0)
        return 0;
    if (snprintf(folder, sizeof folder, "%s/flight", cfg->general.data_dir) >= (int)sizeof folder)
        return itsi_fail(diag, ITS_EINVAL, "data_dir: path too long");
    if (!(p->flight_folder = itsi_strdup(folder)))
        return itsi_fail(diag, ITS_ENOMEM, "flight recorder: out of memory");
    p->flight_ns = cfg->monitor.flight_recorder_seconds * ITSI_NS_PER_S;
    return itsi_flight_ring_create(&p->flight, ring_capacity(cfg), diag);
}

void itsi_flight_delivered(struct itsi_camera_stream *stream, const struct itsi_result *result)
{
    struct itsi_flight_entry entry;
    if (!stream->pipeline->flight)
        return;
    itsi_flight_entry_of(&result->info, &entry);
    entry.outcome = result->late ? ITSI_FLIGHT_LATE : ITSI_FLIGHT_DELIVERED;
    entry.batch = (uint8_t)result->batch;
    entry.level = (uint8_t)result->quality_level;
    entry.boxes = (uint32_t)result->count;
    itsi_flight_note(stream->pipeline->flight, &entry);
}

void itsi_flight_dropped(struct itsi_camera_stream *stream, const struct itsi_frame *frame, enum itsi_stage stage,
                         enum itsi_drop reason)
{
    struct itsi_flight_entry entry;
    if (!stream->pipeline->flight)
        return;
    itsi_flight_entry_of(&frame->info, &entry);
    entry.outcome = ITSI_FLIGHT_DROPPED;
    entry.stage = (uint8_t)stage;
    entry.reason = (uint8_t)reason;
    itsi_flight_note(stream->pipeline->flight, &entry);
}

void itsi_flight_lost(struct itsi_camera_stream *stream, const struct itsi_frame_info *info, enum itsi_drop reason,
                      bool damaged)
{
    struct itsi_flight_entry entry;
    if (!stream->pipeline->flight)
        return;
    itsi_flight_entry_of(info, &entry);
    entry.outcome = damaged ? ITSI_FLIGHT_CORRUPT : ITSI_FLIGHT_LOST;
    entry.stage = ITSI_STAGE_CAMERA_CAPTURE;
    entry.reason = (uint8_t)reason;
    itsi_flight_note(stream->pipeline->flight, &entry);
}

/* --- freezing ----------------------------------------------------------------------------------------------------- */

static void put_cameras(struct itsi_pipeline *p, struct itsi_json *json)
{
    itsi_json_array(json, "cameras");
    pthread_mutex_lock(&p->table);
    for (struct itsi_camera_stream *s = p->streams; s; s = s->next) {
        char url[2048];
        itsi_url_redact(s->config.url, url, sizeof url);
        itsi_json_object(json, NULL);
        itsi_json_int(json, "index", s->index);
        itsi_json_string(json, "id", s->config.id);
        itsi_json_string(json, "url", url);
        itsi_json_int(json, "priority", s->config.priority);
        itsi_json_end(json, '}');
    }
    for (uint64_t i = 0; i < p->gone_count && i < ITSI_GONE; i++) {
        itsi_json_object(json, NULL);
        itsi_json_int(json, "index", p->gone[i].index);
        itsi_json_string(json, "id", p->gone[i].id);
        itsi_json_bool(json, "gone", true);
        itsi_json_end(json, '}');
    }
    pthread_mutex_unlock(&p->table);
    itsi_json_end(json, ']');
}

static char *make_header(struct itsi_pipeline *p, const char *why, int64_t wall)
{
    char time[32];
    struct itsi_buf text;
    struct itsi_json json;
    itsi_buf_init(&text);
    itsi_json_init(&json, &text);
    itsi_format_wall(wall, time);
    itsi_json_object(&json, NULL);
    itsi_json_string(&json, "why", why);
    itsi_json_string(&json, "frozen_at", time);
    itsi_json_int(&json, "monotonic_us", itsi_now_ns() / 1000);
    itsi_json_string(&json, "version", its_version());
    itsi_json_string(&json, "backend", p->info.backend);
    itsi_json_string(&json, "model", p->info.model);
    itsi_json_string(&json, "precision", p->info.precision);
    itsi_json_int(&json, "width", p->info.width);
    itsi_json_int(&json, "height", p->info.height);
    itsi_json_int(&json, "parallel", p->info.parallel);
    itsi_json_number(&json, "deadline_ms", (double)atomic_load(&p->budget_ns) / 1e6, 3);
    put_cameras(p, &json);
    itsi_json_end(&json, '}');
    return itsi_buf_take(&text);
}

static int is_record(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name), suffix = strlen(SUFFIX);
    return len > suffix && strcmp(entry->d_name + len - suffix, SUFFIX) == 0;
}

/* Names are times, so the alphabet is the order of the records: oldest first. But what is named later than the newest
 * was written before the clock was set back, and is older than all. */
static void forget_oldest(const char *folder, const char *newest, int keep)
{
    struct dirent **found;
    int count = scandir(folder, &found, is_record, alphasort), after = 0;
    while (after < count && strcmp(found[after]->d_name, newest) <= 0)
        after++;
    for (int i = 0; i < count - keep; i++) {
        char path[4096];
        if (snprintf(path, sizeof path, "%s/%s", folder, found[(after + i) % count]->d_name) < (int)sizeof path)
            (void)unlink(path);
    }
    for (int i = 0; i < count; i++)
        free(found[i]);
    if (count >= 0)
        free(found);
}

/* Into a file that is named by the time; the lock is held. */
static int write_record(struct itsi_pipeline *p, const struct itsi_flight_entry *entries, size_t count, const char *why,
                        char *path, size_t size, struct its_diag *diag)
{
    int64_t wall = itsi_wall_ns();
    char time[32];
    itsi_format_wall(wall, time);
    for (char *c = time; *c; c++)
        *c = *c == ':' ? '-' : *c; /* names that other systems can hold too */
    if (snprintf(path, size, "%s/%s" SUFFIX, p->flight_folder, time) >= (int)size)
        return itsi_fail(diag, ITS_EINVAL, "flight recorder: %s: path too long", p->flight_folder);
    char *header = make_header(p, why, wall);
    if (!header)
        return itsi_fail(diag, ITS_ENOMEM, "flight recorder: out of memory");
    int rc = itsi_make_dirs(p->flight_folder, "for flight records", diag);
    if (rc == 0)
        rc = itsi_flight_write(path, header, entries, count, diag);
    if (rc == 0)
        forget_oldest(p->flight_folder, strrchr(path, '/') + 1, atomic_load(&p->flight_files));
    itsi_free(header);
    return rc;
}

static bool has_camera(struct itsi_pipeline *p, const char *id)
{
    struct itsi_camera_stream *stream = itsi_stream_find(p, id);
    const bool has = stream != NULL;
    itsi_stream_unref(stream);
    return has;
}

int itsi_pipeline_freeze(struct itsi_pipeline *p, const char *why, const char *camera, struct itsi_frozen *out,
                         struct its_diag *diag)
{
    if (!p->flight)
        return itsi_fail(diag, ITS_EUNSUPPORTED, "the flight recorder is switched off (flight_recorder_seconds is 0)");
    if (camera && !has_camera(p, camera))
        return itsi_fail(diag, ITS_ENOTFOUND, "no camera %s", camera);
    struct itsi_flight_entry *entries;
    size_t count;
    int rc = itsi_flight_copy(p->flight, (itsi_now_ns() - p->flight_ns) / 1000, &entries, &count, diag);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&p->freezing);
    rc = write_record(p, entries, count, why, out->path, sizeof out->path, diag);
    pthread_mutex_unlock(&p->freezing);
    itsi_free(entries);
    if (rc == 0)
        itsi_pipeline_keep_clips(p, camera, why, out);
    return rc;
}
