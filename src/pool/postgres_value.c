/* Values as PostgreSQL writes them. Its text format: types are the server's to infer from the statement. */
#include "pool/postgres_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Object identifiers of pg_type that never change. */
enum { BOOL = 16, BYTEA = 17, INT8 = 20, INT2 = 21, INT4 = 23, FLOAT4 = 700, FLOAT8 = 701, NUMERIC = 1700 };

static void put_real(struct itsi_buf *text, double real)
{
    if (isnan(real))
        itsi_buf_puts(text, "NaN");
    else if (isinf(real))
        itsi_buf_puts(text, real > 0 ? "Infinity" : "-Infinity");
    else
        itsi_buf_printf(text, "%.17g", real);
}

static void put_hex(struct itsi_buf *text, const unsigned char *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        const char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
        itsi_buf_add(text, pair, 2);
    }
}

ptrdiff_t itsi_pg_put_parameter(struct itsi_buf *text, const struct itsi_db_value *value)
{
    ptrdiff_t at = (ptrdiff_t)text->len;
    switch (value->type) {
    case ITSI_DB_NULL: return -1;
    case ITSI_DB_INT: itsi_buf_printf(text, "%lld", (long long)value->number); break;
    case ITSI_DB_REAL: put_real(text, value->real); break;
    case ITSI_DB_TEXT: itsi_buf_add(text, value->bytes, value->size); break;
    case ITSI_DB_BLOB:
        itsi_buf_puts(text, "\\x");
        put_hex(text, value->bytes, value->size);
        break;
    }
    itsi_buf_add(text, "", 1);
    return at;
}

static void put_escaped(struct itsi_buf *text, const char *from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        static const char special[] = "\\\t\n\r", letters[] = "\\tnr";
        const char *found = from[i] ? strchr(special, from[i]) : NULL;
        if (found) {
            const char pair[2] = {'\\', letters[found - special]};
            itsi_buf_add(text, pair, 2);
        } else {
            itsi_buf_add(text, from + i, 1);
        }
    }
}

void itsi_pg_put_copy_field(struct itsi_buf *text, const struct itsi_db_value *value)
{
    switch (value->type) {
    case ITSI_DB_NULL: itsi_buf_puts(text, "\\N"); break;
    case ITSI_DB_INT: itsi_buf_printf(text, "%lld", (long long)value->number); break;
    case ITSI_DB_REAL: put_real(text, value->real); break;
    case ITSI_DB_TEXT: put_escaped(text, value->bytes, value->size); break;
    case ITSI_DB_BLOB:
        itsi_buf_puts(text, "\\\\x");
        put_hex(text, value->bytes, value->size);
        break;
    }
}

void itsi_pg_get(const PGresult *result, int row, int column, struct itsi_db_value *out, unsigned char **bytes)
{
    *out = (struct itsi_db_value){.type = ITSI_DB_NULL};
    if (PQgetisnull(result, row, column))
        return;
    const char *text = PQgetvalue(result, row, column);
    switch (PQftype(result, column)) {
    case BOOL: *out = itsi_db_int(text[0] == 't'); break;
    case INT2:
    case INT4:
    case INT8: *out = itsi_db_int(strtoll(text, NULL, 10)); break;
    case FLOAT4:
    case FLOAT8:
    case NUMERIC: *out = itsi_db_real(strtod(text, NULL)); break;
    case BYTEA:
        *bytes = PQunescapeBytea((const unsigned char *)text, &out->size);
        out->type = ITSI_DB_BLOB;
        out->bytes = *bytes;
        break;
    default:
        out->type = ITSI_DB_TEXT;
        out->bytes = text;
        out->size = (size_t)PQgetlength(result, row, column);
    }
}
