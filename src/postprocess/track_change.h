/* How much a camera's picture changes from one to the next. Cameras repeat pictures, encoders send what they skipped, and
 * roads are empty: what a detector says of such a picture it has said already.
 *
 * A picture is looked at in 48 x 27 places, eight pixels of brightness each, and held against the picture before it. One
 * thread at a time; allocates nothing. */
#ifndef ITSI_POSTPROCESS_TRACK_CHANGE_H
#define ITSI_POSTPROCESS_TRACK_CHANGE_H

#include "core/frame.h"

enum { ITSI_CHANGE_COLUMNS = 48, ITSI_CHANGE_ROWS = 27, ITSI_CHANGE_RUN = 8 };

/* All zero before the first picture. */
struct itsi_track_change {
    bool begun;
    uint16_t places[ITSI_CHANGE_ROWS * ITSI_CHANGE_COLUMNS]; /* sums of a run, of the last picture */
};

/* Mean difference of brightness from the picture before, 0..255. The first picture, and one that is too small or without
 * pixels, differs by 255. Pictures may differ in size. */
float itsi_track_change_next(struct itsi_track_change *change, const struct itsi_picture *picture);
/* What such a difference is worth, in pictures: 0 for the same picture again, 1 for what the pictures of a camera usually
 * differ, or more. */
float itsi_track_change_worth(float difference);

#endif
