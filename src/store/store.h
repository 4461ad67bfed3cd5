/* What is kept: cameras and their settings, counts of objects, events of tracks, violations of the objective, changes of
 * quality. In the database behind pool/database_pool.h, or, while that is away, in a spool on disk until it is back.
 *
 * Noting something costs its caller a short lock and a copy; it never waits for a disk or a server, and allocates
 * nothing. One thread of the store writes: a batch an interval, or sooner when many rows wait. What is noted reaches the
 * database once and in order, over failures of the database and, what is spooled, of the process; or it is counted as
 * dropped, with the reason. */
#ifndef ITSI_STORE_STORE_H
#define ITSI_STORE_STORE_H

#include "pool/database_pool.h"
#include "store/tables.h"

struct itsi_store;

struct itsi_store_params {
    struct itsi_database *database; /* outlives the store */
    const char *spool_folder;       /* copied; NULL: only without spool_bytes */
    uint64_t spool_bytes;           /* most; 0: what the database does not take waits in memory; what lies there is written */
    int64_t flush_ns;               /* what is noted waits so long at most */
    int batch_rows;                 /* or until there are so many */
    int queue_rows;                 /* different counts that may wait */
    size_t queue_bytes;             /* of each other table */
    int64_t write_timeout_ns;       /* of a batch, waiting for a connection included */
    int64_t retry_first_ns, retry_most_ns; /* after the database failed (net/backoff.h) */
    int retention_days[ITSI_STORE_TABLES]; /* 0: for ever; cameras: not used */
};
/* As the options say; database and spool_folder are left to the caller. */
struct itsi_store_params itsi_store_params_of(const struct its_cfg_store *cfg);

/* Starts the thread, which makes the tables when the database is first there. ITS_EBUSY: another process uses the spool. */
ITS_NODISCARD int itsi_store_create(struct itsi_store **out, const struct itsi_store_params *params, struct its_diag *diag);
/* Writes, or else spools, what is left; both until `deadline`. What is noted from then on is not kept; the statistics stay.
 * One thread; once is enough. Takes NULL. */
void itsi_store_finish(struct itsi_store *store, int64_t deadline);
/* Finishes first, where that is still to be done. Takes NULL. */
void itsi_store_destroy(struct itsi_store *store, int64_t deadline);

/* --- noting: any thread. 0; ITS_ELIMIT: no room, dropped and counted; ITS_EINVAL: no such name, no UTF-8,
 * no number, or nothing where something is wanted, likewise --- */

/* n objects of a class at a camera, in that minute since 1970. */
int itsi_store_count(struct itsi_store *store, const char *camera, const char *class_name, int64_t minute, int64_t n);

struct itsi_store_event {
    int64_t wall_ns;
    const char *camera, *kind; /* "appeared", "left", "line_crossed" */
    const char *class_name;    /* NULL: none */
    int64_t track;             /* 0: none */
    const char *data;          /* JSON; NULL: none */
};
int itsi_store_track_event(struct itsi_store *store, const struct itsi_store_event *event);

struct itsi_store_violation {
    int64_t wall_ns;
    const char *camera, *stage;
    double latency_ms, waited_ms;
    int batch, level;
    const char *trace; /* NULL: none */
};
int itsi_store_violation(struct itsi_store *store, const struct itsi_store_violation *violation);

struct itsi_store_quality_change {
    int64_t wall_ns;
    const char *camera;
    int from_level, to_level;
    const char *reason;
    const char *inputs; /* JSON; NULL: none */
};
int itsi_store_quality_change(struct itsi_store *store, const struct itsi_store_quality_change *change);

/* settings: JSON without secrets; NULL: the camera is no longer configured. */
int itsi_store_camera(struct itsi_store *store, int64_t wall_ns, const char *camera, const char *settings);

/* --- statistics ---------------------------------------------------------------------------------------------------- */

/* X(NAME, "label"): why rows were dropped */
#define ITSI_STORE_DROP_MAP(X)                                                                                         \
    X(INVALID, "invalid")       /* a name or a text that cannot be kept */                                             \
    X(QUEUE, "queue_full")      /* the writer does not keep up, or neither database nor spool takes anything */        \
    X(SPOOL, "spool_full")      /* the oldest of the spool made room */                                                \
    X(REFUSED, "refused")       /* the database does not take them, or their file is damaged: set aside */             \
    X(SHUTDOWN, "shutdown")     /* neither written nor spooled by the deadline */

enum itsi_store_drop {
#define ITS_X(name, label) ITSI_STORE_DROP_##name,
    ITSI_STORE_DROP_MAP(ITS_X)
#undef ITS_X
    ITSI_STORE_DROPS
};
const char *itsi_store_drop_name(enum itsi_store_drop reason);

/* Rows by table. Those queued, and found in the spool at the start, are written, dropped, or still waiting; at any instant
 *   queued + found = written + dropped + waiting + spool_rows
 * where those dropped as invalid or for a full queue were never queued. */
struct itsi_store_stats {
    uint64_t queued[ITSI_STORE_TABLES];
    uint64_t written[ITSI_STORE_TABLES];
    uint64_t spooled[ITSI_STORE_TABLES]; /* ever */
    uint64_t found[ITSI_STORE_TABLES];   /* in the spool at the start */
    uint64_t dropped[ITSI_STORE_DROPS][ITSI_STORE_TABLES];
    uint64_t waiting;                    /* rows in memory */
    uint64_t spool_files, spool_bytes, spool_rows; /* now */
    uint64_t batches, failures;          /* transactions */
    uint64_t deleted;                    /* rows that were too old */
    double lag_seconds;                  /* age of the oldest row that is not in the database */
    bool is_away;                        /* the last try failed */
    char last_error[256];                /* of the database or the spool; empty: none so far */
};
void itsi_store_stats(struct itsi_store *store, struct itsi_store_stats *out);

#endif
