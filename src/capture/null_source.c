/* null://: frames without pixels at a steady beat, for measuring the machinery. */
#include "capture/capture_impl.h"

#include <string.h>

/* A machine that cannot keep up loses the frames it is this late for. */
#define MOST_LATE_NS ITSI_NS_PER_S

static void describe(struct itsi_capture *c)
{
    pthread_mutex_lock(&c->mutex);
    strcpy(c->status.codec, "null");
    c->status.width = c->source.width;
    c->status.height = c->source.height;
    c->status.fps = c->source.fps;
    c->status.connects++;
    c->status.origin_kind = ITSI_ORIGIN_SCHEDULE;
    pthread_mutex_unlock(&c->mutex);
}

int itsi_null_run(struct itsi_capture *c)
{
    const struct itsi_source *s = &c->source;
    describe(c);
    int64_t anchor = itsi_now_ns(), index = 0;
    int64_t count = s->seconds > 0 ? (int64_t)(s->seconds * s->fps + 0.5) : INT64_MAX;
    for (; index < count && !itsi_capture_stopping(c); index++) {
        int64_t media = (int64_t)((double)index * ITSI_NS_PER_S / s->fps);
        int64_t due = anchor + media, now = itsi_now_ns();
        if (!s->pace_off) {
            if (now - due > MOST_LATE_NS) {
                int64_t lost = (int64_t)((double)(now - due) / ITSI_NS_PER_S * s->fps);
                if (lost > count - index)
                    lost = count - index;
                itsi_capture_drop(c, (uint64_t)lost, ITSI_DROP_FLUSHED);
                index += lost - 1;
                continue;
            }
            if (itsi_event_wait_until(&c->stop_event, due))
                break;
            now = itsi_now_ns();
        }
        int64_t origin = s->pace_off ? now : due;
        struct itsi_frame *frame = itsi_capture_blank(c, origin, s->width, s->height);
        if (!frame)
            continue;
        frame->info.pts_ns = frame->info.media_ns = media;
        frame->info.origin_kind = ITSI_ORIGIN_SCHEDULE;
        frame->info.key = true;
        frame->info.trace.decode_start = now;
        int rc = itsi_capture_put(c, frame, origin);
        if (rc)
            return rc;
        itsi_capture_good_frame(c, now);
    }
    return itsi_capture_stopping(c) ? ITS_ECANCELLED : ITS_EEOF;
}
