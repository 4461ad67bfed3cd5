/* SQLite connections: write-ahead log, foreign keys, durable at every checkpoint and safe from corruption at any moment
 * (synchronous NORMAL: a power cut may take back the last commits, never damage the file). */
#ifndef ITSI_POOL_SQLITE_H
#define ITSI_POOL_SQLITE_H

#include "pool/database.h"

/* Opens or makes the file. Blocks on the disk: not on the loop's thread. A file that is no database, or a damaged one:
 * ITS_EFORMAT, named; never overwritten. */
ITS_NODISCARD int itsi_sqlite_open(struct itsi_db_connection **out, const char *path, struct its_diag *diag);

#endif
