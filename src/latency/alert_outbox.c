#include "latency/alert_outbox.h"

#include "base/clock.h"
#include "base/mem.h"

#include <string.h>

void itsi_outbox_init(struct itsi_outbox *box, size_t limit, int64_t repeat_ns)
{
    *box = (struct itsi_outbox){.limit = limit, .repeat_ns = repeat_ns};
}

void itsi_outbox_fini(struct itsi_outbox *box)
{
    itsi_free(box->entries);
    *box = (struct itsi_outbox){.entries = NULL};
}

static struct itsi_outbox_entry *find(struct itsi_outbox *box, uint64_t fingerprint)
{
    for (size_t i = 0; i < box->count; i++)
        if (box->entries[i].alert.fingerprint == fingerprint)
            return &box->entries[i];
    return NULL;
}

static void drop(struct itsi_outbox *box, struct itsi_outbox_entry *entry)
{
    box->count--;
    memmove(entry, entry + 1, (size_t)(&box->entries[box->count] - entry) * sizeof *entry);
}

/* A new entry at the end; grows by doubling up to the limit. */
static int append(struct itsi_outbox *box, struct itsi_outbox_entry **out)
{
    if (box->count == box->limit)
        return ITS_ELIMIT;
    if (box->count == box->cap) {
        size_t cap = box->cap ? 2 * box->cap : 8;
        cap = cap < box->limit ? cap : box->limit;
        struct itsi_outbox_entry *more = itsi_realloc(box->entries, cap * sizeof *more);
        if (!more)
            return ITS_ENOMEM;
        box->entries = more;
        box->cap = cap;
    }
    *out = &box->entries[box->count++];
    memset(*out, 0, sizeof **out);
    return 0;
}

int itsi_outbox_put(struct itsi_outbox *box, const struct itsi_alert *alert)
{
    struct itsi_outbox_entry *entry = find(box, alert->fingerprint);
    const int rc = entry ? 0 : append(box, &entry);
    if (rc != 0)
        return rc;
    entry->alert = *alert;
    entry->waiting = true;
    entry->version = ++box->versions;
    return 0;
}

static int64_t due_at(const struct itsi_outbox *box, const struct itsi_outbox_entry *entry)
{
    if (entry->waiting)
        return INT64_MIN;
    return box->repeat_ns == ITSI_NEVER ? ITSI_NEVER : entry->sent_ns + box->repeat_ns;
}

size_t itsi_outbox_take(const struct itsi_outbox *box, int64_t now, struct itsi_outbox_entry *out, size_t cap)
{
    size_t count = 0;
    for (size_t i = 0; i < box->count && count < cap; i++)
        if (due_at(box, &box->entries[i]) <= now)
            out[count++] = box->entries[i];
    return count;
}

int64_t itsi_outbox_due(const struct itsi_outbox *box)
{
    int64_t earliest = ITSI_NEVER;
    for (size_t i = 0; i < box->count; i++) {
        const int64_t at = due_at(box, &box->entries[i]);
        earliest = at < earliest ? at : earliest;
    }
    return earliest;
}

size_t itsi_outbox_waiting(const struct itsi_outbox *box)
{
    size_t count = 0;
    for (size_t i = 0; i < box->count; i++)
        count += box->entries[i].waiting;
    return count;
}

void itsi_outbox_settle(struct itsi_outbox *box, const struct itsi_outbox_entry *taken, size_t count, bool delivered,
                        int64_t now)
{
    for (size_t i = 0; i < count; i++) {
        const struct itsi_alert *alert = &taken[i].alert;
        struct itsi_outbox_entry *entry = find(box, alert->fingerprint);
        if (!entry)
            continue;
        entry->sent_ns = now;
        if (delivered)
            entry->told = alert->firing ? 1u << alert->severity : 0;
        if (entry->version != taken[i].version)
            continue; /* the newer state still waits */
        entry->waiting = false;
        if (!alert->firing || box->repeat_ns == ITSI_NEVER)
            drop(box, entry);
    }
}
