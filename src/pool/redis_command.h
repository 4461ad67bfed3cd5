/* Commands as bytes (RESP arrays of strings), appended to a buffer that is used again: hiredis's formatter allocates a
 * string for each. Any bytes may stand in an argument. Pure. */
#ifndef ITSI_POOL_REDIS_COMMAND_H
#define ITSI_POOL_REDIS_COMMAND_H

#include "base/buf.h"

/* lens NULL: the arguments are text. Running out of memory shows in out->failed. */
void itsi_redis_command_add(struct itsi_buf *out, int argc, const char *const *argv, const size_t *lens);

/* The same with text alone, in place: itsi_redis_words(out, "SET", "key", "value"). */
#define itsi_redis_words(out, ...)                                                                                     \
    itsi_redis_command_add(out, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                         \
                           (const char *[]){__VA_ARGS__}, NULL)

#endif
