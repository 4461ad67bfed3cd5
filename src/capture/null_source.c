/* null://: frames without pixels at a steady beat, for measuring the machinery. At their own pace (pace=off) they need a
 * thread, since the receiver makes them wait; else all of them share the metronome's. */
#include "capture/capture_impl.h"

#include <math.h>
#include <string.h>

/* A machine that cannot keep up loses the frames it is this late for. */
#define MOST_LATE_NS ITSI_NS_PER_S

static double between(double low, double value, double high) { return fmax(low, fmin(value, high)); }

/* Frames there are in so many seconds. */
static double frames_within(const struct itsi_source *s, double seconds)
{
    const double surging = s->surge.fps > 0 ? between(0, seconds - s->surge.from, s->surge.seconds) : 0;
    return (seconds - surging) * s->fps + surging * s->surge.fps;
}

static bool surges_at(const struct itsi_source *s, double index)
{
    const double first = s->surge.from * s->fps;
    return s->surge.fps > 0 && index >= first && index < first + s->surge.seconds * s->surge.fps;
}

static double rate_at(const struct itsi_source *s, int64_t index)
{
    return surges_at(s, (double)index) ? s->surge.fps : s->fps;
}

static int64_t media_ns(const struct itsi_capture *c, int64_t index)
{
    const struct itsi_source *s = &c->source;
    const double first = s->surge.from * s->fps;
    const double surging = s->surge.fps > 0 ? between(0, (double)index - first, s->surge.seconds * s->surge.fps) : 0;
    const double seconds = ((double)index - surging) / s->fps + (surging > 0 ? surging / s->surge.fps : 0);
    return (int64_t)(seconds * ITSI_NS_PER_S);
}

int64_t itsi_null_begin(struct itsi_capture *c)
{
    const struct itsi_source *s = &c->source;
    pthread_mutex_lock(&c->mutex);
    strcpy(c->status.codec, "null");
    c->status.width = s->width;
    c->status.height = s->height;
    c->status.fps = s->fps;
    c->status.connects++;
    c->status.origin_kind = ITSI_ORIGIN_SCHEDULE;
    pthread_mutex_unlock(&c->mutex);
    c->null.anchor = itsi_now_ns();
    c->null.index = 0;
    c->null.count = s->seconds > 0 ? (int64_t)(frames_within(s, s->seconds) + 0.5) : INT64_MAX;
    return c->null.anchor;
}

/* Enters what has been due for too long; returns how many frames that were. */
static int64_t give_up_late(struct itsi_capture *c, int64_t late_ns)
{
    int64_t lost = (int64_t)((double)late_ns / ITSI_NS_PER_S * rate_at(&c->source, c->null.index));
    if (lost > c->null.count - c->null.index)
        lost = c->null.count - c->null.index;
    itsi_capture_drop(c, (uint64_t)lost, ITSI_DROP_FLUSHED);
    return lost;
}

/* One that the quality manager does not want. */
static int leave_out(struct itsi_capture *c, int64_t now)
{
    itsi_ledger_arrive(c->ledger);
    c->seq++;
    itsi_ledger_skip(c->ledger);
    itsi_capture_good_frame(c, now);
    return 0;
}

static int give(struct itsi_capture *c, int64_t origin, int64_t now)
{
    pthread_mutex_lock(&c->mutex);
    c->status.decoded++;
    c->status.fps = rate_at(&c->source, c->null.index);
    pthread_mutex_unlock(&c->mutex);
    if (itsi_capture_wants(c, true, media_ns(c, c->null.index)) == ITSI_PICTURE_SKIPPED)
        return leave_out(c, now);
    struct itsi_frame *frame = itsi_capture_blank(c, origin, c->source.width, c->source.height);
    if (!frame)
        return 0;
    frame->info.pts_ns = frame->info.media_ns = media_ns(c, c->null.index);
    frame->info.origin_kind = ITSI_ORIGIN_SCHEDULE;
    frame->info.key = true;
    frame->info.trace.decode_start = now;
    int rc = itsi_capture_put(c, frame, origin);
    if (rc == 0)
        itsi_capture_good_frame(c, now);
    return rc;
}

int itsi_null_step(struct itsi_capture *c, int64_t now, int64_t *next)
{
    int64_t due = c->null.anchor + media_ns(c, c->null.index);
    if (itsi_capture_stopping(c))
        return ITS_ECANCELLED;
    if (c->null.index < c->null.count) {
        if (!c->source.pace_off && now - due > MOST_LATE_NS) {
            c->null.index += give_up_late(c, now - due);
        } else {
            int rc = give(c, c->source.pace_off ? now : due, now);
            if (rc)
                return rc;
            c->null.index++;
        }
    }
    *next = c->null.anchor + media_ns(c, c->null.index);
    return c->null.index < c->null.count ? 0 : ITS_EEOF;
}

int itsi_null_run(struct itsi_capture *c)
{
    int64_t next = itsi_null_begin(c);
    int rc = 0;
    while (rc == 0) {
        if (!c->source.pace_off && itsi_event_wait_until(&c->stop_event, next))
            return ITS_ECANCELLED;
        rc = itsi_null_step(c, itsi_now_ns(), &next);
    }
    return rc;
}
