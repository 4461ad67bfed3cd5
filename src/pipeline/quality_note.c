#include "pipeline/quality_impl.h"

#include "quality/profile.h"

#include <stdio.h>
#include <stdlib.h>

/* Sizes are built in steps of 32. */
enum { STEP = 32 };

/* Is another input size built than the level asks for? */
static bool lacks_input(const struct itsi_pipeline *p, const struct itsi_stream_quality *s)
{
    const int level = itsi_quality_level_of(s->target.position.rung[ITSI_KNOB_COMPUTE]);
    const int has = p->info.sizes[p->quality->order[s->target.input]].width;
    const int wanted = (int)(p->info.sizes[0].width * itsi_quality_profile(level)->input_share);
    return abs(has - wanted) >= STEP;
}

void itsi_stream_quality_note(const struct itsi_camera_stream *stream, const struct itsi_capture_status *capture,
                              int64_t now, char *out, size_t size)
{
    const struct itsi_pipeline *p = stream->pipeline;
    const struct itsi_stream_quality *s = &stream->quality;
    const bool knows = p->quality && s->target.key != 0; /* it was in a step */
    out[0] = '\0';
    if (p->quality && !capture->live)
        snprintf(out, size, "it plays at its own pace (pace=off): every frame of it is analysed");
    else if (s->pin >= 0 && s->boost >= 0 && s->boost_until > now)
        snprintf(out, size, "its boost to %s waits for the end of its pin to %s", itsi_quality_name(s->boost),
                 itsi_quality_name(s->pin));
    else if (knows && capture->sub_again_ns != 0)
        snprintf(out, size, "its smaller stream could not be had: %.180s", capture->sub_error);
    else if (knows && lacks_input(p, s))
        snprintf(out, size, "no network input of the size that its level asks for is built");
}
