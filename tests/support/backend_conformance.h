/* What infer/backend.h promises, tried on any backend: the same tests over every implementation. */
#ifndef ITS_TESTS_BACKEND_CONFORMANCE_H
#define ITS_TESTS_BACKEND_CONFORMANCE_H

#include "infer/backend.h"

struct backend_case {
    const char *name; /* of the group in the test's output */
    const struct itsi_backend *backend;
    struct itsi_engine_params params; /* of an engine that opens; max_batch is set by the tests */
    struct itsi_engine_params bad[4]; /* engines that must not open */
    int bad_count;
    int reopen; /* how often opening and closing is repeated */
};

/* Runs the suite as a cmocka group; the number of failed tests. */
int backend_conformance_run(const struct backend_case *c);

#endif
