/* Batches on disk while the database is away: numbered files in a folder, read back in the order they were put in, within
 * a bound of bytes.
 *
 * A file is written beside its place, synced, and renamed into it: after a crash at any instant a batch is there whole or
 * not at all, and one that was written to the database before its file could be removed is recognised there by its number
 * (store/apply.h). What is damaged all the same, cannot be read or is refused is set aside and does not hold up the rest: it is
 * named, and renamed to ".damaged" or ".refused", of which the newest few are kept. Where it cannot even be renamed it stays, for
 * the next process.
 *
 * When the bound is reached the oldest batches of counts go first, then the oldest others; each is counted. One thread;
 * one process a folder. */
#ifndef ITSI_STORE_SPOOL_H
#define ITSI_STORE_SPOOL_H

#include "store/batch.h"

struct itsi_spool_entry {
    uint64_t number;
    int64_t wall_ns; /* put in */
    uint32_t bytes;  /* on disk: whole blocks */
    uint32_t rows[ITSI_STORE_TABLES];
    bool is_counts;  /* holds nothing else */
    int failures;    /* so far: to read it, or of the database to take it */
};

struct itsi_spool_stats {
    uint64_t files, bytes, rows;               /* now */
    uint64_t put_rows[ITSI_STORE_TABLES];      /* into it, by this process */
    uint64_t dropped_rows[ITSI_STORE_TABLES];  /* for want of room */
    uint64_t found_rows[ITSI_STORE_TABLES];    /* left behind by an earlier process */
    uint64_t aside_rows[ITSI_STORE_TABLES];    /* of batches set aside, as far as it is known */
    uint64_t set_aside;                        /* files */
};

struct itsi_spool;
/* Makes the folder, and takes over what an earlier process left in it. most_bytes 0: only that, nothing is put in; *out is
 * NULL where nothing was left. notice: names a file that was set aside; NULL: not wanted. ITS_EBUSY: another process uses
 * it. */
typedef void itsi_spool_notice_fn(void *arg, const char *text);
ITS_NODISCARD int itsi_spool_open(struct itsi_spool **out, const char *folder, uint64_t most_bytes,
                                  itsi_spool_notice_fn *notice, void *arg, struct its_diag *diag);
void itsi_spool_close(struct itsi_spool *spool); /* takes NULL */

/* ITS_ELIMIT: larger than the bound; ITS_ENOSPACE, ITS_EIO, ITS_ENOMEM: nothing is kept, it may be tried again. */
ITS_NODISCARD int itsi_spool_put(struct itsi_spool *spool, const uint8_t *block, size_t size, int64_t wall_ns, struct its_diag *diag);

/* The oldest; NULL: none. */
const struct itsi_spool_entry *itsi_spool_first(const struct itsi_spool *spool);
/* How often the oldest may fail, one time after another, before it is set aside: a disk or a table that is missing for a moment
 * is no reason. */
enum { ITSI_SPOOL_FAILURES = 5 };
/* Reads it, which stays. ITS_EFORMAT: it is damaged, or could not be read so often; it was set aside, and the next one is the
 * oldest now. Others: it may be tried again, later. */
ITS_NODISCARD int itsi_spool_read_first(struct itsi_spool *spool, struct itsi_buf *bytes, struct itsi_batch *out, struct its_diag *diag);
/* It is in the database. */
void itsi_spool_remove_first(struct itsi_spool *spool);
/* The database does not take it: true once that was said so often that it was set aside. */
bool itsi_spool_refuse_first(struct itsi_spool *spool, const char *text);

void itsi_spool_stats(const struct itsi_spool *spool, struct itsi_spool_stats *out);

#endif
