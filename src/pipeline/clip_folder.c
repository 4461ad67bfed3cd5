#include "pipeline/clip_folder.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/replace_file.h"
#include "config/camera.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".mp4";

const char *itsi_clip_state_name(enum itsi_clip_state state)
{
    static const char *const names[] = {
#define ITSI_X(name, text) text,
        ITSI_CLIP_STATE_MAP(ITSI_X)
#undef ITSI_X
    };
    return names[state];
}

/* --- names -------------------------------------------------------------------------------------------------------- */

static void empty(struct itsi_clip_facts *facts, int64_t wall_ns)
{
    *facts = (struct itsi_clip_facts){.wall_ns = wall_ns, .seconds = (double)NAN, .before = (double)NAN};
}

void itsi_clip_facts_init(struct itsi_clip_facts *facts, const char *camera, int64_t wall_ns)
{
    char time[32];
    itsi_format_wall(wall_ns, time);
    for (char *c = time; *c; c++)
        *c = *c == ':' ? '-' : *c; /* names that other systems can hold too */
    empty(facts, wall_ns);
    snprintf(facts->camera, sizeof facts->camera, "%s", camera);
    snprintf(facts->name, sizeof facts->name, "%.24s-%.64s%s", time, facts->camera, suffix);
}

/* "2026-01-31T12-00-00.123Z", and nothing that only looks like it. */
static bool parse_time(const char *text, int64_t *wall_ns)
{
    char time[ITSI_CLIP_TIME_SIZE], again[32];
    snprintf(time, sizeof time, "%.*s", ITSI_CLIP_TIME_SIZE - 1, text);
    if (strlen(time) != sizeof time - 1 || time[13] != '-' || time[16] != '-')
        return false;
    time[13] = time[16] = ':';
    if (!itsi_moment_parse(time, wall_ns))
        return false;
    itsi_format_wall(*wall_ns, again);
    return strcmp(again, time) == 0;
}

bool itsi_clip_facts_of_name(struct itsi_clip_facts *facts, const char *name)
{
    const size_t length = strlen(name), time = ITSI_CLIP_TIME_SIZE - 1, end = sizeof suffix - 1;
    char camera[ITSI_CAMERA_ID_SIZE];
    int64_t wall_ns;
    if (length <= time + 1 + end || length >= sizeof facts->name || strcmp(name + length - end, suffix) != 0 ||
        !parse_time(name, &wall_ns) || name[time] != '-')
        return false;
    snprintf(camera, sizeof camera, "%.*s", (int)(length - time - 1 - end), name + time + 1);
    if (!itsi_camera_id_valid(camera))
        return false;
    itsi_clip_facts_init(facts, camera, wall_ns);
    return strcmp(facts->name, name) == 0;
}

/* --- notes -------------------------------------------------------------------------------------------------------- */

/* "FOLDER/NAME" and what goes behind it. */
static int path_of(const char *folder, const char *name, const char *behind, char *path)
{
    return snprintf(path, PATH_MAX, "%s/%s%s", folder, name, behind) < PATH_MAX ? 0 : ITS_EINVAL;
}

static int note_path(const char *folder, const char *name, char *path)
{
    return snprintf(path, PATH_MAX, "%s/%.*s.json", folder, (int)(strlen(name) - (sizeof suffix - 1)), name) < PATH_MAX
               ? 0
               : ITS_EINVAL;
}

int itsi_clip_folder_note(const char *folder, const struct itsi_clip_facts *facts, struct its_diag *diag)
{
    char path[PATH_MAX], time[32];
    struct itsi_buf text;
    struct itsi_json json;
    if (note_path(folder, facts->name, path) != 0)
        return itsi_fail(diag, ITS_EINVAL, "clip: %s: path too long", folder);
    itsi_format_wall(facts->wall_ns, time);
    itsi_buf_init(&text);
    itsi_json_init(&json, &text);
    itsi_json_object(&json, NULL);
    itsi_json_string(&json, "camera", facts->camera);
    itsi_json_string(&json, "time", time);
    itsi_json_string(&json, "why", facts->why);
    itsi_json_string(&json, "flight_record", facts->record);
    itsi_json_string(&json, "note", facts->note);
    itsi_json_number(&json, "seconds", facts->seconds, 3);
    itsi_json_number(&json, "seconds_before", facts->before, 3);
    itsi_json_int(&json, "pictures", facts->pictures);
    itsi_json_end(&json, '}');
    const int rc = itsi_replace_file(path, &text, diag);
    itsi_buf_fini(&text);
    return rc;
}

void itsi_clip_folder_drop_note(const char *folder, const char *name)
{
    char path[PATH_MAX];
    if (note_path(folder, name, path) == 0)
        (void)unlink(path);
}

static void read_text(const json_t *note, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(note, key));
    snprintf(out, size, "%s", text ? text : "");
}

static double read_number(const json_t *note, const char *key)
{
    const json_t *value = json_object_get(note, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* What there is of it: a file that nothing was noted of is a clip all the same. */
static void read_note(const char *folder, struct itsi_clip_facts *facts)
{
    char path[PATH_MAX];
    json_t *note = note_path(folder, facts->name, path) == 0 ? json_load_file(path, 0, NULL) : NULL;
    read_text(note, "why", facts->why, sizeof facts->why);
    read_text(note, "flight_record", facts->record, sizeof facts->record);
    read_text(note, "note", facts->note, sizeof facts->note);
    facts->seconds = read_number(note, "seconds");
    facts->before = read_number(note, "seconds_before");
    facts->pictures = (int)json_integer_value(json_object_get(note, "pictures"));
    json_decref(note);
}

/* --- the folder --------------------------------------------------------------------------------------------------- */

static int is_clip(const struct dirent *entry)
{
    struct itsi_clip_facts facts;
    return itsi_clip_facts_of_name(&facts, entry->d_name);
}

static void free_names(struct dirent **names, int count)
{
    for (int i = 0; i < count; i++)
        free(names[i]);
    if (count >= 0)
        free(names);
}

static uint64_t size_of(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat info;
    return path_of(folder, name, "", path) == 0 && stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
}

int itsi_clip_folder_find(const char *folder, const char *name, struct itsi_clip_facts *out)
{
    char path[PATH_MAX];
    if (!itsi_clip_facts_of_name(out, name) || path_of(folder, name, "", path) != 0 || access(path, F_OK) != 0)
        return ITS_ENOTFOUND;
    read_note(folder, out);
    out->state = ITSI_CLIP_WRITTEN;
    out->bytes = size_of(folder, name);
    return 0;
}

int itsi_clip_folder_list(const char *folder, struct itsi_clip_facts *out, int cap)
{
    struct dirent **names;
    const int count = scandir(folder, &names, is_clip, alphasort);
    int copied = 0;
    for (int i = count - 1; i >= 0 && copied < cap; i--)
        copied += itsi_clip_folder_find(folder, names[i]->d_name, &out[copied]) == 0;
    free_names(names, count);
    return copied;
}

int itsi_clip_folder_remove(const char *folder, const char *name, struct its_diag *diag)
{
    char path[PATH_MAX];
    struct itsi_clip_facts facts;
    if (!itsi_clip_facts_of_name(&facts, name) || path_of(folder, name, "", path) != 0)
        return itsi_fail(diag, ITS_ENOTFOUND, "no clip %s", name);
    if (unlink(path) != 0)
        return errno == ENOENT ? itsi_fail(diag, ITS_ENOTFOUND, "no clip %s", name)
                               : itsi_fail_errno(diag, errno, "clip %s", name);
    itsi_clip_folder_drop_note(folder, name);
    return 0;
}

void itsi_clip_folder_retain(const char *folder, const char *newest, int files, uint64_t bytes,
                             struct itsi_clip_totals *left)
{
    struct dirent **names;
    const int count = scandir(folder, &names, is_clip, alphasort);
    int last = count - 1;
    *left = (struct itsi_clip_totals){0};
    while (newest && last > 0 && strcmp(names[last]->d_name, newest) > 0)
        last--;
    for (int i = 0; i < count; i++) {
        const char *name = names[(last - i + count) % count]->d_name; /* the newest first */
        const uint64_t size = size_of(folder, name);
        const bool fits = left->files < files && left->bytes + size <= bytes;
        if (i > 0 && !fits && itsi_clip_folder_remove(folder, name, NULL) == 0)
            continue;
        left->files++;
        left->bytes += size;
    }
    free_names(names, count);
}

/* --- what was cut short ------------------------------------------------------------------------------------------- */

/* "NAME.mp4" and what is behind it; NULL: it is nothing of a clip's. */
static const char *after_name(const char *file, struct itsi_clip_facts *facts)
{
    char name[ITSI_CLIP_NAME_SIZE];
    const char *end = strstr(file, ".mp4.");
    const size_t length = end ? (size_t)(end - file) + sizeof suffix - 1 : sizeof name;
    if (length >= sizeof name)
        return NULL;
    memcpy(name, file, length);
    name[length] = '\0';
    return itsi_clip_facts_of_name(facts, name) ? file + length + 1 : NULL;
}

static void delete(const char *folder, const char *file)
{
    char path[PATH_MAX];
    if (path_of(folder, file, "", path) == 0)
        (void)unlink(path);
}

int itsi_clip_folder_leftovers(const char *folder, struct itsi_clip_leftover *out, int cap)
{
    int count = 0;
    DIR *dir = opendir(folder);
    for (const struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        struct itsi_clip_facts facts;
        const char *form = after_name(entry->d_name, &facts);
        if (!form)
            continue;
        const bool pictures = strcmp(form, "mpegts") == 0 || strcmp(form, "matroska") == 0;
        const bool whole = pictures && size_of(folder, entry->d_name) > 0;
        if (whole && count == cap)
            continue; /* for the start after this one */
        if (whole) {
            read_note(folder, &facts);
            out[count] = (struct itsi_clip_leftover){.facts = facts};
            snprintf(out[count++].form, sizeof out->form, "%s", form);
        } else {
            delete(folder, entry->d_name);
        }
    }
    if (dir)
        closedir(dir);
    return count;
}
