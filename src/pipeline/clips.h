/* Clips of incidents: for each a file of what the camera showed before and after. A thread of its own writes the
 * pictures down as they come, from the moment of the incident on, and has FFmpeg make the clip when the time after has
 * passed, one at a time. The folder keeps so many files and bytes, the newest. */
#ifndef ITSI_PIPELINE_CLIPS_H
#define ITSI_PIPELINE_CLIPS_H

#include "capture/packet_ring.h"
#include "pipeline/clip_folder.h"

struct itsi_clips;
struct itsi_ffmpeg_pool;

struct itsi_clips_params {
    struct itsi_ffmpeg_pool *pool; /* borrowed, outlives the clips */
    const char *folder;            /* made when it is needed; copied */
    int64_t before_ns, after_ns;
    int files;      /* kept at most */
    uint64_t bytes; /* of them all */
};
/* What an earlier process recorded and did not finish is finished first. */
ITS_NODISCARD int itsi_clips_create(struct itsi_clips **out, const struct itsi_clips_params *params,
                                    struct its_diag *diag);
/* The end: what waits is written now with what there is, until `until`, and the thread ends. What is not finished by
 * then stays as it was recorded, for the next start. Further incidents are refused. One thread; idempotent. */
void itsi_clips_finish(struct itsi_clips *clips, int64_t until); /* takes NULL */
void itsi_clips_destroy(struct itsi_clips *clips);               /* takes NULL; finishes first, at once */
/* For who asks of the disk and may be held there for longer than the clips live: with a reference what there is of them
 * after their end stays (the folder, and no clip in the making). Any thread. */
struct itsi_clips *itsi_clips_ref(struct itsi_clips *clips); /* takes NULL */
void itsi_clips_unref(struct itsi_clips *clips);             /* takes NULL */

struct itsi_incident {
    const char *camera;  /* id; copied, as are why and record */
    int64_t at, wall_ns; /* the same instant, on both clocks */
    const char *why;
    const char *record; /* flight record's file, without its folder; NULL: none */
    struct itsi_packet_ring *ring; /* must stay until release(owner), called once, by any thread; not if refused */
    void (*release)(void *owner);
    void *owner;
};
/* Any thread; never waits. `name` (on success, and with ITS_EEXISTS): of its clip. ITS_EEXISTS: a clip in the making
 * shows this instant of the camera already; ITS_ELIMIT: as many wait as may, counted; ITS_ECANCELLED: it ends. */
ITS_NODISCARD int itsi_clips_add(struct itsi_clips *clips, const struct itsi_incident *incident,
                                 char name[ITSI_CLIP_NAME_SIZE]);

/* Any thread; these block on the disk. */

/* Newest first, those in the making and those that failed lately too; returns how many were copied. ITS_ENOMEM. */
ITS_NODISCARD int itsi_clips_list(struct itsi_clips *clips, struct itsi_clip_facts *out, int cap);
/* ITS_ENOTFOUND: no clip is called so. */
ITS_NODISCARD int itsi_clips_find(struct itsi_clips *clips, const char *name, struct itsi_clip_facts *out);
/* Opens a written clip; the descriptor is the caller's. ITS_ENOTFOUND, ITS_EBUSY: it is being made, ITS_EIO. */
ITS_NODISCARD int itsi_clips_open(struct itsi_clips *clips, const char *name, int *fd, uint64_t *bytes,
                                  struct its_diag *diag);
/* Deletes a clip, or the memory of one that failed. The same errors. */
ITS_NODISCARD int itsi_clips_remove(struct itsi_clips *clips, const char *name, struct its_diag *diag);

struct itsi_clips_stats {
    int waiting; /* in the making */
    uint64_t written, failed, dropped;
    struct itsi_clip_totals kept;
    char last_error[256];
};
void itsi_clips_stats(struct itsi_clips *clips, struct itsi_clips_stats *out); /* never blocks */

#endif
