/* Whether a receiver that failed is asked again; when, says net/backoff.h. Pure. */
#ifndef ITSI_LATENCY_ALERT_RETRY_H
#define ITSI_LATENCY_ALERT_RETRY_H

enum itsi_delivery_result {
    ITSI_DELIVERY_OK,
    ITSI_DELIVERY_AGAIN,  /* may work later */
    ITSI_DELIVERY_REFUSED /* will never work as it is: not repeated */
};
/* rc: of the exchange; status: of the answer where rc is 0. Too early (425), too many (429), timeouts (408) and
 * whatever is the server's fault (5xx) may pass; other refusals and redirections (a secret is not carried elsewhere) do
 * not. */
enum itsi_delivery_result itsi_delivery_judge(int rc, int status);

#endif
