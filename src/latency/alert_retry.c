#include "latency/alert_retry.h"

#include "base/clock.h"
#include "its/error.h"

#define MOST_RETRY_AFTER_SECONDS 3600.0

enum itsi_delivery_result itsi_delivery_judge(int rc, int status)
{
    if (rc == ITS_EINVAL)
        return ITSI_DELIVERY_REFUSED;
    if (rc != 0)
        return ITSI_DELIVERY_AGAIN;
    if (status >= 200 && status < 300)
        return ITSI_DELIVERY_OK;
    if (status == 408 || status == 425 || status == 429 || status >= 500)
        return ITSI_DELIVERY_AGAIN;
    return ITSI_DELIVERY_REFUSED;
}

void itsi_retry_init(struct itsi_retry *retry, int64_t base_ns, int64_t most_ns, uint64_t seed)
{
    *retry = (struct itsi_retry){.base_ns = base_ns, .most_ns = most_ns};
    itsi_rand_seed(&retry->rng, seed);
}

void itsi_retry_worked(struct itsi_retry *retry) { retry->failures = 0; }

int64_t itsi_retry_failed(struct itsi_retry *retry, double retry_after_seconds)
{
    int64_t wait = retry->base_ns;
    for (int i = 0; i < retry->failures && wait < retry->most_ns; i++)
        wait *= 2;
    wait = wait < retry->most_ns ? wait : retry->most_ns;
    retry->failures++;
    wait = wait / 2 + (int64_t)((double)(wait / 2) * itsi_rand_unit(&retry->rng));
    if (!(retry_after_seconds > 0))
        return wait;
    if (retry_after_seconds > MOST_RETRY_AFTER_SECONDS)
        retry_after_seconds = MOST_RETRY_AFTER_SECONDS;
    const int64_t asked_ns = (int64_t)(retry_after_seconds * (double)ITSI_NS_PER_S);
    return asked_ns > wait ? asked_ns : wait;
}
