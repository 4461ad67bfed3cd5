/* What a receiver of alerts still has to be told. One entry per alert: a newer state takes the place of the older one
 * that was not delivered yet, so that a receiver that hangs costs a bounded memory and learns the final state when it
 * is back.
 *
 * Pure: no locks, no threads, time is an argument. */
#ifndef ITSI_LATENCY_ALERT_OUTBOX_H
#define ITSI_LATENCY_ALERT_OUTBOX_H

#include "latency/alert.h"

struct itsi_outbox_entry {
    struct itsi_alert alert;
    bool waiting;     /* this state was not delivered */
    uint64_t version; /* of the state; counts up within the box */
    unsigned told;    /* severities (bits) under which the receiver knows it as firing */
    int64_t sent_ns;  /* last delivery */
};

struct itsi_outbox {
    struct itsi_outbox_entry *entries; /* in the order of their first state */
    size_t count, cap, limit;
    uint64_t versions;
    int64_t repeat_ns; /* what fires is told again after this time; ITSI_NEVER: told once */
};

void itsi_outbox_init(struct itsi_outbox *box, size_t limit, int64_t repeat_ns);
void itsi_outbox_fini(struct itsi_outbox *box);

/* Takes the state in. ITS_ELIMIT: `limit` other alerts are kept already (the new one is lost); ITS_ENOMEM. */
ITS_NODISCARD int itsi_outbox_put(struct itsi_outbox *box, const struct itsi_alert *alert);

/* Copies up to cap entries that are due, the longest waiting first; they stay in the box until settled. */
size_t itsi_outbox_take(const struct itsi_outbox *box, int64_t now, struct itsi_outbox_entry *out, size_t cap);
/* When take() has something: now or earlier, later (a repetition), or ITSI_NEVER. */
int64_t itsi_outbox_due(const struct itsi_outbox *box);
size_t itsi_outbox_waiting(const struct itsi_outbox *box);

/* The receiver has what take() gave (delivered), or will never take it (not delivered): that state needs no more
 * sending, unless a newer one came meanwhile. Ended alerts leave the box. */
void itsi_outbox_settle(struct itsi_outbox *box, const struct itsi_outbox_entry *taken, size_t count, bool delivered,
                        int64_t now);

#endif
