#include "pipeline/clip.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/thread.h"
#include "capture/packet_mux.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct writing {
    struct itsi_ffmpeg_job job;
    struct itsi_event done;
    int code;
    struct its_diag diag;
};

static void on_done(struct itsi_ffmpeg_job *job, const struct itsi_ffmpeg_result *result)
{
    struct writing *writing = job->arg;
    writing->code = result->code;
    itsi_fail(&writing->diag, result->code, "%s", result->error);
    itsi_event_set(&writing->done);
}

/* One end for FFmpeg, and in the other go the pictures. What it does not take it does not want any more. */
static int feed(struct itsi_ffmpeg_pool *pool, struct itsi_packet_ring *ring, int64_t from, int64_t until,
                struct writing *writing, struct itsi_packet_mux_summary *summary, struct its_diag *diag)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return itsi_fail_errno(diag, errno, "clip");
    writing->job.input = ends[0];
    itsi_event_init(&writing->done);
    itsi_ffmpeg_execute(pool, &writing->job);
    const int rc = itsi_packet_mux(ring, from, until, ends[1], writing->job.request.deadline, summary, diag);
    close(ends[1]);
    (void)itsi_event_wait_until(&writing->done, ITSI_NEVER); /* its deadline is the job's */
    itsi_event_fini(&writing->done);
    if (writing->code && (rc == 0 || rc == ITS_EIO)) /* it knows better why it took no more */
        return itsi_fail(diag, writing->code, "clip: %s", writing->diag.text);
    return rc;
}

int itsi_clip_write(struct itsi_ffmpeg_pool *pool, struct itsi_packet_ring *ring, int64_t from, int64_t until,
                    const char *path, int64_t deadline, struct itsi_clip *out, struct its_diag *diag)
{
    char part[PATH_MAX];
    struct stat info;
    struct itsi_packet_format format;
    struct itsi_packet_mux_summary summary = {0};
    itsi_packet_ring_get_format(ring, &format);
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
        return itsi_fail(diag, ITS_EINVAL, "clip: %s: path too long", path);
    const char *const arguments[] = {"-f",
                                     itsi_packet_mux_name(format.codec),
                                     "-i",
                                     "pipe:0",
                                     "-map",
                                     "0:v",
                                     "-c",
                                     "copy",
                                     "-avoid_negative_ts",
                                     "make_zero",
                                     "-movflags",
                                     "+faststart",
                                     "-f",
                                     "mp4",
                                     "-y",
                                     part,
                                     NULL};
    struct writing writing = {.job = {.arguments = arguments,
                                      .owner = {"pipeline", "clip", 0},
                                      .input = -1,
                                      .output = -1,
                                      .deadline = deadline,
                                      .limits = {.nice = 10},
                                      .done = on_done,
                                      .arg = &writing}};
    int rc = feed(pool, ring, from, until, &writing, &summary, diag);
    if (rc == 0 && (stat(part, &info) != 0 || rename(part, path) != 0))
        rc = itsi_fail_errno(diag, errno, "clip: %s", path);
    if (rc) {
        (void)unlink(part);
        return rc;
    }
    *out = (struct itsi_clip){.pictures = summary.pictures,
                              .first_at = summary.first_at,
                              .last_at = summary.last_at,
                              .seconds = (double)(summary.last_at - summary.first_at) / 1e9,
                              .bytes = (uint64_t)info.st_size};
    return 0;
}

/* --- retention ---------------------------------------------------------------------------------------------------- */

static int is_clip(const struct dirent *entry)
{
    const size_t len = strlen(entry->d_name);
    return len > 4 && strcmp(entry->d_name + len - 4, ".mp4") == 0;
}

void itsi_clips_retain(const char *folder, int files, uint64_t bytes)
{
    struct dirent **found;
    uint64_t kept = 0;
    const int count = scandir(folder, &found, is_clip, alphasort);
    for (int i = count - 1; i >= 0; i--) { /* the newest first */
        char path[PATH_MAX];
        struct stat info;
        const int len = snprintf(path, sizeof path, "%s/%s", folder, found[i]->d_name);
        if (len < (int)sizeof path && stat(path, &info) == 0) {
            kept += (uint64_t)info.st_size;
            if (i < count - 1 && (count - i > files || kept > bytes)) {
                kept -= (uint64_t)info.st_size;
                (void)unlink(path);
            }
        }
        free(found[i]);
    }
    if (count >= 0)
        free(found);
}
