/* Asking what the store has kept. Each call borrows a connection and is bounded by its deadline and by `limit` rows; more
 * are had by asking again, after the last row of the page before. Not from the loop's thread. */
#ifndef ITSI_STORE_QUERY_H
#define ITSI_STORE_QUERY_H

#include "pool/database_pool.h"

enum { ITSI_STORE_LIMIT_MOST = 10000 };

/* Rows are borrowed for the call. Not 0: no more are wanted, and the query returns that. */

struct itsi_store_camera_row {
    const char *camera;
    int64_t updated_ns;
    const char *settings; /* JSON; NULL: no longer configured */
};
typedef int itsi_store_camera_fn(void *arg, const struct itsi_store_camera_row *row);
/* By name; after: NULL, or the last of the page before. */
ITS_NODISCARD int itsi_store_cameras(struct itsi_database *database, const char *after, int limit, itsi_store_camera_fn *row,
                                     void *arg, int64_t deadline, struct its_diag *diag);

/* Was there ever one of that name? */
ITS_NODISCARD int itsi_store_camera_known(struct itsi_database *database, const char *camera, bool *known, int64_t deadline,
                                          struct its_diag *diag);

struct itsi_store_count_query {
    const char *camera;
    const char *class_name; /* NULL: each */
    int64_t from_minute, to_minute; /* since 1970; the last not included */
    int bucket_minutes;     /* summed up by: 1, 60, 1440 (days of UTC), ... */
    int limit;
    int64_t after_minute;   /* of the last row before, with after_class; NULL there: from the first */
    const char *after_class;
};
struct itsi_store_count_row {
    int64_t minute; /* the bucket's first */
    const char *class_name;
    int64_t n;
};
typedef int itsi_store_count_fn(void *arg, const struct itsi_store_count_row *row);
/* By time, then class; buckets of nothing are left out. */
ITS_NODISCARD int itsi_store_counts(struct itsi_database *database, const struct itsi_store_count_query *query,
                                    itsi_store_count_fn *row, void *arg, int64_t deadline, struct its_diag *diag);

/* Newest first. before_ns and before_id: of the last row of the page before; INT64_MAX both: from the newest. */
struct itsi_store_page {
    const char *camera;
    int64_t before_ns, before_id;
    int limit;
};

struct itsi_store_event_row {
    int64_t id, wall_ns;
    const char *kind, *class_name; /* class_name NULL: none */
    int64_t track;                 /* 0: none */
    const char *data;              /* JSON; NULL: none */
};
typedef int itsi_store_event_fn(void *arg, const struct itsi_store_event_row *row);
ITS_NODISCARD int itsi_store_events(struct itsi_database *database, const struct itsi_store_page *page,
                                    itsi_store_event_fn *row, void *arg, int64_t deadline, struct its_diag *diag);

struct itsi_store_violation_row {
    int64_t id, wall_ns;
    const char *stage;
    double latency_ms, waited_ms;
    int batch, level;
    const char *trace; /* NULL: none */
};
typedef int itsi_store_violation_fn(void *arg, const struct itsi_store_violation_row *row);
ITS_NODISCARD int itsi_store_violations(struct itsi_database *database, const struct itsi_store_page *page,
                                        itsi_store_violation_fn *row, void *arg, int64_t deadline, struct its_diag *diag);

struct itsi_store_quality_row {
    int64_t id, wall_ns;
    int from_level, to_level;
    const char *reason;
    const char *inputs; /* JSON; NULL: none */
};
typedef int itsi_store_quality_fn(void *arg, const struct itsi_store_quality_row *row);
ITS_NODISCARD int itsi_store_quality_changes(struct itsi_database *database, const struct itsi_store_page *page,
                                             itsi_store_quality_fn *row, void *arg, int64_t deadline, struct its_diag *diag);

#endif
