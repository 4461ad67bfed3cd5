#include "pool/ffmpeg_pool_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/system.h"

#include <stdio.h>
#include <string.h>

/* Of a process that waits: what linking FFmpeg takes of its own is about 10 MiB. */
#define WORKER_BYTES ((uint64_t)256 << 20)
#define JOB_BYTES ((uint64_t)2 << 30)
/* What can be written is more than what is: stacks of 8 MiB for each thread, of which little is used. What is in memory is
 * looked at twice a second; this holds in between. */
#define JOB_DATA_BYTES (2 * JOB_BYTES)
/* Inputs, outputs and what libraries open: FFmpeg has ten or so. */
enum { JOB_DESCRIPTORS = 256 };

/* Longest wait after an open that failed: while there is no program it is looked for so often at least. */
#define LOOK_AGAIN_NS (5 * ITSI_NS_PER_S)

void itsi_ffmpeg_pool_usual(struct itsi_ffmpeg_pool_params *params, const struct its_cfg_connection_pool *cfg)
{
    *params = (struct itsi_ffmpeg_pool_params){
        .program = "ffmpeg",
        .kept = (int)cfg->ffmpeg_pool_size,
        .most = (int)cfg->ffmpeg_max_concurrent,
        .uses = cfg->ffmpeg_restart_threshold,
        .lifetime_ns = 3600 * ITSI_NS_PER_S,
        .most_worker_bytes = WORKER_BYTES,
        .timeout_ns = (int64_t)(cfg->ffmpeg_process_timeout * 1e9),
        .stall_ns = 15 * ITSI_NS_PER_S,
        .grace_ns = 2 * ITSI_NS_PER_S,
        .most_job_bytes = JOB_BYTES,
        .limits = {.data_bytes = JOB_DATA_BYTES, .descriptors = JOB_DESCRIPTORS},
        .processors = itsi_job_limit_processors(itsi_system_cores()),
        .waiters = 256,
        .open_timeout_ns = 10 * ITSI_NS_PER_S,
        .linking = {.first_ns = 10 * ITSI_NS_PER_S, .most_ns = 600 * ITSI_NS_PER_S},
        .restarts = {.most = 5,
                     .window_ns = 60 * ITSI_NS_PER_S,
                     .first_ns = 100 * ITSI_NS_PER_MS,
                     .most_ns = 5 * ITSI_NS_PER_S},
    };
}

/* --- its program -------------------------------------------------------------------------------------------------- */

void itsi_ffmpeg_pool_never_link(struct itsi_ffmpeg_pool *pool)
{
    if (itsi_linking_rule_out(&pool->linking))
        itsi_info("ffmpeg", "%s cannot be linked ahead: it is executed for each job", pool->program);
}

/* What is known of the former says nothing about this one. */
static void adopt(struct itsi_ffmpeg_pool *pool, const char *path)
{
    pthread_mutex_lock(&pool->mutex);
    snprintf(pool->program, sizeof pool->program, "%s", path);
    pthread_mutex_unlock(&pool->mutex);
    if (pool->is_missing)
        itsi_info("ffmpeg", "%s was found", path);
    pool->linking = (struct itsi_linking){.impossible = pool->params.executes, .changes = pool->linking.changes};
    if (!itsi_linking_suits(path))
        itsi_ffmpeg_pool_never_link(pool);
    itsi_ffmpeg_count_linking(pool);
}

int itsi_ffmpeg_pool_find(struct itsi_ffmpeg_pool *pool, struct its_diag *diag)
{
    char path[PATH_MAX];
    const int rc = itsi_spawn_find(pool->params.program, path, sizeof path, diag);
    if (rc == 0 && (pool->is_missing || strcmp(path, pool->program) != 0))
        adopt(pool, path);
    else if (rc && !pool->is_missing)
        itsi_warn("ffmpeg", "%s: jobs are refused; it is looked for again", diag->text);
    pool->is_missing = rc != 0;
    return rc;
}

/* --- making it ---------------------------------------------------------------------------------------------------- */

static void make_timers(void *arg)
{
    struct itsi_ffmpeg_pool *pool = arg;
    for (int i = 0; i < pool->params.most; i++) {
        struct itsi_ffmpeg_place *place = &pool->places[i];
        place->pool = pool;
        uv_timer_init(itsi_loop_uv(pool->loop), &place->timer);
        place->timer.data = place;
    }
    pool->open_timers = pool->params.most;
}

static int make_leases(struct itsi_ffmpeg_pool *pool, struct its_diag *diag)
{
    const struct itsi_ffmpeg_pool_params *p = &pool->params;
    const struct itsi_pool_params params = {
        .name = "ffmpeg",
        .least = p->kept,
        .most = p->most,
        .overflow = p->most - p->kept,
        .spares = 1,
        .waiters = p->waiters,
        .opens_per_second = 20,
        .opening = 2, /* linking keeps a core busy for a while */
        .open_timeout_ns = p->open_timeout_ns,
        .check_timeout_ns = ITSI_NS_PER_S,
        .down_first_ns = ITSI_NS_PER_S,
        .down_most_ns = LOOK_AGAIN_NS,
        .check_after_idle_ns = ITSI_NEVER, /* its end is told at once, there is nothing to be asked */
        .keep_checking_ns = ITSI_NEVER,
        .lifetime_ns = p->lifetime_ns,
        .idle_ns = 60 * ITSI_NS_PER_S,
        .uses = p->uses,
        .leak_after_ns = ITSI_NEVER, /* a job's time is limited: its lease always comes back */
        .reclaim_after_ns = ITSI_NEVER,
        .seed = (uint64_t)itsi_now_ns(),
    };
    return itsi_pool_create(&pool->leases, pool->loop, &params, &itsi_ffmpeg_kind, pool, diag);
}

static void free_pool(struct itsi_ffmpeg_pool *pool)
{
    pthread_mutex_destroy(&pool->mutex);
    itsi_free(pool->places);
    itsi_free(pool);
}

static void timer_closed(uv_handle_t *handle)
{
    struct itsi_ffmpeg_pool *pool = ((struct itsi_ffmpeg_place *)handle->data)->pool;
    if (--pool->open_timers == 0)
        free_pool(pool);
}

/* The last that is done to it: by the loop, when it is rid of the timers. */
static void close_timers(void *arg)
{
    struct itsi_ffmpeg_pool *pool = arg;
    for (int i = 0; i < pool->params.most; i++)
        uv_close((uv_handle_t *)&pool->places[i].timer, timer_closed);
}

int itsi_ffmpeg_pool_create(struct itsi_ffmpeg_pool **out, struct itsi_loop *loop,
                            const struct itsi_ffmpeg_pool_params *params, struct its_diag *diag)
{
    struct itsi_ffmpeg_pool *pool = itsi_zalloc(sizeof *pool);
    struct itsi_ffmpeg_place *places = itsi_calloc((size_t)params->most, sizeof *places);
    if (!pool || !places) {
        itsi_free(places);
        itsi_free(pool);
        return itsi_fail(diag, ITS_ENOMEM, "pool ffmpeg: out of memory");
    }
    struct its_diag missing;
    pool->loop = loop;
    pool->params = *params;
    pool->places = places;
    atomic_init(&pool->timeout_ns, params->timeout_ns);
    pthread_mutex_init(&pool->mutex, NULL);
    (void)!itsi_ffmpeg_pool_find(pool, &missing); /* it may not be needed: who wants a job is told */
    itsi_loop_call(loop, make_timers, pool);
    const int rc = make_leases(pool, diag);
    if (rc) {
        itsi_loop_call(loop, close_timers, pool);
        return rc;
    }
    *out = pool;
    return 0;
}

void itsi_ffmpeg_pool_destroy(struct itsi_ffmpeg_pool *pool, int64_t deadline)
{
    if (!pool)
        return;
    itsi_pool_destroy(pool->leases, deadline);
    itsi_loop_call(pool->loop, close_timers, pool);
}

void itsi_ffmpeg_pool_configure(struct itsi_ffmpeg_pool *pool, const struct its_cfg_connection_pool *cfg)
{
    atomic_store(&pool->timeout_ns, (int64_t)(cfg->ffmpeg_process_timeout * 1e9));
    itsi_pool_set_uses(pool->leases, cfg->ffmpeg_restart_threshold);
}

/* --- jobs --------------------------------------------------------------------------------------------------------- */

static void tell_refused(struct itsi_ffmpeg_job *job, int code, const struct its_diag *diag)
{
    const struct itsi_ffmpeg_result result = {
        .outcome = ITSI_FFMPEG_REFUSED, .code = code, .error = diag->text, .exit_code = -1, .lines = ""};
    itsi_ffmpeg_close_descriptors(job);
    itsi_ffmpeg_count_job(job->pool, &result);
    job->done(job, &result);
}

/* The job's own time begins with it; what it waited counts against its owner's deadline alone. */
static int run(struct itsi_ffmpeg_place *place, struct itsi_ffmpeg_job *job, struct its_diag *diag)
{
    const int64_t until = itsi_now_ns() + atomic_load(&place->pool->timeout_ns);
    job->deadline = until < job->deadline ? until : job->deadline;
    job->process = &place->ffmpeg;
    return itsi_ffmpeg_run(&place->ffmpeg, job, diag);
}

static void on_lease(struct itsi_pool_request *request, int rc, struct itsi_lease lease, const struct its_diag *diag)
{
    struct itsi_ffmpeg_job *job =
        (struct itsi_ffmpeg_job *)((char *)request - offsetof(struct itsi_ffmpeg_job, request));
    struct itsi_ffmpeg_pool *pool = job->pool;
    struct its_diag why;
    if (rc) {
        tell_refused(job, rc, diag);
        return;
    }
    struct itsi_ffmpeg_place *place = &pool->places[lease.slot->index];
    if (place->state != ITSI_FFMPEG_READY) { /* it died on the way here: another one */
        (void)itsi_pool_release(lease, true);
        itsi_pool_request(pool->leases, request);
        return;
    }
    job->lease = lease;
    rc = run(place, job, &why);
    if (rc) {
        job->process = NULL;
        (void)itsi_pool_release(lease, rc == ITS_EIO);
        tell_refused(job, rc, &why);
        return;
    }
    itsi_ffmpeg_count_started(pool);
}

void itsi_ffmpeg_pool_finished(struct itsi_ffmpeg_place *place, struct itsi_ffmpeg_job *job,
                               const struct itsi_ffmpeg_result *result)
{
    struct itsi_ffmpeg_pool *pool = place->pool;
    const bool broken = place->state != ITSI_FFMPEG_READY;
    const uint64_t rss = broken ? 0 : itsi_process_rss(place->ffmpeg.worker.process.pid);
    const bool grown = pool->params.most_worker_bytes && rss > pool->params.most_worker_bytes;
    /* linking works by now, or is to be tried: the next in its place is linked */
    place->is_to_link = place->kind == ITSI_SPARE_EXECUTING &&
                        itsi_linking_try(&pool->linking, &pool->params.linking, itsi_now_ns());
    if (grown)
        itsi_ffmpeg_count_recycled(pool);
    itsi_ffmpeg_count_job(pool, result);
    job->process = NULL;
    (void)itsi_pool_release(job->lease, broken || grown || place->is_to_link); /* may be over: the pool ends */
    job->done(job, result);
}

void itsi_ffmpeg_execute(struct itsi_ffmpeg_pool *pool, struct itsi_ffmpeg_job *job)
{
    job->pool = pool;
    job->process = NULL;
    job->request.owner = job->owner;
    job->request.deadline = job->deadline;
    job->request.done = on_lease;
    itsi_pool_request(pool->leases, &job->request);
}

static void cancel_here(void *arg)
{
    struct itsi_ffmpeg_job *job = arg;
    if (job->process)
        itsi_ffmpeg_cancel(job->process, ITSI_JOB_KILL_CANCELLED);
    else
        itsi_pool_cancel(job->pool->leases, &job->request);
}

void itsi_ffmpeg_cancel_job(struct itsi_ffmpeg_pool *pool, struct itsi_ffmpeg_job *job)
{
    itsi_loop_call(pool->loop, cancel_here, job);
}

void itsi_ffmpeg_pool_program(struct itsi_ffmpeg_pool *pool, char *out, size_t size)
{
    pthread_mutex_lock(&pool->mutex);
    snprintf(out, size, "%.*s", (int)size - 1, pool->program);
    pthread_mutex_unlock(&pool->mutex);
}

int itsi_ffmpeg_pool_stats(struct itsi_ffmpeg_pool *pool, struct itsi_ffmpeg_pool_stats *out, struct its_diag *diag)
{
    struct itsi_pool_stats *leases = itsi_alloc(sizeof *leases);
    int rc = leases ? itsi_pool_stats(pool->leases, leases, diag)
                    : itsi_fail(diag, ITS_ENOMEM, "pool ffmpeg: out of memory");
    if (rc == 0) {
        pthread_mutex_lock(&pool->mutex);
        *out = pool->stats;
        pthread_mutex_unlock(&pool->mutex);
        out->leases = *leases;
    }
    itsi_free(leases);
    return rc;
}
