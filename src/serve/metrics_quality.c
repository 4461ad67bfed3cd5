/* The Adaptive Quality Manager: how loaded it takes the machine for, where the cameras are, what it changed and why. The
 * level of each camera is with the cameras. */
#include "serve/metrics.h"

#include <math.h>

static void put_load(struct itsi_exposition *e, const struct itsi_quality_status *s)
{
    itsi_exposition_family(e, ITSI_METRIC_GAUGE, "its_load_condition", NULL, "1 for the load condition that holds, else 0.");
    for (int c = 0; c < ITSI_LOAD_CONDITIONS; c++) {
        const enum itsi_quality_condition condition = (enum itsi_quality_condition)c;
        itsi_exposition_count(e, ITSI_LABELS({"condition", itsi_quality_condition_name(condition)}),
                              condition == s->condition);
    }
    itsi_put_gauge(e, "its_quality_pressure", NULL,
                   "What the facts say: 0 calm, 1 steady, 2 overloaded, 3 critical; quality falls from 2 on.", s->pressure);
    itsi_put_gauge(e, "its_quality_demand_ratio", "ratio",
                   "What full analysis of all cameras at their levels takes, over what the fullest resource has; 0: "
                   "unknown.", fmax(0, s->inputs.utilisation));
}

static void put_levels(struct itsi_exposition *e, const struct itsi_quality_status *s)
{
    itsi_exposition_family(e, ITSI_METRIC_GAUGE, "its_quality_cameras", NULL,
                           "Cameras that the quality manager governs, by level.");
    for (int level = 0; level < ITSI_QUALITY_LEVELS; level++)
        itsi_exposition_count(e, ITSI_LABELS({"level", itsi_quality_name(level)}), (uint64_t)s->cameras[level]);
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_quality_changes", NULL,
                           "Changes of a knob of a camera's quality, by reason.");
    for (int r = ITSI_QUALITY_NONE + 1; r < ITSI_QUALITY_REASONS; r++)
        itsi_exposition_count(e, ITSI_LABELS({"reason", itsi_quality_reason_name((enum itsi_quality_reason)r)}),
                              s->changes_by_reason[r]);
}

static uint64_t pictures(const struct itsi_debt_counts *c) { return c->pictures; }
static uint64_t sightings(const struct itsi_debt_counts *c) { return c->sightings; }
static uint64_t missed(const struct itsi_debt_counts *c) { return c->missed; }
static uint64_t extra(const struct itsi_debt_counts *c) { return c->extra; }

/* Counts: over any time, missed over sightings is the share missed then. */
static void put_debt_counts(struct itsi_exposition *e, const struct itsi_debt_overview *debt)
{
    static const struct {
        const char *name, *help;
        uint64_t (*value)(const struct itsi_debt_counts *counts);
    } families[] = {
        {"its_quality_debt_pictures", "Pictures delivered below full quality that were held against full analysis, by level.",
         pictures},
        {"its_quality_debt_sightings", "Boxes that full analysis found in those pictures.", sightings},
        {"its_quality_debt_missed", "Of those boxes, the ones that were not delivered.", missed},
        {"its_quality_debt_extra", "Boxes delivered for those pictures that full analysis did not find.", extra},
    };
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++) {
        itsi_exposition_family(e, ITSI_METRIC_COUNTER, families[f].name, NULL, families[f].help);
        for (int level = 0; level < ITSI_DEBT_LEVELS; level++)
            itsi_exposition_count(e, ITSI_LABELS({"level", itsi_quality_name(level)}),
                                  families[f].value(&debt->levels[level].counts));
    }
}

static void put_debt(struct itsi_exposition *e, struct itsi_pipeline *pipeline)
{
    struct itsi_debt_overview debt;
    itsi_pipeline_debt(pipeline, &debt);
    put_debt_counts(e, &debt);
    itsi_put_counter(e, "its_quality_debt_runs", NULL, "Pictures that went through the engine again for that.",
                     (double)debt.runs);
    itsi_put_counter(e, "its_quality_debt_engine_seconds", "seconds", "What those runs took of the engine's time.",
                     debt.engine_seconds);
    itsi_put_counter(e, "its_quality_debt_shed", NULL,
                     "Pictures that were to be analysed again and for which there was no room.", (double)debt.shed);
    itsi_put_counter(e, "its_quality_debt_failed", NULL, "Pictures of which analysing again failed.", (double)debt.failed);
}

void itsi_put_quality_metrics(struct itsi_exposition *e, struct itsi_pipeline *pipeline)
{
    struct itsi_quality_overview overview;
    itsi_pipeline_quality(pipeline, &overview);
    itsi_put_gauge(e, "its_quality_active", NULL, "1 while quality adapts to load, 0 where that is switched off.",
                   overview.active);
    put_load(e, &overview.status);
    put_levels(e, &overview.status);
    itsi_put_gauge(e, "its_quality_flaps", NULL,
                   "Rises that brought overload back, forgotten slowly; each doubles the calm needed.",
                   overview.status.flaps);
    itsi_put_gauge(e, "its_quality_exhausted_seconds", "seconds",
                   "For how long overload has gone on while most cameras that add to it had no quality left to give; 0: it has not.",
                   (double)overview.status.exhausted_ns / 1e9);
    put_debt(e, pipeline);
}
