#include "quality/debt.h"

#include "base/clock.h"

#include <math.h>

#define Z95 1.959964
#define UNKNOWN ((struct itsi_debt_range){(double)NAN, (double)NAN, (double)NAN})
/* Between two pictures of a camera further apart than this nobody knows what was in view. */
#define GAP_NS (3 * ITSI_NS_PER_S)
#define NS_PER_HOUR (3600.0 * (double)ITSI_NS_PER_S)

/* What is left of the weight of something that was noted at `at`. */
static double faded(int64_t at, int64_t now)
{
    return now > at ? exp2(-(double)(now - at) / (double)ITSI_DEBT_HALF_LIFE_NS) : 1;
}

/* --- noting ------------------------------------------------------------------------------------------------------- */

static struct itsi_debt_tally tally_at(const struct itsi_debt_tally *tally, int64_t now)
{
    struct itsi_debt_tally t = *tally;
    const double once = faded(t.at, now), twice = once * once;
    t.at = now > t.at ? now : t.at;
    t.weight *= once;
    t.sightings *= once;
    t.missed *= once;
    t.extra *= once;
    t.weight2 *= twice;
    t.sightings2 *= twice;
    t.missed2 *= twice;
    t.cross2 *= twice;
    return t;
}

void itsi_debt_tally_add(struct itsi_debt_tally *tally, const struct itsi_debt_picture *picture, int64_t now)
{
    const double sightings = picture->sightings, missed = picture->missed;
    *tally = tally_at(tally, now);
    tally->weight += 1;
    tally->weight2 += 1;
    tally->sightings += sightings;
    tally->missed += missed;
    tally->extra += picture->extra;
    tally->sightings2 += sightings * sightings;
    tally->missed2 += missed * missed;
    tally->cross2 += sightings * missed;
}

double itsi_debt_tally_pictures(const struct itsi_debt_tally *tally, int64_t now)
{
    return tally->weight * faded(tally->at, now);
}

/* Where the track was noted last; -1: nowhere. */
static int noted(const struct itsi_debt_traffic *traffic, int32_t track)
{
    for (int i = 0; i < ITSI_DEBT_TRACKS; i++)
        if (traffic->track[i] == track)
            return i;
    return -1;
}

static int seen_longest_ago(const struct itsi_debt_traffic *traffic)
{
    int oldest = 0;
    for (int i = 1; i < ITSI_DEBT_TRACKS; i++)
        oldest = traffic->seen[i] < traffic->seen[oldest] ? i : oldest;
    return oldest;
}

static void sight(struct itsi_debt_traffic *traffic, int32_t track, bool watched, int64_t now)
{
    int i = noted(traffic, track);
    if (i >= 0) {
        const int64_t since = now - traffic->seen[i];
        traffic->object_ns += since > 0 && since <= GAP_NS ? (double)since : 0;
        traffic->seen[i] = since > 0 ? now : traffic->seen[i];
        return;
    }
    i = seen_longest_ago(traffic);
    traffic->track[i] = track;
    traffic->seen[i] = now;
    if (!watched || track <= traffic->newest)
        return;
    traffic->objects += 1;
    traffic->object_ns += now > traffic->at ? (double)(now - traffic->at) : 0; /* half before the first, half after the last */
}

void itsi_debt_traffic_add(struct itsi_debt_traffic *traffic, const struct itsi_detection *boxes, int count, int64_t now)
{
    /* else who is here may have come at any time */
    const bool watched = traffic->at != 0 && now <= traffic->at + GAP_NS;
    const double once = traffic->at ? faded(traffic->at, now) : 1;
    int32_t newest = traffic->newest;
    traffic->object_ns *= once;
    traffic->objects *= once;
    for (int i = 0; i < count; i++) {
        if (boxes[i].track <= 0)
            continue;
        sight(traffic, boxes[i].track, watched, now);
        newest = boxes[i].track > newest ? boxes[i].track : newest;
    }
    traffic->newest = newest;
    traffic->at = now > traffic->at ? now : traffic->at;
}

/* --- estimating --------------------------------------------------------------------------------------------------- */

/* Wilson's interval for a share of n independent sightings. */
static struct itsi_debt_range wilson(double share, double n)
{
    const double z2n = Z95 * Z95 / n;
    const double middle = (share + z2n / 2) / (1 + z2n);
    const double half = Z95 * sqrt(share * (1 - share) / n + z2n / (4 * n)) / (1 + z2n);
    /* rounding must not put the share outside */
    return (struct itsi_debt_range){share, fmax(0, fmin(share, middle - half)), fmin(1, fmax(share, middle + half))};
}

/* So many independent sightings would tell as much as these, which come by pictures and with unequal weights. */
static double independent(const struct itsi_debt_tally *t, double share)
{
    const double pictures = t->weight * t->weight / t->weight2; /* of equal weight (Kish 1965) */
    const double n = t->sightings * pictures / t->weight;
    const double residuals = t->missed2 - 2 * share * t->cross2 + share * share * t->sightings2;
    const double variance = residuals / (t->sightings * t->sightings) * pictures / fmax(1, pictures - 1);
    return variance > 0 ? fmin(n, share * (1 - share) / variance) : n;
}

/* How long an object is in view, hours; NAN: unknown. */
static double hours_in_view(const struct itsi_debt_traffic *traffic, int64_t now)
{
    if (!traffic || traffic->objects * faded(traffic->at, now) < ITSI_DEBT_LEAST_OBJECTS || traffic->object_ns <= 0)
        return (double)NAN;
    return traffic->object_ns / traffic->objects / NS_PER_HOUR;
}

void itsi_debt_estimate(const struct itsi_debt_tally *tally, const struct itsi_debt_traffic *traffic, int64_t now,
                        struct itsi_debt_estimate *out)
{
    const struct itsi_debt_tally t = tally_at(tally, now);
    *out = (struct itsi_debt_estimate){t.weight, t.sightings, UNKNOWN, UNKNOWN, (double)NAN};
    const double delivered = t.sightings - t.missed + t.extra;
    if (t.weight < ITSI_DEBT_LEAST_PICTURES)
        return;
    if (delivered >= ITSI_DEBT_LEAST_SIGHTINGS)
        out->extra_share = t.extra / delivered;
    if (t.sightings < ITSI_DEBT_LEAST_SIGHTINGS)
        return;
    const double share = fmin(1, t.missed / t.sightings);
    out->missed_share = wilson(share, independent(&t, share));
    const double an_hour = t.sightings / t.weight / hours_in_view(traffic, now); /* objects there are to be found */
    out->missed_per_hour = (struct itsi_debt_range){share * an_hour, out->missed_share.low * an_hour,
                                                    out->missed_share.high * an_hour};
}
