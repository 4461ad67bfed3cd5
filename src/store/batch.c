#include "store/batch.h"

#include "base/diag.h"
#include "base/mem.h"

#include <string.h>
#include <zlib.h>

#define MAGIC "ITSB"
enum { VERSION = 1, AT_VERSION = 4, AT_SECTIONS = 6, AT_WRITER = 8, AT_SEQ = 16, AT_SIZE = 24, AT_CRC = 28, AT_ROWS = 32,
       SECTION_SIZE = 12 };

/* --- numbers ----------------------------------------------------------------------------------------------------- */

static void put_number(uint8_t *at, uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(number >> (8 * i));
}

static uint64_t get_number(const uint8_t *at, int bytes)
{
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++)
        number |= (uint64_t)at[i] << (8 * i);
    return number;
}

/* --- writing ----------------------------------------------------------------------------------------------------- */

static size_t value_size(const struct itsi_db_value *value)
{
    switch (value->type) {
    case ITSI_DB_INT:
    case ITSI_DB_REAL: return 9;
    case ITSI_DB_TEXT:
    case ITSI_DB_BLOB: return 6 + value->size;
    case ITSI_DB_NULL: break;
    }
    return 1;
}

static uint8_t *put_value(uint8_t *at, const struct itsi_db_value *value)
{
    uint64_t bits;
    at[0] = (uint8_t)value->type;
    switch (value->type) {
    case ITSI_DB_INT: put_number(at + 1, (uint64_t)value->number, 8); break;
    case ITSI_DB_REAL:
        memcpy(&bits, &value->real, sizeof bits);
        put_number(at + 1, bits, 8);
        break;
    case ITSI_DB_TEXT:
    case ITSI_DB_BLOB:
        put_number(at + 1, value->size, 4);
        memcpy(at + 5, value->bytes, value->size);
        at[5 + value->size] = 0;
        break;
    case ITSI_DB_NULL: break;
    }
    return at + value_size(value);
}

bool itsi_row_put(uint8_t *bytes, size_t *size, size_t most, const struct itsi_db_value *values, int width)
{
    size_t wanted = 0;
    for (int i = 0; i < width; i++)
        wanted += value_size(&values[i]);
    if (wanted > most - *size)
        return false;
    uint8_t *at = bytes + *size;
    for (int i = 0; i < width; i++)
        at = put_value(at, &values[i]);
    *size += wanted;
    return true;
}

static uint32_t checksum(const uint8_t *block, size_t size)
{
    uLong crc = crc32_z(0, block, AT_CRC);
    return (uint32_t)crc32_z(crc, block + AT_ROWS, size - AT_ROWS);
}

void itsi_batch_seal(struct itsi_buf *out, uint64_t writer, uint64_t seq, const struct itsi_section sections[ITSI_STORE_TABLES])
{
    uint8_t head[ITSI_BATCH_HEAD_SIZE] = MAGIC;
    const size_t start = out->len;
    int count = 0;
    itsi_buf_add(out, head, sizeof head);
    for (int t = 0; t < ITSI_STORE_TABLES; t++) {
        put_number(head + AT_ROWS + 4 * t, sections[t].rows, 4);
        if (!sections[t].rows)
            continue;
        uint8_t section[SECTION_SIZE] = {(uint8_t)t, (uint8_t)itsi_store_columns[t].bulk.width};
        put_number(section + 4, sections[t].rows, 4);
        put_number(section + 8, sections[t].size, 4);
        itsi_buf_add(out, section, sizeof section);
        itsi_buf_add(out, sections[t].bytes, sections[t].size);
        count++;
    }
    if (out->failed)
        return;
    put_number(head + AT_VERSION, VERSION, 2);
    put_number(head + AT_SECTIONS, (uint64_t)count, 2);
    put_number(head + AT_WRITER, writer, 8);
    put_number(head + AT_SEQ, seq, 8);
    put_number(head + AT_SIZE, out->len - start - sizeof head, 4);
    uint8_t *block = (uint8_t *)out->data + start;
    memcpy(block, head, sizeof head);
    put_number(block + AT_CRC, checksum(block, out->len - start), 4);
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

int itsi_batch_read_head(struct itsi_batch_head *out, const uint8_t *bytes, size_t size, struct its_diag *diag)
{
    if (size < ITSI_BATCH_HEAD_SIZE || memcmp(bytes, MAGIC, 4) != 0)
        return itsi_fail(diag, ITS_EFORMAT, "is no batch of rows");
    if (get_number(bytes + AT_VERSION, 2) != VERSION)
        return itsi_fail(diag, ITS_EFORMAT, "is a batch of version %d, not %d", (int)get_number(bytes + AT_VERSION, 2), VERSION);
    out->writer = get_number(bytes + AT_WRITER, 8);
    out->seq = get_number(bytes + AT_SEQ, 8);
    out->body_size = (uint32_t)get_number(bytes + AT_SIZE, 4);
    out->crc = (uint32_t)get_number(bytes + AT_CRC, 4);
    out->sections = (int)get_number(bytes + AT_SECTIONS, 2);
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        out->rows[t] = (uint32_t)get_number(bytes + AT_ROWS + 4 * t, 4);
    return 0;
}

/* What is left to be read; at is NULL after an error. */
struct cursor {
    const uint8_t *at, *end;
};

static const uint8_t *take(struct cursor *in, size_t size)
{
    if (!in->at || (size_t)(in->end - in->at) < size) {
        in->at = NULL;
        return NULL;
    }
    const uint8_t *at = in->at;
    in->at += size;
    return at;
}

static bool read_bytes(struct cursor *in, struct itsi_db_value *out)
{
    const uint8_t *size = take(in, 4);
    out->size = size ? get_number(size, 4) : 0;
    out->bytes = take(in, out->size);
    const uint8_t *end = take(in, 1);
    return end && *end == 0 && (out->type != ITSI_DB_TEXT || !memchr(out->bytes, 0, out->size));
}

static bool read_value(struct cursor *in, enum itsi_db_type wanted, struct itsi_db_value *out)
{
    const uint8_t *type = take(in, 1), *number;
    uint64_t bits;
    *out = (struct itsi_db_value){.type = ITSI_DB_NULL};
    if (!type || (*type != wanted && *type != ITSI_DB_NULL))
        return false;
    if (*type == ITSI_DB_NULL)
        return true;
    out->type = wanted;
    if (wanted == ITSI_DB_TEXT || wanted == ITSI_DB_BLOB)
        return read_bytes(in, out);
    if (!(number = take(in, 8)))
        return false;
    bits = get_number(number, 8);
    if (wanted == ITSI_DB_INT)
        out->number = (int64_t)bits;
    else
        memcpy(&out->real, &bits, sizeof bits);
    return true;
}

/* A row has a byte a value at least: no more is reserved than the block could hold. */
static int reserve(struct itsi_batch *batch, int table, size_t values)
{
    if (values <= batch->capacity[table])
        return 0;
    struct itsi_db_value *more = itsi_calloc(values, sizeof *more);
    if (!more)
        return ITS_ENOMEM;
    itsi_free(batch->values[table]);
    batch->values[table] = more;
    batch->capacity[table] = values;
    return 0;
}

static int read_section(struct itsi_batch *batch, struct cursor *in, int *last, struct its_diag *diag)
{
    const uint8_t *head = take(in, SECTION_SIZE);
    const int table = head ? head[0] : ITSI_STORE_TABLES;
    if (table >= ITSI_STORE_TABLES || table <= *last || head[1] != itsi_store_columns[table].bulk.width)
        return itsi_fail(diag, ITS_EFORMAT, "has a section of no table");
    const uint32_t rows = (uint32_t)get_number(head + 4, 4);
    const size_t size = get_number(head + 8, 4), values = (size_t)rows * head[1];
    const uint8_t *bytes = take(in, size);
    if (!bytes || rows == 0 || rows != batch->head.rows[table] || values > size)
        return itsi_fail(diag, ITS_EFORMAT, "has a section of another size than it says");
    if (reserve(batch, table, values) != 0)
        return itsi_fail(diag, ITS_ENOMEM, "out of memory");
    struct cursor row = {bytes, bytes + size};
    for (size_t v = 0; v < values; v++)
        if (!read_value(&row, itsi_store_columns[table].bulk.types[v % head[1]], &batch->values[table][v]))
            return itsi_fail(diag, ITS_EFORMAT, "has a damaged row of %s", itsi_store_table_name((enum itsi_store_table)table));
    if (row.at != row.end)
        return itsi_fail(diag, ITS_EFORMAT, "has more than its rows");
    *last = table;
    return 0;
}

static int read_sections(struct itsi_batch *batch, struct cursor *in, struct its_diag *diag)
{
    int last = -1, named = 0;
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        named += batch->head.rows[t] != 0;
    if (named != batch->head.sections)
        return itsi_fail(diag, ITS_EFORMAT, "has another number of sections than it says");
    for (int s = 0; s < batch->head.sections; s++) {
        int rc = read_section(batch, in, &last, diag);
        if (rc != 0)
            return rc;
    }
    return in->at == in->end ? 0 : itsi_fail(diag, ITS_EFORMAT, "has more than its sections");
}

int itsi_batch_read(struct itsi_batch *batch, const uint8_t *bytes, size_t size, struct its_diag *diag)
{
    int rc = itsi_batch_read_head(&batch->head, bytes, size, diag);
    if (rc == 0 && batch->head.body_size != size - ITSI_BATCH_HEAD_SIZE)
        rc = itsi_fail(diag, ITS_EFORMAT, "is cut off, or has more behind it");
    if (rc == 0 && batch->head.crc != checksum(bytes, size))
        rc = itsi_fail(diag, ITS_EFORMAT, "has another checksum than it says");
    if (rc == 0) {
        struct cursor in = {bytes + ITSI_BATCH_HEAD_SIZE, bytes + size};
        rc = read_sections(batch, &in, diag);
    }
    if (rc != 0)
        memset(&batch->head, 0, sizeof batch->head);
    return rc;
}

void itsi_batch_init(struct itsi_batch *batch)
{
    memset(batch, 0, sizeof *batch);
}

void itsi_batch_fini(struct itsi_batch *batch)
{
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        itsi_free(batch->values[t]);
    memset(batch, 0, sizeof *batch);
}
