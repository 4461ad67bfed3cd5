#include "pool/job_watch.h"

#include "base/clock.h"

/* Memory is looked at so often. */
#define LOOK_NS (500 * ITSI_NS_PER_MS)

const char *itsi_job_kill_name(enum itsi_job_kill reason)
{
    static const char *const names[] = {
#define ITSI_X(name, text) text,
        ITSI_JOB_KILL_MAP(ITSI_X)
#undef ITSI_X
    };
    return names[reason];
}

static int64_t after(int64_t instant, int64_t ns) { return ns > ITSI_NEVER - instant ? ITSI_NEVER : instant + ns; }

void itsi_job_watch_begin(struct itsi_job_watch *watch, const struct itsi_job_watch_params *params, int64_t now)
{
    *watch = (struct itsi_job_watch){.params = *params, .progressed = now, .looked = now};
}

void itsi_job_watch_progress(struct itsi_job_watch *watch, int64_t now) { watch->progressed = now; }

void itsi_job_watch_end(struct itsi_job_watch *watch, enum itsi_job_kill reason)
{
    if (watch->reason == ITSI_JOB_KILL_NONE)
        watch->reason = reason;
}

static void judge(struct itsi_job_watch *watch, uint64_t rss, int64_t now)
{
    const struct itsi_job_watch_params *params = &watch->params;
    if (params->most_rss_bytes && rss > params->most_rss_bytes)
        itsi_job_watch_end(watch, ITSI_JOB_KILL_MEMORY);
    if (now >= params->deadline)
        itsi_job_watch_end(watch, ITSI_JOB_KILL_TIMEOUT);
    if (now >= after(watch->progressed, params->stall_ns))
        itsi_job_watch_end(watch, ITSI_JOB_KILL_STALLED);
}

enum itsi_job_action itsi_job_watch_look(struct itsi_job_watch *watch, uint64_t rss, int64_t now)
{
    watch->looked = now;
    judge(watch, rss, now);
    if (watch->reason == ITSI_JOB_KILL_NONE || watch->last == ITSI_JOB_ABANDON)
        return ITSI_JOB_GOES_ON;
    if (watch->last != ITSI_JOB_GOES_ON && now < after(watch->acted, watch->params.grace_ns))
        return ITSI_JOB_GOES_ON;
    watch->acted = now;
    watch->last++;
    return watch->last;
}

int64_t itsi_job_watch_due(const struct itsi_job_watch *watch)
{
    if (watch->last == ITSI_JOB_ABANDON)
        return ITSI_NEVER;
    if (watch->last != ITSI_JOB_GOES_ON)
        return after(watch->acted, watch->params.grace_ns);
    int64_t due = watch->params.deadline;
    const int64_t stall = after(watch->progressed, watch->params.stall_ns);
    const int64_t look = watch->params.most_rss_bytes ? after(watch->looked, LOOK_NS) : ITSI_NEVER;
    due = stall < due ? stall : due;
    return look < due ? look : due;
}
