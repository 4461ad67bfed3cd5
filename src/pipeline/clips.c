#include "pipeline/clips_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
    atomic_init(&clips->refs, 1);
    pthread_mutex_init(&clips->mutex, NULL);
    itsi_cond_init(&clips->changed);
    const int rc = itsi_thread_start(&clips->thread, "its-clips", itsi_clips_main, clips, diag);
    clips->started = rc == 0;
    if (rc) {
        itsi_clips_destroy(clips);
        return rc;
    }
    *out = clips;
    return 0;
}

void itsi_clips_finish(struct itsi_clips *clips, int64_t until)
{
    if (!clips || !clips->started)
        return;
    pthread_mutex_lock(&clips->mutex);
    clips->closing = true;
    clips->until = until;
    pthread_cond_broadcast(&clips->changed);
    pthread_mutex_unlock(&clips->mutex);
    pthread_join(clips->thread, NULL);
    clips->started = false;
}

/* The queue's clips hold what is not the clips' own (rings, cameras): they end with the owner, whoever else still looks. */
static void empty_queue(struct itsi_clips *clips)
{
    struct itsi_clip *queue[ITSI_CLIPS_WAITING];
    pthread_mutex_lock(&clips->mutex);
    const int count = clips->stats.waiting;
    memcpy(queue, clips->queue, (size_t)count * sizeof queue[0]);
    clips->stats.waiting = 0;
    pthread_mutex_unlock(&clips->mutex);
    for (int i = 0; i < count; i++)
        itsi_clip_free(queue[i]);
}

void itsi_clips_destroy(struct itsi_clips *clips)
{
    if (!clips)
        return;
    itsi_clips_finish(clips, 0);
    empty_queue(clips);
    itsi_clips_unref(clips);
}

struct itsi_clips *itsi_clips_ref(struct itsi_clips *clips)
{
    if (clips)
        atomic_fetch_add(&clips->refs, 1);
    return clips;
}

void itsi_clips_unref(struct itsi_clips *clips)
{
    if (!clips || atomic_fetch_sub(&clips->refs, 1) > 1)
        return;
    pthread_cond_destroy(&clips->changed);
    pthread_mutex_destroy(&clips->mutex);
    itsi_free(clips->folder);
    itsi_free(clips);
}

/* --- incidents ---------------------------------------------------------------------------------------------------- */

/* The lock is held. */
static const struct itsi_clip *find_shown(const struct itsi_clips *clips, const struct itsi_incident *incident)
{
    for (int i = 0; i < clips->stats.waiting; i++) {
        const struct itsi_clip *one = clips->queue[i];
        /* its own stream: one that was changed meanwhile has another */
        if (one->facts.state == ITSI_CLIP_WAITING && one->incident.owner == incident->owner &&
            strcmp(one->facts.camera, incident->camera) == 0 && incident->at <= one->at + clips->params.after_ns)
            return one;
    }
    return NULL;
}

static struct itsi_clip *make_clip(const struct itsi_clips *clips, const struct itsi_incident *incident)
{
    struct itsi_clip *clip = itsi_zalloc(sizeof *clip);
    if (!clip)
        return NULL;
    itsi_clip_facts_init(&clip->facts, incident->camera, incident->wall_ns);
    snprintf(clip->facts.why, sizeof clip->facts.why, "%s", incident->why ? incident->why : "");
    snprintf(clip->facts.record, sizeof clip->facts.record, "%s", incident->record ? incident->record : "");
    snprintf(clip->path, sizeof clip->path, "%s/%s", clips->folder, clip->facts.name);
    clip->at = incident->at;
    clip->incident = *incident;
    clip->fd = -1;
    return clip;
}

int itsi_clips_add(struct itsi_clips *clips, const struct itsi_incident *incident, char name[ITSI_CLIP_NAME_SIZE])
{
    struct itsi_clip *clip = make_clip(clips, incident);
    int rc = clip ? 0 : ITS_ENOMEM;
    pthread_mutex_lock(&clips->mutex);
    const struct itsi_clip *shown = find_shown(clips, incident);
    if (clips->closing)
        rc = ITS_ECANCELLED;
    else if (shown)
        rc = ITS_EEXISTS;
    else if (clips->stats.waiting == ITSI_CLIPS_WAITING)
        rc = ITS_ELIMIT;
    if (rc == 0)
        clips->queue[clips->stats.waiting++] = clip;
    clips->stats.dropped += rc == ITS_ELIMIT || rc == ITS_ENOMEM;
    if (rc == 0 || rc == ITS_EEXISTS)
        memcpy(name, rc == 0 ? clip->facts.name : shown->facts.name, ITSI_CLIP_NAME_SIZE);
    pthread_cond_broadcast(&clips->changed);
    pthread_mutex_unlock(&clips->mutex);
    if (rc)
        itsi_free(clip);
    return rc;
}

/* --- for who asks ------------------------------------------------------------------------------------------------- */

static int newest_first(const void *a, const void *b)
{
    const struct itsi_clip_facts *x = a, *y = b;
    return strcmp(y->name, x->name);
}

/* Those in the making and those that failed; returns how many were copied. */
static int list_memory(struct itsi_clips *clips, struct itsi_clip_facts out[ITSI_CLIPS_WAITING + ITSI_CLIPS_FAILURES])
{
    int count = 0;
    pthread_mutex_lock(&clips->mutex);
    for (int i = 0; i < clips->stats.waiting; i++)
        out[count++] = clips->queue[i]->facts;
    for (uint64_t i = 0; i < clips->failure_count && i < ITSI_CLIPS_FAILURES; i++)
        if (clips->failures[i].name[0])
            out[count++] = clips->failures[i];
    pthread_mutex_unlock(&clips->mutex);
    return count;
}

/* One that was written between the two looks is in both: as a file it is whole. */
static int without_doubles(struct itsi_clip_facts *sorted, int count)
{
    int kept = 0;
    for (int i = 0; i < count; i++) {
        const bool again = kept && strcmp(sorted[kept - 1].name, sorted[i].name) == 0;
        if (!again)
            sorted[kept++] = sorted[i];
        else if (sorted[i].state == ITSI_CLIP_WRITTEN)
            sorted[kept - 1] = sorted[i];
    }
    return kept;
}

int itsi_clips_list(struct itsi_clips *clips, struct itsi_clip_facts *out, int cap)
{
    const size_t in_memory = ITSI_CLIPS_WAITING + ITSI_CLIPS_FAILURES;
    struct itsi_clip_facts *all = itsi_calloc(in_memory + (size_t)cap, sizeof *all);
    if (!all)
        return ITS_ENOMEM;
    int count = list_memory(clips, all);
    count += itsi_clip_folder_list(clips->folder, all + count, cap);
    qsort(all, (size_t)count, sizeof *all, newest_first);
    count = without_doubles(all, count);
    count = count < cap ? count : cap;
    memcpy(out, all, (size_t)count * sizeof *out);
    itsi_free(all);
    return count;
}

static int find_in_memory(struct itsi_clips *clips, const char *name, struct itsi_clip_facts *out)
{
    struct itsi_clip_facts *all = itsi_calloc(ITSI_CLIPS_WAITING + ITSI_CLIPS_FAILURES, sizeof *all);
    const int count = all ? list_memory(clips, all) : 0;
    int rc = all ? ITS_ENOTFOUND : ITS_ENOMEM;
    for (int i = 0; i < count && rc == ITS_ENOTFOUND; i++)
        if (strcmp(all[i].name, name) == 0) {
            *out = all[i];
            rc = 0;
        }
    itsi_free(all);
    return rc;
}

int itsi_clips_find(struct itsi_clips *clips, const char *name, struct itsi_clip_facts *out)
{
    const int rc = find_in_memory(clips, name, out);
    return rc == ITS_ENOTFOUND ? itsi_clip_folder_find(clips->folder, name, out) : rc;
}

/* It is there, and whole or failed. */
static int find_ended(struct itsi_clips *clips, const char *name, struct itsi_clip_facts *facts, struct its_diag *diag)
{
    const int rc = itsi_clips_find(clips, name, facts);
    if (rc)
        return itsi_fail(diag, rc, "no clip %s", name);
    if (facts->state == ITSI_CLIP_WAITING || facts->state == ITSI_CLIP_WRITING)
        return itsi_fail(diag, ITS_EBUSY, "the clip is being made");
    return 0;
}

int itsi_clips_open(struct itsi_clips *clips, const char *name, int *fd, uint64_t *bytes, struct its_diag *diag)
{
    struct itsi_clip_facts facts;
    struct stat info;
    char path[PATH_MAX];
    const int rc = find_ended(clips, name, &facts, diag);
    if (rc)
        return rc;
    if (facts.state == ITSI_CLIP_FAILED)
        return itsi_fail(diag, ITS_ENOTFOUND, "the clip was not made: %s", facts.note);
    if (snprintf(path, sizeof path, "%s/%s", clips->folder, facts.name) >= (int)sizeof path)
        return itsi_fail(diag, ITS_EINVAL, "%s: path too long", clips->folder);
    const int opened = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (opened < 0 || fstat(opened, &info) != 0) {
        const int error = errno;
        if (opened >= 0)
            close(opened);
        return error == ENOENT ? itsi_fail(diag, ITS_ENOTFOUND, "no clip %s", name)
                               : itsi_fail_errno(diag, error, "clip %s", name);
    }
    *fd = opened;
    *bytes = (uint64_t)info.st_size;
    return 0;
}

static void forget_failure(struct itsi_clips *clips, const char *name)
{
    pthread_mutex_lock(&clips->mutex);
    for (int i = 0; i < ITSI_CLIPS_FAILURES; i++)
        if (strcmp(clips->failures[i].name, name) == 0)
            clips->failures[i].name[0] = '\0';
    pthread_mutex_unlock(&clips->mutex);
}

int itsi_clips_remove(struct itsi_clips *clips, const char *name, struct its_diag *diag)
{
    struct itsi_clip_facts facts;
    int rc = find_ended(clips, name, &facts, diag);
    if (rc == 0 && facts.state == ITSI_CLIP_FAILED)
        forget_failure(clips, name);
    else if (rc == 0 && (rc = itsi_clip_folder_remove(clips->folder, name, diag)) == 0) {
        pthread_mutex_lock(&clips->mutex);
        clips->stats.kept.files--;
        clips->stats.kept.bytes -= facts.bytes;
        pthread_mutex_unlock(&clips->mutex);
    }
    return rc;
}

void itsi_clips_stats(struct itsi_clips *clips, struct itsi_clips_stats *out)
{
    pthread_mutex_lock(&clips->mutex);
    *out = clips->stats;
    pthread_mutex_unlock(&clips->mutex);
}
