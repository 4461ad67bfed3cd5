#include "postprocess/track_assign.h"

#include <math.h>
#include <stddef.h>

/* Every row has, besides the real columns, one of its own that stands for being left alone and costs `gate`. Only its row
 * can reach it, so it needs no place in the tables: a row that took it is never looked at again. */
struct search {
    float least;   /* length of the way so far */
    float alone;   /* the shortest way that ends by leaving a row alone, */
    int alone_row; /* and that row */
    int open, done;
};

/* Looks at all columns from this row. */
static void scan(struct itsi_assign *a, struct search *s, int row, int columns, float gate)
{
    const float *cost = a->cost + (ptrdiff_t)row * columns;
    const float base = s->least - a->u[row];
    if (base + gate < s->alone) {
        s->alone = base + gate;
        s->alone_row = row;
    }
    for (int k = 0; k < s->open; k++) {
        const int column = a->open[k];
        const float way = base + cost[column] - a->v[column];
        if (cost[column] < gate && way < a->shortest[column]) {
            a->shortest[column] = way;
            a->from[column] = (int16_t)row;
        }
    }
}

/* Takes the nearest open column; -1: leaving a row alone is no farther. */
static int nearest(struct itsi_assign *a, struct search *s)
{
    int best = -1;
    float least = s->alone;
    for (int k = 0; k < s->open; k++)
        if (a->shortest[a->open[k]] < least) {
            least = a->shortest[a->open[k]];
            best = k;
        }
    s->least = least;
    if (best < 0)
        return -1;
    const int16_t column = a->open[best];
    a->open[best] = a->open[--s->open];
    a->done[s->done++] = column;
    return column;
}

/* Hands columns on along the way that was found, until the row it began at has one. */
static void augment(struct itsi_assign *a, int begin, int column, int16_t *column_of)
{
    for (int row = -1; row != begin;) {
        row = a->from[column];
        a->row_of[column] = (int16_t)row;
        const int16_t given_up = column_of[row];
        column_of[row] = (int16_t)column;
        column = given_up;
    }
}

static void place(struct itsi_assign *a, int begin, int columns, float gate, int16_t *column_of)
{
    struct search s = {.alone = INFINITY, .open = columns};
    for (int column = 0; column < columns; column++) {
        a->shortest[column] = INFINITY;
        a->open[column] = (int16_t)column;
    }
    int row = begin, column;
    do {
        scan(a, &s, row, columns, gate);
        column = nearest(a, &s);
        row = column < 0 ? -1 : a->row_of[column];
    } while (row >= 0);

    a->u[begin] += s.least;
    for (int k = 0; k < s.done; k++) {
        const int seen = a->done[k];
        if (a->row_of[seen] >= 0)
            a->u[a->row_of[seen]] += s.least - a->shortest[seen];
        a->v[seen] -= s.least - a->shortest[seen];
    }
    if (column < 0) {
        column = column_of[s.alone_row];
        column_of[s.alone_row] = -1;
        if (s.alone_row == begin)
            return;
    }
    augment(a, begin, column, column_of);
}

void itsi_assign_run(struct itsi_assign *assign, int rows, int columns, float gate, int16_t *column_of)
{
    for (int column = 0; column < columns; column++) {
        assign->v[column] = 0;
        assign->row_of[column] = -1;
    }
    for (int row = 0; row < rows; row++) {
        assign->u[row] = 0;
        column_of[row] = -1;
        place(assign, row, columns, gate, column_of);
    }
}
