/* Replies out of a server's bytes: hiredis's parser, with bounds it does not have. A server that is hostile or broken can
 * make it refuse, not grow: what one reply may take, how many elements an array may claim, how deep arrays nest (seven, by
 * hiredis) and how long a line may be are limited. One thread. */
#ifndef ITSI_POOL_REDIS_READER_H
#define ITSI_POOL_REDIS_READER_H

#include "pool/redis_reply.h"

struct itsi_redis_reader;

/* limit: bytes of memory one reply may take, its arrays' claims included. */
ITS_NODISCARD int itsi_redis_reader_create(struct itsi_redis_reader **out, size_t limit, struct its_diag *diag);
void itsi_redis_reader_destroy(struct itsi_redis_reader *reader); /* takes NULL */

/* Takes bytes in and hands each reply that they complete to `reply`, valid during that call only; it returns false to
 * take no more (the reader is then not used again, but by destroy). Allocates nothing while replies stay below 16 kB and
 * its buffer is large enough. ITS_EFORMAT no protocol of Redis, ITS_ELIMIT over a bound, ITS_ENOMEM, ITS_ECANCELLED. */
ITS_NODISCARD int itsi_redis_reader_feed(struct itsi_redis_reader *reader, const char *data, size_t len,
                                         bool (*reply)(void *self, const struct itsi_redis_reply *reply), void *self,
                                         struct its_diag *diag);

#endif
