#include "capture/synth.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/dirs.h"
#include "base/file_lock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "capture/av.h"
#include "capture/encode_clip.h"
#include "capture/source.h"
#include "capture/truth.h"
#include "render/road.h"

#include <errno.h>
#include <libavutil/frame.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define DEFAULT_SECONDS 10.0
#define RENDER_NICE 10
/* Part of the name of every clip: to be raised when the encoding changes. */
#define ENCODING 1

struct job {
    struct itsi_road_params params;
    double seconds;
    const atomic_bool *stop;
    char clip[2048], truth[2080]; /* final names */
    char clip_part[2080], truth_part[2080];
};

static bool stopping(const struct job *job) { return job->stop && atomic_load(job->stop); }

/* The name of a clip: its parameters, and what its first picture looks like, so that a renderer that draws otherwise
 * never meets a clip of the old one. */
static int fingerprint(const struct job *job, uint64_t *out, struct its_diag *diag)
{
    const struct itsi_road_params *p = &job->params;
    char key[256];
    int len = snprintf(key, sizeof key, "%d %s %dx%d %.9g %llu %d %d %d %.9g %.9g %.9g %.9g %d %.9g", ENCODING, p->scene,
                       p->width, p->height, p->fps, (unsigned long long)p->seed, p->weather, p->light, p->view,
                       p->traffic, p->mix, p->shake, p->noise, p->timecode, job->seconds);
    uint64_t hash = itsi_hash_bytes(UINT64_C(1469598103934665603), key, (size_t)len);
    struct itsi_road *road;
    int rc = itsi_road_create(&road, p, diag);
    if (rc)
        return rc;
    int w = p->width, h = p->height;
    size_t luma = (size_t)w * (size_t)h, chroma = (size_t)((w + 1) / 2) * (size_t)((h + 1) / 2);
    uint8_t *pixels = itsi_zalloc(luma + 2 * chroma);
    struct itsi_road_box *boxes = itsi_calloc(ITSI_ROAD_MAX_BOXES, sizeof *boxes);
    if (pixels && boxes) {
        uint8_t *const plane[3] = {pixels, pixels + luma, pixels + luma + chroma};
        const int stride[3] = {w, (w + 1) / 2, (w + 1) / 2};
        int count = itsi_road_render(road, 0, plane, stride, boxes);
        hash = itsi_hash_bytes(hash, pixels, luma + 2 * chroma);
        hash = itsi_hash_bytes(hash, boxes, (size_t)count * sizeof *boxes);
        *out = hash;
    } else {
        rc = itsi_fail(diag, ITS_ENOMEM, "rendering: out of memory");
    }
    itsi_free(pixels);
    itsi_free(boxes);
    itsi_road_destroy(road);
    return rc;
}

static int name_files(struct job *job, const char *cache_dir, struct its_diag *diag)
{
    char dir[1024];
    snprintf(dir, sizeof dir, "%s/synth", cache_dir);
    uint64_t hash = 0;
    int rc = itsi_make_dirs(dir, "for rendered clips", diag);
    if (!rc)
        rc = fingerprint(job, &hash, diag);
    if (rc)
        return rc;
    snprintf(job->clip, sizeof job->clip, "%s/%016llx.mp4", dir, (unsigned long long)hash);
    snprintf(job->truth, sizeof job->truth, "%s.truth", job->clip);
    snprintf(job->clip_part, sizeof job->clip_part, "%s.part", job->clip);
    snprintf(job->truth_part, sizeof job->truth_part, "%s.truth.part", job->clip);
    return 0;
}

static int render_frames(struct job *job, struct itsi_road *road, struct itsi_clip_writer *clip,
                         struct itsi_truth_writer *truth, struct its_diag *diag)
{
    int64_t frames = (int64_t)(job->seconds * job->params.fps + 0.5);
    struct itsi_road_box *boxes = itsi_calloc(ITSI_ROAD_MAX_BOXES, sizeof *boxes);
    int rc = boxes ? 0 : itsi_fail(diag, ITS_ENOMEM, "rendering: out of memory");
    for (int64_t i = 0; !rc && i < (frames > 0 ? frames : 1); i++) {
        if (stopping(job))
            rc = itsi_fail(diag, ITS_ECANCELLED, "rendering: stopped");
        else if (!(rc = itsi_clip_draw(clip, diag))) {
            int count = itsi_road_render(road, i, clip->frame->data, clip->frame->linesize, boxes);
            itsi_truth_add(truth, boxes, count);
            rc = itsi_clip_put(clip, i, diag);
        }
    }
    itsi_free(boxes);
    return rc;
}

static int render_files(struct job *job, struct its_diag *diag)
{
    const struct itsi_road_params *p = &job->params;
    struct itsi_road *road = NULL;
    struct itsi_clip_writer clip = {0};
    struct itsi_truth_writer truth;
    itsi_truth_init(&truth);
    int rc = itsi_road_create(&road, p, diag);
    if (!rc)
        rc = itsi_clip_open(&clip, job->clip_part, p->width, p->height, p->fps, diag);
    if (!rc)
        rc = render_frames(job, road, &clip, &truth, diag);
    if (!rc)
        rc = itsi_clip_finish(&clip, diag);
    itsi_clip_close(&clip);
    if (!rc)
        rc = itsi_truth_save(&truth, job->truth_part, p->fps, diag);
    itsi_truth_fini(&truth);
    itsi_road_destroy(road);
    /* the truth first: where the clip is, its truth is */
    if (!rc && (rename(job->truth_part, job->truth) || rename(job->clip_part, job->clip)))
        rc = itsi_fail_errno(diag, errno, "writing %s", job->clip);
    if (rc) {
        unlink(job->clip_part);
        unlink(job->truth_part);
    }
    return rc;
}

/* One rendering on a thread of its own, at low priority: live cameras and their engine go first. (A thread can lower its
 * priority but not take it back, so the camera's own thread must not.) */
struct rendering {
    struct job *job;
    struct its_diag *diag;
    int rc;
};

static void *render_nicely(void *arg)
{
    struct rendering *rendering = arg;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), RENDER_NICE);
    rendering->rc = render_files(rendering->job, rendering->diag);
    return NULL;
}

static int render_aside(struct job *job, struct its_diag *diag)
{
    pthread_t thread;
    struct rendering rendering = {.job = job, .diag = diag};
    int rc = itsi_thread_start(&thread, "its-render", render_nicely, &rendering, diag);
    if (rc)
        return rc;
    pthread_join(thread, NULL); /* returns soon after job->stop is set */
    return rendering.rc;
}

/* Holds off other processes and threads that want the same clip. */
static int lock(const struct job *job, int *fd, struct its_diag *diag)
{
    char path[2100];
    snprintf(path, sizeof path, "%s.lock", job->clip);
    return itsi_file_lock(fd, path, ITSI_NEVER, job->stop, diag);
}

static bool cached(const struct job *job) { return access(job->clip, R_OK) == 0 && access(job->truth, R_OK) == 0; }

int itsi_synth_clip(const char *url, const char *cache_dir, const atomic_bool *stop, char *path, size_t size,
                    struct its_diag *diag)
{
    itsi_av_init();
    struct itsi_source source;
    int rc = itsi_source_parse(&source, url, diag);
    if (rc)
        return rc;
    if (source.kind != ITSI_SOURCE_SYNTH)
        return itsi_fail(diag, ITS_EINVAL, "URL '%s': not a synth:// one", source.shown);
    if (!cache_dir || !cache_dir[0])
        return itsi_fail(diag, ITS_EINVAL, "URL '%s': no directory to keep rendered clips in", source.shown);
    struct job job = {.seconds = source.seconds > 0 ? source.seconds : DEFAULT_SECONDS, .stop = stop};
    itsi_road_params_default(&job.params);
    if ((rc = itsi_road_params_parse(&job.params, url, diag)) || (rc = name_files(&job, cache_dir, diag)))
        return rc;
    if (snprintf(path, size, "%s", job.clip) >= (int)size)
        return itsi_fail(diag, ITS_EINVAL, "%s: path too long", job.clip);
    if (cached(&job))
        return 0;
    int fd;
    if ((rc = lock(&job, &fd, diag)))
        return rc;
    if (!cached(&job)) {
        itsi_info("capture", "rendering %s", source.shown);
        rc = render_aside(&job, diag);
    }
    close(fd);
    return rc;
}

void itsi_synth_forget(const char *path) { unlink(path); }
