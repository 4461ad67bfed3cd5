/* A batch into the database: all of it or nothing, and once, however often it is tried. */
#ifndef ITSI_STORE_APPLY_H
#define ITSI_STORE_APPLY_H

#include "store/batch.h"

/* One transaction, in which the writer's number rises to the batch's. 0 also for one that was applied before (the reply to
 * its commit was lost, or the process ended before the spooled file could be removed). Errors as pool/database.h. */
ITS_NODISCARD int itsi_batch_apply(const struct itsi_batch *batch, struct itsi_db_connection *db, int64_t wall_ns,
                                   int64_t deadline, struct its_diag *diag);

#endif
