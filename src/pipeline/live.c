/* The options that change while the pipeline runs. */
#include "pipeline/pipeline_impl.h"

#include "base/clock.h"
#include "base/diag.h"

#include <string.h>

/* What the live rows mean for this model; ITS_EINVAL: a class it does not have. */
static int read_live(const struct itsi_pipeline *p, const struct its_cfg *cfg, struct itsi_live *out,
                     struct its_diag *diag)
{
    struct itsi_live live = {
        .confidence = (float)cfg->inference.confidence,
        .iou = (float)cfg->inference.iou,
        .max_detections = (int)cfg->inference.max_detections,
        .use_mask = cfg->inference.classes.count > 0,
    };
    for (size_t i = 0; i < cfg->inference.classes.count && p->classes > 0; i++) {
        int cls = 0;
        while (cls < p->classes && strcmp(p->class_names[cls], cfg->inference.classes.items[i]) != 0)
            cls++;
        if (cls == p->classes)
            return itsi_fail(diag, ITS_EINVAL, "inference.classes: the model has no class '%s'",
                             cfg->inference.classes.items[i]);
        live.class_mask[cls] = 1;
    }
    *out = live;
    return 0;
}

int itsi_pipeline_set_live(struct itsi_pipeline *p, const struct its_cfg *cfg, struct its_diag *diag)
{
    struct itsi_live live;
    int rc = read_live(p, cfg, &live, diag);
    if (rc != 0)
        return rc;
    double target = cfg->general.target_latency_ms, sla = cfg->latency_monitoring.latency_sla_ms;
    atomic_store(&p->budget_ns, (int64_t)((target < sla ? target : sla) * 1e6));
    atomic_store(&p->flight_files, (int)cfg->monitor.flight_recorder_files);
    atomic_store(&p->monitoring, cfg->general.enable_monitoring);
    atomic_store(&p->interval_ns, cfg->general.monitoring_interval_seconds * ITSI_NS_PER_S);
    pthread_mutex_lock(&p->table);
    p->live = live;
    pthread_mutex_unlock(&p->table);
    if (p->batcher)
        itsi_batcher_set_timeout(p->batcher, (int64_t)(cfg->gpu.batch_timeout_ms * 1e6));
    return 0;
}

int itsi_pipeline_check(struct itsi_pipeline *p, const struct its_cfg *cfg, struct its_diag *diag)
{
    struct itsi_live live;
    return read_live(p, cfg, &live, diag);
}
