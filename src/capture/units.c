#include "capture/session.h"

#include <string.h>

static struct itsi_unit *find(struct itsi_session *s, uint64_t serial)
{
    struct itsi_unit *unit = &s->units[serial % ITSI_UNITS];
    return serial && unit->serial == serial ? unit : NULL;
}

bool itsi_units_holds_newest(struct itsi_session *s) { return find(s, s->serial) != NULL; }

void itsi_units_drop(struct itsi_session *s, int64_t origin, enum itsi_drop reason)
{
    s->c->seq++;
    itsi_capture_drop_one(s->c, origin, reason);
}

void itsi_units_skip(struct itsi_session *s)
{
    s->c->seq++;
    itsi_ledger_skip(s->c->ledger);
}

static void count_error(struct itsi_session *s)
{
    pthread_mutex_lock(&s->c->mutex);
    s->c->status.decode_errors++;
    pthread_mutex_unlock(&s->c->mutex);
}

static void end_corrupt(struct itsi_session *s, struct itsi_unit *unit)
{
    if (unit->counted) {
        s->c->seq++;
        itsi_ledger_corrupt(s->c->ledger);
        itsi_capture_lost(s->c, unit->origin, ITSI_DROP_ENGINE_FAILED, true);
    }
    count_error(s);
    unit->serial = 0;
}

/* The unit will never give a picture. Pictures presented before the first whole one (the leading ones of an open group, those
 * of a gradual refresh) are no damage: their references were sent before we came. */
static void end_lost(struct itsi_session *s, struct itsi_unit *unit)
{
    if (unit->exact && unit->pts < s->key_pts) {
        if (unit->counted)
            itsi_units_drop(s, unit->origin, ITSI_DROP_WAIT_KEY);
        unit->serial = 0;
    } else {
        end_corrupt(s, unit);
    }
}

/* Decoders give pictures in order of presentation: what should have come before this one is lost. */
static void end_passed(struct itsi_session *s, int64_t pts)
{
    for (int i = 0; i < ITSI_UNITS; i++) {
        struct itsi_unit *unit = &s->units[i];
        if (unit->serial && unit->exact && unit->pts < pts)
            end_lost(s, unit);
    }
}

static void note_size(struct itsi_session *s, const AVFrame *frame)
{
    if (s->width == frame->width && s->height == frame->height)
        return;
    if (s->width)
        s->c->epoch++;
    s->width = frame->width;
    s->height = frame->height;
    struct itsi_capture_status *status = &s->c->status;
    pthread_mutex_lock(&s->c->mutex);
    status->width = frame->width;
    status->height = frame->height;
    status->has_b_frames = s->decoder.ctx->has_b_frames > 0;
    status->epoch = s->c->epoch;
    pthread_mutex_unlock(&s->c->mutex);
}

/* Tells the state machine, and asks for a new connection where a frozen camera has had its time. */
static void note_freeze(struct itsi_session *s, const struct itsi_picture *picture, int64_t now)
{
    struct itsi_capture *c = s->c;
    if (!s->live)
        return;
    enum itsi_freeze_verdict verdict = itsi_freeze_feed(&c->freeze, itsi_freeze_hash(picture), now);
    if (verdict == ITSI_FREEZE_BEGINS) {
        pthread_mutex_lock(&c->mutex);
        c->status.freezes++;
        pthread_mutex_unlock(&c->mutex);
    } else if (verdict == ITSI_FREEZE_RECONNECT && !s->demux.finite) {
        s->rc = ITS_ETIMEOUT;
    }
}

/* With B-frames a picture may be there before it is due. False: stopped meanwhile. */
static bool wait_due(struct itsi_session *s, const struct itsi_unit *unit)
{
    return !s->paced || !itsi_event_wait_until(&s->c->stop_event, unit->due);
}

static int64_t presentation(struct itsi_session *s, const struct itsi_unit *unit)
{
    bool forward = s->last_out == ITSI_NO_TIME || unit->out > s->last_out;
    if (unit->exact || (s->live && !s->paced && forward))
        return unit->out;
    if (s->last_out == ITSI_NO_TIME)
        return unit->out;
    /* no time stamps to go by: one beat after the picture before */
    return s->last_out + (int64_t)((double)ITSI_NS_PER_S / itsi_capture_fps(s->c));
}

static void hand_over(struct itsi_session *s, const struct itsi_unit *unit)
{
    struct itsi_capture *c = s->c;
    const enum itsi_selection_verdict verdict = itsi_capture_wants(c, unit->key, unit->out);
    if (verdict == ITSI_PICTURE_SKIPPED) {
        itsi_units_skip(s);
        av_frame_unref(s->decoder.frame);
        s->last_frame = itsi_now_ns();
        s->round_frames++;
        return;
    }
    struct itsi_frame *frame = wait_due(s, unit) ? itsi_capture_frame(c) : NULL;
    if (!frame) {
        itsi_units_drop(s, unit->origin, itsi_capture_stopping(c) ? ITSI_DROP_SHUTDOWN : ITSI_DROP_POOL_EMPTY);
        av_frame_unref(s->decoder.frame);
        return;
    }
    c->seq++;
    note_size(s, s->decoder.frame);
    if (itsi_decoder_take(&s->decoder, frame->native, &frame->picture)) {
        c->seq--;
        struct itsi_unit gone = *unit;
        end_corrupt(s, &gone);
        itsi_frame_unref(&frame);
        return;
    }
    struct itsi_frame_info *info = &frame->info;
    info->seq = c->seq;
    info->epoch = c->epoch;
    info->width = frame->picture.width;
    info->height = frame->picture.height;
    info->pts_ns = s->last_out = presentation(s, unit);
    info->media_ns = unit->media;
    info->origin_kind = unit->kind;
    info->key = unit->key;
    info->in_place = verdict == ITSI_PICTURE_IN_PLACE;
    info->trace.decode_start = unit->decode_start;
    note_freeze(s, &frame->picture, itsi_now_ns());
    if (verdict == ITSI_PICTURE_DUE)
        itsi_capture_offer(c, unit->key, unit->out);
    int rc = itsi_capture_put(c, frame, unit->origin);
    s->last_frame = itsi_now_ns();
    s->round_frames++;
    if (rc)
        s->rc = rc;
    else
        itsi_capture_good_frame(c, s->last_frame);
}

static void count_picture(struct itsi_session *s)
{
    pthread_mutex_lock(&s->c->mutex);
    s->c->status.decoded++;
    pthread_mutex_unlock(&s->c->mutex);
}

static void on_picture(struct itsi_session *s, bool deliver)
{
    count_picture(s);
    struct itsi_unit *unit = find(s, (uint64_t)s->decoder.frame->pts);
    if (unit && s->key_pts == ITSI_REFRESHING)
        s->key_pts = unit->pts;
    if (unit && unit->exact)
        end_passed(s, unit->pts);
    struct itsi_stream_source *stream = &s->c->streams[s->c->using];
    if (s->decoder.ctx->has_b_frames > stream->reorder) { /* not every stream says so beforehand */
        stream->reorder = s->decoder.ctx->has_b_frames;
        pthread_mutex_lock(&s->c->mutex);
        s->c->status.has_b_frames = true;
        pthread_mutex_unlock(&s->c->mutex);
    }
    if (!unit) { /* in the books already */
        av_frame_unref(s->decoder.frame);
    } else if (unit->damaged || itsi_decoder_is_damaged(&s->decoder)) {
        end_corrupt(s, unit);
        av_frame_unref(s->decoder.frame);
    } else if (!unit->counted || !deliver) {
        if (unit->counted)
            itsi_units_drop(s, unit->origin, ITSI_DROP_SHUTDOWN);
        unit->serial = 0;
        s->round_frames++;
        s->last_frame = itsi_now_ns();
        av_frame_unref(s->decoder.frame);
    } else {
        struct itsi_unit taken = *unit;
        unit->serial = 0;
        hand_over(s, &taken);
    }
}

/* All pictures that are ready. Returns the decoder's last word: ITS_EAGAIN, ITS_EEOF or what is wrong. */
static int receive_all(struct itsi_session *s, bool deliver)
{
    int rc;
    while ((rc = itsi_decoder_receive(&s->decoder)) == 0)
        on_picture(s, deliver && !s->rc);
    return rc;
}

void itsi_units_feed(struct itsi_session *s, struct itsi_unit *unit, AVPacket *packet)
{
    unit->serial = ++s->serial;
    struct itsi_unit *slot = &s->units[unit->serial % ITSI_UNITS];
    if (slot->serial) /* deeper than any decoder reorders */
        end_lost(s, slot);
    unit->decode_start = itsi_now_ns();
    *slot = *unit;
    packet->pts = packet->dts = (int64_t)unit->serial;
    int rc = itsi_decoder_send(&s->decoder, packet);
    if (rc == ITS_EAGAIN) { /* cannot be after receiving all; take what there is and try once more */
        receive_all(s, true);
        rc = itsi_decoder_send(&s->decoder, packet);
    }
    int got = receive_all(s, true);
    if (rc == 0 && got != ITS_EAGAIN && got != ITS_EEOF)
        rc = got;
    slot = find(s, unit->serial);
    if (rc && slot)
        end_corrupt(s, slot);
}

void itsi_units_drain(struct itsi_session *s, bool deliver, enum itsi_drop left)
{
    if (deliver && itsi_decoder_send(&s->decoder, NULL) == 0)
        receive_all(s, true);
    bool damaged = deliver && left == ITSI_DROP_COUNT;
    for (int i = 0; i < ITSI_UNITS; i++) {
        struct itsi_unit *unit = &s->units[i];
        if (!unit->serial)
            continue;
        if (damaged && !s->rc) {
            end_lost(s, unit);
        } else {
            if (unit->counted)
                itsi_units_drop(s, unit->origin, s->rc == ITS_ECANCELLED || damaged ? ITSI_DROP_SHUTDOWN : left);
            unit->serial = 0;
        }
    }
    itsi_decoder_flush(&s->decoder);
}
