/* Threads for what may never come back: a call to a disk that does not answer cannot be ended from outside. At the end they
 * are waited for up to an instant, all together, and who has not come back then is left behind with what it holds. So an
 * errand owns all that it works on; what others want of that they take from it, under a lock of theirs. */
#ifndef ITSI_SERVE_CREW_H
#define ITSI_SERVE_CREW_H

#include "base/clock.h"
#include "its/error.h"

/* So long somebody waits for what a crew is to do, before it is given up. */
#define ITSI_CREW_PATIENCE_NS (30 * ITSI_NS_PER_S)

struct itsi_errand {
    void (*run)(struct itsi_errand *errand); /* on a thread of the crew; the errand is its own, to free or to post again */
    struct itsi_errand *next;                /* the crew's */
};

struct itsi_crew;
enum { ITSI_CREW_MOST = 2 };

ITS_NODISCARD int itsi_crew_create(struct itsi_crew **out, const char *name, int threads, struct its_diag *diag);
/* First come, first served. Any thread, until the end begins; who posts bounds how many there are. */
void itsi_crew_post(struct itsi_crew *crew, struct itsi_errand *errand);
/* What was posted is still run. Waits for the threads until `until`; returns how many are left behind: they go on with
 * what was posted when they can, and end then. */
int itsi_crew_end(struct itsi_crew *crew, int64_t until); /* takes NULL */

#endif
