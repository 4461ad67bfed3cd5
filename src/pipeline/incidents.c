/* Clips' place in the pipeline: what every camera sends is kept for a while, and a frozen flight record keeps of some
 * cameras what they showed before and after. */
#include "pipeline/pipeline_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "capture/packet_ring.h"
#include "capture/source.h"
#include "pipeline/clips.h"

#include <stdio.h>
#include <string.h>

/* Kept besides the time before: pictures are written down once a second, and that may be late. */
#define MORE_NS (5 * ITSI_NS_PER_S)
enum { PICTURES_PER_SECOND = 60 };

int itsi_pipeline_make_clips(struct itsi_pipeline *p, const struct itsi_pipeline_params *params, struct its_diag *diag)
{
    const struct its_cfg_monitor *cfg = &params->cfg->monitor;
    char folder[4096];
    if (!params->ffmpeg || cfg->clip_camera_mb == 0)
        return 0;
    if (snprintf(folder, sizeof folder, "%s/clips", params->cfg->general.data_dir) >= (int)sizeof folder)
        return itsi_fail(diag, ITS_EINVAL, "data_dir: path too long");
    const struct itsi_clips_params clips = {
        .pool = params->ffmpeg,
        .folder = folder,
        .before_ns = cfg->clip_seconds * ITSI_NS_PER_S,
        .after_ns = cfg->clip_seconds * ITSI_NS_PER_S,
        .files = (int)cfg->clip_files,
        .bytes = (uint64_t)cfg->clip_files_mb << 20,
    };
    p->clip_camera_bytes = (size_t)cfg->clip_camera_mb << 20;
    p->clip_ns = cfg->clip_seconds * ITSI_NS_PER_S + MORE_NS;
    const int rc = itsi_packet_store_create(&p->packets, (size_t)cfg->clip_memory_mb << 20, diag);
    return rc == 0 ? itsi_clips_create(&p->clips, &clips, diag) : rc;
}

void itsi_pipeline_free_clips(struct itsi_pipeline *p)
{
    itsi_clips_destroy(p->clips); /* those in the making hold their cameras */
    p->clips = NULL;
}

/* A camera without pictures needs none. */
static bool has_pictures(const struct itsi_camera *camera)
{
    struct itsi_source source;
    return itsi_source_parse(&source, camera->url, NULL) == 0 && source.kind != ITSI_SOURCE_NULL;
}

int itsi_stream_ring_init(struct itsi_camera_stream *stream, struct its_diag *diag)
{
    const struct itsi_pipeline *p = stream->pipeline;
    const struct itsi_packet_ring_params params = {
        .store = p->packets,
        .bytes = p->clip_camera_bytes,
        .keep_ns = p->clip_ns,
        .pictures = (int)(p->clip_ns / ITSI_NS_PER_S) * PICTURES_PER_SECOND,
    };
    return p->clips && has_pictures(&stream->config) ? itsi_packet_ring_create(&stream->ring, &params, diag) : 0;
}

struct itsi_clips *itsi_pipeline_clips(struct itsi_pipeline *p) { return p->clips; }

void itsi_pipeline_clip_memory(struct itsi_pipeline *p, struct itsi_packet_store_stats *out)
{
    *out = (struct itsi_packet_store_stats){0};
    if (p->packets)
        itsi_packet_store_stats(p->packets, out);
}

/* --- an incident -------------------------------------------------------------------------------------------------- */

static void release_stream(void *owner) { itsi_stream_unref(owner); }

/* Takes over the reference. */
static void keep(struct itsi_camera_stream *stream, const char *why, struct itsi_frozen *frozen)
{
    struct itsi_pipeline *p = stream->pipeline;
    char *name = frozen->clips[frozen->clip_count];
    const char *record = strrchr(frozen->path, '/');
    const struct itsi_incident incident = {.camera = stream->config.id,
                                           .at = itsi_now_ns(),
                                           .wall_ns = itsi_wall_ns(),
                                           .why = why,
                                           .record = record ? record + 1 : NULL,
                                           .ring = stream->ring,
                                           .release = release_stream,
                                           .owner = stream};
    const int rc = stream->ring ? itsi_clips_add(p->clips, &incident, name) : ITS_EUNSUPPORTED;
    frozen->clip_count += rc == 0 || rc == ITS_EEXISTS;
    if (rc == ITS_ELIMIT)
        itsi_warn("clips", "%s: no clip of an incident: too many wait", stream->config.id);
    if (rc)
        itsi_stream_unref(stream);
}

/* References of the most important cameras, of equal ones those added first; returns how many. */
static int most_important(struct itsi_pipeline *p, struct itsi_camera_stream *out[ITSI_FROZEN_CLIPS])
{
    int count = 0;
    pthread_mutex_lock(&p->table);
    for (int i = 0; i < p->camera_count; i++) {
        struct itsi_camera_stream *stream = p->cameras[i];
        int place = count < ITSI_FROZEN_CLIPS ? count++ : ITSI_FROZEN_CLIPS;
        for (; place > 0 && out[place - 1]->config.priority < stream->config.priority; place--)
            if (place < ITSI_FROZEN_CLIPS)
                out[place] = out[place - 1];
        if (place < ITSI_FROZEN_CLIPS)
            out[place] = stream;
    }
    for (int i = 0; i < count; i++)
        itsi_stream_retain(out[i]);
    pthread_mutex_unlock(&p->table);
    return count;
}

void itsi_pipeline_keep_clips(struct itsi_pipeline *p, const char *camera, const char *why, struct itsi_frozen *frozen)
{
    struct itsi_camera_stream *streams[ITSI_FROZEN_CLIPS];
    frozen->clip_count = 0;
    if (!p->clips)
        return;
    int count = 0;
    if (!camera)
        count = most_important(p, streams);
    else if ((streams[0] = itsi_stream_find(p, camera)) != NULL)
        count = 1;
    for (int i = 0; i < count; i++)
        keep(streams[i], why, frozen);
}
