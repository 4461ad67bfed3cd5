/* What the end of a pipeline waits for: joins have no time limit, so who waits for them is told whom to blame. */
#include "pipeline/pipeline_impl.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

void itsi_pipeline_waits_for(struct itsi_pipeline *p, enum itsi_stop_part part, const char *camera)
{
    pthread_mutex_lock(&p->table);
    p->stop_part = part;
    snprintf(p->stop_camera, sizeof p->stop_camera, "%s", camera);
    pthread_mutex_unlock(&p->table);
}

/* The table's lock is held. */
static void name_batch(const struct itsi_pipeline *p, char *out, size_t size)
{
    const struct itsi_job *job = itsi_pipeline_oldest(p);
    if (job)
        snprintf(out, size, "%s does not end: a batch with a frame of camera %s was submitted %.1f s ago",
                 itsi_stage_name(job->stage), job->first_camera, (double)(itsi_now_ns() - job->submitted_ns) / 1e9);
    else
        snprintf(out, size, "%s does not end", itsi_stage_name(ITSI_STAGE_POSTPROCESSING));
}

void itsi_pipeline_hang(struct itsi_pipeline *p, char *out, size_t size)
{
    pthread_mutex_lock(&p->table);
    switch (p->stop_part) {
    case ITSI_STOP_CAPTURE:
        snprintf(out, size, "%s of camera %s does not end", itsi_stage_name(ITSI_STAGE_CAMERA_CAPTURE), p->stop_camera);
        break;
    case ITSI_STOP_MONITOR:
        snprintf(out, size, "the monitor does not end");
        break;
    case ITSI_STOP_BATCHING:
        snprintf(out, size, "%s does not end", itsi_stage_name(ITSI_STAGE_PREPROCESSING));
        break;
    case ITSI_STOP_ENGINE:
        name_batch(p, out, size);
        break;
    case ITSI_STOP_CLIPS:
        snprintf(out, size, "the thread that writes clips does not end, as when their disk does not answer");
        break;
    case ITSI_STOP_SPANS:
        snprintf(out, size, "the thread that sends spans does not end");
        break;
    default:
        snprintf(out, size, "%s", "");
    }
    pthread_mutex_unlock(&p->table);
}
