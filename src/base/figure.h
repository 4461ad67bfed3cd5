/* Figures that may be unknown: below 0 where they are kept, NaN (in JSON null) where they are shown. */
#ifndef ITSI_BASE_FIGURE_H
#define ITSI_BASE_FIGURE_H

#include <math.h>

static inline double itsi_figure_or_nan(double figure)
{
    return figure < 0 ? (double)NAN : figure;
}

#endif
