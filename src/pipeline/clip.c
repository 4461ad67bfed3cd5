#include "pipeline/clip.h"

#include "base/diag.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void on_done(struct itsi_ffmpeg_job *job, const struct itsi_ffmpeg_result *result)
{
    struct itsi_clip_copy *copy = job->arg;
    copy->code = result->code;
    copy->seconds = (double)result->media_us / 1e6;
    itsi_fail(&copy->diag, result->code, "%s", result->error);
    copy->ended(copy->arg);
}

static void set_arguments(struct itsi_clip_copy *copy)
{
    const char *const in[] = {"-f", copy->form, "-i", "pipe:0", "-map", "0:v", "-c", "copy"};
    const char *const tag[] = {"-tag:v", "hvc1"};
    const char *const out[] = {"-avoid_negative_ts", "make_zero", "-movflags", "+faststart", "-f", "mp4",
                               "-y",                 copy->part,  NULL};
    const char **at = copy->arguments;
    memcpy(at, in, sizeof in);
    at += sizeof in / sizeof *in;
    if (copy->hevc) {
        memcpy(at, tag, sizeof tag);
        at += sizeof tag / sizeof *tag;
    }
    memcpy(at, out, sizeof out);
}

int itsi_clip_copy_begin(struct itsi_clip_copy *copy, int fd, struct its_diag *diag)
{
    if (snprintf(copy->part, sizeof copy->part, "%s.part", copy->path) >= (int)sizeof copy->part) {
        close(fd);
        return itsi_fail(diag, ITS_EINVAL, "clip: %s: path too long", copy->path);
    }
    set_arguments(copy);
    copy->job = (struct itsi_ffmpeg_job){.arguments = copy->arguments,
                                         .owner = {"pipeline", "clip", 0},
                                         .input = fd,
                                         .output = -1,
                                         .deadline = copy->deadline,
                                         .limits = {.nice = 10},
                                         .done = on_done,
                                         .arg = copy};
    itsi_ffmpeg_execute(copy->pool, &copy->job);
    return 0;
}

void itsi_clip_copy_cancel(struct itsi_clip_copy *copy) { itsi_ffmpeg_cancel_job(copy->pool, &copy->job); }

int itsi_clip_copy_end(struct itsi_clip_copy *copy, uint64_t *bytes, struct its_diag *diag)
{
    struct stat info;
    int rc = copy->code ? itsi_fail(diag, copy->code, "%s", copy->diag.text) : 0;
    if (rc == 0 && (stat(copy->part, &info) != 0 || rename(copy->part, copy->path) != 0))
        rc = itsi_fail_errno(diag, errno, "%s", copy->path);
    if (rc)
        (void)unlink(copy->part);
    else
        *bytes = (uint64_t)info.st_size;
    return rc;
}
