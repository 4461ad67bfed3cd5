/* Clips of incidents: for each a file of what the camera showed before and after, written when the time after has
 * passed, by a thread of its own, one at a time. The folder keeps so many files and bytes, the newest. */
#ifndef ITSI_PIPELINE_CLIPS_H
#define ITSI_PIPELINE_CLIPS_H

#include "core/frame.h"
#include "pipeline/clip.h"

struct itsi_clips;

struct itsi_clips_params {
    struct itsi_ffmpeg_pool *pool; /* borrowed, outlives the clips */
    const char *folder;            /* made when it is needed; copied */
    int64_t before_ns, after_ns;
    int files;      /* kept at most */
    uint64_t bytes; /* of them all */
};
ITS_NODISCARD int itsi_clips_create(struct itsi_clips **out, const struct itsi_clips_params *params,
                                    struct its_diag *diag);
/* Incidents that wait are dropped; the clip being written ends first, within its time. Takes NULL. */
void itsi_clips_destroy(struct itsi_clips *clips);

struct itsi_incident {
    const char *camera;            /* id; copied */
    int64_t at, wall_ns;           /* the same instant, on both clocks */
    struct itsi_packet_ring
        *ring; /* must stay until release(owner), which is called once, by any thread; not if refused */
    void (*release)(void *owner);
    void *owner;
};
/* Any thread; never waits. ITS_EEXISTS: a clip that waits shows this instant of the camera already; ITS_ELIMIT: as many
 * wait as may be; counted. */
ITS_NODISCARD int itsi_clips_add(struct itsi_clips *clips, const struct itsi_incident *incident);

struct itsi_clips_stats {
    int waiting;
    uint64_t written, failed, dropped;
    char last_error[512];
};
void itsi_clips_stats(struct itsi_clips *clips, struct itsi_clips_stats *out);

#endif
