/* What the tests of the lease pool share: parameters under which every rule is off, so that a test switches on its own. */
#ifndef ITSI_POOL_LEASE_FIXTURE_H
#define ITSI_POOL_LEASE_FIXTURE_H

#include "base/clock.h"
#include "pool/lease.h"

#define MS ITSI_NS_PER_MS
#define S ITSI_NS_PER_S

static inline struct itsi_pool_params plain_params(void)
{
    return (struct itsi_pool_params){
        .name = "test",
        .most = 10,
        .waiters = 100,
        .opens_per_second = 1e6,
        .opening = 1000,
        .open_timeout_ns = S,
        .check_timeout_ns = S,
        .down_first_ns = S,
        .down_most_ns = 8 * S,
        .check_after_idle_ns = ITSI_NEVER,
        .keep_checking_ns = ITSI_NEVER,
        .lifetime_ns = ITSI_NEVER,
        .idle_ns = ITSI_NEVER,
        .reserve_after_ns = S,
        .leak_after_ns = ITSI_NEVER,
        .reclaim_after_ns = ITSI_NEVER,
        .seed = 7,
    };
}

static const struct itsi_pool_owner somebody = {.component = "store", .stage = "write", .trace = 0xabc};

#endif
