#include "core/ledger.h"

#include <string.h>

const char *itsi_drop_name(enum itsi_drop reason)
{
    static const char *const names[] = {
#define ITSI_X(name, text) text,
        ITSI_DROP_MAP(ITSI_X)
#undef ITSI_X
    };
    return names[reason];
}

void itsi_ledger_init(struct itsi_ledger *ledger)
{
    memset(&ledger->counts, 0, sizeof ledger->counts);
    pthread_mutex_init(&ledger->mutex, NULL);
}

void itsi_ledger_fini(struct itsi_ledger *ledger) { pthread_mutex_destroy(&ledger->mutex); }

void itsi_ledger_arrive(struct itsi_ledger *ledger)
{
    pthread_mutex_lock(&ledger->mutex);
    ledger->counts.expected++;
    ledger->counts.in_flight++;
    pthread_mutex_unlock(&ledger->mutex);
}

void itsi_ledger_missing(struct itsi_ledger *ledger, uint64_t count)
{
    pthread_mutex_lock(&ledger->mutex);
    ledger->counts.expected += count;
    ledger->counts.missing += count;
    pthread_mutex_unlock(&ledger->mutex);
}

static void end_one(struct itsi_ledger *ledger, uint64_t *outcome)
{
    pthread_mutex_lock(&ledger->mutex);
    (*outcome)++;
    ledger->counts.in_flight--;
    pthread_mutex_unlock(&ledger->mutex);
}

void itsi_ledger_deliver(struct itsi_ledger *ledger, int late)
{
    end_one(ledger, late ? &ledger->counts.late : &ledger->counts.delivered);
}

void itsi_ledger_skip(struct itsi_ledger *ledger) { end_one(ledger, &ledger->counts.skipped); }

void itsi_ledger_track(struct itsi_ledger *ledger)
{
    pthread_mutex_lock(&ledger->mutex);
    ledger->counts.tracked++;
    ledger->counts.skipped++;
    ledger->counts.in_flight--;
    pthread_mutex_unlock(&ledger->mutex);
}

void itsi_ledger_drop(struct itsi_ledger *ledger, enum itsi_stage stage, enum itsi_drop reason)
{
    end_one(ledger, &ledger->counts.dropped[stage][reason]);
}

void itsi_ledger_corrupt(struct itsi_ledger *ledger) { end_one(ledger, &ledger->counts.corrupt); }

void itsi_ledger_admit(struct itsi_ledger *ledger)
{
    pthread_mutex_lock(&ledger->mutex);
    ledger->counts.admitted++;
    pthread_mutex_unlock(&ledger->mutex);
}

void itsi_ledger_snapshot(struct itsi_ledger *ledger, struct itsi_ledger_counts *out)
{
    pthread_mutex_lock(&ledger->mutex);
    *out = ledger->counts;
    pthread_mutex_unlock(&ledger->mutex);
}

void itsi_ledger_counts_add(struct itsi_ledger_counts *sum, const struct itsi_ledger_counts *more)
{
    sum->expected += more->expected;
    sum->delivered += more->delivered;
    sum->late += more->late;
    sum->skipped += more->skipped;
    sum->tracked += more->tracked;
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        for (int r = 0; r < ITSI_DROP_COUNT; r++)
            sum->dropped[s][r] += more->dropped[s][r];
    sum->corrupt += more->corrupt;
    sum->missing += more->missing;
    sum->in_flight += more->in_flight;
    sum->admitted += more->admitted;
}

uint64_t itsi_ledger_dropped(const struct itsi_ledger_counts *counts)
{
    uint64_t total = 0;
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        for (int r = 0; r < ITSI_DROP_COUNT; r++)
            total += counts->dropped[s][r];
    return total;
}

int64_t itsi_ledger_balance(const struct itsi_ledger_counts *c)
{
    uint64_t ended = c->delivered + c->late + c->skipped + itsi_ledger_dropped(c) + c->corrupt + c->missing;
    return (int64_t)(c->expected - ended - c->in_flight);
}

double itsi_ledger_on_time_ratio(const struct itsi_ledger_counts *c)
{
    uint64_t due = c->expected - c->skipped - c->in_flight;
    return due ? (double)c->delivered / (double)due : 1.0;
}

double itsi_ledger_on_time_admitted_ratio(const struct itsi_ledger_counts *c)
{
    return c->admitted ? (double)c->delivered / (double)c->admitted : 1.0;
}
