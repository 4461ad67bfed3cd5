/* What an operator would look at while something goes wrong: whose frames came, who was lowered and for what. */
#ifndef ITS_TESTS_QUALITY_FAULTS_H
#define ITS_TESTS_QUALITY_FAULTS_H

#include "pipeline/quality_fixture.h"

enum { MOST_CAMERAS = 128 };

/* Frames of a camera that came to a result, analysed or tracked. */
static inline uint64_t served(const struct itsi_ledger_counts *counts)
{
    return counts->delivered + counts->late + counts->tracked;
}

static inline void check_balance(struct itsi_pipeline *p)
{
    struct itsi_pipeline_stats stats;
    itsi_pipeline_stats(p, &stats);
    assert_int_equal(itsi_ledger_balance(&stats.ledger), 0);
}

/* The books of all cameras now. Returns how many there are. */
static inline int look(struct itsi_pipeline *p, struct itsi_camera_status out[MOST_CAMERAS])
{
    const int count = itsi_pipeline_cameras(p, out, MOST_CAMERAS);
    assert_in_range(count, 0, MOST_CAMERAS);
    check_balance(p);
    return count;
}

/* Lets so much time pass; every camera that was there all the while must have got `least` results. */
static inline void expect_all_served(struct itsi_pipeline *p, int64_t ns, uint64_t least)
{
    static struct itsi_camera_status before[MOST_CAMERAS], after[MOST_CAMERAS];
    const int was = look(p, before);
    itsi_sleep_until_ns(itsi_now_ns() + ns);
    const int is = look(p, after);
    for (int i = 0; i < was; i++)
        for (int j = 0; j < is; j++)
            if (strcmp(before[i].camera.id, after[j].camera.id) == 0 &&
                served(&after[j].ledger) - served(&before[i].ledger) < least)
                fail_msg("%s starves: %d results", after[j].camera.id,
                         (int)(served(&after[j].ledger) - served(&before[i].ledger)));
}

/* Cameras at a level of at least this. */
static inline int at_least(struct itsi_pipeline *p, int level)
{
    static struct itsi_camera_status now[MOST_CAMERAS];
    const int count = itsi_pipeline_cameras(p, now, MOST_CAMERAS);
    int n = 0;
    for (int i = 0; i < count && i < MOST_CAMERAS; i++)
        n += now[i].quality_level >= level;
    return n;
}

static inline uint64_t changes_of(struct itsi_pipeline *p)
{
    struct itsi_quality_overview o;
    itsi_pipeline_quality(p, &o);
    return o.status.changes;
}

#endif
