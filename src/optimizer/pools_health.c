#include "optimizer/pools_health.h"

#include "pool/ffmpeg_pool.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

const char *itsi_health_name(enum itsi_health health)
{
    static const char *const names[ITSI_HEALTHS] = {"ok", "degraded", "down"};
    return names[health];
}

__attribute__((format(printf, 3, 4))) static void say(struct itsi_health_verdict *out, enum itsi_health health,
                                                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    out->health = health;
    vsnprintf(out->why, sizeof out->why, format, args);
    va_end(args);
}

/* --- pools --------------------------------------------------------------------------------------------------------- */

uint64_t itsi_pool_leaks_now(const struct itsi_pool_stats *p)
{
    return p->leaks - p->unleaks - p->closed[ITSI_POOL_CLOSED_LEAKED];
}

uint64_t itsi_pool_failed_requests(const struct itsi_pool_stats *p)
{
    return p->timeouts + p->cancelled + p->refused_full + p->refused_down + p->refused_slow;
}

/* From the gravest on; the first that holds is told. */
void itsi_pool_judge(const struct itsi_pool_stats *p, struct itsi_health_verdict *out)
{
    *out = (struct itsi_health_verdict){.health = ITSI_HEALTH_OK};
    if (p->is_down && p->in_use + p->idle + p->checking == 0)
        say(out, ITSI_HEALTH_DOWN, "%s", p->last_error);
    else if (p->is_down)
        say(out, ITSI_HEALTH_DEGRADED, "%d are open, and no more can be opened: %s", p->in_use + p->idle + p->checking,
            p->last_error);
    else if (p->is_slow)
        say(out, ITSI_HEALTH_DEGRADED, "%d wait because the server is slower than usual", p->waiting);
    else if (p->oldest_wait_s > ITSI_POOL_LONG_WAIT_S)
        say(out, ITSI_HEALTH_DEGRADED, "%d wait, the first for %.1f s", p->waiting, p->oldest_wait_s);
    else if (itsi_pool_leaks_now(p) > 0)
        say(out, ITSI_HEALTH_DEGRADED, "%" PRIu64 " are held for so long that they may never come back",
            itsi_pool_leaks_now(p));
    else if (p->utilization > ITSI_POOL_MOST_UTILIZATION)
        say(out, ITSI_HEALTH_DEGRADED, "%.0f %% of the most were in use lately, wanted are less than %.0f %%",
            p->utilization * 100, ITSI_POOL_MOST_UTILIZATION * 100);
}

void itsi_ffmpeg_judge(const struct itsi_ffmpeg_pool_stats *f, struct itsi_health_verdict *out)
{
    if (out->health == ITSI_HEALTH_OK && f->kind == ITSI_SPARE_EXECUTING && !f->is_never_linked)
        say(out, ITSI_HEALTH_DEGRADED,
            "FFmpeg is executed for each job, which is slower: linking it ahead failed (%" PRIu64
            " times), and is tried again",
            f->unlinked);
}

/* --- the store ------------------------------------------------------------------------------------------------------ */

struct itsi_store_losses itsi_store_losses_ever(const struct itsi_store_stats *s)
{
    struct itsi_store_losses ever = {.lost = 0};
    for (int reason = 0; reason < ITSI_STORE_DROPS; reason++)
        for (int table = 0; table < ITSI_STORE_TABLES; table++) {
            const bool for_content = reason == ITSI_STORE_DROP_INVALID || reason == ITSI_STORE_DROP_REFUSED;
            *(for_content ? &ever.refused : &ever.lost) += s->dropped[reason][table];
        }
    return ever;
}

struct itsi_store_losses itsi_losses_lately(struct itsi_losses_lately *lately, const struct itsi_store_losses *ever,
                                            int64_t now)
{
    if (now - lately->at >= ITSI_LOSSES_LATELY_NS) {
        lately->marks[0] = lately->marks[1];
        lately->marks[1] = *ever;
        lately->at = now;
    }
    return (struct itsi_store_losses){ever->lost - lately->marks[0].lost, ever->refused - lately->marks[0].refused};
}

void itsi_store_judge(const struct itsi_store_stats *s, const struct itsi_store_losses *lately,
                      struct itsi_health_verdict *out)
{
    *out = (struct itsi_health_verdict){.health = ITSI_HEALTH_OK};
    if (lately->lost)
        say(out, ITSI_HEALTH_DOWN, "%" PRIu64 " rows were lost lately for want of room%s%s", lately->lost,
            s->last_error[0] ? ": " : "", s->last_error);
    else if (s->is_away)
        say(out, ITSI_HEALTH_DEGRADED, "the database takes nothing, %" PRIu64 " rows wait on disk and %" PRIu64
            " in memory: %s", s->spool_rows, s->waiting, s->last_error);
    else if (lately->refused)
        say(out, ITSI_HEALTH_DEGRADED, "%" PRIu64 " rows could not be kept for what they hold; the log names them",
            lately->refused);
    else if (s->lag_seconds > ITSI_STORE_LONG_LAG_S)
        say(out, ITSI_HEALTH_DEGRADED, "the oldest row waits for %.0f s; %" PRIu64 " rows are still to be written",
            s->lag_seconds, s->spool_rows + s->waiting);
}
