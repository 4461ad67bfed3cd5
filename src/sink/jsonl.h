/* A bounded file of JSON lines: one line a call, rotated by size (path, path.1, path.2, ...), never more than `files`
 * files. A full disk or a vanished folder loses lines (counted) and nothing else: the file never keeps part of a line,
 * and writing goes on by itself once there is room again.
 *
 * write() and close() belong to one thread; status() may be called by any. */
#ifndef ITSI_SINK_JSONL_H
#define ITSI_SINK_JSONL_H

#include "its/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct itsi_jsonl_params {
    const char *path;  /* copied; a device or a pipe is written as it is, without rotation */
    int64_t max_bytes; /* of one file, > 0 */
    int files;         /* kept, the current one included; 1: the file starts over when it is full */
};

struct itsi_jsonl_status {
    uint64_t lines;     /* written */
    uint64_t dropped;   /* lost: no room, an error, or a line longer than max_bytes */
    uint64_t rotations;
    int64_t bytes;      /* in the current file */
    bool failing;       /* the last attempt failed; the next is due within a second */
    char last_error[256];
};

struct itsi_jsonl;
/* Opens or creates the file; a part of a line that a crash left at its end is cut off. */
ITS_NODISCARD int itsi_jsonl_open(struct itsi_jsonl **out, const struct itsi_jsonl_params *params,
                                  struct its_diag *diag);
/* Appends the line (without its line break). 0, or why it was dropped; while failing, lines are dropped without touching
 * the disk until the next attempt is due at `now` (monotonic). A change of state is logged once. */
int itsi_jsonl_write(struct itsi_jsonl *jsonl, const char *line, size_t len, int64_t now);
void itsi_jsonl_status(struct itsi_jsonl *jsonl, struct itsi_jsonl_status *out);
void itsi_jsonl_close(struct itsi_jsonl *jsonl); /* takes NULL */

#endif
