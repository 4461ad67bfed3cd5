/* Configuration: one struct per section, made from options.def. A module receives only its own section.
 *
 * A struct its_cfg is a value with owned strings: init, copy, fini. Threads read snapshots (config/store.h), never a
 * struct that changes under them. */
#ifndef ITSI_CONFIG_CONFIG_H
#define ITSI_CONFIG_CONFIG_H

#include "its/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct itsi_str_list {
    char **items; /* owned */
    size_t count;
};
struct itsi_str_map {
    char **keys; /* owned */
    int64_t *values;
    size_t count;
};

#define BOOL(section, field, def, env, live, help) bool field;
#define INT(section, field, def, min, max, unit, env, live, help) int64_t field;
#define FLOAT(section, field, def, min, max, unit, env, live, help) double field;
#define ENUM(section, field, def, words, env, live, help) int field;
#define STR(section, field, def, env, live, help) char *field; /* owned; NULL: not set */
#define SECRET(section, field, env, live, help) char *field;
#define LIST(section, field, def, env, live, help) struct itsi_str_list field;
#define MAP(section, field, def, env, live, help) struct itsi_str_map field;
#define PAIR(section, field, a, b, min, max, unit, env, live, help) int64_t field[2];
/* SECTION closes the struct before it: the first row of the table opens on a dummy. */
#define SECTION(section, help)                                                                                         \
    }                                                                                                                  \
    ;                                                                                                                  \
    struct its_cfg_##section {
struct its_cfg_table_begin_ {
    int unused;
#include "config/options.def"
};
#undef SECTION
#undef BOOL
#undef INT
#undef FLOAT
#undef ENUM
#undef STR
#undef SECRET
#undef LIST
#undef MAP
#undef PAIR

#define BOOL(...)
#define INT(...)
#define FLOAT(...)
#define ENUM(...)
#define STR(...)
#define SECRET(...)
#define LIST(...)
#define MAP(...)
#define PAIR(...)
#define SECTION(section, help) struct its_cfg_##section section;
struct its_cfg {
#include "config/options.def"
};
#undef SECTION
#undef BOOL
#undef INT
#undef FLOAT
#undef ENUM
#undef STR
#undef SECRET
#undef LIST
#undef MAP
#undef PAIR

/* Index values of the enumerations code branches on; a test holds them against the table's words. */
enum {
    ITSI_STRATEGY_MINIMAL,
    ITSI_STRATEGY_AGGRESSIVE,
    ITSI_STRATEGY_BALANCED,
    ITSI_STRATEGY_MEMORY,
    ITSI_STRATEGY_LATENCY,
    ITSI_STRATEGY_COUNT
};
enum { ITSI_TRANSPORT_TCP, ITSI_TRANSPORT_UDP };
enum { ITSI_BACKEND_AUTO, ITSI_BACKEND_OPENVINO, ITSI_BACKEND_NULL };
enum { ITSI_BATCHER_DEADLINE, ITSI_BATCHER_FIXED };

/* Defaults of the table (strategy balanced's, which changes none). */
ITS_NODISCARD int its_cfg_init(struct its_cfg *cfg, struct its_diag *diag);
ITS_NODISCARD int its_cfg_copy(struct its_cfg *out, const struct its_cfg *from, struct its_diag *diag);
void its_cfg_fini(struct its_cfg *cfg); /* takes zeroed */

#endif
