/* A spooled batch of rows, as it may be read from a damaged disk. The checksum would stop nearly all that the fuzzer makes
 * up, so it is put right first. */
#include "fuzz.h"

#include "store/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void must(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_batch: %s\n", what);
        abort();
    }
}

static void put_checksum(uint8_t *block, size_t size)
{
    enum { AT_CRC = 28, AFTER = 32 };
    if (size < AFTER)
        return;
    uLong crc = crc32_z(crc32_z(0, block, AT_CRC), block + AFTER, size - AFTER);
    for (int i = 0; i < 4; i++)
        block[AT_CRC + i] = (uint8_t)(crc >> 8 * i);
}

static void look_at_rows(const struct itsi_batch *batch)
{
    for (int t = 0; t < ITSI_STORE_TABLES; t++) {
        const struct itsi_db_bulk *bulk = &itsi_store_columns[t].bulk;
        for (size_t v = 0; v < (size_t)batch->head.rows[t] * (size_t)bulk->width; v++) {
            const struct itsi_db_value *value = &batch->values[t][v];
            must(value->type == ITSI_DB_NULL || value->type == bulk->types[v % (size_t)bulk->width], "a value of another type");
            must(value->type != ITSI_DB_TEXT || strlen(value->bytes) == value->size, "a text of another length");
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct itsi_batch batch;
    struct its_diag diag = {""};
    uint8_t *block = malloc(size + 1);
    memcpy(block, data, size);
    put_checksum(block, size);
    itsi_batch_init(&batch);
    int rc = itsi_batch_read(&batch, block, size, &diag);
    must(rc == 0 || diag.text[0], "refused without a reason");
    look_at_rows(&batch);
    itsi_batch_fini(&batch);
    free(block);
    return 0;
}
