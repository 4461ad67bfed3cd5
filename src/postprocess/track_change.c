#include "postprocess/track_change.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

/* A difference from which on a picture is wholly another one: noise and coding alone make as much on a quiet road. */
#define USUAL 0.4F
#define MOST 255.0F

enum { PLACES = ITSI_CHANGE_ROWS * ITSI_CHANGE_COLUMNS };

static uint16_t sum_of_run(const uint8_t *pixels)
{
    unsigned sum = 0;
    for (int i = 0; i < ITSI_CHANGE_RUN; i++)
        sum += pixels[i];
    return (uint16_t)sum;
}

float itsi_track_change_next(struct itsi_track_change *change, const struct itsi_picture *picture)
{
    if (picture->layout == ITSI_LAYOUT_NONE || picture->width < ITSI_CHANGE_RUN * ITSI_CHANGE_COLUMNS / 2 ||
        picture->height < ITSI_CHANGE_ROWS)
        return MOST;
    const int last = picture->width - ITSI_CHANGE_RUN;
    uint16_t *place = change->places;
    int difference = 0;
    for (int r = 0; r < ITSI_CHANGE_ROWS; r++) {
        const int y = (2 * r + 1) * picture->height / (2 * ITSI_CHANGE_ROWS);
        const uint8_t *row = picture->plane[0] + (ptrdiff_t)y * picture->stride[0];
        for (int c = 0; c < ITSI_CHANGE_COLUMNS; c++, place++) {
            const uint16_t now = sum_of_run(row + c * last / (ITSI_CHANGE_COLUMNS - 1));
            difference += abs((int)now - (int)*place);
            *place = now;
        }
    }
    const bool begun = change->begun;
    change->begun = true;
    return begun ? (float)difference / (PLACES * ITSI_CHANGE_RUN) : MOST;
}

float itsi_track_change_worth(float difference) { return fminf(difference / USUAL, 1); }
