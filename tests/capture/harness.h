/* One camera under test: a capture with its own ledger and a sink that counts, checks and lets go. */
#ifndef ITS_TESTS_CAPTURE_HARNESS_H
#define ITS_TESTS_CAPTURE_HARNESS_H

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "capture/capture.h"
#include "support/check.h"

#include <stdatomic.h>
#include <unistd.h>

struct cam {
    struct itsi_ledger ledger;
    struct itsi_capture *capture;
    struct its_cfg_capture cfg;
    struct itsi_capture_params params;
    pthread_mutex_t mutex;
    /* under the mutex */
    uint64_t frames, disorder;     /* disorder: stamps or numbers that go back */
    int64_t first_ns, last_ns;     /* when the first and the last frame came */
    int64_t gap_ns;                /* longest time between two of them */
    struct itsi_frame_info info;   /* of the last */
    struct itsi_picture picture;   /* of the last, without pixels */
    int64_t max_media;
    uint64_t sizes;                /* how often the size changed */
    uint64_t stop_after;           /* put() answers "stopping" from here on; 0: never */
    void (*look)(struct cam *cam, const struct itsi_frame *frame);
    void *arg;
};

/* The table's defaults. No string of this section has one, so nothing of it needs freeing. */
static inline void cam_cfg(struct its_cfg_capture *cfg)
{
    struct its_cfg all;
    struct its_diag diag;
    CHECK_OK(its_cfg_init(&all, &diag), diag);
    *cfg = all.capture;
    assert_null(cfg->tls_ca_file);
    its_cfg_fini(&all);
}

static inline int cam_put(void *arg, struct itsi_frame *frame, bool may_block)
{
    struct cam *cam = arg;
    (void)may_block;
    int64_t now = itsi_now_ns();
    pthread_mutex_lock(&cam->mutex);
    const struct itsi_frame_info *i = &frame->info;
    bool same_epoch = cam->frames && i->epoch == cam->info.epoch;
    if (cam->frames && (i->seq <= cam->info.seq || i->epoch < cam->info.epoch))
        cam->disorder++;
    if (same_epoch && i->pts_ns <= cam->info.pts_ns)
        cam->disorder++;
    if (!(i->trace.origin && i->trace.origin <= i->trace.decode_start && i->trace.decode_start <= i->trace.decode_end))
        cam->disorder++;
    if (cam->frames && (frame->picture.width != cam->picture.width || frame->picture.height != cam->picture.height))
        cam->sizes++;
    if (!cam->frames)
        cam->first_ns = now;
    else if (now - cam->last_ns > cam->gap_ns)
        cam->gap_ns = now - cam->last_ns;
    cam->last_ns = now;
    cam->frames++;
    cam->info = *i;
    cam->picture = frame->picture;
    if (i->media_ns > cam->max_media)
        cam->max_media = i->media_ns;
    if (cam->look)
        cam->look(cam, frame);
    bool stop = cam->stop_after && cam->frames >= cam->stop_after;
    pthread_mutex_unlock(&cam->mutex);
    itsi_ledger_deliver(&cam->ledger, now > i->deadline);
    itsi_frame_unref(&frame);
    return stop ? ITS_ECANCELLED : 0;
}

static inline void cam_init(struct cam *cam)
{
    memset(cam, 0, sizeof *cam);
    pthread_mutex_init(&cam->mutex, NULL);
    itsi_ledger_init(&cam->ledger);
    cam_cfg(&cam->cfg);
    cam->params = (struct itsi_capture_params){.id = "camera_001", .cfg = &cam->cfg, .camera = 3, .generation = 7,
                                               .frames = 8, .budget_ns = 100 * ITSI_NS_PER_MS, .ledger = &cam->ledger,
                                               .sink = {.put = cam_put, .arg = cam}};
}

static inline void cam_start(struct cam *cam, const char *url)
{
    struct its_diag diag = {""};
    cam->params.url = url;
    CHECK_OK(itsi_capture_create(&cam->capture, &cam->params, &diag), diag);
    CHECK_OK(itsi_capture_start(cam->capture, &diag), diag);
}

static inline void cam_check_balance(struct cam *cam)
{
    struct itsi_ledger_counts counts;
    itsi_ledger_snapshot(&cam->ledger, &counts);
    assert_int_equal(itsi_ledger_balance(&counts), 0);
}

static inline uint64_t cam_frames(struct cam *cam)
{
    pthread_mutex_lock(&cam->mutex);
    uint64_t frames = cam->frames;
    pthread_mutex_unlock(&cam->mutex);
    return frames;
}

static inline enum itsi_capture_state cam_state(struct cam *cam)
{
    struct itsi_capture_status status;
    itsi_capture_status(cam->capture, &status);
    return status.state;
}

/* Polls a condition on `cam`; false when it does not come true in `seconds`. Checks the balance at every look. */
#define CAM_WAIT(cam, seconds, condition)                                                                              \
    __extension__({                                                                                                    \
        int64_t until_ = itsi_now_ns() + (int64_t)((seconds) * 1e9);                                                   \
        bool ok_;                                                                                                      \
        while (!(ok_ = (condition)) && itsi_now_ns() < until_) {                                                       \
            cam_check_balance(cam);                                                                                    \
            usleep(5000);                                                                                              \
        }                                                                                                              \
        ok_;                                                                                                           \
    })

/* Stops; then nothing may be in flight and the books must balance. */
static inline void cam_stop(struct cam *cam, struct itsi_ledger_counts *counts)
{
    struct itsi_ledger_counts own;
    if (!counts)
        counts = &own;
    itsi_capture_destroy(cam->capture);
    cam->capture = NULL;
    itsi_ledger_snapshot(&cam->ledger, counts);
    assert_int_equal(itsi_ledger_balance(counts), 0);
    assert_int_equal(counts->in_flight, 0);
    itsi_ledger_fini(&cam->ledger);
    pthread_mutex_destroy(&cam->mutex);
}

#endif
