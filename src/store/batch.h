/* Rows of several tables as one block of bytes, which is written to the database in one transaction or spooled to disk
 * until that is possible. A block carries its writer and a number that grows from block to block of that writer: so the
 * database can tell whether it has it already. Pure.
 *
 *   "ITSB"  version u16  sections u16  writer u64  seq u64  body size u32  CRC-32 u32  rows u32 a table
 *   a section: table u8  width u8  0 u16  rows u32  bytes u32, then the rows
 *   a value: its type u8, then 8 bytes, or the size u32 and that many bytes and a NUL, or nothing
 *
 * All little-endian; the CRC is zlib's over all else. */
#ifndef ITSI_STORE_BATCH_H
#define ITSI_STORE_BATCH_H

#include "base/buf.h"
#include "store/tables.h"

/* Rows of one table, one after the other, as itsi_row_put writes them. */
struct itsi_section {
    const uint8_t *bytes;
    size_t size;
    uint32_t rows;
};

/* Appends a row to `size` bytes in room for `most`; false: it does not fit, and nothing is changed. */
bool itsi_row_put(uint8_t *bytes, size_t *size, size_t most, const struct itsi_db_value *values, int width);

/* Appends a block; out->failed: out of memory. Sections of no rows are left out. */
void itsi_batch_seal(struct itsi_buf *out, uint64_t writer, uint64_t seq, const struct itsi_section sections[ITSI_STORE_TABLES]);

struct itsi_batch_head {
    uint64_t writer, seq;
    uint32_t rows[ITSI_STORE_TABLES];
    uint32_t body_size, crc;
    int sections;
};
enum { ITSI_BATCH_HEAD_SIZE = 32 + 4 * ITSI_STORE_TABLES };
/* Of the first bytes; says nothing about the rest. ITS_EFORMAT. */
ITS_NODISCARD int itsi_batch_read_head(struct itsi_batch_head *out, const uint8_t *bytes, size_t size, struct its_diag *diag);

/* A block as rows. Texts are borrowed from its bytes. */
struct itsi_batch {
    struct itsi_batch_head head;
    struct itsi_db_value *values[ITSI_STORE_TABLES]; /* rows times the table's width; owned, kept for the next one */
    size_t capacity[ITSI_STORE_TABLES];
};
void itsi_batch_init(struct itsi_batch *batch);
void itsi_batch_fini(struct itsi_batch *batch);
/* Checks all of it before anything is believed: ITS_EFORMAT, ITS_ENOMEM. After an error the batch holds nothing. */
ITS_NODISCARD int itsi_batch_read(struct itsi_batch *batch, const uint8_t *bytes, size_t size, struct its_diag *diag);

#endif
