/* For tests of a store whose thread runs (store_whole.c has them). */
#ifndef ITS_TESTS_STORE_RUNNING_H
#define ITS_TESTS_STORE_RUNNING_H

#include "store/store.h"
#include "support/store_world.h"

/* On store_database and store_folder; a flush is 50 ms. */
struct itsi_store *store_open(int queue_rows, int spool_max_mb, int64_t retry_ns);
uint64_t store_sum(const uint64_t rows[ITSI_STORE_TABLES]);
struct itsi_store_stats store_wait_until_written(struct itsi_store *store, uint64_t rows);
void store_wait_until_away(struct itsi_store *store, struct itsi_store_stats *stats);
/* What holds at any instant, as store.h has it. */
void store_check_books(const struct itsi_store_stats *stats);

#endif
