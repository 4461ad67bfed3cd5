#include "capture/selection.h"

#include "base/clock.h"
#include "capture/timeline.h"

void itsi_selection_reset(struct itsi_selection *selection)
{
    *selection = (struct itsi_selection){.next = ITSI_NO_TIME};
}

bool itsi_selection_unit(struct itsi_selection *selection, enum itsi_decode_mode decode, bool key, bool disposable)
{
    if (key) {
        selection->broken = false;
        return true;
    }
    if (selection->broken || decode == ITSI_DECODE_KEY) {
        selection->broken = true;
        return false;
    }
    return !(disposable && decode == ITSI_DECODE_REFERENCE);
}

bool itsi_selection_picture(struct itsi_selection *selection, double most, double fps, int64_t at)
{
    if (most <= 0 || most >= fps) {
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
