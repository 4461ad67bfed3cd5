#include "postprocess/track_budget.h"

#include <math.h>

#define HASTE 0.3   /* a step follows this power of what was spent over what was paid for: in a second or two it is there */
#define FEW 2.0     /* detections that are added to both, so that a step with hardly a picture says hardly anything */
#define LEAST 0.02F /* where nothing is in doubt, waiting longer does not make doubt more likely */
#define MOST 400.0F /* every box there may be is in doubt, for as long as a camera may wait */

void itsi_track_budget_step(struct itsi_track_budget *budget, double paid, double made)
{
    const double factor = pow((made + FEW) / (paid + FEW), HASTE);
    budget->tolerance = fminf(fmaxf((float)(budget->tolerance * factor), LEAST), MOST);
}

void itsi_track_budget_ask(const struct itsi_track_budget *budget, int interval, struct itsi_track_cadence *cadence)
{
    cadence->wanted_ns = interval > 1 ? (int64_t)ITSI_TRACK_STRETCH * interval * cadence->frame_ns : cadence->frame_ns;
    cadence->tolerance = budget->tolerance * (float)interval;
}
