/* The one server of a test program, begun and ended by its group's setup and teardown. */
#ifndef ITS_TESTS_REDIS_ONE_H
#define ITS_TESTS_REDIS_ONE_H

#include "redis_server.h"

static struct redis_server server;

static int start_server(void **state)
{
    (void)state;
    redis_prepare(&server, (const char *const[]){"--bind", "127.0.0.1", "-::1", NULL});
    return redis_start(&server);
}

static int end_server(void **state)
{
    (void)state;
    redis_end(&server);
    return 0;
}

#endif
