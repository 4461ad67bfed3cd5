/* What the files of the store's conformance suite share: the database under test, and ways to look into it. */
#ifndef ITS_TESTS_STORE_WORLD_H
#define ITS_TESTS_STORE_WORLD_H

#include "base/clock.h"
#include "pool/database_pool.h"
#include "store/book.h"
#include "support/check.h"

extern struct itsi_database *store_database;
extern struct itsi_book store_book;  /* emptied by whoever seals it */
extern char store_folder[64];        /* of spools */

int64_t store_soon(void);
struct itsi_db_lease store_borrow(void);
void store_give_back(struct itsi_db_lease *lease);
void store_sql(const char *text);
int64_t store_number(const char *text); /* the first of the first row */
int store_migrate(struct its_diag *diag);
/* Set-ups: no tables; all of them, empty. */
int store_empty(void **state);
int store_made(void **state);

int store_queries_run(const char *name);   /* store_queries.c */
int store_whole_run(const char *name);     /* store_whole.c */
int store_leftovers_run(const char *name); /* store_leftovers.c */

#endif
