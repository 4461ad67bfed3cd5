/* What the store keeps, a table each: their columns, and how rows come into them. The tables themselves are made by
 * store/schema.h; every one has a camera and a time. */
#ifndef ITSI_STORE_TABLES_H
#define ITSI_STORE_TABLES_H

#include "pool/database.h"

/* X(NAME, "label"); the order is that of a batch's sections, and part of its format: new ones go to the end. */
#define ITSI_STORE_TABLE_MAP(X)                                                                                        \
    X(CAMERA, "camera")                                                                                                \
    X(COUNT, "count")                                                                                                  \
    X(EVENT, "event")                                                                                                  \
    X(VIOLATION, "violation")                                                                                          \
    X(QUALITY, "quality_change")

enum itsi_store_table {
#define ITS_X(name, label) ITSI_STORE_##name,
    ITSI_STORE_TABLE_MAP(ITS_X)
#undef ITS_X
    ITSI_STORE_TABLES
};
const char *itsi_store_table_name(enum itsi_store_table table);

struct itsi_store_columns {
    struct itsi_db_bulk bulk;
    unsigned may_be_null; /* its columns that may, a bit each, as in store/schema.c */
    /* Where a key may come twice in a batch, which bulk rows may not: run once a row instead. NULL: bulk. */
    const struct itsi_db_statement *upsert;
};
extern const struct itsi_store_columns itsi_store_columns[ITSI_STORE_TABLES];

enum { ITSI_STORE_CAMERA_SIZE = 65, ITSI_STORE_CLASS_SIZE = 64, ITSI_STORE_TEXT_MOST = 1 << 16 };
#define ITSI_STORE_COUNT_MOST (INT64_C(1) << 32) /* of a call: its sums stay far from the end of their column */

#endif
