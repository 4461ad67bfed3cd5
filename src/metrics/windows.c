#include "metrics/windows.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "metrics/window.h"

#include <pthread.h>

/* Ticks that a released series rests: values of the interval it was released in come with the first, those of a batch
 * begun before with the second. */
enum { REST_TICKS = 2 };

/* Longer steps of the clock than this tell nothing more: everything held is too old already. */
#define STEP_MAX (2 * ITSI_WINDOW_SECONDS_MAX * ITSI_NS_PER_S)

struct track {
    struct itsi_window *windows; /* owned, one per window of the set; NULL: not claimed */
    struct itsi_moments totals;
    int rest; /* ticks until it may be claimed again */
};

struct itsi_windows {
    /* const */
    struct itsi_recording *recording;
    int fine, series, count;
    void (*each)(void *arg, int series, const struct itsi_tally *interval, int64_t length);
    void *each_arg;
    /* lock */
    pthread_mutex_t mutex;
    int64_t seconds[ITSI_WINDOWS_MAX];
    int64_t time;      /* our clock, which never goes back */
    int64_t last_now;  /* the caller's clock at the last tick */
    struct track *tracks; /* one per series of the recording */
    int next_claim;       /* where to look first, so that a released series rests as long as it can */
    int claimed;
    uint64_t strays, thinned;
    struct itsi_tally interval[2];            /* [0] fine, [1] coarse: what was just taken */
    struct itsi_window_scratch scratch[2];
};

static int kind_of(const struct itsi_windows *set, int series) { return series >= set->fine; }

/* --- making ------------------------------------------------------------------------------------------------------ */

static int check(const struct itsi_windows_params *params, struct its_diag *diag)
{
    if (params->count < 1 || params->count > ITSI_WINDOWS_MAX)
        return itsi_fail(diag, ITS_EINVAL, "windows: %d of them, not 1..%d", params->count, ITSI_WINDOWS_MAX);
    for (int i = 0; i < params->count; i++)
        if (params->seconds[i] < 1 || params->seconds[i] > ITSI_WINDOW_SECONDS_MAX)
            return itsi_fail(diag, ITS_EINVAL, "windows: %lld s, not 1..%d", (long long)params->seconds[i],
                             ITSI_WINDOW_SECONDS_MAX);
    return 0;
}

static int track_open(struct itsi_windows *set, struct track *track)
{
    struct itsi_window *windows = itsi_calloc((size_t)set->count, sizeof *windows);
    if (!windows)
        return ITS_ENOMEM;
    for (int i = 0; i < set->count; i++)
        itsi_window_init(&windows[i], set->seconds[i]);
    *track = (struct track){.windows = windows};
    return 0;
}

static void track_close(struct itsi_windows *set, struct track *track)
{
    for (int i = 0; track->windows && i < set->count; i++)
        itsi_window_fini(&track->windows[i]);
    itsi_free(track->windows);
    *track = (struct track){0};
}

static int equip(struct itsi_windows *set, struct its_diag *diag)
{
    static const int bits[2] = {ITSI_LAYOUT_FINE, ITSI_LAYOUT_COARSE};
    for (int kind = 0; kind < 2; kind++) {
        int rc = itsi_tally_init(&set->interval[kind], bits[kind], diag);
        if (rc == 0)
            rc = itsi_window_scratch_init(&set->scratch[kind], bits[kind], diag);
        if (rc != 0)
            return rc;
    }
    set->tracks = itsi_calloc((size_t)set->series, sizeof *set->tracks);
    if (!set->tracks)
        return itsi_fail(diag, ITS_ENOMEM, "windows: out of memory");
    for (int s = 0; s < set->fine; s++)
        if (track_open(set, &set->tracks[s]) != 0)
            return itsi_fail(diag, ITS_ENOMEM, "windows: out of memory");
    return 0;
}

int itsi_windows_create(struct itsi_windows **out, const struct itsi_windows_params *params, int64_t now,
                        struct its_diag *diag)
{
    int rc = check(params, diag);
    if (rc != 0)
        return rc;
    struct itsi_windows *set = itsi_zalloc(sizeof *set);
    if (!set)
        return itsi_fail(diag, ITS_ENOMEM, "windows: out of memory");
    set->recording = params->recording;
    itsi_recording_series(params->recording, &set->fine, &set->series);
    set->count = params->count;
    set->each = params->each;
    set->each_arg = params->each_arg;
    set->last_now = now;
    set->next_claim = set->fine;
    for (int i = 0; i < params->count; i++)
        set->seconds[i] = params->seconds[i];
    pthread_mutex_init(&set->mutex, NULL);
    rc = equip(set, diag);
    if (rc != 0) {
        itsi_windows_destroy(set);
        return rc;
    }
    *out = set;
    return 0;
}

void itsi_windows_destroy(struct itsi_windows *set)
{
    if (!set)
        return;
    for (int s = 0; set->tracks && s < set->series; s++)
        track_close(set, &set->tracks[s]);
    itsi_free(set->tracks);
    for (int kind = 0; kind < 2; kind++) {
        itsi_tally_fini(&set->interval[kind]);
        itsi_window_scratch_fini(&set->scratch[kind]);
    }
    pthread_mutex_destroy(&set->mutex);
    itsi_free(set);
}

/* --- series that come and go ------------------------------------------------------------------------------------- */

static int claim_locked(struct itsi_windows *set, int *series)
{
    int coarse = set->series - set->fine;
    for (int i = 0; i < coarse; i++) {
        int s = set->fine + (set->next_claim - set->fine + i) % coarse;
        if (set->tracks[s].windows || set->tracks[s].rest)
            continue;
        int rc = track_open(set, &set->tracks[s]);
        if (rc != 0)
            return rc;
        set->next_claim = s + 1;
        set->claimed++;
        *series = s;
        return 0;
    }
    return ITS_ELIMIT;
}

int itsi_windows_claim(struct itsi_windows *set, int *series, struct its_diag *diag)
{
    pthread_mutex_lock(&set->mutex);
    int rc = claim_locked(set, series);
    pthread_mutex_unlock(&set->mutex);
    if (rc == ITS_ELIMIT)
        return itsi_fail(diag, rc, "windows: all %d series that can be claimed are in use", set->series - set->fine);
    return rc == 0 ? 0 : itsi_fail(diag, rc, "windows: out of memory");
}

void itsi_windows_release(struct itsi_windows *set, int series)
{
    if (series < set->fine || series >= set->series)
        return;
    pthread_mutex_lock(&set->mutex);
    struct track *track = &set->tracks[series];
    if (track->windows) {
        track_close(set, track);
        track->rest = REST_TICKS;
        set->claimed--;
    }
    pthread_mutex_unlock(&set->mutex);
}

/* --- time -------------------------------------------------------------------------------------------------------- */

/* How far our clock is past the last tick when the caller's says `now`. */
static int64_t since_tick(const struct itsi_windows *set, int64_t now)
{
    int64_t step;
    if (now <= set->last_now)
        return 0;
    return __builtin_sub_overflow(now, set->last_now, &step) || step > STEP_MAX ? STEP_MAX : step;
}

static int keep(struct itsi_windows *set, struct track *track, int64_t from, const struct itsi_tally *interval,
                struct itsi_window_scratch *scratch)
{
    int worst = 0;
    itsi_moments_add(&track->totals, &interval->moments);
    for (int i = 0; i < set->count; i++) {
        int rc = itsi_window_push(&track->windows[i], from, set->time, interval, scratch);
        if (rc != 0) {
            set->thinned++;
            worst = rc;
        }
    }
    return worst;
}

int itsi_windows_tick(struct itsi_windows *set, int64_t now)
{
    int worst = 0;
    pthread_mutex_lock(&set->mutex);
    int64_t from = set->time;
    set->time += since_tick(set, now);
    set->last_now = now;
    int deferred = itsi_recording_swap(set->recording);
    for (int s = 0; s < set->series; s++) {
        struct track *track = &set->tracks[s];
        int kind = kind_of(set, s);
        struct itsi_tally *interval = &set->interval[kind];
        itsi_tally_clear(interval);
        itsi_recording_take(set->recording, s, interval);
        if (!track->windows) {
            set->strays += interval->moments.count;
            track->rest -= track->rest && !deferred;
            continue;
        }
        if (set->each && interval->moments.count)
            set->each(set->each_arg, s, interval, set->time - from);
        int rc = keep(set, track, from, interval, &set->scratch[kind]);
        worst = worst ? worst : rc;
    }
    pthread_mutex_unlock(&set->mutex);
    return worst;
}

static int resize_locked(struct itsi_windows *set, int window, int64_t seconds)
{
    set->seconds[window] = seconds;
    for (int s = 0; s < set->series; s++) {
        if (!set->tracks[s].windows)
            continue;
        struct itsi_window *w = &set->tracks[s].windows[window];
        int kind = kind_of(set, s);
        /* the last interval was kept by the last tick: its tally is free to work with */
        int rc = w->length == seconds * ITSI_NS_PER_S
                     ? 0
                     : itsi_window_resize(w, seconds, &set->interval[kind], &set->scratch[kind]);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int itsi_windows_resize(struct itsi_windows *set, int window, int64_t seconds, struct its_diag *diag)
{
    if (window < 0 || window >= set->count || seconds < 1 || seconds > ITSI_WINDOW_SECONDS_MAX)
        return itsi_fail(diag, ITS_EINVAL, "windows: window %d of %lld s", window, (long long)seconds);
    pthread_mutex_lock(&set->mutex);
    int rc = resize_locked(set, window, seconds);
    pthread_mutex_unlock(&set->mutex);
    return rc == 0 ? 0 : itsi_fail(diag, rc, "windows: out of memory");
}

/* --- asking ------------------------------------------------------------------------------------------------------ */

static bool kept(const struct itsi_windows *set, int series)
{
    return series >= 0 && series < set->series && set->tracks[series].windows;
}

static int gather_locked(struct itsi_windows *set, int series, int window, int64_t now, struct itsi_tally *into,
                         int64_t *covered)
{
    if (!kept(set, series) || window < 0 || window >= set->count)
        return ITS_ENOTFOUND;
    *covered = itsi_window_gather(&set->tracks[series].windows[window], set->time + since_tick(set, now), into);
    return 0;
}

int itsi_windows_gather(struct itsi_windows *set, int series, int window, int64_t now, struct itsi_tally *into,
                        int64_t *covered)
{
    int64_t time;
    pthread_mutex_lock(&set->mutex);
    int rc = gather_locked(set, series, window, now, into, &time);
    pthread_mutex_unlock(&set->mutex);
    if (rc == 0 && covered)
        *covered = time;
    return rc;
}

int itsi_windows_query(struct itsi_windows *set, int series, int window, int64_t now, struct itsi_window_figures *out)
{
    int64_t covered;
    pthread_mutex_lock(&set->mutex);
    struct itsi_tally *sum = &set->interval[kind_of(set, series)];
    itsi_tally_clear(sum);
    int rc = gather_locked(set, series, window, now, sum, &covered);
    if (rc == 0)
        itsi_window_figures_of(sum, covered, out);
    pthread_mutex_unlock(&set->mutex);
    return rc;
}

void itsi_window_figures_of(const struct itsi_tally *tally, int64_t covered, struct itsi_window_figures *out)
{
    static const double shares[3] = {0.50, 0.95, 0.99};
    const struct itsi_moments *m = &tally->moments;
    int64_t at[3];
    itsi_tally_quantiles(tally, shares, at, 3);
    *out = (struct itsi_window_figures){
        .count = m->count,
        .violations = m->violations,
        .mean_ms = itsi_moments_mean(m) / 1e6,
        .deviation_ms = itsi_tally_deviation(tally) / 1e6,
        .min_ms = (double)m->min / 1e6,
        .max_ms = (double)m->max / 1e6,
        .p50_ms = (double)at[0] / 1e6,
        .p95_ms = (double)at[1] / 1e6,
        .p99_ms = (double)at[2] / 1e6,
        .violation_rate = m->count ? (double)m->violations / (double)m->count : 0,
        .per_second = covered ? (double)m->count / ((double)covered / 1e9) : 0,
        .covered_s = (double)covered / 1e9,
    };
}

int itsi_windows_totals(struct itsi_windows *set, int series, struct itsi_moments *out)
{
    pthread_mutex_lock(&set->mutex);
    int rc = kept(set, series) ? 0 : ITS_ENOTFOUND;
    if (rc == 0)
        *out = set->tracks[series].totals;
    pthread_mutex_unlock(&set->mutex);
    return rc;
}

void itsi_windows_stats(struct itsi_windows *set, struct itsi_windows_stats *out)
{
    pthread_mutex_lock(&set->mutex);
    *out = (struct itsi_windows_stats){.claimed = set->claimed, .strays = set->strays, .thinned = set->thinned};
    out->bytes = sizeof *set + (size_t)set->series * sizeof *set->tracks;
    for (int kind = 0; kind < 2; kind++)
        out->bytes += itsi_tally_bytes(&set->interval[kind]) + itsi_window_scratch_bytes(&set->scratch[kind]);
    for (int s = 0; s < set->series; s++)
        for (int i = 0; set->tracks[s].windows && i < set->count; i++)
            out->bytes += sizeof(struct itsi_window) + itsi_window_bytes(&set->tracks[s].windows[i]);
    pthread_mutex_unlock(&set->mutex);
}
