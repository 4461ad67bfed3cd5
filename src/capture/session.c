#include "capture/session.h"

#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "capture/av.h"
#include "capture/successor.h"

#include <libavutil/mathematics.h>
#include <string.h>

/* A clip that plays later than this is behind for good: it skips to where it should be. */
#define MOST_LATE_NS ITSI_NS_PER_S
/* Silence on a live connection counts as an outage from here on (or three beats, where they are longer). */
#define SILENCE_NS ITSI_NS_PER_S

/* --- begin and end ------------------------------------------------------------------------------------------------ */

/* While a read blocks. Where nothing comes and the other stream is ready, this one is left as if it had timed out. */
static void on_tick(void *arg)
{
    struct itsi_session *s = arg;
    itsi_capture_tick(s->c);
    if (itsi_successor_waits(s->c) && itsi_now_ns() - s->last_packet > s->c->grace)
        s->interrupt.deadline = 0;
}

/* The owner's part of a new connection: what was opened becomes the camera's stream. */
static void begin_session(struct itsi_session *s, bool adopted)
{
    struct itsi_capture *c = s->c;
    int bits = s->demux.video->pts_wrap_bits;
    s->unwrap_pts.bits = s->unwrap_dts.bits = itsi_session_on_disk(s) ? 64 : bits;
    s->live = !c->source.pace_off;
    s->paced = s->live && (itsi_session_on_disk(s) || s->demux.bursts);
    s->anchor = s->last_out = ITSI_NO_TIME;
    s->last_ticks = AV_NOPTS_VALUE;
    s->key_pts = INT64_MIN;
    s->first_unit = true;
    s->wait_key = !s->joined;
    itsi_epochs_reset(&s->epochs);
    itsi_cadence_restart(&c->cadence);
    itsi_selection_reset(&c->selection);
    c->last_key = ITSI_NO_TIME;
    s->last_packet = s->last_frame = s->wait_since = itsi_now_ns();
    s->interrupt.stop = &c->stop;
    s->interrupt.tick = on_tick;
    s->interrupt.arg = s;
    /* what the last connection taught: without it the first pictures of a stream that does not announce its B-frames
     * would come out of order and be lost, each time anew */
    struct itsi_stream_source *stream = &c->streams[c->using];
    if (s->decoder.ctx->has_b_frames < stream->reorder && s->codec == stream->codec)
        s->decoder.ctx->has_b_frames = stream->reorder;
    stream->codec = s->codec;
    stream->again = 0;
    itsi_session_publish(s);
    itsi_session_keep_format(s);
    pthread_mutex_lock(&c->mutex);
    c->status.connects++;
    if (c->connected && !adopted)
        c->status.reconnects++;
    pthread_mutex_unlock(&c->mutex);
    if (c->connected)
        c->epoch++;
    c->connected = true;
    itsi_info("capture", "%s: connected to %s (%s)", c->id, c->source.shown, avcodec_get_name(s->codec));
}

static void close_session(struct itsi_session *s)
{
    if (s->decoder.ctx)
        itsi_units_drain(s, s->rc != ITS_ECANCELLED && !itsi_capture_stopping(s->c),
                         itsi_capture_stopping(s->c) ? ITSI_DROP_SHUTDOWN : ITSI_DROP_FLUSHED);
    itsi_session_free(s);
}

/* --- one access unit ---------------------------------------------------------------------------------------------- */

/* The time stamps, unwrapped, in ns. A stream without them, or with one that never advances (seen from cameras and RTSP
 * servers that loop a byte stream), goes by arrival; a file without them by its beat. */
static int64_t read_stamps(struct itsi_session *s, struct itsi_unit *unit, int64_t arrival)
{
    const AVPacket *p = s->packet;
    int64_t dts = ITSI_NO_TIME, last = s->epochs.last_pts;
    bool stuck = s->live && !s->paced && p->pts == s->last_ticks;
    unit->exact = p->pts != AV_NOPTS_VALUE && !stuck;
    s->last_ticks = p->pts;
    if (p->dts != AV_NOPTS_VALUE && !stuck)
        dts = itsi_demux_ns(&s->demux, itsi_unwrap(&s->unwrap_dts, p->dts));
    if (unit->exact)
        unit->pts = itsi_demux_ns(&s->demux, itsi_unwrap(&s->unwrap_pts, p->pts));
    else if (dts != ITSI_NO_TIME)
        unit->pts = dts;
    else if (last == ITSI_NO_TIME)
        unit->pts = 0;
    else if (s->live && !s->paced)
        unit->pts = last + (arrival > s->epochs.last_arrival ? arrival - s->epochs.last_arrival : 1);
    else
        unit->pts = last + seconds_ns(1.0 / itsi_capture_fps(s->c));
    return dts;
}

/* New epoch on the same connection: what the decoder holds comes out, the rest is gone, and decoding begins at the next
 * key frame. */
static void begin_epoch(struct itsi_session *s, int64_t now)
{
    itsi_units_drain(s, true, ITSI_DROP_FLUSHED);
    struct itsi_capture *c = s->c;
    c->epoch++;
    itsi_cadence_restart(&c->cadence);
    s->wait_key = true;
    s->wait_since = now;
    s->key_pts = INT64_MIN;
    s->anchor = s->last_out = ITSI_NO_TIME;
    itsi_selection_reset(&c->selection);
    c->last_key = ITSI_NO_TIME;
    pthread_mutex_lock(&c->mutex);
    c->status.epoch = c->epoch;
    pthread_mutex_unlock(&c->mutex);
}

/* The codec may change within one connection (a camera reconfigured behind an MPEG-TS multiplexer). */
static bool codec_changed(const struct itsi_session *s) { return s->demux.video->codecpar->codec_id != s->codec; }

/* Frames lost before this unit: by the time stamps where they go on, by the clock where they do not. */
static void count_missing(struct itsi_session *s, const struct itsi_unit *unit, bool jumped, int64_t at)
{
    struct itsi_capture *c = s->c;
    int64_t gap = itsi_cadence_feed(&c->cadence, unit->pts, s->decoder.ctx->has_b_frames);
    if (!s->live)
        return;
    if (!unit->exact)
        gap = 0; /* the beat of arrivals: jitter is no loss */
    if (s->first_unit || jumped) {
        itsi_capture_settle(c, at, jumped && !s->first_unit);
        s->excess = 0;
        return;
    }
    uint64_t entered = itsi_capture_seen(c, at);
    if (gap > 0 && (uint64_t)gap > entered)
        itsi_ledger_missing(c->ledger, (uint64_t)gap - entered);
    else
        s->excess += entered - (uint64_t)gap;
}

/* Paced sources: sleeps until the unit is to be decoded. When the machine is behind for good, the clip's schedule moves
 * on and what it skips is in the books: as dropped for a file, as missing for HLS, whose segments came late. */
static void pace(struct itsi_session *s, struct itsi_unit *unit, int64_t decode_at)
{
    struct itsi_capture *c = s->c;
    int64_t now = itsi_now_ns();
    if (s->anchor == ITSI_NO_TIME)
        s->anchor = now - decode_at;
    int64_t late = now - (s->anchor + decode_at);
    if (late > MOST_LATE_NS) {
        double fps = itsi_capture_fps(c);
        uint64_t lost = (uint64_t)((double)late / ITSI_NS_PER_S * fps), entered = s->excess;
        s->anchor += (int64_t)((double)lost * ITSI_NS_PER_S / fps);
        s->excess = 0;
        lost = lost > entered ? lost - entered : 0;
        if (itsi_session_on_disk(s))
            itsi_capture_drop(c, lost, ITSI_DROP_FLUSHED);
        else
            itsi_ledger_missing(c->ledger, lost);
    }
    unit->due = s->anchor + unit->out;
    unit->origin = unit->due;
    unit->kind = ITSI_ORIGIN_SCHEDULE;
    itsi_capture_seen(c, s->anchor + decode_at); /* nothing is due while we sleep */
    itsi_event_wait_until(&c->stop_event, s->anchor + decode_at);
}

static void stamp(struct itsi_session *s, struct itsi_unit *unit, int64_t dts, const struct itsi_arrival *came)
{
    struct itsi_capture *c = s->c;
    int64_t start = s->demux.finite ? itsi_demux_start_ns(&s->demux) : 0;
    unit->out = unit->pts - start + s->loop_base;
    unit->media = s->demux.finite ? unit->pts - start : -1;
    int64_t wall = itsi_wall_ns() - (itsi_now_ns() - came->at);
    unit->origin = itsi_origin_pick(&s->clock, unit->exact ? came->wall : 0, came->at, wall, &unit->kind);
    if (unit->media >= 0) {
        int64_t beat = s->packet->duration > 0 ? itsi_demux_ns(&s->demux, s->packet->duration)
                                               : seconds_ns(1.0 / itsi_capture_fps(c));
        if (unit->media + beat > s->clip_end)
            s->clip_end = unit->media + beat;
    }
    bool preroll = unit->media >= 0 && unit->media < s->preroll;
    unit->counted = !preroll;
    if (s->paced && !preroll) {
        bool early = dts != ITSI_NO_TIME && dts < unit->pts;
        pace(s, unit, early ? unit->out - (unit->pts - dts) : unit->out);
    }
    /* what the stream before this one showed already */
    if (!s->paced && came->at <= s->overlap)
        unit->counted = false;
    if (s->excess && unit->counted && !itsi_session_on_disk(s)) {
        s->excess--;
        unit->counted = false;
    }
}

static void count_packet(struct itsi_session *s, bool disposable)
{
    struct itsi_capture *c = s->c;
    const int64_t cpu = itsi_thread_cpu_ns();
    pthread_mutex_lock(&c->mutex);
    c->status.packets++;
    c->status.disposable += disposable;
    c->status.bytes += (uint64_t)s->packet->size;
    c->status.cpu_ns = cpu;
    c->status.fps = itsi_cadence_fps(&c->cadence);
    c->status.clock_offset_seconds = itsi_origin_offset_seconds(&s->clock);
    pthread_mutex_unlock(&c->mutex);
}

/* Decoding begins here, or anew. */
static void enter(struct itsi_session *s, const struct itsi_unit *unit)
{
    s->key_pts = unit->key ? unit->pts : ITSI_REFRESHING;
}

/* Waiting for a key frame: ends with one, or where a gradual refresh begins, or after half the frame timeout, since some
 * streams refresh without either. */
static bool still_waiting(struct itsi_session *s, const struct itsi_unit *unit, int64_t now)
{
    if (!s->wait_key)
        return false;
    if (!unit->entry && now - s->wait_since < seconds_ns(s->c->cfg.frame_timeout_seconds) / 2)
        return true;
    s->wait_key = false;
    enter(s, unit);
    return false;
}

static void note_key(struct itsi_capture *c, int64_t pts)
{
    if (c->last_key != ITSI_NO_TIME && pts > c->last_key) {
        pthread_mutex_lock(&c->mutex);
        c->status.key_seconds = (double)(pts - c->last_key) / ITSI_NS_PER_S;
        pthread_mutex_unlock(&c->mutex);
    }
    c->last_key = pts;
}

/* None came with this one: the interval is as long as this already, which must not wait for the next to show. */
static void note_no_key(struct itsi_capture *c, int64_t pts)
{
    const double seconds = c->last_key != ITSI_NO_TIME ? (double)(pts - c->last_key) / ITSI_NS_PER_S : 0;
    if (c->status.key_seconds > 0 && seconds > c->status.key_seconds) { /* which no other thread writes */
        pthread_mutex_lock(&c->mutex);
        c->status.key_seconds = seconds;
        pthread_mutex_unlock(&c->mutex);
    }
}

/* Decodes the unit, or leaves it out where less than all is wanted. */
static void feed(struct itsi_session *s, struct itsi_unit *unit)
{
    struct itsi_capture *c = s->c;
    struct itsi_selection *selection = &c->selection;
    const bool was_broken = selection->broken;
    const enum itsi_decode_mode decode = itsi_capture_decodes(c);
    const struct itsi_selection_unit candidate = {.key = unit->key,
                                                  .entry = unit->entry,
                                                  .disposable = unit->disposable,
                                                  .at = unit->out,
                                                  .taken = itsi_capture_taken(c)};
    if (itsi_selection_unit(selection, decode, &candidate)) {
        if (was_broken)
            enter(s, unit);
        itsi_units_feed(s, unit, s->packet);
        /* where pictures are reordered it would wait for its successors in the decoder */
        if (decode == ITSI_DECODE_KEY && !s->rc && itsi_units_holds_newest(s)) {
            itsi_units_drain(s, true, ITSI_DROP_FLUSHED);
            selection->broken = true; /* drained, the decoder has forgotten it */
        }
        return;
    }
    /* what was decoded so far comes out now, and the next key frame finds the decoder fresh */
    if (selection->broken && !was_broken)
        itsi_units_drain(s, true, ITSI_DROP_FLUSHED);
    if (unit->counted)
        itsi_units_skip(s);
    s->last_frame = itsi_now_ns();
}

static void on_packet(struct itsi_session *s, const struct itsi_arrival *came, struct its_diag *diag)
{
    int64_t arrival = came->at;
    struct itsi_capture *c = s->c;
    int flags = s->packet->flags;
    struct itsi_unit unit = {.entry = flags & AV_PKT_FLAG_KEY, .damaged = flags & AV_PKT_FLAG_CORRUPT};
    if (codec_changed(s)) {
        begin_epoch(s, arrival);
        itsi_decoder_close(&s->decoder);
        if ((s->rc = itsi_session_open_decoder(s, diag)))
            return;
        itsi_session_publish(s);
        itsi_session_keep_format(s);
    }
    int64_t dts = read_stamps(s, &unit, arrival);
    int64_t slack = (s->decoder.ctx->has_b_frames + 2) * seconds_ns(1.0 / itsi_capture_fps(c));
    bool clocked = s->live && !s->paced;
    bool jumped = itsi_epochs_jumped(&s->epochs, dts, unit.pts, clocked ? arrival : ITSI_NO_TIME, slack);
    if (jumped)
        begin_epoch(s, arrival);
    count_missing(s, &unit, jumped, arrival);
    s->first_unit = false;
    unit.key = unit.entry && !itsi_nal_begins_refresh(&s->nal, s->packet->data, (size_t)s->packet->size);
    unit.disposable = !unit.entry && itsi_nal_is_disposable(&s->nal, s->packet->data, (size_t)s->packet->size);
    count_packet(s, unit.disposable);
    if (still_waiting(s, &unit, arrival)) {
        itsi_ledger_arrive(c->ledger);
        itsi_units_drop(s, arrival, ITSI_DROP_WAIT_KEY);
        return;
    }
    stamp(s, &unit, dts, came);
    itsi_session_keep(s, &unit, dts, arrival);
    if (unit.key)
        note_key(c, unit.pts);
    else
        note_no_key(c, unit.pts);
    if (unit.counted) {
        itsi_ledger_arrive(c->ledger);
        c->last_unit = arrival;
    }
    feed(s, &unit);
}

/* --- the loop ----------------------------------------------------------------------------------------------------- */

/* The end of a clip: all of it comes out before the next round begins. */
static int on_end(struct itsi_session *s, struct its_diag *diag)
{
    struct itsi_capture *c = s->c;
    itsi_units_drain(s, true, ITSI_DROP_COUNT);
    if (s->rc)
        return s->rc;
    if (!s->round_frames && !s->preroll)
        return itsi_fail(diag, ITS_EFORMAT, "%s: not one picture in it", c->source.shown);
    if (c->source.once)
        return ITS_EEOF;
    int rc = itsi_demux_seek(&s->demux, 0, diag);
    if (rc)
        return rc;
    s->loop_base += s->clip_end;
    s->round_frames = 0;
    s->preroll = 0;
    s->unwrap_pts.started = s->unwrap_dts.started = false;
    s->wait_key = true;
    s->wait_since = itsi_now_ns();
    itsi_epochs_reset(&s->epochs);
    itsi_cadence_restart(&c->cadence);
    return 0;
}

static int64_t read_deadline(const struct itsi_session *s)
{
    if (itsi_session_on_disk(s))
        return ITSI_NEVER;
    int64_t timeout = seconds_ns(s->c->cfg.packet_timeout_seconds);
    return s->last_packet + timeout;
}

static int stalled(struct itsi_session *s, struct its_diag *diag, const char *what, double seconds)
{
    pthread_mutex_lock(&s->c->mutex);
    s->c->status.stalls++;
    pthread_mutex_unlock(&s->c->mutex);
    return itsi_fail(diag, ITS_ETIMEOUT, "%s: %s for %g s", s->c->source.shown, what, seconds);
}

static int step(struct itsi_session *s, struct its_diag *diag)
{
    struct itsi_capture *c = s->c;
    double silence = 3.0 / itsi_capture_fps(c);
    c->grace = silence > 1.0 ? seconds_ns(silence) : SILENCE_NS;
    s->interrupt.deadline = read_deadline(s);
    int rc = s->primed ? 0 : itsi_demux_read(&s->demux, s->packet, &s->came, diag);
    s->primed = false;
    if (rc == ITS_EEOF && s->demux.finite)
        return on_end(s, diag);
    if (rc == ITS_ETIMEOUT && itsi_successor_is_due(c))
        return ITS_EAGAIN;
    if (rc == ITS_ETIMEOUT)
        return stalled(s, diag, "no packet", c->cfg.packet_timeout_seconds);
    if (rc == ITS_EEOF)
        return itsi_fail(diag, ITS_EIO, "%s: the camera closed the connection", c->source.shown);
    if (rc)
        return rc;
    if (itsi_successor_is_due(c))
        return ITS_EAGAIN;
    on_packet(s, &s->came, diag);
    av_packet_unref(s->packet);
    s->last_packet = itsi_now_ns();
    if (!s->rc && s->live && s->last_packet - s->last_frame > seconds_ns(c->cfg.frame_timeout_seconds))
        return stalled(s, diag, "packets but no picture", c->cfg.frame_timeout_seconds);
    return s->rc;
}

int itsi_session_run(struct itsi_capture *c, const char *address, struct its_diag *diag)
{
    struct itsi_session *s = itsi_successor_take(c);
    const bool adopted = s != NULL;
    int rc = 0;
    if (!adopted) {
        s = itsi_session_create(c, c->using, &c->stop, diag);
        rc = s ? itsi_session_connect(s, address, true, diag) : ITS_ENOMEM;
    }
    if (!s)
        return rc;
    if (!rc)
        begin_session(s, adopted);
    while (!rc)
        rc = itsi_capture_stopping(c) ? ITS_ECANCELLED : step(s, diag);
    if (!s->rc && rc == ITS_ECANCELLED)
        s->rc = rc;
    close_session(s);
    return rc;
}
