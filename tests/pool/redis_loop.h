/* The pools' loop of a test program, begun and ended by its setup and teardown. */
#ifndef ITS_TESTS_REDIS_LOOP_H
#define ITS_TESTS_REDIS_LOOP_H

#include "support/check.h"

#include "net/loop.h"

static struct itsi_loop *loop;

static int start_loop(void **state)
{
    (void)state;
    struct its_diag diag;
    return itsi_loop_create(&loop, "test-loop", &diag);
}

static int end_loop(void **state)
{
    (void)state;
    itsi_loop_destroy(loop);
    return 0;
}

#endif
