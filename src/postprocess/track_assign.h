/* Who is who: the cheapest one-to-one assignment of rows to columns, exactly.
 *
 * Shortest augmenting paths with potentials (Jonker and Volgenant 1987, in the rectangular form of Crouse 2016). A pair
 * that costs as much as `gate` or more stays apart; leaving a row alone costs `gate` too, so that one good pair is not
 * given up for two poor ones. Pure; allocates nothing; O(rows^2 * columns) at worst. */
#ifndef ITSI_POSTPROCESS_TRACK_ASSIGN_H
#define ITSI_POSTPROCESS_TRACK_ASSIGN_H

#include "core/detection.h"

#define ITSI_ASSIGN_MAX ITSI_MAX_DETECTIONS

/* Scratch of one thread. cost[row * columns + column] is filled by the caller for each call, and used up by it. */
struct itsi_assign {
    float cost[ITSI_ASSIGN_MAX * ITSI_ASSIGN_MAX];
    /* the algorithm's */
    float u[ITSI_ASSIGN_MAX], v[ITSI_ASSIGN_MAX], shortest[ITSI_ASSIGN_MAX];
    int16_t row_of[ITSI_ASSIGN_MAX], from[ITSI_ASSIGN_MAX], open[ITSI_ASSIGN_MAX], done[ITSI_ASSIGN_MAX];
};

/* column_of[row] = its column, or -1. rows and columns: 0..ITSI_ASSIGN_MAX. */
void itsi_assign_run(struct itsi_assign *assign, int rows, int columns, float gate, int16_t *column_of);

#endif
