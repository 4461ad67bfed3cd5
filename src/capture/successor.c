#include "capture/successor.h"

#include "base/diag.h"
#include "base/log.h"
#include "capture/av.h"
#include "capture/handshakes.h"
#include "capture/synth.h"

#include <stdio.h>
#include <string.h>

/* How long the other stream goes on being read before one that could not be had is tried again. */
#define SUB_AGAIN_NS (60 * ITSI_NS_PER_S)
#define FULL_AGAIN_NS (5 * ITSI_NS_PER_S)

/* --- its own thread ----------------------------------------------------------------------------------------------- */

/* Decoded alone, by a decoder of its own: the session's begins with it. */
static bool decodes(struct itsi_session *s)
{
    struct itsi_decoder trial = {0};
    const bool ok = itsi_decoder_open(&trial, s->demux.video->codecpar, s->c->cfg.max_frame_pixels, NULL) == 0 &&
                    itsi_decoder_send(&trial, s->packet) == 0 && itsi_decoder_send(&trial, NULL) == 0 &&
                    itsi_decoder_receive(&trial) == 0 && !itsi_decoder_is_damaged(&trial);
    itsi_decoder_close(&trial);
    return ok;
}

/* Into the session's own decoder: does a whole picture come of it? What lacks its references comes not, or damaged. */
static bool renews(struct itsi_session *s)
{
    bool whole = false;
    s->packet->pts = s->packet->dts = 0; /* no unit of the session's: what is left of these in the decoder counts for nothing */
    if (itsi_decoder_send(&s->decoder, s->packet))
        return false;
    while (itsi_decoder_receive(&s->decoder) == 0) {
        whole = !itsi_decoder_is_damaged(&s->decoder);
        av_frame_unref(s->decoder.frame);
    }
    return whole;
}

/* Is the stream at a place where its pictures can be taken over? After a long wait that need be no key frame, if the decoder
 * is one that knows when it has all references: others would show what they have. */
static bool is_ready(struct itsi_session *s, bool waited_long)
{
    const bool keyless = waited_long && s->codec == AV_CODEC_ID_H264;
    s->primed = (s->packet->flags & AV_PKT_FLAG_KEY) && !keyless && decodes(s);
    s->joined = keyless && renews(s);
    return s->primed || s->joined;
}

/* Reads up to a key frame that can be decoded or, where none comes, up to a whole picture. */
static int await_picture(struct itsi_session *s, struct its_diag *diag)
{
    const int64_t began = itsi_now_ns(), patience = seconds_ns(s->c->cfg.frame_timeout_seconds);
    s->interrupt.deadline = began + patience;
    for (;;) {
        int rc = itsi_demux_read(&s->demux, s->packet, &s->came, diag);
        if (rc)
            return rc == ITS_EEOF ? itsi_fail(diag, ITS_EFORMAT, "%s: no key frame in it", s->source->shown) : rc;
        const bool ready = is_ready(s, itsi_now_ns() >= began + patience / 2);
        if (!s->primed)
            av_packet_unref(s->packet);
        if (ready)
            return 0;
        if (itsi_now_ns() >= s->interrupt.deadline)
            return itsi_fail(diag, ITS_ETIMEOUT, "%s: neither a key frame nor a whole picture without one for %g s",
                             s->source->shown, s->c->cfg.frame_timeout_seconds);
    }
}

static int open_session(struct itsi_successor *n, struct its_diag *diag)
{
    struct itsi_session *s = n->session;
    const char *address = s->source->address;
    char clip[2048], path[2100];
    int rc = 0;
    if (s->source->kind == ITSI_SOURCE_SYNTH) {
        rc = itsi_synth_clip(s->c->streams[n->stream].url, s->c->cache_dir, &n->stop, clip, sizeof clip, diag);
        snprintf(path, sizeof path, "file:%s", rc ? "" : clip);
        address = path;
    }
    if (!rc)
        rc = itsi_session_connect(s, address, false, diag);
    return rc ? rc : await_picture(s, diag);
}

static void *run(void *arg)
{
    struct itsi_successor *n = arg;
    n->rc = open_session(n, &n->diag);
    itsi_av_about(NULL);
    atomic_store(&n->done, true);
    return NULL;
}

/* --- the owner ---------------------------------------------------------------------------------------------------- */

int itsi_capture_wanted(const struct itsi_capture *c)
{
    return atomic_load(&c->want_sub) && c->streams[1].url && itsi_now_ns() >= c->streams[1].again;
}

void itsi_capture_stream_failed(struct itsi_capture *c, int stream, const struct its_diag *diag)
{
    const bool first = c->streams[stream].again == 0;
    itsi_log(first ? ITSI_LOG_WARN : ITSI_LOG_DEBUG, "capture", "%s: %s: %s", c->id, stream == 1 ? "sub_url" : "url",
             diag->text);
    c->streams[stream].again = itsi_now_ns() + (stream == 1 ? SUB_AGAIN_NS : FULL_AGAIN_NS);
    if (stream != 1)
        return;
    pthread_mutex_lock(&c->mutex);
    c->status.sub_again_ns = c->streams[1].again;
    snprintf(c->status.sub_error, sizeof c->status.sub_error, "%s", diag->text);
    pthread_mutex_unlock(&c->mutex);
}

static bool needs_opening(enum itsi_source_kind kind) { return kind != ITSI_SOURCE_NULL && kind != ITSI_SOURCE_REPLAY; }

static int begin(struct itsi_capture *c, int stream, struct its_diag *diag)
{
    struct itsi_successor *n = &c->successor;
    char name[ITSI_CAMERA_ID_SIZE + 8];
    atomic_store(&n->stop, false);
    atomic_store(&n->done, false);
    n->stream = stream;
    n->session = itsi_session_create(c, stream, &n->stop, diag);
    if (!n->session)
        return ITS_ENOMEM;
    snprintf(name, sizeof name, "sub-%s", c->id);
    int rc = itsi_thread_start(&n->thread, name, run, n, diag);
    n->running = rc == 0;
    /* a stop of the capture that came in between did not see it */
    if (n->running && itsi_capture_stopping(c))
        atomic_store(&n->stop, true);
    return rc;
}

static void drop(struct itsi_successor *n)
{
    itsi_session_free(n->session);
    n->session = NULL;
}

static void join(struct itsi_successor *n)
{
    pthread_join(n->thread, NULL);
    n->running = false;
}

static void tell_to_stop(struct itsi_capture *c)
{
    atomic_store(&c->successor.stop, true);
    if (c->handshakes)
        itsi_handshakes_wake(c->handshakes);
}

void itsi_successor_cancel(struct itsi_capture *c)
{
    struct itsi_successor *n = &c->successor;
    if (n->running) {
        tell_to_stop(c);
        join(n);
    }
    drop(n);
}

/* Not wanted any more, or the wish has changed while it was opened: dropped when its thread has seen that. */
static void call_off(struct itsi_capture *c)
{
    struct itsi_successor *n = &c->successor;
    if (n->running && !atomic_load(&n->done)) {
        tell_to_stop(c);
        return;
    }
    if (n->running)
        join(n);
    drop(n);
}

/* It has ended one way or the other. */
static bool conclude(struct itsi_capture *c)
{
    struct itsi_successor *n = &c->successor;
    join(n);
    if (n->rc == 0)
        return true;
    drop(n);
    if (n->rc != ITS_ECANCELLED)
        itsi_capture_stream_failed(c, n->stream, &n->diag);
    return false;
}

bool itsi_successor_is_due(struct itsi_capture *c)
{
    struct itsi_successor *n = &c->successor;
    struct its_diag diag = {""};
    const int wanted = itsi_capture_wanted(c);
    if (wanted == c->using || itsi_now_ns() < c->streams[wanted].again) {
        if (n->session)
            call_off(c);
        return false;
    }
    if (!needs_opening(c->streams[wanted].source.kind) || itsi_successor_is_ready(c))
        return true;
    if (!n->running) {
        int rc = begin(c, wanted, &diag);
        if (rc) {
            drop(n);
            itsi_capture_stream_failed(c, wanted, &diag);
        }
        return false;
    }
    return atomic_load(&n->done) && conclude(c);
}

bool itsi_successor_stands_by(struct itsi_capture *c)
{
    const struct itsi_successor *n = &c->successor;
    return n->running ? atomic_load(&n->done) && conclude(c) : n->session != NULL;
}

bool itsi_successor_waits(const struct itsi_capture *c)
{
    const struct itsi_successor *n = &c->successor;
    return n->running && atomic_load(&n->done) && n->rc == 0 && itsi_capture_wanted(c) == n->stream;
}

bool itsi_successor_is_coming(const struct itsi_capture *c) { return c->successor.running; }

bool itsi_successor_is_ready(const struct itsi_capture *c) { return c->successor.session && !c->successor.running; }

struct itsi_session *itsi_successor_take(struct itsi_capture *c)
{
    struct itsi_successor *n = &c->successor;
    if (!itsi_successor_is_ready(c))
        return NULL;
    struct itsi_session *s = n->session;
    n->session = NULL;
    s->overlap = c->overlap;
    return s;
}
