#include "latency/alert_retry.h"

#include "its/error.h"

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
