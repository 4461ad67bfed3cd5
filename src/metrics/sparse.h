/* A histogram at rest: the exact moments, and of the slots only those in use, as pairs of gap and count in
 * variable-length bytes (LEB128, 7 bits each). Neighbouring slots with small counts, the usual case, take two bytes a
 * slot instead of eight for every slot there could be. Not thread-safe. */
#ifndef ITSI_METRICS_SPARSE_H
#define ITSI_METRICS_SPARSE_H

#include "metrics/tally.h"

struct itsi_sparse {
    struct itsi_moments moments;
    uint64_t placed; /* values whose slot is kept */
    uint8_t *bytes;  /* owned; NULL until something was packed */
    uint32_t len, cap;
};

/* Bytes of scratch that pack() needs for any content of that precision. */
size_t itsi_sparse_scratch(int bits);

/* Replaces the content by the tally's. The memory is reused, so refilling settles into no allocation. ITS_ENOMEM: the
 * moments are replaced (counts, means and extremes stay exact), the old distribution stays. */
ITS_NODISCARD int itsi_sparse_pack(struct itsi_sparse *sparse, const struct itsi_tally *tally, uint8_t *scratch);

/* Adds the content to a tally of the precision it was packed with. */
void itsi_sparse_unpack(const struct itsi_sparse *sparse, struct itsi_tally *tally);

/* For new content. Keeps the memory, but for what is far more than the content that goes needed: a content often grows by
 * and by, so that only a whole one tells. */
void itsi_sparse_clear(struct itsi_sparse *sparse);
void itsi_sparse_fini(struct itsi_sparse *sparse);  /* takes zeroed */

#endif
