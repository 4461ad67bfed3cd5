#include "capture/selection.h"

#include "base/clock.h"
#include "capture/timeline.h"
#include "metrics/rate.h"

void itsi_selection_reset(struct itsi_selection *selection)
{
    *selection = (struct itsi_selection){.next = ITSI_NO_TIME};
}

/* Does a picture behind the key frame take its place? */
static bool follows(const struct itsi_selection *selection, const struct itsi_selection_unit *unit)
{
    return selection->offered && unit->taken == selection->taken && unit->at < selection->until;
}

bool itsi_selection_unit(struct itsi_selection *selection, enum itsi_decode_mode decode,
                         const struct itsi_selection_unit *unit)
{
    if (unit->key) {
        selection->broken = false;
        selection->offered = selection->offered && decode != ITSI_DECODE_KEY;
        return true;
    }
    if (decode == ITSI_DECODE_KEY && !follows(selection, unit))
        selection->broken = true;
    return !selection->broken && !(unit->disposable && decode == ITSI_DECODE_REFERENCE);
}

void itsi_selection_offer(struct itsi_selection *selection, int64_t at, uint64_t taken, int64_t group_ns)
{
    selection->offered = true;
    selection->taken = taken;
    selection->until = at + group_ns / 2;
}

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
    selection->offered = selection->offered && unit->taken == selection->taken;
    /* it would not have been decoded for itself */
    if (selection->offered && decode == ITSI_DECODE_KEY && !unit->key)
        return ITSI_PICTURE_IN_PLACE;
    if (is_due(selection, most, fps, unit->at))
        return ITSI_PICTURE_DUE;
    return selection->offered ? ITSI_PICTURE_IN_PLACE : ITSI_PICTURE_SKIPPED;
}
