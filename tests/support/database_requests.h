/* What pool/database_request.h promises, tried on any database: the same tests over both ways of carrying requests out. */
#ifndef ITS_TESTS_DATABASE_REQUESTS_H
#define ITS_TESTS_DATABASE_REQUESTS_H

struct database_requests_case {
    const char *name; /* of the group in the test's output */
    const char *url;  /* NULL: the file `path` */
    const char *path;
    const char *slow_sql; /* runs for many seconds */
};

/* Runs the suite as a cmocka group; the number of failed tests. */
int database_requests_run(const struct database_requests_case *c);

#endif
