/* What of a stream is decoded, and which of its pictures go on, when not all of it is wanted. Pure.
 *
 * Access units are left out only where decoding can go on without harm: those that no other picture needs, or all from
 * some point on up to the next key frame. */
#ifndef ITSI_CAPTURE_SELECTION_H
#define ITSI_CAPTURE_SELECTION_H

#include "capture/capture.h"

struct itsi_selection {
    bool broken;  /* a needed unit was left out: nothing can be decoded before the next key frame */
    int64_t next; /* presentation time from which the next picture is wanted; ITSI_NO_TIME: any */
};

void itsi_selection_reset(struct itsi_selection *selection); /* a new epoch or connection */
/* Is the access unit to be decoded? */
bool itsi_selection_unit(struct itsi_selection *selection, enum itsi_decode_mode decode, bool key, bool disposable);
/* Does the picture presented at `at` (ns) go on, when at most `most` pictures a second are wanted (0: all) of a source
 * that gives `fps`? Those that do are spread evenly over the stream's own beat. */
bool itsi_selection_picture(struct itsi_selection *selection, double most, double fps, int64_t at);

#endif
