/* A small grey copy of a picture, fine enough to see where things went: what motion between two pictures is read from. */
#ifndef ITSI_POSTPROCESS_TRACK_THUMB_H
#define ITSI_POSTPROCESS_TRACK_THUMB_H

#include "core/frame.h"
#include "postprocess/track_motion.h"

#include <stdbool.h>

/* Neither side is longer. */
#define ITSI_THUMB_SIDE 320

struct itsi_thumb {
    int width, height; /* 0: none */
    uint8_t pixels[ITSI_THUMB_SIDE * ITSI_THUMB_SIDE]; /* rows without gaps */
};

/* Averages of squares of the picture's luma, as many pixels wide as it takes. A picture without pixels makes none. */
void itsi_thumb_make(struct itsi_thumb *thumb, const struct itsi_picture *picture);

/* How far what is in the box of `from` has moved in `to`, as shares of the picture: block matching by absolute
 * differences, from the guess and from rest, refined below a pixel. False: the two are not alike in size, the box is too
 * small or leaves, or it shows too little to tell. */
bool itsi_thumb_follow(const struct itsi_thumb *from, const struct itsi_thumb *to, const struct itsi_share_box *box,
                       float guess_x, float guess_y, float *moved_x, float *moved_y);

#endif
