/* What the sources share on a frame's way out: is it wanted, a place for it, its hand-over, and what becomes of one that
 * is none. */
#include "capture/capture_impl.h"

#include <string.h>

/* What there is to choose from: pictures a second. */
static double choice_fps(const struct itsi_capture *c, enum itsi_decode_mode decode)
{
    const double key_seconds = c->status.key_seconds; /* which no other thread writes */
    return decode == ITSI_DECODE_KEY && key_seconds > 0 ? 1 / key_seconds : itsi_capture_fps(c);
}

static double most_wanted(struct itsi_capture *c) { return atomic_load(&c->most_millihertz) / 1e3; }

enum itsi_selection_verdict itsi_capture_wants(struct itsi_capture *c, bool key, int64_t at)
{
    if (!itsi_capture_thins(c))
        return ITSI_PICTURE_DUE;
    const struct itsi_selection_unit unit = {.key = key, .at = at, .taken = itsi_capture_taken(c)};
    const enum itsi_decode_mode decode = itsi_capture_decodes(c);
    return itsi_selection_picture(&c->selection, decode, most_wanted(c), choice_fps(c, decode), &unit);
}

enum itsi_decode_mode itsi_capture_decodes(const struct itsi_capture *c)
{
    return itsi_capture_thins(c) ? (enum itsi_decode_mode)atomic_load(&c->decode) : ITSI_DECODE_ALL;
}

uint64_t itsi_capture_taken(struct itsi_capture *c)
{
    return c->sink.taken ? c->sink.taken(c->sink.arg) : c->status.frames; /* which no other thread writes */
}

void itsi_capture_offer(struct itsi_capture *c, bool key, int64_t at)
{
    const struct itsi_selection_unit unit = {.key = key, .at = at, .taken = itsi_capture_taken(c)};
    const enum itsi_decode_mode decode = itsi_capture_decodes(c);
    itsi_selection_offer(&c->selection, decode, most_wanted(c), choice_fps(c, decode), &unit);
}

struct itsi_frame *itsi_capture_frame(struct itsi_capture *c)
{
    struct itsi_frame *frame = itsi_frame_pool_get(c->pool);
    /* at its own pace the source loses nothing: frames come back as results do */
    while (!frame && c->source.pace_off && !itsi_event_wait_until(&c->stop_event, itsi_now_ns() + ITSI_NS_PER_MS))
        frame = itsi_frame_pool_get(c->pool);
    if (!frame)
        return NULL;
    memcpy(frame->info.camera_id, c->id, sizeof frame->info.camera_id);
    frame->info.camera = c->camera;
    frame->info.generation = c->generation;
    frame->info.seq = c->seq;
    frame->info.epoch = c->epoch;
    return frame;
}

int itsi_capture_put(struct itsi_capture *c, struct itsi_frame *frame, int64_t origin)
{
    int64_t now = itsi_now_ns();
    struct itsi_frame_info *info = &frame->info;
    /* a clip with B-frames is decoded a little ahead of its presentation: the trace begins at the origin */
    if (info->trace.decode_start < origin)
        info->trace.decode_start = origin;
    info->trace.origin = origin;
    info->trace.decode_end = now > info->trace.decode_start ? now : info->trace.decode_start;
    info->capture_wall_ns = itsi_wall_ns() - (now - origin);
    bool block = c->source.pace_off;
    info->deadline = block || c->budget_ns == ITSI_NEVER ? ITSI_NEVER : origin + c->budget_ns;
    enum itsi_origin kind = info->origin_kind;
    uint64_t seq = info->seq;
    int rc = c->sink.put(c->sink.arg, frame, block);
    pthread_mutex_lock(&c->mutex);
    c->status.frames++;
    c->status.seq = seq;
    c->status.origin_kind = kind;
    pthread_mutex_unlock(&c->mutex);
    return rc;
}

void itsi_capture_lost(struct itsi_capture *c, int64_t origin, enum itsi_drop reason, bool damaged)
{
    if (!c->sink.lost)
        return;
    struct itsi_frame_info info = {.camera = c->camera,
                                   .generation = c->generation,
                                   .seq = c->seq,
                                   .epoch = c->epoch,
                                   .deadline = ITSI_NEVER,
                                   .trace.origin = origin ? origin : itsi_now_ns()};
    memcpy(info.camera_id, c->id, sizeof info.camera_id);
    c->sink.lost(c->sink.arg, &info, reason, damaged);
}

void itsi_capture_drop_one(struct itsi_capture *c, int64_t origin, enum itsi_drop reason)
{
    itsi_ledger_drop(c->ledger, ITSI_STAGE_CAMERA_CAPTURE, reason);
    itsi_capture_lost(c, origin, reason, false);
}

struct itsi_frame *itsi_capture_blank(struct itsi_capture *c, int64_t origin, int width, int height)
{
    itsi_ledger_arrive(c->ledger);
    c->seq++;
    struct itsi_frame *frame = itsi_capture_frame(c);
    if (!frame) {
        itsi_capture_drop_one(c, origin, itsi_capture_stopping(c) ? ITSI_DROP_SHUTDOWN : ITSI_DROP_POOL_EMPTY);
        return NULL;
    }
    frame->picture.layout = ITSI_LAYOUT_NONE;
    frame->picture.width = frame->info.width = width;
    frame->picture.height = frame->info.height = height;
    return frame;
}

void itsi_capture_drop(struct itsi_capture *c, uint64_t count, enum itsi_drop reason)
{
    for (; count; count--) {
        c->seq++;
        itsi_ledger_arrive(c->ledger);
        itsi_capture_drop_one(c, 0, reason);
    }
}
