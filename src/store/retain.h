/* Deleting what is older than it is kept, in small steps, by one process at a time of those that share a database. */
#ifndef ITSI_STORE_RETAIN_H
#define ITSI_STORE_RETAIN_H

#include "store/tables.h"
#include "store/wall_trust.h"

struct itsi_retention {
    int days[ITSI_STORE_TABLES]; /* 0: for ever */
    int table;                   /* where this pass is */
    char camera[ITSI_STORE_CAMERA_SIZE]; /* done with, of that table */
    int64_t next_ns;             /* when the next step is due, monotonic */
    struct itsi_wall_trust trust;
    bool has_trust;              /* what is known of the time was asked for */
};

/* The first pass begins some time after `now`. */
void itsi_retention_init(struct itsi_retention *retention, const int days[ITSI_STORE_TABLES], int64_t now);

/* What the database knows of the time, where that was not asked for yet. To be done before this process writes anything: what
 * a program that kept no time wrote last tells when that was. */
ITS_NODISCARD int itsi_retention_know(struct itsi_retention *retention, struct itsi_db_connection *db, int64_t holder, int64_t now,
                                      int64_t wall_ns, int64_t deadline, struct its_diag *diag);
/* A step: some rows of one camera, by the time that can be trusted. holder: this process's number. Sets when the next is due:
 * soon, or in the next pass. deleted is added to. */
ITS_NODISCARD int itsi_retention_step(struct itsi_retention *retention, struct itsi_db_connection *db, int64_t holder,
                                      int64_t now, int64_t wall_ns, int64_t deadline, uint64_t *deleted, struct its_diag *diag);

/* The wall clock is away from all that was known before, and does not count yet. */
bool itsi_retention_is_in_doubt(const struct itsi_retention *retention);

#endif
