#include "capture/packet_mux.h"

#include "base/clock.h"
#include "base/diag.h"
#include "capture/av.h"

#include <errno.h>
#include <libavformat/avformat.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define NS                                                                                                             \
    (AVRational) { 1, (int)ITSI_NS_PER_S }
/* Where the stream has no decoding times, pictures are shown so much later than decoded: more than any reordering. */
#define REORDER_NS (500 * ITSI_NS_PER_MS)
enum { BUFFER = 1 << 15 };

struct mux {
    int socket;
    int64_t deadline;
    int error; /* why writing failed; 0: it did not */
    AVFormatContext *fmt;
    AVPacket *packet;
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
    struct mux *m = arg;
    for (int done = 0; done < size;) {
        const int64_t left = m->deadline - itsi_now_ns();
        struct pollfd watched = {.fd = m->socket, .events = POLLOUT};
        const int wait = left <= 0 ? 0 : left > 60 * ITSI_NS_PER_S ? 60000 : (int)(left / ITSI_NS_PER_MS) + 1;
        const ssize_t sent = send(m->socket, data + done, (size_t)(size - done), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0)
            done += (int)sent;
        else if (errno != EAGAIN && errno != EINTR)
            m->error = ITS_EIO;
        else if (left <= 0)
            m->error = ITS_ETIMEOUT;
        else
            (void)poll(&watched, 1, wait);
        if (m->error)
            return AVERROR_EXIT;
    }
    return size;
}

static int add_stream(struct mux *m, const struct itsi_packet_format *format)
{
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

static int open_file(struct mux *m, const struct itsi_packet_format *format)
{
    int err = avformat_alloc_output_context2(&m->fmt, NULL, itsi_packet_mux_name(format->codec), NULL);
    uint8_t *buffer = err < 0 ? NULL : av_malloc(BUFFER);
    m->packet = av_packet_alloc();
    if (!buffer || !m->packet)
        return err < 0 ? err : AVERROR(ENOMEM);
    m->fmt->pb = avio_alloc_context(buffer, BUFFER, 1, m, NULL, write_some, NULL);
    if (!m->fmt->pb) {
        av_free(buffer);
        return AVERROR(ENOMEM);
    }
    err = add_stream(m, format);
    return err < 0 ? err : avformat_write_header(m->fmt, NULL);
}

static void close_file(struct mux *m)
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
static void stamp(struct mux *m, const struct itsi_packet *packet)
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

static int write_picture(struct mux *m, const struct itsi_packet *packet)
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

static int write_pictures(struct mux *m, struct itsi_packet_ring *ring, int64_t from, int64_t until)
{
    struct itsi_packet_cursor cursor;
    struct itsi_packet packet;
    int err = 0;
    itsi_packet_ring_seek(ring, from, &cursor);
    while (err >= 0 && itsi_packet_ring_read(ring, &cursor, &packet, &m->data) == 0 && packet.at <= until)
        err = write_picture(m, &packet);
    return err < 0 ? err : av_write_trailer(m->fmt);
}

int itsi_packet_mux(struct itsi_packet_ring *ring, int64_t from, int64_t until, int socket, int64_t deadline,
                    struct itsi_packet_mux_summary *out, struct its_diag *diag)
{
    struct itsi_packet_format format;
    struct mux m = {.socket = socket, .deadline = deadline, .last_dts = INT64_MIN};
    itsi_packet_ring_get_format(ring, &format);
    if (format.codec == 0)
        return itsi_fail(diag, ITS_ENOTFOUND, "no coded pictures are kept");
    itsi_av_init();
    int err = open_file(&m, &format);
    if (err >= 0)
        err = write_pictures(&m, ring, from, until);
    close_file(&m);
    if (m.error)
        return itsi_fail(diag, m.error, "coded pictures: %s",
                         m.error == ITS_EIO ? "nobody takes them" : "taken too slowly");
    if (err < 0)
        return itsi_av_fail(diag, err, "coded pictures");
    if (m.summary.pictures == 0)
        return itsi_fail(diag, ITS_ENOTFOUND, "no coded pictures of that time are kept");
    *out = m.summary;
    return 0;
}
