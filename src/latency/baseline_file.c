/* The store's file:
 *
 *   {"format": "its-latency-baselines", "version": 2, "entries": [
 *     {"build": "...", "model": "...", "config": "...", "hardware": "...", "band": 26, "wall_s": 1769860800,
 *      "series": [{"stage": "ml_inference", "kind": "service", "batches": 3600, "level": 9.7421, "variance": 0.00031,
 *                  "covariance": 0.00012, "long_run": 0.0011, "residual": {"batches": 3600, ...}}, ...],
 *      "peers": [{"kind": "service", "batches": 3600, "stages": ["camera_capture", "ml_inference", ...],
 *                 "products": [[0.0072, 0.0041, ...], ...]}, ...]}, ...]}
 *
 * Version 1 had neither residuals nor peers: its levels hold, the rest is learned beside them. Everything is checked
 * before any of it is taken. */
#include "latency/baseline_store_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/replace_file.h"
#include "config/secret.h"
#include "latency/regression_peers.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORMAT "its-latency-baselines"
enum { VERSION = 2, OLDEST_VERSION = 1, FILE_MOST = 4 << 20, PATH_SIZE = 4096 };

/* --- writing ----------------------------------------------------------------------------------------------------- */

static void put_baseline(struct itsi_json *json, const struct itsi_baseline *b)
{
    itsi_json_int(json, "batches", b->batches);
    itsi_json_number(json, "level", b->level, 6);
    itsi_json_number(json, "variance", b->variance, 9);
    itsi_json_number(json, "covariance", b->covariance, 9);
    itsi_json_number(json, "long_run", b->long_run, 9);
}

static void put_series(struct itsi_json *json, enum itsi_time_kind kind, enum itsi_stage stage,
                       const struct itsi_baseline *b, const struct itsi_baseline *residual)
{
    itsi_json_object(json, NULL);
    itsi_json_string(json, "stage", itsi_stage_name(stage));
    itsi_json_string(json, "kind", itsi_time_kind_name(kind));
    put_baseline(json, b);
    if (itsi_baseline_known(residual)) {
        itsi_json_object(json, "residual");
        put_baseline(json, residual);
        itsi_json_end(json, '}');
    }
    itsi_json_end(json, '}');
}

static void put_peers(struct itsi_json *json, enum itsi_time_kind kind, const struct itsi_peers *peers)
{
    itsi_json_object(json, NULL);
    itsi_json_string(json, "kind", itsi_time_kind_name(kind));
    itsi_json_int(json, "batches", peers->batches);
    itsi_json_array(json, "stages");
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        if (itsi_peers_has(peers, (enum itsi_stage)s))
            itsi_json_string(json, NULL, itsi_stage_name((enum itsi_stage)s));
    itsi_json_end(json, ']');
    itsi_json_array(json, "products");
    for (int a = 0; a < ITSI_STAGE_COUNT; a++) {
        if (!itsi_peers_has(peers, (enum itsi_stage)a))
            continue;
        itsi_json_array(json, NULL);
        for (int b = 0; b < ITSI_STAGE_COUNT; b++)
            if (itsi_peers_has(peers, (enum itsi_stage)b))
                itsi_json_number(json, NULL, peers->product[a][b], 9);
        itsi_json_end(json, ']');
    }
    itsi_json_end(json, ']');
    itsi_json_end(json, '}');
}

static void put_entry(struct itsi_json *json, const struct itsi_baseline_entry *entry)
{
    itsi_json_object(json, NULL);
    itsi_json_string(json, "build", entry->key.build);
    itsi_json_string(json, "model", entry->key.model);
    itsi_json_string(json, "config", entry->key.config);
    itsi_json_string(json, "hardware", entry->key.hardware);
    itsi_json_int(json, "band", entry->key.band);
    itsi_json_int(json, "wall_s", entry->wall_ns / ITSI_NS_PER_S);
    itsi_json_array(json, "series");
    for (int k = 0; k < ITSI_SERIES_KIND_COUNT; k++)
        for (int s = 0; s < ITSI_STAGE_COUNT; s++)
            if (itsi_baseline_known(&entry->set.series[k][s]))
                put_series(json, (enum itsi_time_kind)k, (enum itsi_stage)s, &entry->set.series[k][s],
                           &entry->set.residual[k][s]);
    itsi_json_end(json, ']');
    itsi_json_array(json, "peers");
    for (int k = 0; k < ITSI_SERIES_KIND_COUNT; k++)
        if (itsi_peers_known(&entry->set.peers[k]))
            put_peers(json, (enum itsi_time_kind)k, &entry->set.peers[k]);
    itsi_json_end(json, ']');
    itsi_json_end(json, '}');
}

static void put_store(const struct itsi_baseline_store *store, struct itsi_buf *out)
{
    struct itsi_json json;
    itsi_json_init(&json, out);
    itsi_json_object(&json, NULL);
    itsi_json_string(&json, "format", FORMAT);
    itsi_json_int(&json, "version", VERSION);
    itsi_json_array(&json, "entries");
    for (int i = 0; i < store->count; i++)
        put_entry(&json, &store->entries[i]);
    itsi_json_end(&json, ']');
    itsi_json_end(&json, '}');
    itsi_buf_puts(out, "\n");
}

int itsi_baseline_store_save(const struct itsi_baseline_store *store, struct its_diag *diag)
{
    struct itsi_buf text;
    itsi_buf_init(&text);
    put_store(store, &text);
    const int rc = text.failed ? itsi_fail(diag, ITS_ENOMEM, "out of memory")
                               : itsi_replace_file(store->path, &text, diag);
    itsi_buf_fini(&text);
    return rc == 0 ? 0 : itsi_diag_prefix(diag, rc, "baselines");
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static bool number_of(const json_t *object, const char *key, double *out)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        return false;
    *out = json_number_value(value);
    return true;
}

static bool integer_of(const json_t *object, const char *key, int64_t least, int64_t most, int64_t *out)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > most)
        return false;
    *out = json_integer_value(value);
    return true;
}

/* -1: no such kind, or none named. */
static int kind_named(const json_t *object)
{
    const char *name = text_of(object, "kind");
    for (int k = 0; name && k < ITSI_SERIES_KIND_COUNT; k++)
        if (strcmp(name, itsi_time_kind_name((enum itsi_time_kind)k)) == 0)
            return k;
    return -1;
}

static int stage_named(const char *name)
{
    for (int s = 0; name && s < ITSI_STAGE_COUNT; s++)
        if (strcmp(name, itsi_stage_name((enum itsi_stage)s)) == 0)
            return s;
    return -1;
}

static bool read_baseline(const json_t *object, struct itsi_baseline *out)
{
    struct itsi_baseline b;
    int64_t batches;
    if (!integer_of(object, "batches", ITSI_BASELINE_WARMUP, ITSI_BASELINE_FULL, &batches) ||
        !number_of(object, "level", &b.level) || !number_of(object, "variance", &b.variance) ||
        !number_of(object, "covariance", &b.covariance) || !number_of(object, "long_run", &b.long_run))
        return false;
    b.batches = (uint32_t)batches;
    *out = b;
    return itsi_baseline_valid(&b);
}

static bool read_series(const json_t *object, struct itsi_baseline_set *set)
{
    const int kind = kind_named(object), stage = stage_named(text_of(object, "stage"));
    const json_t *residual = json_object_get(object, "residual");
    return kind >= 0 && stage >= 0 && read_baseline(object, &set->series[kind][stage]) &&
           (!residual || read_baseline(residual, &set->residual[kind][stage]));
}

static bool read_products(const json_t *stages, const json_t *rows, struct itsi_peers *out)
{
    const size_t count = json_array_size(stages);
    if (!json_is_array(stages) || !json_is_array(rows) || count > ITSI_STAGE_COUNT || json_array_size(rows) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows, i);
        const int a = stage_named(json_string_value(json_array_get(stages, i)));
        if (a < 0 || json_array_size(row) != count)
            return false;
        for (size_t j = 0; j < count; j++) {
            const int b = stage_named(json_string_value(json_array_get(stages, j)));
            if (b < 0 || !json_is_number(json_array_get(row, j)))
                return false;
            out->product[a][b] = json_number_value(json_array_get(row, j));
        }
    }
    return true;
}

static bool read_peers(const json_t *object, struct itsi_baseline_set *set)
{
    const int kind = kind_named(object);
    struct itsi_peers peers = {0};
    int64_t batches;
    if (kind < 0 || !integer_of(object, "batches", ITSI_BASELINE_WARMUP, ITSI_BASELINE_FULL, &batches) ||
        !read_products(json_object_get(object, "stages"), json_object_get(object, "products"), &peers))
        return false;
    peers.batches = (uint32_t)batches;
    set->peers[kind] = peers;
    return itsi_peers_valid(&peers);
}

static bool read_entry(const json_t *object, struct itsi_baseline_entry *out)
{
    const char *build = text_of(object, "build"), *model = text_of(object, "model");
    const char *config = text_of(object, "config"), *hardware = text_of(object, "hardware");
    const json_t *series = json_object_get(object, "series");
    int64_t band, wall_s;
    if (!build || !model || !config || !hardware || !json_is_array(series) ||
        !integer_of(object, "band", 0, ITSI_LOAD_BAND_COUNT - 1, &band) ||
        !integer_of(object, "wall_s", 0, INT64_MAX / ITSI_NS_PER_S, &wall_s))
        return false;
    memset(out, 0, sizeof *out);
    itsi_baseline_key(&out->key, build, model, config, hardware, (int)band);
    out->wall_ns = wall_s * ITSI_NS_PER_S;
    size_t i;
    json_t *one;
    json_array_foreach(series, i, one) {
        if (!read_series(one, &out->set))
            return false;
    }
    json_array_foreach(json_object_get(object, "peers"), i, one) {
        if (!read_peers(one, &out->set))
            return false;
    }
    return true;
}

static int read_entries(struct itsi_baseline_store *store, const json_t *root, struct its_diag *diag)
{
    const json_t *entries = json_object_get(root, "entries");
    if (!json_is_array(entries))
        return itsi_fail(diag, ITS_EFORMAT, "has no entries");
    if (json_array_size(entries) > ITSI_BASELINE_KEYS)
        return itsi_fail(diag, ITS_EFORMAT, "holds %zu entries, more than %d", json_array_size(entries),
                         ITSI_BASELINE_KEYS);
    size_t i;
    json_t *one;
    json_array_foreach(entries, i, one) {
        if (!read_entry(one, &store->entries[i]))
            return itsi_fail(diag, ITS_EFORMAT, "entry %zu is damaged", i);
    }
    store->count = (int)json_array_size(entries);
    return 0;
}

static int read_document(struct itsi_baseline_store *store, const char *text, size_t len, struct its_diag *diag)
{
    json_error_t error;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!root && json_error_code(&error) == json_error_out_of_memory)
        return itsi_fail(diag, ITS_ENOMEM, "out of memory");
    if (!root)
        return itsi_fail(diag, ITS_EFORMAT, "line %d: %s", error.line, error.text);
    const char *format = text_of(root, "format");
    int64_t version;
    int rc;
    if (!format || strcmp(format, FORMAT) != 0)
        rc = itsi_fail(diag, ITS_EFORMAT, "is no file of latency baselines");
    else if (!integer_of(root, "version", OLDEST_VERSION, VERSION, &version))
        rc = itsi_fail(diag, ITS_EFORMAT, "is of another version than %d to %d", OLDEST_VERSION, VERSION);
    else
        rc = read_entries(store, root, diag);
    json_decref(root);
    return rc;
}

/* Renames the file out of the way, and says so behind the reason. */
static int set_aside(const char *path, struct its_diag *diag)
{
    struct its_diag why = {""};
    char aside[PATH_SIZE];
    if (diag)
        why = *diag;
    const int used = snprintf(aside, sizeof aside, "%s.damaged", path);
    const bool moved = used > 0 && (size_t)used < sizeof aside && rename(path, aside) == 0;
    return itsi_fail(diag, ITS_EFORMAT, "baselines \"%.150s\": %.200s%s", path, why.text,
                     moved ? "; kept as .damaged, starting without" : "; starting without");
}

int itsi_baseline_store_load(struct itsi_baseline_store *store, struct its_diag *diag)
{
    memset(store->entries, 0, sizeof store->entries);
    store->count = 0;
    if (access(store->path, F_OK) != 0 && errno == ENOENT)
        return 0;
    char *text;
    size_t len;
    int rc = itsi_read_file(store->path, FILE_MOST, &text, &len, diag);
    if (rc != 0)
        return rc;
    rc = read_document(store, text, len, diag);
    itsi_free(text);
    if (rc == ITS_EFORMAT)
        return set_aside(store->path, diag);
    return rc == 0 ? 0 : itsi_diag_prefix(diag, rc, "baselines \"%.200s\"", store->path);
}
