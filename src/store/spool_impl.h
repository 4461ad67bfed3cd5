/* What spool.c and spool_file.c share. */
#ifndef ITSI_STORE_SPOOL_IMPL_H
#define ITSI_STORE_SPOOL_IMPL_H

#include "store/spool.h"

#include <stdio.h>

enum { ITSI_SPOOL_NAME_SIZE = 64 };

struct itsi_spool {
    int folder_fd, lock_fd;
    char *folder;
    uint64_t most_bytes, next_number;
    struct itsi_spool_entry *entries; /* the oldest first, from `first` on */
    size_t first, count, capacity;
    struct itsi_spool_stats stats;
    itsi_spool_notice_fn *notice;
    void *arg;
};

static inline void itsi_spool_name(char out[ITSI_SPOOL_NAME_SIZE], uint64_t number, const char *suffix)
{
    snprintf(out, ITSI_SPOOL_NAME_SIZE, "%016llx.%s", (unsigned long long)number, suffix);
}

/* Of what a file of that length takes of the disk. */
uint32_t itsi_spool_blocks(uint64_t size);
/* Finds what is there, oldest first; takes away what was never finished. */
ITS_NODISCARD int itsi_spool_scan(struct itsi_spool *spool, struct its_diag *diag);
ITS_NODISCARD int itsi_spool_append(struct itsi_spool *spool, const struct itsi_spool_entry *entry);
void itsi_spool_fill_entry(struct itsi_spool_entry *entry, const struct itsi_batch_head *head);
/* Whole and on the disk, or not at all. */
ITS_NODISCARD int itsi_spool_write(struct itsi_spool *spool, uint64_t number, const uint8_t *block, size_t size, struct its_diag *diag);
ITS_NODISCARD int itsi_spool_read(struct itsi_spool *spool, uint64_t number, struct itsi_buf *out, struct its_diag *diag);
/* Keeps the newest few of those set aside. */
void itsi_spool_set_aside(struct itsi_spool *spool, uint64_t number, const char *why, const char *text);

#endif
