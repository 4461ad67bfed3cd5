#include "metrics/rate.h"

#include "base/clock.h"

void itsi_rate_add(struct itsi_rate *rate, int64_t now_ns)
{
    int64_t second = now_ns / ITSI_NS_PER_S + 1; /* never 0, which means empty */
    int slot = (int)(second % (ITSI_RATE_SECONDS + 1));
    if (rate->second[slot] != second) {
        rate->second[slot] = second;
        rate->count[slot] = 0;
    }
    rate->count[slot]++;
    if (!rate->first)
        rate->first = second;
}

double itsi_rate_get(const struct itsi_rate *rate, int64_t now_ns)
{
    int64_t second = now_ns / ITSI_NS_PER_S + 1;
    if (!rate->first)
        return 0;
    uint64_t sum = 0;
    for (int i = 0; i <= ITSI_RATE_SECONDS; i++)
        if (rate->second[i] && rate->second[i] < second && rate->second[i] >= second - ITSI_RATE_SECONDS)
            sum += rate->count[i];
    /* a source younger than the window is judged by its whole seconds; the first one began somewhere inside */
    int64_t whole = second - rate->first - 1;
    if (whole >= ITSI_RATE_SECONDS)
        return (double)sum / ITSI_RATE_SECONDS;
    int slot = (int)(rate->first % (ITSI_RATE_SECONDS + 1));
    uint64_t partial = rate->second[slot] == rate->first && rate->first < second ? rate->count[slot] : 0;
    return whole > 0 ? (double)(sum - partial) / (double)whole : 0;
}
