#include "pipeline/facts.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

void itsi_facts_init(struct itsi_facts *facts)
{
    memset(facts, 0, sizeof *facts);
    pthread_mutex_init(&facts->mutex, NULL);
}

void itsi_facts_fini(struct itsi_facts *facts) { pthread_mutex_destroy(&facts->mutex); }

void itsi_facts_run(struct itsi_facts *facts, int size, int images, int64_t run_ns)
{
    pthread_mutex_lock(&facts->mutex);
    facts->sums.images[size] += (uint64_t)images;
    facts->sums.busy_ns[size] += run_ns;
    pthread_mutex_unlock(&facts->mutex);
}

void itsi_facts_frame(struct itsi_facts *facts, int64_t slack_ns, int64_t queue_ns, int64_t latency_ns)
{
    pthread_mutex_lock(&facts->mutex);
    facts->sums.frames++;
    facts->sums.latency_ns += latency_ns;
    if (queue_ns > facts->sums.queue_ns)
        facts->sums.queue_ns = queue_ns;
    if (slack_ns != ITSI_NEVER)
        facts->slack[facts->slacks++ % ITSI_FACTS_SLACKS] = slack_ns;
    pthread_mutex_unlock(&facts->mutex);
}

void itsi_facts_failed(struct itsi_facts *facts)
{
    pthread_mutex_lock(&facts->mutex);
    facts->sums.failed++;
    pthread_mutex_unlock(&facts->mutex);
}

static int by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void itsi_facts_take(struct itsi_facts *facts, struct itsi_facts_taken *out)
{
    int64_t slack[ITSI_FACTS_SLACKS];
    pthread_mutex_lock(&facts->mutex);
    const size_t n = facts->slacks < ITSI_FACTS_SLACKS ? (size_t)facts->slacks : ITSI_FACTS_SLACKS;
    memcpy(slack, facts->slack, n * sizeof *slack);
    out->sums = facts->sums;
    facts->sums = (struct itsi_fact_sums){0};
    facts->slacks = 0;
    pthread_mutex_unlock(&facts->mutex);
    qsort(slack, n, sizeof *slack, by_value); /* outside: frames do not wait for it */
    out->slack_p10_ns = n ? slack[n / 10] : ITSI_NEVER;
}
