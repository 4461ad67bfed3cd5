/* Clips' place in the pipeline: what every camera sends is kept for a while, and a frozen flight record keeps of some
 * cameras what they showed before and after. */
#include "pipeline/pipeline_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "capture/packet_ring.h"
#include "pipeline/clips.h"

#include <stdio.h>

/* Cameras whose clips an incident of the whole system leaves: the most important ones. An incident is when the machine
 * has least to spare. */
enum { OF_ALL = 4 };
/* Kept besides the time before and after: groups of pictures are kept whole, and a clip may have to wait for its turn.
 */
#define MORE_NS (10 * ITSI_NS_PER_S)
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
    p->clip_ns = 2 * cfg->clip_seconds * ITSI_NS_PER_S + MORE_NS;
    return itsi_clips_create(&p->clips, &clips, diag);
}

int itsi_stream_ring_init(struct itsi_camera_stream *stream, struct its_diag *diag)
{
    const struct itsi_pipeline *p = stream->pipeline;
    const struct itsi_packet_ring_params params = {
        .bytes = p->clip_camera_bytes,
        .keep_ns = p->clip_ns,
        .pictures = (int)(p->clip_ns / ITSI_NS_PER_S) * PICTURES_PER_SECOND,
    };
    return p->clips ? itsi_packet_ring_create(&stream->ring, &params, diag) : 0;
}

static void release_stream(void *owner) { itsi_stream_unref(owner); }

static void keep(struct itsi_camera_stream *stream, int64_t now)
{
    struct itsi_pipeline *p = stream->pipeline;
    struct itsi_packet_ring_stats kept;
    itsi_packet_ring_stats(stream->ring, &kept);
    if (kept.pictures == 0) { /* down since long, or a camera without pictures */
        itsi_stream_unref(stream);
        return;
    }
    const struct itsi_incident incident = {.camera = stream->config.id,
                                           .at = now,
                                           .wall_ns = itsi_wall_ns(),
                                           .ring = stream->ring,
                                           .release = release_stream,
                                           .owner = stream};
    const int rc = itsi_clips_add(p->clips, &incident);
    if (rc == ITS_ELIMIT)
        itsi_warn("clips", "%s: no clip of an incident: too many wait", stream->config.id);
    if (rc)
        itsi_stream_unref(stream);
}

/* References of the most important cameras, of equal ones those added first; returns how many. */
static int most_important(struct itsi_pipeline *p, struct itsi_camera_stream *out[OF_ALL])
{
    int count = 0;
    pthread_mutex_lock(&p->table);
    for (int i = 0; i < p->camera_count; i++) {
        struct itsi_camera_stream *stream = p->cameras[i];
        int place = count < OF_ALL ? count++ : OF_ALL;
        for (; place > 0 && out[place - 1]->config.priority < stream->config.priority; place--)
            if (place < OF_ALL)
                out[place] = out[place - 1];
        if (place < OF_ALL)
            out[place] = stream;
    }
    for (int i = 0; i < count; i++)
        itsi_stream_retain(out[i]);
    pthread_mutex_unlock(&p->table);
    return count;
}

void itsi_pipeline_keep_clips(struct itsi_pipeline *p, const char *camera)
{
    struct itsi_camera_stream *streams[OF_ALL];
    const int64_t now = itsi_now_ns();
    if (!p->clips)
        return;
    int count = 0;
    if (!camera)
        count = most_important(p, streams);
    else if ((streams[0] = itsi_stream_find(p, camera)) != NULL)
        count = 1;
    for (int i = 0; i < count; i++)
        keep(streams[i], now);
}
