/* The public engine: a pipeline, the model it runs, and one subscription for its_engine_next. */
#include "optimizer/engine.h"
#include "optimizer/config_handle.h"
#include "optimizer/pools_view.h"
#include "pipeline/result_writer.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "infer/shipped.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Results that wait for a caller of its_engine_next before the oldest is lost. */
enum { NEXT_DEPTH = 256 };

struct its_engine {
    struct itsi_config *config; /* a reference */
    struct itsi_model_choice choice;
    struct itsi_pools *pools; /* outlive the pipeline */
    struct itsi_pipeline *pipeline;
    pthread_mutex_t lifecycle; /* start and stop, one at a time; and the making of `results` */
    struct itsi_subscription *results; /* made by the first its_engine_next: who never asks costs nothing */
    struct itsi_result_writer *writer; /* NULL: no JSON-lines file */
    int64_t initialization_ns;
};

/* --- the model ---------------------------------------------------------------------------------------------------- */

const char *itsi_model_path(const struct its_cfg *cfg, char *room, size_t size)
{
    if (cfg->general.model)
        return cfg->general.model;
    return cfg->general.backend != ITSI_BACKEND_NULL && itsi_shipped_model(room, size) ? room : NULL;
}

static int open_model(struct itsi_model_choice *choice, const char *path, const char *labels, struct its_diag *diag)
{
    int rc = itsi_model_open(&choice->model, path, diag);
    if (rc != 0)
        return rc;
    choice->has_model = true;
    const char *name = strrchr(path, '/');
    snprintf(choice->shown, sizeof choice->shown, "%.255s", name ? name + 1 : path);
    return labels ? itsi_model_load_labels(&choice->model, labels, diag) : 0;
}

int itsi_model_choose(struct itsi_model_choice *out, const struct its_cfg *cfg, struct its_diag *diag)
{
    static const char *const names[] = {NULL, "openvino", "null"};
    memset(out, 0, sizeof *out);
    const char *wanted = names[cfg->general.backend];
    out->backend = wanted ? itsi_backend_find(wanted) : NULL;
    if (wanted && !out->backend)
        return itsi_fail(diag, ITS_EUNSUPPORTED, "backend '%s' is not part of this build", wanted);
    char room[sizeof out->model.path];
    const char *path = itsi_model_path(cfg, room, sizeof room);
    if (path) {
        int rc = open_model(out, path, cfg->general.labels, diag);
        if (rc != 0)
            itsi_model_choice_fini(out);
        return rc;
    }
    if (cfg->general.backend != ITSI_BACKEND_NULL)
        return itsi_fail(diag, ITS_EINVAL, "no model: " ITSI_SHIPPED_MODEL " is not installed with this program; name one "
                         "with --model FILE, or run without detection with --set backend=null");
    snprintf(out->shown, sizeof out->shown, "none (null backend, detects nothing)");
    return 0;
}

void itsi_model_choice_fini(struct itsi_model_choice *choice)
{
    if (choice->has_model)
        itsi_model_fini(&choice->model);
    choice->has_model = false;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static int add_configured(struct its_engine *engine, const struct itsi_config_camera *from, struct its_diag *diag)
{
    struct itsi_camera camera = {.priority = from->priority, .fps = from->fps, .configured = true};
    snprintf(camera.id, sizeof camera.id, "%s", from->id);
    snprintf(camera.url, sizeof camera.url, "%s", from->url);
    snprintf(camera.sub_url, sizeof camera.sub_url, "%s", from->sub_url ? from->sub_url : "");
    return itsi_pipeline_add_camera(engine->pipeline, &camera, diag);
}

static int add_all_configured(struct its_engine *engine, struct its_diag *diag)
{
    const struct itsi_config_cameras *cameras = &engine->config->cameras;
    int rc = 0;
    for (size_t i = 0; i < cameras->count && rc == 0; i++)
        rc = add_configured(engine, &cameras->items[i], diag);
    return rc;
}

/* From then on the model shown is the file that runs, which may be the int8 version of the one chosen. */
static int create_pipeline(struct its_engine *engine, const struct itsi_pipeline_params *params, struct its_diag *diag)
{
    struct itsi_pipeline_stats stats;
    int rc = itsi_pipeline_create(&engine->pipeline, params, diag);
    if (rc != 0)
        return rc;
    itsi_pipeline_stats(engine->pipeline, &stats);
    if (stats.engine.model[0])
        snprintf(engine->choice.shown, sizeof engine->choice.shown, "%s", stats.engine.model);
    return 0;
}

int itsi_engine_create(its_engine **out, struct itsi_config *config, int64_t null_base_ns, struct its_diag *diag)
{
    int64_t start = itsi_now_ns();
    struct its_engine *engine = itsi_zalloc(sizeof *engine);
    if (!engine)
        return itsi_fail(diag, ITS_ENOMEM, "engine: out of memory");
    pthread_mutex_init(&engine->lifecycle, NULL);
    engine->config = itsi_config_ref(config);
    int rc = itsi_model_choose(&engine->choice, &config->cfg, diag);
    if (rc == 0)
        rc = itsi_pools_create(&engine->pools, &config->cfg, diag);
    if (rc != 0) {
        its_engine_destroy(engine);
        return rc;
    }
    const struct itsi_pipeline_params params = {
        .cfg = &config->cfg,
        .model = engine->choice.has_model ? &engine->choice.model : NULL,
        .backend = engine->choice.backend,
        .null_base_ns = null_base_ns,
        .ffmpeg = itsi_pools_ffmpeg(engine->pools),
        .store = itsi_pools_store(engine->pools),
        .look_at_pools = itsi_pools_outages,
        .pools = engine->pools,
    };
    rc = create_pipeline(engine, &params, diag);
    if (rc == 0)
        rc = add_all_configured(engine, diag);
    if (rc != 0) {
        its_engine_destroy(engine);
        return rc;
    }
    engine->initialization_ns = itsi_now_ns() - start;
    *out = engine;
    return 0;
}

int its_engine_create(its_engine **out, const its_config *config, struct its_diag *diag)
{
    struct itsi_config *loaded;
    int rc = itsi_config_load(&loaded, itsi_config_handle_args(config), diag);
    if (rc != 0)
        return rc;
    rc = itsi_engine_create(out, loaded, 0, diag);
    itsi_config_unref(&loaded);
    return rc;
}

int its_engine_start(its_engine *engine, struct its_diag *diag)
{
    int rc = 0;
    pthread_mutex_lock(&engine->lifecycle);
    if (engine->config->cfg.output.jsonl_path && !engine->writer)
        rc = itsi_result_writer_start(&engine->writer, engine->pipeline, &engine->config->cfg.output, diag);
    if (rc == 0)
        rc = itsi_pipeline_start(engine->pipeline, diag);
    pthread_mutex_unlock(&engine->lifecycle);
    return rc;
}

void its_engine_stop(its_engine *engine, int32_t drain_ms)
{
    pthread_mutex_lock(&engine->lifecycle);
    itsi_pipeline_stop(engine->pipeline, itsi_now_ns() + drain_ms * ITSI_NS_PER_MS);
    itsi_result_writer_stop(engine->writer); /* kept: the server's threads may be asking its status */
    pthread_mutex_unlock(&engine->lifecycle);
}

void itsi_engine_finish_store(its_engine *engine)
{
    itsi_pools_finish_store(engine->pools, itsi_now_ns() + ITSI_ENGINE_ROWS_NS);
}

void its_engine_destroy(its_engine *engine)
{
    if (!engine)
        return;
    if (engine->pipeline)
        its_engine_stop(engine, 0);
    itsi_result_writer_destroy(engine->writer);
    itsi_subscription_close(engine->results);
    itsi_pipeline_destroy(engine->pipeline);
    if (engine->pools)
        itsi_engine_finish_store(engine);
    itsi_pools_destroy(engine->pools, itsi_now_ns() + ITSI_ENGINE_POOLS_NS);
    itsi_model_choice_fini(&engine->choice);
    itsi_config_unref(&engine->config);
    pthread_mutex_destroy(&engine->lifecycle);
    itsi_free(engine);
}

struct itsi_pipeline *itsi_engine_pipeline(its_engine *engine) { return engine->pipeline; }
struct itsi_pools *itsi_engine_pools(its_engine *engine) { return engine->pools; }

void itsi_engine_status_source(its_engine *engine, struct itsi_status_source *out)
{
    *out = (struct itsi_status_source){
        .pipeline = engine->pipeline,
        .pools = engine->pools,
        .cfg = &engine->config->cfg,
        .model = engine->choice.shown,
        .initialization_ns = engine->initialization_ns,
        .writer = engine->writer,
    };
}

static int remove_listed(its_engine *engine, const struct itsi_str_list *ids, struct its_diag *diag)
{
    for (size_t i = 0; i < ids->count; i++) {
        int rc = itsi_pipeline_remove_camera(engine->pipeline, ids->items[i], diag);
        if (rc != 0 && rc != ITS_ENOTFOUND) /* gone already through the API */
            return rc;
    }
    return 0;
}

static int add_listed(its_engine *engine, const struct itsi_str_list *ids, struct its_diag *diag)
{
    int rc = 0;
    for (size_t i = 0; i < ids->count; i++) { /* one camera that cannot be added keeps no other out */
        const struct itsi_config_camera *camera =
            itsi_config_cameras_find(&engine->config->cameras, ids->items[i]);
        int one = camera ? add_configured(engine, camera, rc == 0 ? diag : NULL) : 0;
        rc = rc == 0 ? one : rc;
    }
    return rc;
}

int itsi_engine_configure(its_engine *engine, struct itsi_config *config, const struct itsi_config_change *change,
                          struct its_diag *diag)
{
    int rc = itsi_pipeline_configure(engine->pipeline, &config->cfg, diag);
    if (rc != 0)
        return rc;
    itsi_pools_configure(engine->pools, &config->cfg);
    struct itsi_config *old = engine->config;
    engine->config = itsi_config_ref(config);
    itsi_config_unref(&old);
    if (change)
        rc = remove_listed(engine, &change->cameras_removed, diag);
    if (change && rc == 0)
        rc = remove_listed(engine, &change->cameras_changed, diag);
    if (change && rc == 0)
        rc = add_listed(engine, &change->cameras_changed, diag);
    if (change) {
        int added = add_listed(engine, &change->cameras_added, rc == 0 ? diag : NULL);
        rc = rc == 0 ? added : rc;
    }
    return rc;
}

/* --- cameras and results ------------------------------------------------------------------------------------------ */

int its_engine_add_camera(its_engine *engine, const char *id, const char *url, struct its_diag *diag)
{
    struct itsi_camera camera = {0};
    if (id && !id[0])
        return itsi_fail(diag, ITS_EINVAL, "camera id '': allowed are 1 to 64 of A-Z a-z 0-9 _ . -");
    if ((id && strlen(id) >= sizeof camera.id) || strlen(url) >= sizeof camera.url)
        return itsi_fail(diag, ITS_EINVAL, "camera %.64s: id or URL too long", id ? id : "");
    if (id)
        memcpy(camera.id, id, strlen(id) + 1);
    memcpy(camera.url, url, strlen(url) + 1);
    return itsi_pipeline_add_camera(engine->pipeline, &camera, diag);
}

int its_engine_remove_camera(its_engine *engine, const char *id, struct its_diag *diag)
{
    return itsi_pipeline_remove_camera(engine->pipeline, id, diag);
}

static int subscribe_once(its_engine *engine)
{
    int rc = 0;
    pthread_mutex_lock(&engine->lifecycle);
    if (!engine->results)
        rc = itsi_pipeline_subscribe(engine->pipeline, NULL, NEXT_DEPTH, NULL, NULL, &engine->results, NULL);
    pthread_mutex_unlock(&engine->lifecycle);
    return rc;
}

int its_engine_next(its_engine *engine, int32_t timeout_ms, its_result **out)
{
    int rc = subscribe_once(engine);
    if (rc != 0)
        return rc;
    struct itsi_result *result =
        itsi_subscription_next(engine->results, itsi_now_ns() + timeout_ms * ITSI_NS_PER_MS);
    if (!result)
        return itsi_subscription_ended(engine->results) ? ITS_EEOF : ITS_EAGAIN;
    *out = (its_result *)result;
    return 0;
}

int its_engine_stats_json(its_engine *engine, char **out, struct its_diag *diag)
{
    struct itsi_status_source source;
    struct itsi_buf buf;
    itsi_buf_init(&buf);
    itsi_engine_status_source(engine, &source);
    itsi_document_status(&source, true, &buf);
    char *text = itsi_buf_take(&buf);
    if (!text)
        return itsi_fail(diag, ITS_ENOMEM, "statistics: out of memory");
    *out = text;
    return 0;
}

const char *its_engine_class_name(its_engine *engine, int32_t class_index)
{
    int count;
    const char *const *names = itsi_pipeline_class_names(engine->pipeline, &count);
    return class_index >= 0 && class_index < count ? names[class_index] : NULL;
}

/* The public result is the internal one behind an opaque name. */
static const struct itsi_result *inside(const its_result *result) { return (const struct itsi_result *)result; }

void its_result_release(its_result *result)
{
    struct itsi_result *mine = (struct itsi_result *)result;
    itsi_result_unref(&mine);
}
const char *its_result_camera(const its_result *r) { return inside(r)->info.camera_id; }
uint64_t its_result_sequence(const its_result *r) { return inside(r)->info.seq; }
int64_t its_result_capture_time_ns(const its_result *r) { return inside(r)->info.capture_wall_ns; }
double its_result_latency_ms(const its_result *r) { return (double)inside(r)->breakdown.end_to_end / 1e6; }
int32_t its_result_late(const its_result *r) { return inside(r)->late; }
int32_t its_result_width(const its_result *r) { return inside(r)->info.width; }
int32_t its_result_height(const its_result *r) { return inside(r)->info.height; }
int32_t its_result_count(const its_result *r) { return inside(r)->count; }

int its_result_box(const its_result *r, int32_t i, float corners[4], float *score, int32_t *class_index)
{
    if (i < 0 || i >= inside(r)->count)
        return ITS_EINVAL;
    const struct itsi_detection *box = &inside(r)->boxes[i];
    corners[0] = box->x1;
    corners[1] = box->y1;
    corners[2] = box->x2;
    corners[3] = box->y2;
    *score = box->score;
    *class_index = box->cls;
    return 0;
}

const char *its_version(void) { return ITS_VERSION; }
void its_string_free(char *text) { itsi_free(text); }
