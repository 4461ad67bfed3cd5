/* What pool/database.h promises, tried on any database: the same tests over every driver. */
#ifndef ITS_TESTS_DATABASE_CONFORMANCE_H
#define ITS_TESTS_DATABASE_CONFORMANCE_H

#include "pool/database.h"

struct database_case {
    const char *name; /* of the group in the test's output */
    /* A new connection to the one empty database. */
    int (*open)(struct itsi_db_connection **out, struct its_diag *diag);
    const char *slow_sql; /* runs for many seconds */
};

/* Runs the suite as a cmocka group; the number of failed tests. */
int database_conformance_run(const struct database_case *c);

#endif
