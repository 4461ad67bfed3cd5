/* The thread that makes clips: it records for all that wait, and copies one after the other. */
#include "pipeline/clips_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* So often the pictures that came are written down; rings hold more than what comes meanwhile. */
#define TICK_NS ITSI_NS_PER_S
/* Copying a minute takes a fraction of a second: this is for a machine that has no time at all. */
#define COPY_NS (60 * ITSI_NS_PER_S)

static void set_state(struct itsi_clips *clips, struct itsi_clip *clip, const struct itsi_clip_facts *facts,
                      enum itsi_clip_state state)
{
    pthread_mutex_lock(&clips->mutex);
    clip->facts = *facts;
    clip->facts.state = state;
    pthread_mutex_unlock(&clips->mutex);
}

/* The lock is held. */
static void take_out(struct itsi_clips *clips, const struct itsi_clip *clip)
{
    int place = 0;
    while (clips->queue[place] != clip)
        place++;
    clips->stats.waiting--;
    memmove(clips->queue + place, clips->queue + place + 1,
            (size_t)(clips->stats.waiting - place) * sizeof clips->queue[0]);
}

/* It is made, or failed (problem). */
static void settle(struct itsi_clips *clips, struct itsi_clip *clip, const char *problem)
{
    pthread_mutex_lock(&clips->mutex);
    clip->facts.state = problem ? ITSI_CLIP_FAILED : ITSI_CLIP_WRITTEN;
    clips->stats.written += !problem;
    clips->stats.failed += problem != NULL;
    if (problem) {
        snprintf(clip->facts.note, sizeof clip->facts.note, "%s", problem);
        snprintf(clips->stats.last_error, sizeof clips->stats.last_error, "%s", problem);
        clips->failures[clips->failure_count++ % ITSI_CLIPS_FAILURES] = clip->facts;
    }
    take_out(clips, clip);
    pthread_mutex_unlock(&clips->mutex);
    if (problem)
        itsi_warn("clips", "%s: no clip of an incident: %s", clip->facts.camera, problem);
    if (clip->recording[0])
        (void)unlink(clip->recording);
    if (problem)
        itsi_clip_folder_drop_note(clips->folder, clip->facts.name);
    itsi_clip_free(clip);
}

/* --- recording ---------------------------------------------------------------------------------------------------- */

static void seal(struct itsi_clips *clips, struct itsi_clip *clip, const char *why)
{
    struct its_diag diag = {""};
    struct itsi_clip_facts facts = clip->facts;
    if (itsi_clip_seal(clips, clip, why, &facts, &diag) == 0)
        set_state(clips, clip, &facts, ITSI_CLIP_WRITING);
    else
        settle(clips, clip, diag.text);
}

static void record(struct itsi_clips *clips, struct itsi_clip *clip, bool closing)
{
    struct its_diag diag = {""};
    const bool over = itsi_now_ns() >= clip->at + clips->params.after_ns;
    const int rc = itsi_clip_record(clips, clip, &diag);
    if (rc && rc != ITS_EEOF)
        settle(clips, clip, diag.text);
    else if (rc == ITS_EEOF)
        seal(clips, clip, "the camera changed its stream");
    else if (over)
        seal(clips, clip, "");
    else if (closing)
        seal(clips, clip, "the daemon ended");
}

/* --- copying ------------------------------------------------------------------------------------------------------ */

static void on_copied(void *arg)
{
    struct itsi_clips *clips = arg;
    pthread_mutex_lock(&clips->mutex);
    clips->copied = true;
    pthread_cond_broadcast(&clips->changed);
    pthread_mutex_unlock(&clips->mutex);
}

static void begin_copy(struct itsi_clips *clips, struct itsi_clip *clip, int64_t now)
{
    struct its_diag diag = {""};
    const int fd = open(clip->recording, O_RDONLY | O_CLOEXEC);
    clips->copied = clips->cancelled = false;
    clips->copy = (struct itsi_clip_copy){.pool = clips->params.pool,
                                          .form = clip->form,
                                          .hevc = clip->hevc,
                                          .path = clip->path,
                                          .deadline = now + COPY_NS,
                                          .ended = on_copied,
                                          .arg = clips};
    if (fd < 0)
        itsi_fail_errno(&diag, errno, "%s", clip->recording);
    if (fd < 0 || itsi_clip_copy_begin(&clips->copy, fd, &diag) != 0)
        settle(clips, clip, diag.text);
    else
        clips->copying = clip;
}

static void keep(struct itsi_clips *clips, struct itsi_clip *clip)
{
    struct itsi_clip_totals kept;
    itsi_clip_folder_retain(clips->folder, clip->facts.name, clips->params.files, clips->params.bytes, &kept);
    itsi_info("clips", "%s: %.1f s of it are in %s%s%s", clip->facts.camera, clip->facts.seconds, clip->path,
              clip->facts.note[0] ? "; it " : "", clip->facts.note);
    pthread_mutex_lock(&clips->mutex);
    clips->stats.kept = kept;
    pthread_mutex_unlock(&clips->mutex);
}

static void end_copy(struct itsi_clips *clips)
{
    struct its_diag diag = {""};
    struct itsi_clip *clip = clips->copying;
    struct itsi_clip_facts facts = clip->facts;
    const int rc = itsi_clip_copy_end(&clips->copy, &facts.bytes, &diag);
    clips->copying = NULL;
    if (rc && clips->cancelled)
        return; /* its recording stays */
    if (rc) {
        settle(clips, clip, diag.text);
        return;
    }
    if (!(facts.seconds >= 0)) { /* one that was left over: nobody counted */
        facts.seconds = clips->copy.seconds;
        (void)itsi_clip_folder_note(clips->folder, &facts, NULL);
    }
    set_state(clips, clip, &facts, ITSI_CLIP_WRITING);
    keep(clips, clip);
    settle(clips, clip, NULL);
}

/* --- the thread --------------------------------------------------------------------------------------------------- */

static struct itsi_clip *make_leftover(const struct itsi_clips *clips, const struct itsi_clip_leftover *left)
{
    struct itsi_clip *clip = itsi_zalloc(sizeof *clip);
    if (!clip)
        return NULL;
    clip->facts = left->facts;
    clip->facts.state = ITSI_CLIP_WRITING;
    if (!(clip->facts.seconds >= 0)) /* else it was sealed, and says what it lacks */
        snprintf(clip->facts.note, sizeof clip->facts.note, "it may end early: the daemon ended while it was recorded");
    clip->sealed = true;
    clip->fd = -1;
    memcpy(clip->form, left->form, sizeof clip->form);
    snprintf(clip->path, sizeof clip->path, "%s/%s", clips->folder, clip->facts.name);
    snprintf(clip->recording, sizeof clip->recording, "%s.%s", clip->path, clip->form);
    return clip;
}

/* What an earlier process left. */
static void take_up(struct itsi_clips *clips)
{
    struct itsi_clip_totals kept;
    enum { MOST = ITSI_CLIPS_WAITING / 2 };
    struct itsi_clip_leftover *left = itsi_calloc(MOST, sizeof *left);
    const int count = left ? itsi_clip_folder_leftovers(clips->folder, left, MOST) : 0;
    itsi_clip_folder_retain(clips->folder, NULL, clips->params.files, clips->params.bytes, &kept);
    pthread_mutex_lock(&clips->mutex);
    clips->stats.kept = kept;
    for (int i = 0; i < count && clips->stats.waiting < ITSI_CLIPS_WAITING; i++) {
        struct itsi_clip *clip = make_leftover(clips, &left[i]);
        if (clip)
            clips->queue[clips->stats.waiting++] = clip;
    }
    pthread_mutex_unlock(&clips->mutex);
    itsi_free(left);
}

/* A round through all that there is, as of its beginning. */
static void work(struct itsi_clips *clips, bool closing, int64_t until)
{
    struct itsi_clip *queue[ITSI_CLIPS_WAITING];
    struct itsi_clip *next = NULL;
    pthread_mutex_lock(&clips->mutex);
    const int count = clips->stats.waiting;
    const bool copied = clips->copying && clips->copied;
    memcpy(queue, clips->queue, (size_t)count * sizeof queue[0]);
    pthread_mutex_unlock(&clips->mutex);
    for (int i = 0; i < count; i++)
        if (!queue[i]->sealed)
            record(clips, queue[i], closing);
    if (copied)
        end_copy(clips);
    pthread_mutex_lock(&clips->mutex);
    for (int i = 0; !clips->copying && !next && i < clips->stats.waiting; i++)
        next = clips->queue[i]->sealed ? clips->queue[i] : NULL;
    pthread_mutex_unlock(&clips->mutex);
    const int64_t now = itsi_now_ns();
    if (next && (!closing || now < until))
        begin_copy(clips, next, now);
}

/* When there is something to do again; the lock is held. */
static int64_t next_round(const struct itsi_clips *clips, int64_t now)
{
    int64_t next = ITSI_NEVER;
    if (clips->copying && clips->copied)
        return now;
    if (clips->closing && clips->copying && !clips->cancelled)
        next = clips->until;
    for (int i = 0; i < clips->stats.waiting; i++) {
        const struct itsi_clip *clip = clips->queue[i];
        const int64_t due = clip->at + clips->params.after_ns;
        if (!clip->sealed)
            next = due < next ? due : next;
        if (!clip->sealed && now + TICK_NS < next)
            next = now + TICK_NS;
        if (clip->sealed && !clips->copying)
            return now;
    }
    return next;
}

/* Everything is made, or there is no time left and nothing runs; the lock is held. */
static bool is_over(const struct itsi_clips *clips, int64_t now)
{
    return clips->closing && !clips->copying && (clips->stats.waiting == 0 || now >= clips->until);
}

static void give_up_late_copy(struct itsi_clips *clips)
{
    if (!clips->copying || clips->cancelled)
        return;
    clips->cancelled = true;
    itsi_clip_copy_cancel(&clips->copy);
}

void *itsi_clips_main(void *arg)
{
    struct itsi_clips *clips = arg;
    bool seen_closing = false;
    take_up(clips);
    pthread_mutex_lock(&clips->mutex);
    for (;;) {
        const int64_t now = itsi_now_ns();
        const bool closing = clips->closing;
        const int64_t until = clips->until;
        const int64_t next = closing && !seen_closing ? now : next_round(clips, now);
        if (seen_closing && is_over(clips, now))
            break;
        if (next > now && itsi_cond_wait_until(&clips->changed, &clips->mutex, next))
            continue; /* something else may be next now */
        pthread_mutex_unlock(&clips->mutex);
        if (closing && itsi_now_ns() >= until)
            give_up_late_copy(clips);
        work(clips, closing, until);
        seen_closing = seen_closing || closing;
        pthread_mutex_lock(&clips->mutex);
    }
    pthread_mutex_unlock(&clips->mutex);
    return NULL;
}
