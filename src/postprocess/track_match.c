#include "postprocess/track_impl.h"

#include <math.h>

#define REACH 2.0F        /* deviations of its position that a track is looked for in */
#define MOST_REACH 1.0F   /* and at most so many sizes */
#define OTHER_CLASS 0.7F  /* what is left of the similarity to a detection of another class */

float itsi_share_overlap(const struct itsi_share_box *a, const struct itsi_share_box *b)
{
    const float w = fminf(a->x2, b->x2) - fmaxf(a->x1, b->x1), h = fminf(a->y2, b->y2) - fmaxf(a->y1, b->y1);
    if (!(w > 0 && h > 0))
        return 0;
    const float common = w * h;
    return common / ((a->x2 - a->x1) * (a->y2 - a->y1) + (b->x2 - b->x1) * (b->y2 - b->y1) - common);
}

static struct itsi_share_box widened(const struct itsi_share_box *box, float x, float y)
{
    return (struct itsi_share_box){box->x1 - x, box->y1 - y, box->x2 + x, box->y2 + y};
}

static float reach(const struct itsi_axis *position, float size)
{
    return fminf(REACH * sqrtf(fmaxf(position->var_at, 0)), MOST_REACH * size);
}

static float similarity(const struct itsi_track *track, const struct itsi_share_box *expected, float x, float y,
                        const struct itsi_share_box *seen, int32_t cls)
{
    const struct itsi_share_box wide = widened(seen, x, y);
    return itsi_share_overlap(expected, &wide) * (track->votes[0].cls == cls ? 1 : OTHER_CLASS);
}

static int gather_tracks(const struct itsi_tracker *tracker, struct itsi_track_scratch *s, unsigned states)
{
    int rows = 0;
    for (int t = 0; t < tracker->used; t++)
        if ((states >> tracker->tracks[t].state & 1U) && s->seen_by[t] < 0)
            s->rows[rows++] = (int16_t)t;
    return rows;
}

static int gather_detections(struct itsi_track_scratch *s, const struct itsi_detection *boxes, int count,
                             const struct itsi_track_stage *stage)
{
    int columns = 0;
    for (int d = 0; d < count; d++)
        if (s->track_of[d] < 0 && boxes[d].score >= stage->score && boxes[d].score < stage->below)
            s->columns[columns++] = (int16_t)d;
    return columns;
}

void itsi_track_match(const struct itsi_tracker *tracker, struct itsi_track_scratch *s,
                      const struct itsi_detection *boxes, int count, const struct itsi_track_stage *stage)
{
    const int rows = gather_tracks(tracker, s, stage->states);
    const int columns = gather_detections(s, boxes, count, stage);
    for (int r = 0; r < rows; r++) {
        const struct itsi_track *track = &tracker->tracks[s->rows[r]];
        const struct itsi_share_box box = itsi_motion_box(&track->motion);
        const float x = reach(&track->motion.axis[0], box.x2 - box.x1);
        const float y = reach(&track->motion.axis[1], box.y2 - box.y1);
        const struct itsi_share_box expected = widened(&box, x, y);
        for (int c = 0; c < columns; c++)
            s->assign.cost[r * columns + c] = 1 - similarity(track, &expected, x, y, &s->seen[s->columns[c]],
                                                             boxes[s->columns[c]].cls);
    }
    itsi_assign_run(&s->assign, rows, columns, 1 - stage->least, s->column_of);
    for (int r = 0; r < rows; r++)
        if (s->column_of[r] >= 0) {
            s->seen_by[s->rows[r]] = s->columns[s->column_of[r]];
            s->track_of[s->columns[s->column_of[r]]] = s->rows[r];
        }
}
