/* How well the online regression detector does: shifts injected into one stage's service time over recorded noise, and
 * a day of steady load.
 *
 * The noise is real: batch means and floors of every stage from a running system (bench/data), all stages of a batch
 * together, so that what they have in common stays. Runs longer than a recording, and many different ones, come from
 * the stationary bootstrap (Politis, Romano: "The Stationary Bootstrap", JASA 89, 1994): blocks of neighbouring batches
 * of random length, half a minute on average, from random places. A shift multiplies every frame's time, so it adds the
 * same logarithm to mean and floor. Everything is seeded: the same binary prints the same table.
 *
 * usage: bench_regression [--check] [RECORDING...]
 *   --check    fewer runs; exits 1 unless, on each recording, 20 % shifts are found within 60 s in 98 % of the runs and
 *              a day of steady load gives one false alarm at the most
 *   RECORDING  others than those that the criterion is held against; see bench/data/README.md */
#include "base/rand.h"
#include "latency/regression.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
enum {
    ROWS_MOST = 4096,
    MEAN_BLOCK = 30,   /* batches */
    LEARN = 300,       /* batches before the shift: 5 minutes, little to know a baseline by */
    WITHIN = 60,       /* s in which a shift is to be found */
    DAY = 86400,
    RUNS = 1000, RUNS_CHECK = 400, DAYS = 20, DAYS_CHECK = 2,
    LINE_SIZE = 1024
};

static struct itsi_batch noise[ROWS_MOST];
static int rows;
static enum itsi_stage stages[ITSI_STAGE_COUNT]; /* those with a service time */
static int stage_count;

/* --- the recording ------------------------------------------------------------------------------------------------ */

struct column {
    enum itsi_time_kind kind;
    enum itsi_stage stage;
};

static bool column_named(const char *name, struct column *out)
{
    char known[64];
    for (int k = 0; k < ITSI_SERIES_KIND_COUNT; k++)
        for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
            snprintf(known, sizeof known, "%s.%s", itsi_stage_name((enum itsi_stage)s),
                     itsi_time_kind_name((enum itsi_time_kind)k));
            if (strcmp(known, name) == 0) {
                *out = (struct column){(enum itsi_time_kind)k, (enum itsi_stage)s};
                return true;
            }
        }
    return false;
}

/* Returns the number of columns behind "frames", or -1. */
static int read_header(char *line, struct column *columns)
{
    char *rest = line;
    const char *name = strsep(&rest, ",");
    int count = 0;
    if (strcmp(name, "frames") != 0)
        return -1;
    while ((name = strsep(&rest, ",")))
        if (count == ITSI_SERIES_KIND_COUNT * ITSI_STAGE_COUNT || !column_named(name, &columns[count++]))
            return -1;
    return count;
}

static bool read_row(char *line, const struct column *columns, int count, struct itsi_batch *out)
{
    char *rest = line;
    *out = (struct itsi_batch){.frames = (uint32_t)strtoul(strsep(&rest, ","), NULL, 10)};
    for (int i = 0; i < count; i++) {
        const char *cell = strsep(&rest, ",");
        if (!cell)
            return false;
        out->present[columns[i].kind][columns[i].stage] = *cell != '\0';
        out->mean[columns[i].kind][columns[i].stage] = strtod(cell, NULL) / 1e4;
    }
    return itsi_batch_valid(out);
}

static bool read_lines(FILE *file)
{
    char line[LINE_SIZE];
    rows = stage_count = 0;
    memset(noise, 0, sizeof noise);
    struct column columns[ITSI_SERIES_KIND_COUNT * ITSI_STAGE_COUNT];
    int count = -1;
    while (rows < ROWS_MOST && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] == '#') {
            printf("%s\n", line);
        } else if (count < 0) {
            if ((count = read_header(line, columns)) < 0)
                return false;
        } else if (!read_row(line, columns, count, &noise[rows++])) {
            return false;
        }
    }
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        if (rows && noise[0].present[ITSI_TIME_SERVICE][s])
            stages[stage_count++] = (enum itsi_stage)s;
    return rows > MEAN_BLOCK && stage_count > 0;
}

/* --- replaying ---------------------------------------------------------------------------------------------------- */

struct replay {
    struct itsi_rand rng;
    int at;          /* row */
    int64_t batches; /* so far */
};

static void next_batch(struct replay *replay, struct itsi_batch *out)
{
    const bool jump = replay->batches == 0 || itsi_rand_below(&replay->rng, MEAN_BLOCK) == 0;
    replay->at = jump ? (int)itsi_rand_below(&replay->rng, (uint32_t)rows) : (replay->at + 1) % rows;
    *out = noise[replay->at];
    out->begin = ++replay->batches * SECOND;
    out->end = out->begin + SECOND - 1;
}

static struct itsi_regression *detector_for(double threshold_percent)
{
    struct itsi_regression *detector;
    struct its_diag diag;
    const struct itsi_regression_params params = {.threshold_percent = threshold_percent};
    if (itsi_regression_create(&detector, &params, &diag) != 0) {
        fprintf(stderr, "%s\n", diag.text);
        exit(1);
    }
    return detector;
}

static void feed(struct itsi_regression *detector, const struct itsi_batch *batch)
{
    if (itsi_regression_batch(detector, batch) != 0) {
        fprintf(stderr, "the detector refused a batch\n");
        exit(1);
    }
}

static int alarms_now(struct itsi_regression *detector)
{
    struct itsi_regression_event event;
    int alarms = 0;
    while (itsi_regression_next(detector, &event))
        alarms += event.what == ITSI_REGRESSION_BEGAN && event.regression;
    return alarms;
}

/* --- shifts ------------------------------------------------------------------------------------------------------- */

struct outcome {
    int runs, found, right, early; /* early: an alarm before there was a shift */
    int runs_of[ITSI_STAGE_COUNT], found_of[ITSI_STAGE_COUNT];
    int delays[RUNS];              /* s, of those found */
};

/* Seconds until a regression of the stage is reported, -1: not in time. *right: it is named as the primary. */
static int inject(struct itsi_regression *detector, struct replay *replay, enum itsi_stage stage, double percent,
                  bool *right)
{
    struct itsi_batch batch;
    for (int i = 1; i <= WITHIN; i++) {
        next_batch(replay, &batch);
        batch.mean[ITSI_TIME_SERVICE][stage] += log1p(percent / 100);
        batch.mean[ITSI_TIME_FLOOR][stage] += log1p(percent / 100);
        feed(detector, &batch);
        struct itsi_regression_event event;
        bool told = false;
        while (itsi_regression_next(detector, &event))
            told = told || (event.what == ITSI_REGRESSION_BEGAN && event.regression && !event.move.whole &&
                            event.move.stage == stage);
        if (!told)
            continue;
        struct itsi_regression_report report;
        itsi_regression_report(detector, &report);
        const struct itsi_move *primary = report.primary < 0 ? NULL : &report.moves[report.primary];
        *right = primary && !primary->whole && primary->stage == stage;
        return i;
    }
    return -1;
}

/* A kind of run. */
struct trial {
    double percent, threshold;
    int learn; /* batches before the shift */
};

static void run_once(const struct trial *trial, int number, struct outcome *out)
{
    struct itsi_regression *detector = detector_for(trial->threshold);
    struct replay replay = {0};
    struct itsi_batch batch;
    bool right = false;
    itsi_rand_seed(&replay.rng, (uint64_t)number + 1);
    for (int i = 0; i < trial->learn; i++) {
        next_batch(&replay, &batch);
        feed(detector, &batch);
    }
    out->early += alarms_now(detector) > 0;
    const enum itsi_stage stage = stages[number % stage_count];
    const int delay = inject(detector, &replay, stage, trial->percent, &right);
    out->runs++;
    out->runs_of[stage]++;
    out->found_of[stage] += delay > 0;
    if (delay > 0)
        out->delays[out->found++] = delay;
    out->right += right;
    itsi_regression_destroy(detector);
}

static int by_number(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static double share(int part, int whole) { return whole ? 100.0 * part / whole : 0; }

/* Of the stage that is found least. */
static double least_recall(const struct outcome *out)
{
    double least = 100;
    for (int s = 0; s < stage_count; s++)
        least = fmin(least, share(out->found_of[stages[s]], out->runs_of[stages[s]]));
    return least;
}

/* Returns the recall in percent. */
static double shift_row(double percent, double threshold, int learn, int runs)
{
    static struct outcome out;
    const struct trial trial = {percent, threshold, learn};
    memset(&out, 0, sizeof out);
    for (int i = 0; i < runs; i++)
        run_once(&trial, i, &out);
    qsort(out.delays, (size_t)out.found, sizeof *out.delays, by_number);
    char median[16] = "-", worst[16] = "-", right[16] = "-";
    if (out.found) {
        snprintf(median, sizeof median, "%d", out.delays[out.found / 2]);
        snprintf(worst, sizeof worst, "%d", out.delays[out.found - 1]);
        snprintf(right, sizeof right, "%.1f", share(out.right, out.found));
    }
    printf("%8.0f %10.0f %10d %6d %10.1f %8.1f %10s %8s %10s %8d\n", percent, threshold, learn, out.runs,
           share(out.found, out.runs), least_recall(&out), median, worst, right, out.early);
    return share(out.found, out.runs);
}

/* --- steady load -------------------------------------------------------------------------------------------------- */

static int alarms_in_a_day(double threshold, int number)
{
    struct itsi_regression *detector = detector_for(threshold);
    struct replay replay = {0};
    struct itsi_batch batch;
    int alarms = 0;
    itsi_rand_seed(&replay.rng, 1000000 + (uint64_t)number);
    for (int i = 0; i < DAY; i++) {
        next_batch(&replay, &batch);
        feed(detector, &batch);
        alarms += alarms_now(detector);
    }
    itsi_regression_destroy(detector);
    return alarms;
}

/* Returns the alarms of the worst day. */
static int steady_row(double threshold, int days)
{
    int worst = 0, all = 0;
    for (int i = 0; i < days; i++) {
        const int alarms = alarms_in_a_day(threshold, i);
        worst = alarms > worst ? alarms : worst;
        all += alarms;
    }
    printf("%21.0f %6d %14.2f %10d\n", threshold, days, (double)all / days, worst);
    return worst;
}

/* True: the criterion is met. */
static bool table(bool check)
{
    static const double shifts[] = {5, 10, 20, 50};
    double recall_20 = 0;
    printf("%d batches; shifts in one of %d stages in turn\n", rows, stage_count);
    printf("%8s %10s %10s %6s %10s %8s %10s %8s %10s %8s\n", "shift %", "threshold", "learned s", "runs", "recall %",
           "least", "median s", "worst s", "located %", "early");
    for (int i = 0; i < 4; i++) {
        const double recall = shift_row(shifts[i], 20, LEARN, check ? RUNS_CHECK : RUNS);
        recall_20 = i == 2 ? recall : recall_20;
    }
    if (!check) {
        shift_row(20, 20, ITSI_BASELINE_FULL, RUNS);
        for (int i = 0; i < 2; i++)
            shift_row(shifts[i], shifts[i], LEARN, RUNS);
    }
    printf("%21s %6s %14s %10s\n", "threshold", "days", "alarms a day", "worst day");
    const int alarms = steady_row(20, check ? DAYS_CHECK : DAYS);
    if (!check) {
        steady_row(10, DAYS);
        steady_row(5, DAYS);
    }
    return recall_20 >= 98 && alarms <= 1;
}

static bool replay_file(const char *path, bool check)
{
    FILE *file = fopen(path, "r");
    const bool read = file && read_lines(file);
    if (file)
        fclose(file);
    if (!read) {
        fprintf(stderr, "%s: no recording of stage times\n", path);
        exit(2);
    }
    const bool met = table(check);
    printf("%s\n\n", met ? "criterion met" : "criterion NOT met");
    return met;
}

int main(int argc, char **argv)
{
    static const char *const held[] = {
        ITS_BENCH_DATA "/stage-noise.csv",
        ITS_BENCH_DATA "/stage-noise-second.csv",
        ITS_BENCH_DATA "/stage-noise-quiet.csv",
        ITS_BENCH_DATA "/stage-noise-quiet-second.csv",
    };
    const bool check = argc > 1 && strcmp(argv[1], "--check") == 0;
    const int given = argc - 1 - check, count = given ? given : (int)(sizeof held / sizeof *held);
    bool met = true;
    for (int i = 0; i < count; i++)
        met = replay_file(given ? argv[1 + check + i] : held[i], check) && met;
    return check && !met;
}
