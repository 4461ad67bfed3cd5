#include "capture/packet_mux.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "capture/av.h"

#include <errno.h>
#include <libavformat/avformat.h>
#include <string.h>
#include <unistd.h>

#define NS                                                                                                             \
    (AVRational) { 1, (int)ITSI_NS_PER_S }
/* Where the stream has no decoding times, pictures are shown so much later than decoded: more than any reordering. */
#define REORDER_NS (500 * ITSI_NS_PER_MS)
enum { BUFFER = 1 << 15 };

struct itsi_packet_mux {
    struct itsi_packet_ring *ring;
    struct itsi_packet_format format;
    struct itsi_packet_cursor cursor;
    int fd;
    int error; /* errno of writing; 0: none */
    AVFormatContext *fmt;
    AVPacket *packet;
    struct itsi_packet waiting; /* read and not written yet, with `data` */
    bool waits;
    struct itsi_buf data;
    struct itsi_packet_mux_summary summary;
    uint32_t epoch;
    int64_t shift;    /* from the epoch's time stamps to the file's */
    int64_t last_dts; /* ns of the file */
};

const char *itsi_packet_mux_name(int codec)
{
    switch (codec) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_MPEG4:
        return "mpegts"; /* parameters may come with the pictures alone */
    default:
        return "matroska";
    }
}

static int write_some(void *arg, uint8_t *data, int size)
{
    struct itsi_packet_mux *m = arg;
    for (int done = 0; done < size;) {
        const ssize_t wrote = write(m->fd, data + done, (size_t)(size - done));
        if (wrote > 0)
            done += (int)wrote;
        else if (errno != EINTR) {
            m->error = errno;
            return AVERROR_EXIT;
        }
    }
    return size;
}

static int add_stream(struct itsi_packet_mux *m)
{
    const struct itsi_packet_format *format = &m->format;
    AVStream *stream = avformat_new_stream(m->fmt, NULL);
    if (!stream)
        return AVERROR(ENOMEM);
    AVCodecParameters *par = stream->codecpar;
    par->codec_type = AVMEDIA_TYPE_VIDEO;
    par->codec_id = (enum AVCodecID)format->codec;
    par->width = format->width;
    par->height = format->height;
    stream->time_base = NS;
    if (format->config_size == 0)
        return 0;
    par->extradata = av_mallocz(format->config_size + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!par->extradata)
        return AVERROR(ENOMEM);
    memcpy(par->extradata, format->config, format->config_size);
    par->extradata_size = (int)format->config_size;
    return 0;
}

static int open_file(struct itsi_packet_mux *m)
{
    int err = avformat_alloc_output_context2(&m->fmt, NULL, itsi_packet_mux_name(m->format.codec), NULL);
    uint8_t *buffer = err < 0 ? NULL : av_malloc(BUFFER);
    m->packet = av_packet_alloc();
    if (!buffer || !m->packet)
        return err < 0 ? err : AVERROR(ENOMEM);
    m->fmt->pb = avio_alloc_context(buffer, BUFFER, 1, m, NULL, write_some, NULL);
    if (!m->fmt->pb) {
        av_free(buffer);
        return AVERROR(ENOMEM);
    }
    err = add_stream(m);
    return err < 0 ? err : avformat_write_header(m->fmt, NULL);
}

static void close_file(struct itsi_packet_mux *m)
{
    if (m->fmt && m->fmt->pb) {
        av_freep(&m->fmt->pb->buffer);
        avio_context_free(&m->fmt->pb);
    }
    avformat_free_context(m->fmt);
    av_packet_free(&m->packet);
    itsi_buf_fini(&m->data);
}

/* Times of the file: they begin at 0, go by the camera's clock, and where that begins anew, by ours. */
static void stamp(struct itsi_packet_mux *m, const struct itsi_packet *packet)
{
    if (!m->summary.pictures)
        m->summary.first_at = packet->at;
    if (!m->summary.pictures || packet->epoch != m->epoch) {
        m->epoch = packet->epoch;
        m->shift = packet->at - m->summary.first_at - packet->pts;
    }
    int64_t pts = packet->pts + m->shift + REORDER_NS;
    int64_t dts = packet->dts == ITSI_PACKET_NO_DTS ? pts - REORDER_NS : packet->dts + m->shift;
    if (dts <= m->last_dts)
        dts = m->last_dts + ITSI_NS_PER_MS; /* no file has finer steps than that */
    m->last_dts = dts;
    m->packet->pts = pts > dts ? pts : dts;
    m->packet->dts = dts;
    m->packet->flags = packet->key ? AV_PKT_FLAG_KEY : 0;
}

static int write_picture(struct itsi_packet_mux *m, const struct itsi_packet *packet)
{
    int err = av_new_packet(m->packet, (int)m->data.len);
    if (err < 0)
        return err;
    memcpy(m->packet->data, m->data.data, m->data.len);
    stamp(m, packet);
    av_packet_rescale_ts(m->packet, NS, m->fmt->streams[0]->time_base);
    err = av_write_frame(m->fmt, m->packet);
    av_packet_unref(m->packet);
    m->summary.pictures++;
    m->summary.last_at = packet->at;
    return err;
}

/* An errno of ours comes back as AVERROR_EXIT. */
static int fail(const struct itsi_packet_mux *m, int err, struct its_diag *diag)
{
    return m->error ? itsi_fail_errno(diag, m->error, "coded pictures") : itsi_av_fail(diag, err, "coded pictures");
}

static void free_mux(struct itsi_packet_mux *m)
{
    close_file(m);
    itsi_free(m);
}

int itsi_packet_mux_begin(struct itsi_packet_mux **out, struct itsi_packet_ring *ring, int64_t from, int fd,
                          struct its_diag *diag)
{
    struct itsi_packet_ring_stats kept;
    struct itsi_packet_mux *m = itsi_zalloc(sizeof *m);
    if (!m)
        return itsi_fail(diag, ITS_ENOMEM, "coded pictures: out of memory");
    m->ring = ring;
    m->fd = fd;
    m->last_dts = INT64_MIN;
    itsi_packet_ring_get_format(ring, &m->format);
    itsi_packet_ring_stats(ring, &kept);
    if (m->format.codec == 0 || kept.pictures == 0 || kept.newest < from) {
        itsi_free(m);
        return itsi_fail(diag, ITS_ENOTFOUND, "no coded pictures of that time are kept");
    }
    m->summary.codec = m->format.codec;
    itsi_av_init();
    const int err = open_file(m);
    if (err < 0) {
        const int rc = fail(m, err, diag);
        free_mux(m);
        return rc;
    }
    itsi_packet_ring_seek(ring, from, &m->cursor);
    *out = m;
    return 0;
}

/* The next picture that is to be written. ITS_EAGAIN: none now; ITS_EEOF: none in this file. */
static int next_picture(struct itsi_packet_mux *m, int64_t until)
{
    struct itsi_packet_format now;
    if (!m->waits) {
        const int rc = itsi_packet_ring_read(m->ring, &m->cursor, &m->waiting, &m->data);
        if (rc)
            return rc;
        m->waits = true;
    }
    itsi_packet_ring_get_format(m->ring, &now);
    if (!itsi_packet_format_is_same(&m->format, &now))
        return ITS_EEOF;
    return m->waiting.at <= until ? 0 : ITS_EAGAIN;
}

int itsi_packet_mux_more(struct itsi_packet_mux *m, int64_t until, struct its_diag *diag)
{
    int err = 0, rc;
    while ((rc = next_picture(m, until)) == 0) {
        m->waits = false;
        if ((err = write_picture(m, &m->waiting)) < 0)
            return fail(m, err, diag);
    }
    avio_flush(m->fmt->pb);
    if (m->error)
        return fail(m, AVERROR_EXIT, diag);
    return rc == ITS_EAGAIN ? 0 : itsi_fail(diag, rc, "the stream changed");
}

void itsi_packet_mux_summary(const struct itsi_packet_mux *m, struct itsi_packet_mux_summary *out) { *out = m->summary; }

int itsi_packet_mux_end(struct itsi_packet_mux *m, struct its_diag *diag)
{
    int rc = 0;
    const int err = av_write_trailer(m->fmt);
    if (err < 0 || m->error)
        rc = fail(m, err, diag);
    else if (m->summary.pictures == 0)
        rc = itsi_fail(diag, ITS_ENOTFOUND, "no coded pictures of that time are kept");
    free_mux(m);
    return rc;
}
