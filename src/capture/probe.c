#include "base/clock.h"
#include "base/diag.h"
#include "capture/av.h"
#include "capture/decode.h"
#include "capture/demux.h"
#include "capture/synth.h"
#include "capture/timeline.h"

#include "base/mem.h"
#include "capture/capture.h"

#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_JITTER 4096

struct probe {
    struct itsi_source source;
    struct itsi_demux demux;
    struct itsi_decoder decoder;
    struct itsi_interrupt interrupt;
    struct itsi_nal_format nal;
    struct itsi_unwrap unwrap;
    struct itsi_cadence cadence;
    AVPacket *packet;
    int64_t started, first_arrival, first_pts, last_pts;
    int64_t since_key; /* pictures since the last key frame; -1: none seen */
    double *offsets;   /* arrival against time stamp, ms */
    int offset_count;
    struct itsi_probe_report *out;
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The 95th percentile of how much later than the earliest packets came, by their time stamps. */
static double jitter_p95(struct probe *p)
{
    if (p->offset_count < 2)
        return 0.0;
    qsort(p->offsets, (size_t)p->offset_count, sizeof *p->offsets, compare);
    return p->offsets[(p->offset_count - 1) * 95 / 100] - p->offsets[0];
}

static void receive_all(struct probe *p)
{
    int rc;
    while ((rc = itsi_decoder_receive(&p->decoder)) == 0) {
        AVFrame *frame = p->decoder.frame;
        if (!p->out->frames && !p->out->corrupt)
            p->out->first_picture_ms = (double)(itsi_now_ns() - p->started) / 1e6;
        if (itsi_decoder_is_damaged(&p->decoder))
            p->out->corrupt++;
        else
            p->out->frames++;
        p->out->width = frame->width;
        p->out->height = frame->height;
        const char *format = av_get_pix_fmt_name(frame->format);
        snprintf(p->out->pixel_format, sizeof p->out->pixel_format, "%s", format ? format : "?");
        av_frame_unref(frame);
    }
    if (rc != ITS_EAGAIN && rc != ITS_EEOF)
        p->out->corrupt++;
}

static void on_packet(struct probe *p, const struct itsi_arrival *came)
{
    AVPacket *packet = p->packet;
    struct itsi_probe_report *out = p->out;
    int64_t arrival = came->at;
    out->sender_reports |= came->wall != 0;
    out->packets++;
    if (packet->pts != AV_NOPTS_VALUE) {
        int64_t pts = itsi_demux_ns(&p->demux, itsi_unwrap(&p->unwrap, packet->pts));
        if (p->first_pts == ITSI_NO_TIME) {
            p->first_pts = pts;
            p->first_arrival = arrival;
        }
        p->last_pts = pts > p->last_pts ? pts : p->last_pts;
        out->lost += (uint64_t)itsi_cadence_feed(&p->cadence, pts, p->decoder.ctx->has_b_frames);
        if (p->offset_count < MAX_JITTER)
            p->offsets[p->offset_count++] = (double)((arrival - p->first_arrival) - (pts - p->first_pts)) / 1e6;
    }
    if ((packet->flags & AV_PKT_FLAG_KEY) && !itsi_nal_begins_refresh(&p->nal, packet->data, (size_t)packet->size)) {
        if (p->since_key > out->gop)
            out->gop = (int)p->since_key;
        p->since_key = 0;
    }
    if (p->since_key >= 0)
        p->since_key++;
    if (itsi_decoder_send(&p->decoder, packet))
        out->corrupt++;
    receive_all(p);
}

static int open_all(struct probe *p, const char *address, const struct its_cfg_capture *cfg, struct its_diag *diag)
{
    p->started = itsi_now_ns();
    p->interrupt.deadline = p->started + (int64_t)(cfg->connect_timeout_seconds * ITSI_NS_PER_S);
    int rc = itsi_demux_open(&p->demux, &p->source, address, cfg, &p->interrupt, diag);
    if (rc)
        return rc;
    p->interrupt.deadline = itsi_now_ns() + (int64_t)(cfg->frame_timeout_seconds * ITSI_NS_PER_S);
    if ((rc = itsi_demux_find_video(&p->demux, diag)))
        return rc;
    p->unwrap.bits = p->demux.video->pts_wrap_bits;
    itsi_demux_nal_format(&p->demux, &p->nal);
    return itsi_decoder_open(&p->decoder, p->demux.video->codecpar, cfg->max_frame_pixels, diag);
}

/* Until `seconds` have passed: on the clock for a live source, in the clip's own time for a file. */
static int watch(struct probe *p, double seconds, const struct its_cfg_capture *cfg, struct its_diag *diag)
{
    int64_t length = (int64_t)(seconds * ITSI_NS_PER_S), bytes = 0, until = itsi_now_ns() + length;
    int rc = 0;
    while (itsi_now_ns() < until) {
        int64_t silence = itsi_now_ns() + (int64_t)(cfg->packet_timeout_seconds * ITSI_NS_PER_S);
        p->interrupt.deadline = silence;
        struct itsi_arrival came;
        rc = itsi_demux_read(&p->demux, p->packet, &came, diag);
        if (rc)
            break;
        bytes += p->packet->size;
        on_packet(p, &came);
        av_packet_unref(p->packet);
        if (p->demux.finite && p->first_pts != ITSI_NO_TIME && p->last_pts - p->first_pts >= length)
            break;
    }
    if (rc == 0 || rc == ITS_EEOF) {
        if (itsi_decoder_send(&p->decoder, NULL) == 0)
            receive_all(p);
        rc = 0;
    }
    double span = p->first_pts == ITSI_NO_TIME ? 0 : (double)(p->last_pts - p->first_pts) / ITSI_NS_PER_S;
    if (span > 0)
        p->out->bitrate_kbps = (double)bytes * 8.0 / 1000.0 / (span + 1.0 / fmax(itsi_cadence_fps(&p->cadence), 1.0));
    return rc;
}

static void describe(struct probe *p, const struct its_cfg_capture *cfg)
{
    struct itsi_probe_report *out = p->out;
    const AVCodecParameters *par = p->demux.video->codecpar;
    snprintf(out->codec, sizeof out->codec, "%s", avcodec_get_name(par->codec_id));
    const char *profile = avcodec_profile_name(par->codec_id, p->decoder.ctx->profile);
    snprintf(out->profile, sizeof out->profile, "%s", profile ? profile : "");
    const char *transport = p->source.kind == ITSI_SOURCE_HTTP ? p->source.url.scheme : "file";
    if (p->source.kind == ITSI_SOURCE_RTSP) {
        int chosen = p->source.transport >= 0 ? p->source.transport : cfg->rtsp_transport;
        transport = p->source.tls ? "tls" : chosen == ITSI_TRANSPORT_UDP ? "udp" : "tcp";
    }
    snprintf(out->transport, sizeof out->transport, "%s", transport);
    out->declared_fps = itsi_demux_fps(&p->demux);
    out->measured_fps = itsi_cadence_fps(&p->cadence);
    out->b_frames = p->decoder.ctx->has_b_frames;
    out->jitter_ms_p95 = p->demux.finite || p->demux.bursts ? 0.0 : jitter_p95(p);
    out->can_meet_budget = out->frames > 0 && !out->b_frames;
    if (!out->frames)
        snprintf(out->note, sizeof out->note, "not one good picture was seen");
    else if (out->b_frames)
        snprintf(out->note, sizeof out->note,
                 "B-frames hold every picture back by %d frames (%.0f ms) before it can be decoded: switch them off in "
                 "the camera to stay under 100 ms",
                 out->b_frames, 1000.0 * out->b_frames / fmax(out->measured_fps, 1.0));
    else if (p->source.kind == ITSI_SOURCE_RTSP && !out->sender_reports)
        snprintf(out->note, sizeof out->note, "no sender reports: latency is counted from the arrival of the picture");
}

static int run(struct probe *p, const char *address, const struct its_cfg_capture *cfg, double seconds,
               struct its_diag *diag)
{
    int rc = open_all(p, address, cfg, diag);
    if (!rc)
        rc = watch(p, seconds, cfg, diag);
    if (!rc)
        describe(p, cfg);
    itsi_decoder_close(&p->decoder);
    itsi_demux_close(&p->demux);
    return rc;
}

int itsi_capture_probe(struct itsi_probe_report *out, const char *url, const struct its_cfg_capture *cfg,
                       const char *cache_dir, double seconds, struct its_diag *diag)
{
    itsi_av_init();
    struct itsi_probe_report report = {0};
    struct probe p = {.first_pts = ITSI_NO_TIME, .last_pts = INT64_MIN, .since_key = -1, .out = &report};
    int rc = itsi_source_parse(&p.source, url, diag);
    if (rc)
        return rc;
    if (p.source.kind == ITSI_SOURCE_NULL || p.source.kind == ITSI_SOURCE_REPLAY)
        return itsi_fail(diag, ITS_EUNSUPPORTED, "%s: a camera without pictures has nothing to look into",
                         p.source.shown);
    char path[2100] = "file:";
    const char *address = p.source.address;
    if (p.source.kind == ITSI_SOURCE_SYNTH) {
        if ((rc = itsi_synth_clip(url, cache_dir, NULL, path + 5, sizeof path - 5, diag)))
            return rc;
        address = path;
    }
    itsi_cadence_init(&p.cadence);
    p.packet = av_packet_alloc();
    p.offsets = itsi_calloc(MAX_JITTER, sizeof *p.offsets);
    rc = p.packet && p.offsets ? run(&p, address, cfg, seconds, diag) : itsi_fail(diag, ITS_ENOMEM, "out of memory");
    av_packet_free(&p.packet);
    itsi_free(p.offsets);
    itsi_av_about(NULL);
    if (!rc)
        *out = report;
    return rc;
}
