/* What a camera's URL asks for: the kind of source, the address libav opens, and the parameters that are ours.
 *
 *   rtsp, rtsps   transport=tcp|udp                 taken only with these values; everything else goes to the camera
 *   http, https   (none: the whole query belongs to the server)
 *   file, paths   pace=real|off  loop=1|0
 *   synth         pace, loop, seconds=1..600 (length of the clip), and the scene's own (render/road.h)
 *   null          pace=real|off  fps=  size=WxH  seconds= (ends after so long; default: never)
 *                 surge=FPS,FROM,FOR (another rate from second FROM on, for so many seconds: a rehearsed overload)
 *   replay        a flight record (core/flight.h): camera=INDEX in it, start= (monotonic ns at which it begins; default:
 *                 when the source starts)
 *
 * Where a query is ours altogether, an unknown key is refused and named. */
#ifndef ITSI_CAPTURE_SOURCE_H
#define ITSI_CAPTURE_SOURCE_H

#include "base/url.h"
#include "its/error.h"

#include <stdbool.h>
#include <stdint.h>

enum itsi_source_kind {
    ITSI_SOURCE_RTSP,
    ITSI_SOURCE_HTTP,
    ITSI_SOURCE_FILE,
    ITSI_SOURCE_SYNTH,
    ITSI_SOURCE_NULL,
    ITSI_SOURCE_REPLAY
};

struct itsi_source {
    enum itsi_source_kind kind;
    bool tls;           /* rtsps, https */
    struct itsi_url url;
    char address[4096]; /* for libav; holds the password */
    char shown[512];    /* redacted */
    bool pace_off;      /* as fast as the receiver takes it */
    bool once;          /* loop=0 */
    int transport;      /* ITSI_TRANSPORT_*, or -1: the configuration's */
    double seconds;     /* 0: not given */
    double fps;         /* null, synth: frames per second */
    struct {
        double fps, from, seconds; /* fps 0: none */
    } surge;            /* null */
    int width, height;  /* null, synth */
    int64_t index, start_ns; /* replay; start 0: not given */
};

/* ITS_EINVAL with the reason (and the allowed values) in diag. Touches neither network nor disk. */
ITS_NODISCARD int itsi_source_parse(struct itsi_source *out, const char *text, struct its_diag *diag);

#endif
