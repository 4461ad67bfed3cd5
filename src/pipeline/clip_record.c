/* A clip's pictures, from the ring into a file as they come. So the ring need not hold the time after an incident, and
 * what was recorded survives whatever comes. */
#include "pipeline/clips_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/dirs.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <libavcodec/codec_id.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What begins or ends by less than this beside what was asked for is not called shorter. */
#define SLACK_NS (2 * ITSI_NS_PER_S)

static void let_go(struct itsi_clip *clip)
{
    if (clip->incident.release)
        clip->incident.release(clip->incident.owner);
    clip->incident.release = NULL;
    clip->incident.ring = NULL;
}

static void close_recording(struct itsi_clip *clip)
{
    if (clip->fd >= 0)
        close(clip->fd);
    clip->fd = -1;
}

void itsi_clip_free(struct itsi_clip *clip)
{
    if (clip->mux)
        (void)itsi_packet_mux_end(clip->mux, NULL);
    close_recording(clip);
    let_go(clip);
    itsi_free(clip);
}

static int64_t from(const struct itsi_clips *clips, const struct itsi_clip *clip)
{
    return clip->at - clips->params.before_ns;
}

static int open_recording(const struct itsi_clips *clips, struct itsi_clip *clip, struct its_diag *diag)
{
    struct itsi_packet_format format;
    itsi_packet_ring_get_format(clip->incident.ring, &format);
    snprintf(clip->form, sizeof clip->form, "%s", itsi_packet_mux_name(format.codec));
    clip->hevc = format.codec == AV_CODEC_ID_HEVC;
    snprintf(clip->recording, sizeof clip->recording, "%s.%s", clip->path, clip->form);
    int rc = itsi_make_dirs(clips->folder, "for clips", diag);
    if (rc == 0)
        rc = itsi_clip_folder_note(clips->folder, &clip->facts, diag); /* for who finishes it, should this end */
    if (rc)
        return rc;
    clip->fd = open(clip->recording, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (clip->fd < 0)
        return itsi_fail_errno(diag, errno, "%s", clip->recording);
    rc = itsi_packet_mux_begin(&clip->mux, clip->incident.ring, from(clips, clip), clip->fd, diag);
    if (rc) {
        close(clip->fd);
        clip->fd = -1;
    }
    return rc;
}

static bool has_pictures(const struct itsi_clips *clips, const struct itsi_clip *clip)
{
    struct itsi_packet_ring_stats kept;
    itsi_packet_ring_stats(clip->incident.ring, &kept);
    return kept.pictures > 0 && kept.newest >= from(clips, clip);
}

int itsi_clip_record(const struct itsi_clips *clips, struct itsi_clip *clip, struct its_diag *diag)
{
    if (!clip->mux) {
        if (!has_pictures(clips, clip))
            return 0;
        const int rc = open_recording(clips, clip, diag);
        if (rc)
            return rc == ITS_ENOTFOUND ? 0 : rc; /* they went meanwhile */
    }
    return itsi_packet_mux_more(clip->mux, clip->at + clips->params.after_ns, diag);
}

/* --- what it lacks ------------------------------------------------------------------------------------------------ */

static void say(struct itsi_clip_facts *facts, const char *format, double seconds, const char *why)
{
    const size_t used = strlen(facts->note);
    char text[200];
    snprintf(text, sizeof text, format, seconds, why);
    snprintf(facts->note + used, sizeof facts->note - used, "%s%s", used ? "; " : "", text);
}

static void say_what_lacks(const struct itsi_clips *clips, const struct itsi_clip *clip,
                           const struct itsi_packet_mux_summary *shown, int64_t cut_at, const char *why,
                           struct itsi_clip_facts *facts)
{
    const int64_t begin = from(clips, clip), end = clip->at + clips->params.after_ns;
    if (shown->first_at > begin + SLACK_NS)
        say(facts, "begins %+.1f s from the incident: %s", (double)(shown->first_at - clip->at) / 1e9,
            cut_at > begin ? "clip_camera_mb and clip_memory_mb hold no more"
                           : "the camera was not connected, or changed its stream then");
    if (why[0] || shown->last_at < end - SLACK_NS)
        say(facts, "ends %+.1f s from the incident: %s", (double)(shown->last_at - clip->at) / 1e9,
            why[0] ? why : "the camera gave no more pictures");
}

int itsi_clip_seal(const struct itsi_clips *clips, struct itsi_clip *clip, const char *why,
                   struct itsi_clip_facts *facts, struct its_diag *diag)
{
    struct itsi_packet_mux_summary shown;
    struct itsi_packet_ring_stats kept;
    int rc = ITS_ENOTFOUND;
    clip->sealed = true;
    if (clip->mux) {
        itsi_packet_ring_stats(clip->incident.ring, &kept);
        itsi_packet_mux_summary(clip->mux, &shown);
        rc = itsi_packet_mux_end(clip->mux, diag);
        clip->mux = NULL;
    } else {
        itsi_fail(diag, rc, "the camera gave no pictures in that time");
    }
    close_recording(clip);
    let_go(clip);
    if (rc)
        return rc;
    facts->pictures = shown.pictures;
    facts->seconds = (double)(shown.last_at - shown.first_at) / 1e9;
    facts->before = (double)(clip->at - shown.first_at) / 1e9;
    say_what_lacks(clips, clip, &shown, kept.cut_at, why, facts);
    return itsi_clip_folder_note(clips->folder, facts, diag);
}
