/* The five strategies: named sets of changes from the defaults of the table. */
#ifndef ITSI_CONFIG_STRATEGY_H
#define ITSI_CONFIG_STRATEGY_H

#include "config/config.h"

struct itsi_strategy_change {
    int strategy;     /* ITSI_STRATEGY_* */
    const char *key;  /* as itsi_option_find takes it */
    const char *text; /* as itsi_option_parse takes it */
};
extern const struct itsi_strategy_change itsi_strategy_changes[];
extern const size_t itsi_strategy_change_count;

/* "latency_optimized"; NULL: no such strategy. */
const char *itsi_strategy_name(int strategy);
/* -1: no such name. */
int itsi_strategy_index(const char *name);
/* One line on what it is for. */
const char *itsi_strategy_purpose(int strategy);

#endif
