/* What the FFmpeg pool counts, and in Prometheus' words. */
#include "pool/ffmpeg_pool_impl.h"

void itsi_ffmpeg_count_started(struct itsi_ffmpeg_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->stats.running++;
    pthread_mutex_unlock(&pool->mutex);
}

static int bucket_of(double seconds)
{
    int bucket = 0;
    while (bucket < ITSI_POOL_EDGE_COUNT && seconds > itsi_pool_edges[bucket])
        bucket++;
    return bucket;
}

void itsi_ffmpeg_count_job(struct itsi_ffmpeg_pool *pool, const struct itsi_ffmpeg_result *result)
{
    struct itsi_ffmpeg_pool_stats *s = &pool->stats;
    /* those that were started may still have been refused by the system: then they had no time either */
    const bool ran = result->outcome != ITSI_FFMPEG_REFUSED;
    pthread_mutex_lock(&pool->mutex);
    s->running -= ran || result->seconds > 0;
    s->jobs[result->outcome]++;
    s->killed[result->killed]++;
    s->limited[result->limit]++;
    if (ran) {
        s->seconds[bucket_of(result->seconds)]++;
        s->seconds_sum += result->seconds;
        s->cpu_seconds += result->cpu_seconds;
    }
    pthread_mutex_unlock(&pool->mutex);
}

void itsi_ffmpeg_count_linking(struct itsi_ffmpeg_pool *pool)
{
    const struct itsi_linking *linking = &pool->linking;
    pthread_mutex_lock(&pool->mutex);
    pool->stats.kind = linking->impossible || linking->failures ? ITSI_SPARE_EXECUTING : ITSI_SPARE_LINKED;
    pool->stats.unlinked = linking->changes;
    pool->stats.is_never_linked = linking->impossible;
    pthread_mutex_unlock(&pool->mutex);
}

void itsi_ffmpeg_count_death(struct itsi_ffmpeg_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->stats.deaths++;
    pthread_mutex_unlock(&pool->mutex);
}

void itsi_ffmpeg_count_recycled(struct itsi_ffmpeg_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->stats.recycled++;
    pthread_mutex_unlock(&pool->mutex);
}

void itsi_put_ffmpeg_metrics(struct itsi_exposition *e, const struct itsi_ffmpeg_pool_stats *s)
{
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_ffmpeg_jobs", NULL,
                           "FFmpeg jobs that ended, by what came of them.");
    for (int i = 0; i < ITSI_FFMPEG_OUTCOME_COUNT; i++)
        itsi_exposition_count(e, ITSI_LABELS({"outcome", itsi_ffmpeg_outcome_name((enum itsi_ffmpeg_outcome)i)}),
                              s->jobs[i]);
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_ffmpeg_killed", NULL,
                           "FFmpeg jobs ended by us, by the reason.");
    for (int i = ITSI_JOB_KILL_NONE + 1; i < ITSI_JOB_KILL_COUNT; i++)
        itsi_exposition_count(e, ITSI_LABELS({"reason", itsi_job_kill_name((enum itsi_job_kill)i)}), s->killed[i]);
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_ffmpeg_limited", NULL,
                           "FFmpeg jobs ended by a limit of their resources, by the limit.");
    for (int i = ITSI_JOB_LIMIT_NONE + 1; i < ITSI_JOB_LIMIT_COUNT; i++)
        itsi_exposition_count(e, ITSI_LABELS({"limit", itsi_job_limit_name((enum itsi_job_limit)i)}), s->limited[i]);
    itsi_exposition_family(e, ITSI_METRIC_GAUGE, "its_ffmpeg_running", NULL, "FFmpeg jobs that run.");
    itsi_exposition_count(e, NULL, (uint64_t)s->running);
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_ffmpeg_process_deaths", NULL,
                           "Processes of the pool that ended without having been asked to.");
    itsi_exposition_count(e, NULL, s->deaths);
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_ffmpeg_process_recycled", NULL,
                           "Processes of the pool that were replaced because they had grown.");
    itsi_exposition_count(e, NULL, s->recycled);
    itsi_exposition_family(e, ITSI_METRIC_GAUGE, "its_ffmpeg_linked", NULL,
                           "1: processes are FFmpeg, linked ahead of their jobs; 0: they execute it for each.");
    itsi_exposition_count(e, NULL, s->kind == ITSI_SPARE_LINKED);
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_ffmpeg_unlinked", NULL,
                           "How often linking FFmpeg ahead failed, and it was executed for each job until that worked. A "
                           "program that cannot be linked ahead is no failure.");
    itsi_exposition_count(e, NULL, s->unlinked);
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_ffmpeg_cpu_seconds", "seconds", "Processor time of the jobs.");
    itsi_exposition_value(e, NULL, s->cpu_seconds);
    const struct itsi_exposition_histogram seconds = {
        .edges = itsi_pool_edges, .edge_count = ITSI_POOL_EDGE_COUNT, .counts = s->seconds, .sum = s->seconds_sum};
    itsi_exposition_family(e, ITSI_METRIC_HISTOGRAM, "its_ffmpeg_job_seconds", "seconds", "How long the jobs ran.");
    itsi_exposition_histogram(e, NULL, &seconds);
}
