/* The tables of the store, made and changed by numbered migrations, each in a transaction of its own. */
#ifndef ITSI_STORE_SCHEMA_H
#define ITSI_STORE_SCHEMA_H

#include "pool/database.h"

/* Brings the database to the newest version. Processes that do it at once wait for each other. ITS_EUNSUPPORTED: it is
 * newer than this program knows; nothing is changed. */
ITS_NODISCARD int itsi_store_migrate(struct itsi_db_connection *db, int64_t deadline, struct its_diag *diag);

/* The version this program makes. */
int itsi_store_schema_version(void);

#endif
