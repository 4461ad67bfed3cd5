/* Regression detection in the pipeline: every delivered frame is fed to the detector, the load says which baseline it is
 * held against, and what is learned outlives the process. */
#include "pipeline/pipeline_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The load is the rate of frames due over so long a time, and steady when it is of one band for so many ticks. */
enum { LOAD_SECONDS = 10, STEADY_TICKS = 60 };
/* What has been so for a day is how it is now. */
#define ACCEPTED_AFTER_NS (24 * 3600 * ITSI_NS_PER_S)

struct itsi_regressing {
    pthread_mutex_t lock; /* held per frame by post-processing, and by the monitor's tick */
    struct itsi_regression *detector;
    bool measuring; /* const: the store begins empty and is not saved */
    struct itsi_run *run; /* a benchmark's, attached for its time; borrowed */
    bool enabled;
    int band; /* -1: no load yet */
    struct itsi_regression_report report;

    /* the monitor's thread alone */
    struct itsi_baseline_store *store;
    char *data_dir; /* owned */
    struct itsi_baseline_key key; /* of the band entered last; written under the lock */
    uint64_t due[LOAD_SECONDS + 1]; /* frames expected, at the last ticks */
    int64_t due_at[LOAD_SECONDS + 1];
    int ticks;
    int nominal, apart; /* the band by the load alone, and for how many ticks it has been that and not ours */
    int64_t saved_ns;
};

/* --- what a baseline holds for ------------------------------------------------------------------------------------ */

/* The first "model name" of /proc/cpuinfo; empty where there is none. */
static void processor_name(char *out, size_t size)
{
    char line[256];
    out[0] = '\0';
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && !out[0] && fgets(line, sizeof line, file)) {
        const char *colon = strncmp(line, "model name", 10) == 0 ? strchr(line, ':') : NULL;
        if (colon)
            snprintf(out, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
    }
    if (file)
        fclose(file);
}

static void make_key(const struct itsi_pipeline *p, const struct its_cfg *cfg, struct itsi_baseline_key *out)
{
    char model[512], config[32], hardware[512], processor[96], options[256];
    processor_name(processor, sizeof processor);
    snprintf(model, sizeof model, "%s %s %s", p->info.backend, p->info.model, p->info.precision);
    snprintf(options, sizeof options, "%dx%d parallel %d batch %d threads %lld dynamic %d detections %lld", p->info.width,
             p->info.height, p->info.parallel, p->info.max_batch, (long long)cfg->inference.threads,
             cfg->gpu.enable_dynamic_batching, (long long)cfg->inference.max_detections);
    const uint64_t hash = itsi_hash_bytes(UINT64_C(1469598103934665603), options, strlen(options));
    snprintf(config, sizeof config, "%016llx", (unsigned long long)hash);
    snprintf(hardware, sizeof hardware, "%s, %ld processors, %s", processor, sysconf(_SC_NPROCESSORS_ONLN),
             p->info.device);
    itsi_baseline_key(out, ITS_BUILD, model, config, hardware, 0);
}

static void read_params(const struct its_cfg *cfg, struct itsi_regression_params *out)
{
    *out = (struct itsi_regression_params){
        .threshold_percent = cfg->latency_monitoring.regression_threshold_percent,
        .accept_after_ns = ACCEPTED_AFTER_NS,
    };
}

/* --- life --------------------------------------------------------------------------------------------------------- */

/* What was learned before; a file that cannot be used is said and set aside, and learning begins anew. */
static int open_store(struct itsi_regressing *r, struct its_diag *diag)
{
    char path[4096];
    struct its_diag trouble;
    if (snprintf(path, sizeof path, "%s/baselines.json", r->data_dir) >= (int)sizeof path)
        return itsi_fail(diag, ITS_EINVAL, "data_dir: path too long");
    int rc = itsi_baseline_store_create(&r->store, path, diag);
    if (rc == 0 && !r->measuring && itsi_baseline_store_load(r->store, &trouble) != 0)
        itsi_warn("monitor", "%s", trouble.text);
    return rc;
}

int itsi_pipeline_make_regressing(struct itsi_pipeline *p, const struct its_cfg *cfg, struct its_diag *diag)
{
    struct itsi_regression_params params;
    struct itsi_regressing *r = p->regressing = itsi_zalloc(sizeof *r);
    if (!r)
        return itsi_fail(diag, ITS_ENOMEM, "regression detection: out of memory");
    pthread_mutex_init(&r->lock, NULL);
    r->band = -1;
    r->measuring = p->measuring;
    r->enabled = cfg->latency_monitoring.regression_detection_enabled && cfg->general.enable_monitoring;
    r->data_dir = itsi_strdup(cfg->general.data_dir);
    if (!r->data_dir)
        return itsi_fail(diag, ITS_ENOMEM, "regression detection: out of memory");
    make_key(p, cfg, &r->key);
    read_params(cfg, &params);
    int rc = itsi_regression_create(&r->detector, &params, diag);
    return rc == 0 ? open_store(r, diag) : rc;
}

int itsi_pipeline_configure_regressing(struct itsi_pipeline *p, const struct its_cfg *cfg, struct its_diag *diag)
{
    struct itsi_regression_params params;
    struct itsi_regressing *r = p->regressing;
    read_params(cfg, &params);
    pthread_mutex_lock(&r->lock);
    r->enabled = cfg->latency_monitoring.regression_detection_enabled && cfg->general.enable_monitoring;
    int rc = itsi_regression_configure(r->detector, &params, diag);
    pthread_mutex_unlock(&r->lock);
    return rc;
}

static void save(struct itsi_regressing *r)
{
    struct its_diag diag;
    if (r->measuring || itsi_baseline_store_count(r->store) == 0)
        return;
    (void)mkdir(r->data_dir, 0755); /* where it cannot be made, saving says so */
    if (itsi_baseline_store_save(r->store, &diag) != 0)
        itsi_warn("monitor", "%s", diag.text);
}

/* What the detector knows of the band it is in. The lock is held. */
static void keep(struct itsi_regressing *r)
{
    struct itsi_baseline_set known;
    if (r->band < 0)
        return;
    itsi_regression_baselines(r->detector, &known);
    r->key.band = r->band;
    itsi_baseline_put(r->store, &r->key, &known, itsi_wall_ns());
}

void itsi_pipeline_free_regressing(struct itsi_pipeline *p)
{
    struct itsi_regressing *r = p->regressing;
    if (!r)
        return;
    if (r->store && r->detector && r->enabled) {
        keep(r);
        save(r);
    }
    itsi_regression_destroy(r->detector);
    itsi_baseline_store_destroy(r->store);
    itsi_free(r->data_dir);
    pthread_mutex_destroy(&r->lock);
    itsi_free(r);
}

/* --- frames and ticks --------------------------------------------------------------------------------------------- */

void itsi_pipeline_regress_frame(struct itsi_pipeline *p, const struct itsi_breakdown *frame, int64_t now)
{
    struct itsi_regressing *r = p->regressing;
    pthread_mutex_lock(&r->lock);
    if (r->enabled && r->band >= 0)
        (void)itsi_regression_frame(r->detector, frame, now); /* what it refuses it counts */
    if (r->run)
        (void)itsi_run_frame(r->run, frame, now);
    pthread_mutex_unlock(&r->lock);
}

/* Frames due a second over the last ticks; 0 while there are too few. */
static double load_of(struct itsi_regressing *r, uint64_t expected, int64_t now)
{
    int slots = LOAD_SECONDS + 1, at = r->ticks % slots, oldest = (r->ticks + 1) % slots;
    r->due[at] = expected;
    r->due_at[at] = now;
    if (r->ticks++ < LOAD_SECONDS || now <= r->due_at[oldest] || expected < r->due[oldest])
        return 0;
    return (double)(expected - r->due[oldest]) * 1e9 / (double)(now - r->due_at[oldest]);
}

/* Near an edge the load stays in the band it was in. But which way it came (cameras that connect one by one, say) must
 * not decide for good which baseline it is held against: once steady it is in the band that is its own. */
static int band_of(struct itsi_regressing *r, double load)
{
    const int nominal = itsi_load_band(load, -1), kept = itsi_load_band(load, r->band);
    r->apart = nominal == kept ? 0 : nominal == r->nominal ? r->apart + 1 : 1;
    r->nominal = nominal;
    return r->apart < STEADY_TICKS ? kept : nominal;
}

/* Another load is held against another baseline. The lock is held. */
static void enter_band(struct itsi_regressing *r, int band, int64_t now)
{
    struct itsi_baseline_set known;
    keep(r);
    r->band = band;
    if (band < 0)
        return;
    r->key.band = band;
    enum itsi_baseline_match match = itsi_baseline_find(r->store, &r->key, &known);
    itsi_regression_enter(r->detector, match == ITSI_BASELINE_UNKNOWN ? NULL : &known, now);
}

static void tell_events(struct itsi_regressing *r)
{
    static const char *const words[] = {"regression", "back to the baseline", "accepted as the baseline",
                                        "left with its load"};
    struct itsi_regression_event event;
    while (itsi_regression_next(r->detector, &event)) {
        char text[256];
        itsi_move_text(&event.move, text, sizeof text);
        if (event.regression)
            itsi_warn("monitor", "%s: %s", words[event.what], text);
        else
            itsi_info("monitor", "%s: %s", event.what == ITSI_REGRESSION_BEGAN ? "changed" : words[event.what], text);
    }
}

void itsi_pipeline_tick_regressing(struct itsi_pipeline *p, uint64_t expected, int64_t now)
{
    struct itsi_regressing *r = p->regressing;
    double load = load_of(r, expected, now);
    pthread_mutex_lock(&r->lock);
    if (r->enabled && r->ticks > LOAD_SECONDS) {
        int band = band_of(r, load);
        if (band != r->band)
            enter_band(r, band, now);
        tell_events(r);
        itsi_regression_report(r->detector, &r->report);
    }
    bool due = r->enabled && now - r->saved_ns >= atomic_load(&p->interval_ns);
    if (due)
        keep(r);
    pthread_mutex_unlock(&r->lock);
    if (due) {
        r->saved_ns = now;
        save(r);
    }
}

size_t itsi_pipeline_regressions(struct itsi_pipeline *p, struct itsi_alert_regression *out, size_t cap)
{
    struct itsi_regressing *r = p->regressing;
    size_t count = 0;
    int64_t to_wall = itsi_wall_ns() - itsi_now_ns();
    pthread_mutex_lock(&r->lock);
    for (int i = 0; r->enabled && i < r->report.count && count < cap; i++) {
        const struct itsi_move *move = &r->report.moves[i];
        if (move->regression)
            out[count++] = (struct itsi_alert_regression){.stage = move->whole ? ITSI_ALERT_END_TO_END : (int)move->stage,
                                                          .percent = move->percent,
                                                          .confidence = move->confidence,
                                                          .since_wall = move->since + to_wall};
    }
    pthread_mutex_unlock(&r->lock);
    return count;
}

void itsi_pipeline_regression_report(struct itsi_pipeline *p, struct itsi_regression_report *out, int *band)
{
    struct itsi_regressing *r = p->regressing;
    pthread_mutex_lock(&r->lock);
    *out = r->report;
    *band = r->band;
    if (!r->enabled) { /* what was found before says nothing any more */
        out->count = 0;
        out->primary = -1;
    }
    pthread_mutex_unlock(&r->lock);
}

void itsi_pipeline_setup_key(struct itsi_pipeline *p, struct itsi_baseline_key *out)
{
    pthread_mutex_lock(&p->regressing->lock);
    *out = p->regressing->key;
    pthread_mutex_unlock(&p->regressing->lock);
}

void itsi_pipeline_record_run(struct itsi_pipeline *p, struct itsi_run *run)
{
    pthread_mutex_lock(&p->regressing->lock);
    p->regressing->run = run;
    pthread_mutex_unlock(&p->regressing->lock);
}
