/* How large a pool may be now: its regular size, or more while that helps.
 *
 * Little's law says how many leases are out on average: arrivals a second times how long each is kept. More arrivals need
 * more of them. A slower server also makes more of them wait, but there a larger pool only sends more work to where it
 * already piles up (PgBouncer's and PostgreSQL's practice: fewer connections, a queue before them). So the size is raised
 * only while the wait grows and the server answers as fast as it usually does; while it is slow, callers that would wait
 * past their deadline are turned away at once.
 *
 * Pure: `now` and what was measured are arguments. */
#ifndef ITSI_POOL_LEASE_GROW_H
#define ITSI_POOL_LEASE_GROW_H

#include <stdbool.h>
#include <stdint.h>

struct itsi_grow {
    /* const */
    int regular, most;

    int size;            /* how many may be open: regular .. most */
    bool is_slow;        /* somebody waits because the server takes longer than usual */
    int64_t next_look;   /* not looked at again before */
    double usual_ns;     /* the server's latency while nobody waited, smoothed; 0: not known */
    double use_ns;       /* how long a lease is kept, smoothed; 0: not known */
    int64_t waited_ns;   /* longest wait of the window before */
};

/* What a window showed. */
struct itsi_grow_facts {
    int64_t waited_ns;  /* longest wait: of those that got theirs, and of who waits still; 0: nobody waited */
    int64_t latency_ns; /* the server's; 0: not known, then what leases take stands for it */
    double use_ns;      /* mean of the leases that ended; 0: none ended */
    int open;           /* how many are */
};

void itsi_grow_init(struct itsi_grow *grow, int regular, int most, int64_t now);
/* Ends a window; call when next_look has come. */
void itsi_grow_look(struct itsi_grow *grow, const struct itsi_grow_facts *facts, int64_t now);
/* When the next look is due: soon while somebody waits. */
int64_t itsi_grow_due(const struct itsi_grow *grow, bool is_waiting);

/* How long who comes now would wait behind `waiting` others for one of `lent`; 0: not known. */
int64_t itsi_grow_expected_wait_ns(const struct itsi_grow *grow, int waiting, int lent);

#endif
