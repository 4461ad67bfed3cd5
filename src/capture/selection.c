#include "capture/selection.h"

#include "base/clock.h"
#include "capture/timeline.h"
#include "metrics/rate.h"

#include <math.h>

#define MOST_OWED 2.0 /* what a long overload owes cannot be made up for */

void itsi_selection_init(struct itsi_selection *selection, double ahead)
{
    selection->ahead = ahead - floor(ahead);
    itsi_selection_reset(selection);
}

void itsi_selection_reset(struct itsi_selection *selection)
{
    *selection = (struct itsi_selection){
        .next = ITSI_NO_TIME, .ahead = selection->ahead, .counted = ITSI_NO_TIME, .middle = ITSI_NO_TIME};
}

/* --- what is decoded ---------------------------------------------------------------------------------------------- */

/* Does a picture behind the key frame take its place? */
static bool follows(const struct itsi_selection *selection, const struct itsi_selection_unit *unit)
{
    return selection->offered && unit->taken == selection->taken && unit->at < selection->until;
}

/* Does the group go on to its middle, where another picture of it is due? */
static bool leads(struct itsi_selection *selection, const struct itsi_selection_unit *unit)
{
    if (unit->at >= selection->soon && unit->taken == selection->taken)
        selection->middle = ITSI_NO_TIME;
    return selection->middle != ITSI_NO_TIME;
}

bool itsi_selection_unit(struct itsi_selection *selection, enum itsi_decode_mode decode,
                         const struct itsi_selection_unit *unit)
{
    if (unit->key) {
        selection->broken = false;
        selection->offered = selection->offered && decode != ITSI_DECODE_KEY;
        selection->middle = ITSI_NO_TIME;
        return true;
    }
    const bool goes_on = leads(selection, unit) || follows(selection, unit);
    if (unit->entry && decode != ITSI_DECODE_KEY)
        selection->broken = false;
    if (decode == ITSI_DECODE_KEY && !goes_on)
        selection->broken = true;
    return !selection->broken && !(unit->disposable && decode == ITSI_DECODE_REFERENCE);
}

/* --- which pictures go on ----------------------------------------------------------------------------------------- */

/* Is it the turn of the picture presented at `at`? */
static bool is_due(struct itsi_selection *selection, double most, double fps, int64_t at)
{
    if (most <= 0 || itsi_rate_reaches(most, fps)) {
        selection->next = ITSI_NO_TIME;
        return true;
    }
    const int64_t interval = (int64_t)(ITSI_NS_PER_S / most), half_beat = (int64_t)(ITSI_NS_PER_S / fps / 2);
    const int64_t next = selection->next;
    /* time went back, or on by more than could be waited for: the spacing begins anew */
    if (next == ITSI_NO_TIME || at < next - 2 * interval || at > next + interval) {
        selection->next = at + interval;
        return true;
    }
    /* the picture nearest to the moment it was due */
    if (at + half_beat < next)
        return false;
    selection->next = next + interval;
    return true;
}

enum itsi_selection_verdict itsi_selection_picture(struct itsi_selection *selection, enum itsi_decode_mode decode,
                                                   double most, double fps, const struct itsi_selection_unit *unit)
{
    /* it would not have been decoded for itself */
    const bool between = decode == ITSI_DECODE_KEY && !unit->key;
    selection->offered = selection->offered && unit->taken == selection->taken;
    if (between && selection->offered)
        return ITSI_PICTURE_IN_PLACE;
    if (between ? selection->middle != ITSI_NO_TIME && unit->at >= selection->middle
                : is_due(selection, most, fps, unit->at))
        return ITSI_PICTURE_DUE;
    return selection->offered ? ITSI_PICTURE_IN_PLACE : ITSI_PICTURE_SKIPPED;
}

/* --- what is owed ------------------------------------------------------------------------------------------------- */

/* Brings the books up to a key frame. */
static void keep_books(struct itsi_selection *selection, double most, const struct itsi_selection_unit *unit)
{
    if (selection->counted == ITSI_NO_TIME || unit->at < selection->counted) {
        selection->owed = selection->ahead;
    } else {
        const double wanted = most * (double)(unit->at - selection->counted) / ITSI_NS_PER_S;
        selection->owed += wanted - (double)(unit->taken - selection->credited);
    }
    selection->owed = fmin(selection->owed, MOST_OWED);
    selection->counted = unit->at;
    selection->credited = unit->taken;
}

/* Is a whole picture owed at the end of the group, its key frame taken? Then its middle is due. */
static void plan(struct itsi_selection *selection, double most, double fps, const struct itsi_selection_unit *unit)
{
    const int64_t group_ns = (int64_t)(ITSI_NS_PER_S / fps);
    keep_books(selection, most, unit);
    if (itsi_rate_reaches(fps, most) || selection->owed + most / fps < 2)
        return;
    selection->soon = unit->at + group_ns / 4;
    selection->middle = unit->at + group_ns / 2;
}

void itsi_selection_offer(struct itsi_selection *selection, enum itsi_decode_mode decode, double most, double fps,
                          const struct itsi_selection_unit *unit)
{
    selection->offered = true;
    selection->taken = unit->taken;
    selection->until = unit->at + (int64_t)(ITSI_NS_PER_S / fps) / (unit->key ? 2 : 4);
    selection->middle = ITSI_NO_TIME;
    if (decode != ITSI_DECODE_KEY)
        selection->counted = ITSI_NO_TIME;
    else if (unit->key)
        plan(selection, most, fps, unit);
}
