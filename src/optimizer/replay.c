#include "optimizer/replay.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "config/camera.h"
#include "core/flight.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Four times as many as a daemon has at once: cameras come and go. */
enum { CAMERAS_MOST = 4096 };
enum { STAMP_INFER_START = 4, STAMP_INFER_END = 5, STAMP_HANDOVER = 8 };

struct camera {
    uint32_t index;
    char id[ITSI_CAMERA_ID_SIZE]; /* empty: the header does not know it */
};

struct itsi_replay {
    char path[2048];
    double seconds;
    struct itsi_replay_recorded recorded;
    struct camera *cameras; /* owned; by index */
    int count;
};

/* --- who is in it ------------------------------------------------------------------------------------------------- */

static int by_index(const void *a, const void *b)
{
    const uint32_t x = ((const struct camera *)a)->index, y = ((const struct camera *)b)->index;
    return (x > y) - (x < y);
}

static struct camera *find(const struct itsi_replay *r, uint32_t index)
{
    const struct camera wanted = {.index = index};
    return bsearch(&wanted, r->cameras, (size_t)r->count, sizeof wanted, by_index);
}

static int compare_numbers(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void keep_known(const struct itsi_replay *r, struct itsi_flight_file *file)
{
    size_t kept = 0;
    for (size_t i = 0; i < file->count; i++)
        if (find(r, file->entries[i].camera))
            file->entries[kept++] = file->entries[i];
    file->count = kept;
}

/* Those added first, up to `most`; entries of others are left out. Sorted, since a file from somewhere may name as many
 * cameras as it has frames. */
static int collect_cameras(struct itsi_replay *r, struct itsi_flight_file *file, int most, struct its_diag *diag)
{
    uint32_t *indices = itsi_calloc(file->count, sizeof *indices);
    r->cameras = itsi_calloc(CAMERAS_MOST, sizeof *r->cameras);
    if (!indices || !r->cameras) {
        itsi_free(indices);
        return itsi_fail(diag, ITS_ENOMEM, "replay: out of memory");
    }
    for (size_t i = 0; i < file->count; i++)
        indices[i] = file->entries[i].camera;
    qsort(indices, file->count, sizeof *indices, compare_numbers);
    size_t cameras = 0;
    for (size_t i = 0; i < file->count && cameras < (size_t)most; i++) {
        if (i > 0 && indices[i] == indices[i - 1])
            continue;
        if (cameras < CAMERAS_MOST)
            r->cameras[cameras] = (struct camera){.index = indices[i]};
        cameras++;
    }
    itsi_free(indices);
    if (cameras > CAMERAS_MOST)
        return itsi_fail(diag, ITS_ELIMIT, "flight record %s: frames of %zu cameras, at most %d can be replayed", r->path,
                         cameras, CAMERAS_MOST);
    r->count = (int)cameras;
    keep_known(r, file);
    return 0;
}

static bool is_taken(const struct itsi_replay *r, const char *id)
{
    for (int i = 0; i < r->count; i++)
        if (strcmp(r->cameras[i].id, id) == 0)
            return true;
    return false;
}

/* What the header knows: the engine's width, and the cameras' names. A camera it does not know, or whose name another
 * has (it was removed and came again), goes by its index. */
static void read_header(struct itsi_replay *r, const char *header)
{
    json_t *root = json_loads(header, 0, NULL), *listed = json_object_get(root, "cameras"), *entry;
    size_t i;
    json_array_foreach(listed, i, entry)
    {
        const char *id = json_string_value(json_object_get(entry, "id"));
        struct camera *camera = find(r, (uint32_t)json_integer_value(json_object_get(entry, "index")));
        if (camera && !camera->id[0] && id && itsi_camera_id_valid(id) && !is_taken(r, id))
            snprintf(camera->id, sizeof camera->id, "%s", id);
    }
    r->recorded.parallel = (int)json_integer_value(json_object_get(root, "parallel"));
    json_decref(root);
    for (int c = 0; c < r->count; c++)
        if (!r->cameras[c].id[0])
            snprintf(r->cameras[c].id, sizeof r->cameras[c].id, "camera-%u", r->cameras[c].index);
}

/* --- what it says ------------------------------------------------------------------------------------------------- */

static int summarise(struct itsi_replay *r, const struct itsi_flight_file *file)
{
    struct itsi_histogram whole = {0}, runs = {0};
    int rc = itsi_histogram_init(&whole, NULL);
    if (rc == 0)
        rc = itsi_histogram_init(&runs, NULL);
    for (size_t i = 0; i < file->count && rc == 0; i++) {
        const struct itsi_flight_entry *e = &file->entries[i];
        if (e->outcome >= ITSI_FLIGHT_LOST)
            continue; /* no picture of it reached the machinery */
        r->recorded.frames++;
        r->recorded.delivered += e->outcome == ITSI_FLIGHT_DELIVERED;
        r->recorded.late += e->outcome == ITSI_FLIGHT_LATE;
        r->recorded.dropped += e->outcome == ITSI_FLIGHT_DROPPED;
        r->recorded.batch_max = e->batch > r->recorded.batch_max ? e->batch : r->recorded.batch_max;
        if (e->outcome != ITSI_FLIGHT_DROPPED && e->stamp_us[STAMP_HANDOVER] != ITSI_FLIGHT_NEVER)
            itsi_histogram_record_ns(&whole, e->stamp_us[STAMP_HANDOVER] * ITSI_NS_PER_US);
        if (e->stamp_us[STAMP_INFER_END] != ITSI_FLIGHT_NEVER)
            itsi_histogram_record_ns(&runs, ((int64_t)e->stamp_us[STAMP_INFER_END] - e->stamp_us[STAMP_INFER_START]) *
                                                ITSI_NS_PER_US);
    }
    if (rc == 0) {
        itsi_histogram_quantiles(&whole, &r->recorded.end_to_end);
        r->recorded.inference_ms = itsi_histogram_at_ms(&runs, 0.5);
    }
    itsi_histogram_fini(&whole);
    itsi_histogram_fini(&runs);
    return rc;
}

int itsi_replay_open(struct itsi_replay **out, const char *path, int cameras, struct its_diag *diag)
{
    struct itsi_flight_file file;
    struct itsi_replay *r = itsi_zalloc(sizeof *r);
    if (!r)
        return itsi_fail(diag, ITS_ENOMEM, "replay: out of memory");
    int rc = itsi_flight_read(&file, path, ITSI_FLIGHT_ALL, diag);
    if (rc == 0 && file.count == 0)
        rc = itsi_fail(diag, ITS_EINVAL, "flight record %s: no frame is in it", path);
    if (rc == 0 && snprintf(r->path, sizeof r->path, "%s", path) >= (int)sizeof r->path)
        rc = itsi_fail(diag, ITS_EINVAL, "flight record %s: path too long", path);
    if (rc == 0)
        rc = collect_cameras(r, &file, cameras > 0 ? cameras : INT_MAX, diag);
    if (rc == 0 && summarise(r, &file) != 0)
        rc = itsi_fail(diag, ITS_ENOMEM, "replay: out of memory");
    if (rc == 0) {
        read_header(r, file.header);
        r->seconds = (double)(file.last_us - file.first_us) / 1e6;
    }
    itsi_flight_file_fini(&file);
    if (rc != 0) {
        itsi_replay_close(r);
        return rc;
    }
    *out = r;
    return 0;
}

void itsi_replay_close(struct itsi_replay *r)
{
    if (!r)
        return;
    itsi_free(r->cameras);
    itsi_free(r);
}

int itsi_replay_streams(const struct itsi_replay *r) { return r->count; }
double itsi_replay_seconds(const struct itsi_replay *r) { return r->seconds; }
const struct itsi_replay_recorded *itsi_replay_recorded(const struct itsi_replay *r) { return &r->recorded; }

/* The file's name as a URL's path: what has a meaning there is written as %xx. */
static void put_escaped(char *out, size_t size, const char *path)
{
    size_t used = 0;
    for (const char *p = path; *p && used + 4 < size; p++)
        used += (size_t)snprintf(out + used, size - used, strchr("%?#&", *p) ? "%%%02X" : "%c", (unsigned char)*p);
    out[used] = '\0';
}

int itsi_replay_add_cameras(const struct itsi_replay *r, struct itsi_pipeline *pipeline, int64_t start_ns,
                            struct its_diag *diag)
{
    char *whole = realpath(r->path, NULL);
    int rc = whole ? 0 : itsi_fail(diag, ITS_ENOTFOUND, "flight record %s: no longer there", r->path);
    for (int i = 0; i < r->count && rc == 0; i++) {
        struct itsi_camera camera = {.configured = true};
        char path[1900];
        put_escaped(path, sizeof path, whole);
        memcpy(camera.id, r->cameras[i].id, sizeof camera.id);
        snprintf(camera.url, sizeof camera.url, "replay://%s?camera=%u&start=%lld", path, r->cameras[i].index,
                 (long long)start_ns);
        rc = itsi_pipeline_add_camera(pipeline, &camera, diag);
    }
    free(whole);
    return rc;
}
