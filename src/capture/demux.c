#include "capture/demux.h"

#include "base/clock.h"
#include "base/diag.h"
#include "capture/av.h"
#include "capture/tls_relay.h"

#include <stdio.h>
#include <string.h>

/* What formats that need it may read ahead to find their streams. */
#define PROBE_US "1500000"
#define PROBE_BYTES "2000000"
/* A camera told good-bye frees its session; one that does not listen is not waited for. */
#define GOODBYE_NS (200 * ITSI_NS_PER_MS)

static int on_interrupt(void *arg)
{
    struct itsi_interrupt *interrupt = arg;
    if (interrupt->tick)
        interrupt->tick(interrupt->arg);
    if (interrupt->stop && atomic_load(interrupt->stop))
        return 1;
    return itsi_now_ns() >= interrupt->deadline;
}

/* AVERROR_EXIT says only that we interrupted: tell why. */
static int fail(struct itsi_demux *d, int averr, const char *doing, struct its_diag *diag)
{
    if (d->interrupt->stop && atomic_load(d->interrupt->stop))
        return itsi_fail(diag, ITS_ECANCELLED, "%s %s: stopped", doing, d->source->shown);
    if (itsi_now_ns() >= d->interrupt->deadline && averr != AVERROR_EOF)
        return itsi_fail(diag, ITS_ETIMEOUT, "%s %s: timed out", doing, d->source->shown);
    return itsi_av_fail(diag, averr, "%s %s", doing, d->source->shown);
}

static const char *whitelist(enum itsi_source_kind kind)
{
    switch (kind) {
    case ITSI_SOURCE_RTSP:
        return "rtsp,rtsps,rtp,srtp,udp,tcp,tls";
    case ITSI_SOURCE_HTTP:
        return "http,https,tcp,tls,crypto,data,httpproxy";
    default:
        return "file,crypto,data";
    }
}

static void set_tls(AVDictionary **options, const struct its_cfg_capture *cfg)
{
    av_dict_set(options, "tls_verify", cfg->tls_verify ? "1" : "0", 0);
    if (cfg->tls_ca_file)
        av_dict_set(options, "ca_file", cfg->tls_ca_file, 0);
}

/* HLS opens playlists and segments by itself and forgets the options about certificates: put them back. */
static int on_io_open(AVFormatContext *fmt, AVIOContext **pb, const char *url, int flags, AVDictionary **options)
{
    const struct itsi_demux *d = fmt->opaque;
    AVDictionary *own = NULL;
    if (options)
        av_dict_copy(&own, *options, 0);
    set_tls(&own, d->cfg);
    if (fmt->protocol_whitelist)
        av_dict_set(&own, "protocol_whitelist", fmt->protocol_whitelist, 0);
    int rc = avio_open2(pb, url, flags, &fmt->interrupt_callback, &own);
    av_dict_free(&own);
    return rc;
}

static void set_options(AVDictionary **options, const struct itsi_source *source, const struct its_cfg_capture *cfg)
{
    av_dict_set(options, "protocol_whitelist", whitelist(source->kind), 0);
    if (source->kind == ITSI_SOURCE_RTSP) {
        int transport = source->transport >= 0 ? source->transport : cfg->rtsp_transport;
        av_dict_set(options, "rtsp_transport", transport == ITSI_TRANSPORT_UDP && !source->tls ? "udp" : "tcp", 0);
        av_dict_set(options, "allowed_media_types", "video", 0);
        av_dict_set_int(options, "timeout", (int64_t)(cfg->connect_timeout_seconds * 1e6), 0);
    } else if (source->kind == ITSI_SOURCE_HTTP) {
        set_tls(options, cfg);
        av_dict_set(options, "http_persistent", "0", 0); /* HLS: every request passes on_io_open */
        av_dict_set(options, "analyzeduration", PROBE_US, 0);
        av_dict_set(options, "probesize", PROBE_BYTES, 0);
    }
    /* the rate is measured as pictures come; no need to hold them back to guess it */
    if (source->kind != ITSI_SOURCE_FILE && source->kind != ITSI_SOURCE_SYNTH)
        av_dict_set(options, "fpsprobesize", "0", 0);
}

int itsi_demux_open(struct itsi_demux *d, const struct itsi_source *source, const char *address,
                    const struct its_cfg_capture *cfg, struct itsi_interrupt *interrupt, struct its_diag *diag)
{
    *d = (struct itsi_demux){.source = source, .cfg = cfg, .interrupt = interrupt};
    char through[sizeof source->address];
    if (source->kind == ITSI_SOURCE_RTSP && source->tls && cfg->tls_verify) {
        int rc = itsi_tls_relay_open(&d->relay, source, cfg, interrupt, through, sizeof through, diag);
        if (rc)
            return rc;
        address = through;
    }
    d->fmt = avformat_alloc_context();
    if (!d->fmt) {
        itsi_demux_close(d);
        return itsi_fail(diag, ITS_ENOMEM, "opening %s: out of memory", source->shown);
    }
    d->fmt->interrupt_callback = (AVIOInterruptCB){.callback = on_interrupt, .opaque = interrupt};
    d->fmt->opaque = d;
    if (source->kind == ITSI_SOURCE_HTTP)
        d->fmt->io_open = on_io_open;
    AVDictionary *options = NULL;
    set_options(&options, source, cfg);
    itsi_av_about(&source->url);
    int err = avformat_open_input(&d->fmt, address, NULL, &options);
    av_dict_free(&options);
    if (err < 0) {
        int rc = fail(d, err, "opening", diag);
        itsi_demux_close(d);
        return rc;
    }
    return 0;
}

/* RTSP says in its description all that decoding needs: reading ahead would only hold the first pictures back, and
 * their arrival would be lost. */
static bool needs_reading_ahead(const struct itsi_demux *d)
{
    if (d->source->kind != ITSI_SOURCE_RTSP)
        return true;
    for (unsigned i = 0; i < d->fmt->nb_streams; i++) {
        const AVCodecParameters *par = d->fmt->streams[i]->codecpar;
        if (par->codec_type == AVMEDIA_TYPE_VIDEO && par->codec_id != AV_CODEC_ID_NONE)
            return false;
    }
    return true;
}

int itsi_demux_find_video(struct itsi_demux *d, struct its_diag *diag)
{
    int err = needs_reading_ahead(d) ? avformat_find_stream_info(d->fmt, NULL) : 0;
    if (err < 0)
        return fail(d, err, "looking into", diag);
    int index = av_find_best_stream(d->fmt, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
    if (index < 0)
        return itsi_fail(diag, ITS_EFORMAT, "%s: no video in it", d->source->shown);
    for (unsigned i = 0; i < d->fmt->nb_streams; i++)
        d->fmt->streams[i]->discard = (int)i == index ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    d->video = d->fmt->streams[index];
    bool hls = strstr(d->fmt->iformat->name, "hls") != NULL;
    bool disk = d->source->kind == ITSI_SOURCE_FILE || d->source->kind == ITSI_SOURCE_SYNTH;
    bool ends = d->source->kind == ITSI_SOURCE_HTTP && d->fmt->duration > 0;
    enum AVCodecID codec = d->video->codecpar->codec_id;
    d->assembles = d->source->kind == ITSI_SOURCE_RTSP && (codec == AV_CODEC_ID_H264 || codec == AV_CODEC_ID_HEVC);
    if (d->assembles) {
        d->fmt->flags |= AVFMT_FLAG_NOPARSE | AVFMT_FLAG_NOFILLIN;
        itsi_assembler_init(&d->assembler, codec == AV_CODEC_ID_HEVC);
        if (!(d->piece = av_packet_alloc()))
            return itsi_fail(diag, ITS_ENOMEM, "%s: out of memory", d->source->shown);
    }
    d->finite = disk || ends;
    d->bursts = hls || ends;
    return 0;
}

static int64_t camera_wall(const AVPacket *packet)
{
    size_t size = 0;
    const uint8_t *data = av_packet_get_side_data(packet, AV_PKT_DATA_PRFT, &size);
    if (!data || size < sizeof(AVProducerReferenceTime))
        return 0;
    AVProducerReferenceTime prft;
    memcpy(&prft, data, sizeof prft);
    return prft.wallclock * ITSI_NS_PER_US;
}

static int read_packet(struct itsi_demux *d, AVPacket *packet, struct its_diag *diag)
{
    for (;;) {
        int err = av_read_frame(d->fmt, packet);
        if (err == AVERROR(EAGAIN) && !on_interrupt(d->interrupt))
            continue;
        if (err < 0)
            return fail(d, err, "reading", diag);
        if (packet->stream_index == d->video->index)
            return 0;
        av_packet_unref(packet);
        if (on_interrupt(d->interrupt))
            return fail(d, AVERROR_EXIT, "reading", diag);
    }
}

/* The packet borrows the assembler's memory: libav copies it when it must keep it. */
static void lend(AVPacket *packet, const struct itsi_assembled *unit)
{
    av_packet_unref(packet);
    packet->data = (uint8_t *)(uintptr_t)unit->data;
    packet->size = unit->size;
    packet->pts = unit->pts;
    packet->dts = AV_NOPTS_VALUE;
    packet->flags = unit->key ? AV_PKT_FLAG_KEY : 0;
}

static int read_pieces(struct itsi_demux *d, AVPacket *packet, struct itsi_arrival *arrival, struct its_diag *diag)
{
    struct itsi_assembled unit;
    int got = itsi_assembler_poll(&d->assembler, &unit);
    while (!got) {
        int rc = read_packet(d, d->piece, diag);
        if (rc)
            return rc;
        struct itsi_piece piece = {.data = d->piece->data, .size = d->piece->size, .pts = d->piece->pts,
                                   .arrival = itsi_now_ns(), .wall = camera_wall(d->piece)};
        got = itsi_assembler_feed(&d->assembler, &piece, &unit);
        av_packet_unref(d->piece);
    }
    if (got < 0)
        return itsi_fail(diag, got, "reading %s: out of memory", d->source->shown);
    lend(packet, &unit);
    *arrival = (struct itsi_arrival){.at = unit.arrival, .wall = unit.wall};
    return 0;
}

int itsi_demux_read(struct itsi_demux *d, AVPacket *packet, struct itsi_arrival *arrival, struct its_diag *diag)
{
    if (d->assembles)
        return read_pieces(d, packet, arrival, diag);
    int rc = read_packet(d, packet, diag);
    if (!rc)
        *arrival = (struct itsi_arrival){.at = itsi_now_ns(), .wall = camera_wall(packet)};
    return rc;
}

int itsi_demux_seek(struct itsi_demux *d, int64_t media_ns, struct its_diag *diag)
{
    /* MPEG-TS is searched by decode times, and those of the first pictures come before the time of the first picture
     * shown: the beginning lies a little earlier than it says */
    int64_t at = itsi_demux_start_ns(d) + (media_ns > 0 ? media_ns : -ITSI_NS_PER_S);
    int64_t ticks = av_rescale_q(at, (AVRational){1, (int)ITSI_NS_PER_S}, d->video->time_base);
    int err = av_seek_frame(d->fmt, d->video->index, ticks, AVSEEK_FLAG_BACKWARD);
    if (err < 0 && media_ns == 0)
        err = avformat_seek_file(d->fmt, -1, INT64_MIN, 0, 0, AVSEEK_FLAG_BYTE);
    return err < 0 ? fail(d, err, "seeking in", diag) : 0;
}

void itsi_demux_close(struct itsi_demux *d)
{
    if (d->fmt) {
        struct itsi_interrupt goodbye = {.deadline = itsi_now_ns() + GOODBYE_NS};
        d->fmt->interrupt_callback.opaque = &goodbye;
        avformat_close_input(&d->fmt);
    }
    itsi_tls_relay_close(d->relay);
    d->relay = NULL;
    itsi_assembler_fini(&d->assembler);
    av_packet_free(&d->piece);
    d->video = NULL;
}

void itsi_demux_nal_format(const struct itsi_demux *d, struct itsi_nal_format *out)
{
    const AVCodecParameters *par = d->video->codecpar;
    const enum itsi_nal_codec codec = par->codec_id == AV_CODEC_ID_H264   ? ITSI_NAL_H264
                                      : par->codec_id == AV_CODEC_ID_HEVC ? ITSI_NAL_HEVC
                                                                          : ITSI_NAL_OTHER;
    itsi_nal_format_init(out, codec, par->extradata, (size_t)par->extradata_size);
}

int64_t itsi_demux_ns(const struct itsi_demux *d, int64_t ticks)
{
    return av_rescale_q(ticks, d->video->time_base, (AVRational){1, (int)ITSI_NS_PER_S});
}

int64_t itsi_demux_start_ns(const struct itsi_demux *d)
{
    return d->video->start_time == AV_NOPTS_VALUE ? 0 : itsi_demux_ns(d, d->video->start_time);
}

double itsi_demux_fps(const struct itsi_demux *d)
{
    AVRational rate = d->video->avg_frame_rate.num ? d->video->avg_frame_rate : d->video->r_frame_rate;
    return rate.num && rate.den ? av_q2d(rate) : 0.0;
}
