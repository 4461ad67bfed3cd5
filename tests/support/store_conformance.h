/* What the store promises, tried on any database: migrations, batches, queries, retention, the whole of it. */
#ifndef ITS_TESTS_STORE_CONFORMANCE_H
#define ITS_TESTS_STORE_CONFORMANCE_H

/* Runs the suite as a cmocka group on the database at url, or the SQLite file path; the number of failed tests. */
int store_conformance_run(const char *name, const char *url, const char *path);

#endif
