/* What baseline_store.c and baseline_file.c share. */
#ifndef ITSI_LATENCY_BASELINE_STORE_IMPL_H
#define ITSI_LATENCY_BASELINE_STORE_IMPL_H

#include "latency/baseline_store.h"

struct itsi_baseline_entry {
    struct itsi_baseline_key key;
    struct itsi_baseline_set set;
    int64_t wall_ns; /* put last */
};

struct itsi_baseline_store {
    char *path;
    int count;
    struct itsi_baseline_entry entries[ITSI_BASELINE_KEYS]; /* in no order */
};

#endif
