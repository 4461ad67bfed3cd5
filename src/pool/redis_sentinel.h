/* Which server is the master now: asks sentinels, one after the other, until one knows (Redis, "Guidelines for Sentinel
 * clients"). The one that knew is asked first the next time. Everything on the loop's thread. */
#ifndef ITSI_POOL_REDIS_SENTINEL_H
#define ITSI_POOL_REDIS_SENTINEL_H

#include "pool/redis.h"

struct itsi_redis_sentinels;

/* url and tls (NULL: none) outlive it. `found` is called once for each question: rc 0 and the host, or why nobody knew. */
ITS_NODISCARD int itsi_redis_sentinels_create(struct itsi_redis_sentinels **out, uv_loop_t *loop,
                                              const struct itsi_redis_url *url, struct itsi_tls *tls,
                                              const struct itsi_redis_socket *socket,
                                              void (*found)(void *self, int rc, const struct itsi_redis_host *host,
                                                            const struct its_diag *diag),
                                              void *self, struct its_diag *diag);
/* A question that is being asked gets no answer. `closed` is called when it is gone. */
void itsi_redis_sentinels_close(struct itsi_redis_sentinels *sentinels, void (*closed)(void *self));
/* Nothing while a question is being asked. */
void itsi_redis_sentinels_ask(struct itsi_redis_sentinels *sentinels);

#endif
