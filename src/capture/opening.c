/* How a connection is opened: by the camera's own thread, or beside it for the stream that is to take over. Nothing of
 * what the owner keeps is touched in here, but for the state it is shown to be in. */
#include "base/diag.h"
#include "base/mem.h"
#include "capture/handshakes.h"
#include "capture/session.h"

#include <string.h>

bool itsi_session_on_disk(const struct itsi_session *s)
{
    return s->source->kind == ITSI_SOURCE_FILE || s->source->kind == ITSI_SOURCE_SYNTH;
}

struct itsi_session *itsi_session_create(struct itsi_capture *c, int stream, const atomic_bool *stop,
                                         struct its_diag *diag)
{
    struct itsi_session *s = itsi_zalloc(sizeof *s);
    AVPacket *packet = s ? av_packet_alloc() : NULL;
    if (!packet) {
        itsi_free(s);
        itsi_fail(diag, ITS_ENOMEM, "%s: out of memory", c->streams[stream].source.shown);
        return NULL;
    }
    s->c = c;
    s->source = &c->streams[stream].source;
    s->packet = packet;
    s->interrupt.stop = stop;
    s->overlap = INT64_MIN;
    return s;
}

void itsi_session_free(struct itsi_session *s)
{
    if (!s)
        return;
    itsi_decoder_close(&s->decoder);
    itsi_demux_close(&s->demux);
    av_packet_free(&s->packet);
    itsi_free(s);
}

static void show(struct itsi_session *s, bool shown, enum itsi_capture_state state)
{
    if (!shown)
        return;
    itsi_machine_enter(&s->c->machine, state, itsi_now_ns());
    itsi_capture_publish(s->c, NULL);
}

static int open_input(struct itsi_session *s, const char *address, bool shown, struct its_diag *diag)
{
    struct itsi_capture *c = s->c;
    bool limited = c->handshakes && !itsi_session_on_disk(s);
    if (limited) {
        show(s, shown, ITSI_CAPTURE_WAITING);
        if (itsi_handshakes_acquire(c->handshakes, s->interrupt.stop))
            return itsi_fail(diag, ITS_ECANCELLED, "stopped");
    }
    show(s, shown, ITSI_CAPTURE_CONNECTING);
    s->interrupt.deadline = itsi_now_ns() + seconds_ns(c->cfg.connect_timeout_seconds);
    int rc = itsi_demux_open(&s->demux, s->source, address, &c->cfg, &s->interrupt, diag);
    if (limited)
        itsi_handshakes_release(c->handshakes);
    if (rc)
        return rc;
    show(s, shown, ITSI_CAPTURE_STARTING);
    s->interrupt.deadline = itsi_now_ns() + seconds_ns(c->cfg.frame_timeout_seconds);
    return itsi_demux_find_video(&s->demux, diag);
}

int itsi_session_open_decoder(struct itsi_session *s, struct its_diag *diag)
{
    struct itsi_capture *c = s->c;
    const AVCodecParameters *par = s->demux.video->codecpar;
    int rc = itsi_decoder_open(&s->decoder, par, c->cfg.max_frame_pixels, diag);
    if (rc)
        return itsi_diag_prefix(diag, rc, "%s", s->source->shown);
    s->codec = par->codec_id;
    itsi_demux_nal_format(&s->demux, &s->nal);
    return 0;
}

void itsi_session_publish(struct itsi_session *s)
{
    struct itsi_capture_status *status = &s->c->status;
    const AVCodecParameters *par = s->demux.video->codecpar;
    pthread_mutex_lock(&s->c->mutex);
    strncpy(status->codec, avcodec_get_name(par->codec_id), sizeof status->codec - 1);
    status->width = par->width;
    status->height = par->height;
    status->sub = s->source == &s->c->streams[1].source;
    if (status->sub)
        status->sub_again_ns = 0; /* it can be had */
    pthread_mutex_unlock(&s->c->mutex);
}

/* Where in its clip a file begins: start_offset wraps at the clip's length. */
static void seek_start(struct itsi_session *s)
{
    int64_t offset = s->c->start_offset_ns;
    int64_t length = s->demux.fmt->duration > 0 ? s->demux.fmt->duration * ITSI_NS_PER_US : 0;
    if (!s->demux.finite || offset <= 0)
        return;
    if (length)
        offset %= length;
    if (itsi_demux_seek(&s->demux, offset, NULL) == 0)
        s->preroll = offset;
}

int itsi_session_connect(struct itsi_session *s, const char *address, bool shown, struct its_diag *diag)
{
    int rc = open_input(s, address, shown, diag);
    if (!rc)
        rc = itsi_session_open_decoder(s, diag);
    if (!rc)
        seek_start(s);
    return rc;
}
