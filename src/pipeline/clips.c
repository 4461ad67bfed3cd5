#include "pipeline/clips.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/dirs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Waiting for their time, or for their turn. */
enum { MOST_WAITING = 128 };
/* Copying a minute takes a fraction of a second: this is for a machine that has no time at all. */
#define WRITE_NS (60 * ITSI_NS_PER_S)

struct waiting {
    struct itsi_incident incident; /* camera: not its name, but */
    char camera[ITSI_CAMERA_ID_SIZE];
};

struct itsi_clips {
    /* const */
    struct itsi_clips_params params;
    char *folder; /* owned */
    pthread_t thread;
    bool started;
    /* mutex */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool stop;
    struct waiting queue[MOST_WAITING]; /* by time, the earliest first */
    struct itsi_clips_stats stats;
};

/* --- one clip ----------------------------------------------------------------------------------------------------- */

static int name_file(const struct itsi_clips *clips, const struct waiting *one, char *path, size_t size)
{
    char time[32];
    itsi_format_wall(one->incident.wall_ns, time);
    for (char *c = time; *c; c++)
        *c = *c == ':' ? '-' : *c; /* names that other systems can hold too */
    return snprintf(path, size, "%s/%s-%s.mp4", clips->folder, time, one->camera) < (int)size ? 0 : ITS_EINVAL;
}

static int write_one(const struct itsi_clips *clips, const struct waiting *one, struct its_diag *diag)
{
    char path[PATH_MAX];
    struct itsi_clip clip;
    const int64_t at = one->incident.at;
    if (name_file(clips, one, path, sizeof path) != 0)
        return itsi_fail(diag, ITS_EINVAL, "clip: %s: path too long", clips->folder);
    int rc = itsi_make_dirs(clips->folder, "for clips", diag);
    if (rc == 0)
        rc = itsi_clip_write(clips->params.pool, one->incident.ring, at - clips->params.before_ns,
                             at + clips->params.after_ns, path, itsi_now_ns() + WRITE_NS, &clip, diag);
    if (rc == 0) {
        itsi_info("clips", "%s: %.1f s of it are in %s", one->camera, clip.seconds, path);
        itsi_clips_retain(clips->folder, clips->params.files, clips->params.bytes);
    }
    return rc;
}

/* --- the thread --------------------------------------------------------------------------------------------------- */

static int64_t due(const struct itsi_clips *clips)
{
    return clips->stats.waiting ? clips->queue[0].incident.at + clips->params.after_ns : ITSI_NEVER;
}

static struct waiting take_first(struct itsi_clips *clips)
{
    const struct waiting first = clips->queue[0];
    memmove(clips->queue, clips->queue + 1, (size_t)--clips->stats.waiting * sizeof *clips->queue);
    return first;
}

/* With the lock held, of which it lets go meanwhile. */
static void do_first(struct itsi_clips *clips)
{
    struct its_diag diag = {.text = ""};
    const struct waiting first = take_first(clips);
    pthread_mutex_unlock(&clips->mutex);
    const int rc = write_one(clips, &first, &diag);
    first.incident.release(first.incident.owner);
    if (rc)
        itsi_warn("clips", "%s: no clip of an incident: %s", first.camera, diag.text);
    pthread_mutex_lock(&clips->mutex);
    clips->stats.written += rc == 0;
    clips->stats.failed += rc != 0;
    if (rc)
        memcpy(clips->stats.last_error, diag.text, sizeof clips->stats.last_error);
}

static void *clips_main(void *arg)
{
    struct itsi_clips *clips = arg;
    pthread_mutex_lock(&clips->mutex);
    while (!clips->stop) {
        if (itsi_now_ns() >= due(clips))
            do_first(clips);
        else
            (void)itsi_cond_wait_until(&clips->changed, &clips->mutex, due(clips));
    }
    pthread_mutex_unlock(&clips->mutex);
    return NULL;
}

/* --- from outside ------------------------------------------------------------------------------------------------- */

int itsi_clips_create(struct itsi_clips **out, const struct itsi_clips_params *params, struct its_diag *diag)
{
    struct itsi_clips *clips = itsi_zalloc(sizeof *clips);
    char *folder = clips ? itsi_strdup(params->folder) : NULL;
    if (!folder) {
        itsi_free(clips);
        return itsi_fail(diag, ITS_ENOMEM, "clips: out of memory");
    }
    clips->params = *params;
    clips->folder = folder;
    pthread_mutex_init(&clips->mutex, NULL);
    itsi_cond_init(&clips->changed);
    const int rc = itsi_thread_start(&clips->thread, "its-clips", clips_main, clips, diag);
    clips->started = rc == 0;
    if (rc) {
        itsi_clips_destroy(clips);
        return rc;
    }
    *out = clips;
    return 0;
}

void itsi_clips_destroy(struct itsi_clips *clips)
{
    if (!clips)
        return;
    pthread_mutex_lock(&clips->mutex);
    clips->stop = true;
    pthread_cond_signal(&clips->changed);
    pthread_mutex_unlock(&clips->mutex);
    if (clips->started)
        pthread_join(clips->thread, NULL);
    while (clips->stats.waiting) {
        const struct waiting first = take_first(clips);
        first.incident.release(first.incident.owner);
    }
    pthread_cond_destroy(&clips->changed);
    pthread_mutex_destroy(&clips->mutex);
    itsi_free(clips->folder);
    itsi_free(clips);
}

static bool is_shown(const struct itsi_clips *clips, const struct itsi_incident *incident)
{
    for (int i = 0; i < clips->stats.waiting; i++) {
        const struct waiting *one = &clips->queue[i];
        if (strcmp(one->camera, incident->camera) == 0 && incident->at <= one->incident.at + clips->params.after_ns)
            return true;
    }
    return false;
}

static void insert(struct itsi_clips *clips, const struct itsi_incident *incident)
{
    int place = clips->stats.waiting++;
    for (; place > 0 && clips->queue[place - 1].incident.at > incident->at; place--)
        clips->queue[place] = clips->queue[place - 1];
    clips->queue[place].incident = *incident;
    snprintf(clips->queue[place].camera, sizeof clips->queue[place].camera, "%s", incident->camera);
    clips->queue[place].incident.camera = NULL;
}

int itsi_clips_add(struct itsi_clips *clips, const struct itsi_incident *incident)
{
    int rc = 0;
    pthread_mutex_lock(&clips->mutex);
    if (is_shown(clips, incident))
        rc = ITS_EEXISTS;
    else if (clips->stats.waiting == MOST_WAITING)
        rc = ITS_ELIMIT;
    else
        insert(clips, incident);
    clips->stats.dropped += rc == ITS_ELIMIT;
    pthread_cond_signal(&clips->changed);
    pthread_mutex_unlock(&clips->mutex);
    return rc;
}

void itsi_clips_stats(struct itsi_clips *clips, struct itsi_clips_stats *out)
{
    pthread_mutex_lock(&clips->mutex);
    *out = clips->stats;
    pthread_mutex_unlock(&clips->mutex);
}
