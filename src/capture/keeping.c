/* What a connection reads goes into the camera's ring of coded pictures, where it has one. */
#include "capture/session.h"

#include "capture/packet_ring.h"

#include <string.h>

void itsi_session_keep_format(const struct itsi_session *s)
{
    const AVCodecParameters *par = s->demux.video->codecpar;
    struct itsi_packet_format format = {.codec = (int)par->codec_id, .width = par->width, .height = par->height};
    if (!s->c->ring)
        return;
    format.config_size = (uint32_t)(par->extradata_size > 0 ? par->extradata_size : 0);
    if (format.config_size > 0 && format.config_size <= sizeof format.config)
        memcpy(format.config, par->extradata, format.config_size);
    (void)itsi_packet_ring_format(s->c->ring, &format); /* too large: the camera goes without */
}

void itsi_session_keep(const struct itsi_session *s, const struct itsi_unit *unit, int64_t dts, int64_t arrival)
{
    if (!s->c->ring)
        return;
    const struct itsi_packet packet = {
        .at = s->paced && unit->due ? unit->due : arrival,
        .pts = unit->out, /* goes on where a clip begins anew */
        .dts = dts == ITSI_NO_TIME ? ITSI_PACKET_NO_DTS : dts - unit->pts + unit->out,
        .epoch = s->c->epoch,
        .key = unit->entry,
    };
    itsi_packet_ring_put(s->c->ring, &packet, s->packet->data, (size_t)s->packet->size);
}
