/* Quality debt: what a camera's level misses. A sample of the pictures that were delivered below full quality is analysed
 * again at full size (debt_choice.h says which and when); the boxes of both are matched (debt_match.h), and this estimates
 * from them, per camera and level, the share of objects missed and how many that is an hour.
 *
 * A sighting is a box that full analysis finds in a picture. Every sampled picture gives a pair (sightings, those of them
 * that the level did not deliver); the share missed is the ratio of the sums. Sightings of one picture are missed together
 * (a small input loses all that is far away), so a picture is a cluster: the variance is that of the ratio estimator over
 * clusters (Cochran, Sampling Techniques, 1977, 6.4 and 9A), it gives the number of independent sightings that would be as
 * good (Korn and Graubard 1998; never more than there are), and with those Wilson's score interval (Wilson 1927), 95 %.
 *
 * From sightings to objects by Little's law (Little 1961): objects missed an hour = objects missed in view at a time, over
 * the time an object is in view. The latter is what the camera's tracks lasted; so one missed half of the time it is in view
 * counts half, missed ones are taken to stay as long as those that are found, and one whose track breaks counts as two.
 *
 * Older pictures count for less, by half every ITSI_DEBT_HALF_LIFE_NS, so an estimate follows the light and the traffic, and
 * becomes unknown again when nothing is sampled any more. Values; time is an argument, and a clock that steps back stands
 * still. */
#ifndef ITSI_QUALITY_DEBT_H
#define ITSI_QUALITY_DEBT_H

#include "core/detection.h"
#include "quality/profile.h"

#define ITSI_DEBT_HALF_LIFE_NS INT64_C(900000000000) /* 15 min */

enum {
    ITSI_DEBT_LEVELS = ITSI_QUALITY_HIGH, /* those below it can owe something: `high` is full analysis */
    ITSI_DEBT_LEAST_PICTURES = 10,        /* fewer, as they count by now, and the estimate is unknown; the same for */
    ITSI_DEBT_LEAST_SIGHTINGS = 10,
    ITSI_DEBT_LEAST_OBJECTS = 5,          /* tracks that tell how long an object stays */
    ITSI_DEBT_TRACKS = 128                /* of a camera, followed at a time */
};

/* One picture analysed twice. */
struct itsi_debt_picture {
    int sightings; /* boxes of full analysis */
    int missed;    /* of them, not delivered */
    int extra;     /* delivered, and not found by full analysis */
};

/* The same of many. */
struct itsi_debt_counts {
    uint64_t pictures, sightings, missed, extra;
};

/* Weighted sums; all zero to begin with. */
struct itsi_debt_tally {
    int64_t at; /* weights are as of then */
    double weight, weight2; /* of pictures; of their squares, as everything that ends in 2 */
    double sightings, missed, extra;
    double sightings2, missed2, cross2; /* of squares and products within a picture */
};
void itsi_debt_tally_add(struct itsi_debt_tally *tally, const struct itsi_debt_picture *picture, int64_t now);
/* How many pictures it holds, as they count by now. */
double itsi_debt_tally_pictures(const struct itsi_debt_tally *tally, int64_t now);

/* How long objects stay in view: the time from the first to the last sighting of tracks, over the number that came while the
 * camera was watched (who was there before counts with its time only, or the first minutes would tell of short stays). What
 * the level missed in between is time in view too. From the delivered boxes of a camera. All zero to begin with. */
struct itsi_debt_traffic {
    int64_t at;
    int32_t newest; /* track id: later ones are greater */
    double object_ns, objects; /* in view; that came */
    int32_t track[ITSI_DEBT_TRACKS]; /* seen lately; 0: none */
    int64_t seen[ITSI_DEBT_TRACKS];  /* when, the last time */
};
/* One delivered picture taken at `now`, whatever its level. */
void itsi_debt_traffic_add(struct itsi_debt_traffic *traffic, const struct itsi_detection *boxes, int count, int64_t now);

/* NAN: unknown. */
struct itsi_debt_range {
    double value, low, high; /* 95 % */
};
struct itsi_debt_estimate {
    double pictures, sightings; /* it rests on, as they count by now */
    struct itsi_debt_range missed_share;
    struct itsi_debt_range missed_per_hour; /* objects; its range is the share's, traffic is taken as it was measured */
    double extra_share; /* of the boxes delivered, those that full analysis does not find */
};
/* traffic: NULL where no single camera's is meant; objects an hour are unknown then. */
void itsi_debt_estimate(const struct itsi_debt_tally *tally, const struct itsi_debt_traffic *traffic, int64_t now,
                        struct itsi_debt_estimate *out);

#endif
