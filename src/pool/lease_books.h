/* What a lease pool counts about itself. Written by whoever holds the pool's lock, read under it too. */
#ifndef ITSI_POOL_LEASE_BOOKS_H
#define ITSI_POOL_LEASE_BOOKS_H

#include "metrics/tally.h"
#include "pool/lease.h"

/* Durations of one sort, within 0.8 %. */
enum itsi_lease_time {
    ITSI_LEASE_ACQUIRE, /* from asking to being lent, of those that waited */
    ITSI_LEASE_USAGE,   /* how long it was held */
    ITSI_LEASE_CREATE,  /* how long making one took, of those that could be made */
    ITSI_LEASE_TIMES
};

struct itsi_lease_books {
    struct itsi_tally times[ITSI_LEASE_TIMES];
    uint64_t at_once;  /* lent without waiting; the others are in the tally */
    uint64_t timeouts; /* waited until their deadline */
    uint64_t cancelled;
    uint64_t refused_full, refused_down, refused_slow;
    uint64_t opens, checks; /* begun */
    int64_t checked_at;     /* the last answer to a check; 0: none */
    int peak, peak_open;    /* lent at once, and open, at most */
    uint64_t closed[ITSI_POOL_CLOSED_COUNT];
    uint64_t leaks, unleaks; /* held too long; of those, returned after all */
    uint64_t lent_ns; /* number lent times ns, up to `lent_at` */
    int64_t lent_at;
};

ITS_NODISCARD int itsi_lease_books_init(struct itsi_lease_books *books, int64_t now, struct its_diag *diag);
void itsi_lease_books_fini(struct itsi_lease_books *books); /* takes zeroed */

void itsi_lease_books_time(struct itsi_lease_books *books, enum itsi_lease_time which, int64_t ns);

/* Before the number of lent ones changes. Instants come from clocks that differ by some ms: none goes back. */
static inline void itsi_lease_books_lent(struct itsi_lease_books *books, int lent, int64_t now)
{
    if (now > books->lent_at) {
        books->lent_ns += (uint64_t)(now - books->lent_at) * (uint64_t)lent;
        books->lent_at = now;
    }
}

#endif
