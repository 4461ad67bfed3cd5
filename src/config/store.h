/* The configuration in force, as immutable snapshots that threads take and give back, and its replacement while the
 * system runs: validate, compare, swap; on any error the one in force stays.
 *
 * All functions are thread-safe. Holding a snapshot blocks nobody; it lives until its last reference goes. */
#ifndef ITSI_CONFIG_STORE_H
#define ITSI_CONFIG_STORE_H

#include "config/load.h"

struct itsi_config_store;

/* What a replacement did. Names are option keys and camera ids. */
struct itsi_config_change {
    struct itsi_str_list applied; /* live rows with a new value */
    struct itsi_str_list restart; /* rows that differ but need a restart: they keep their old value */
    struct itsi_str_list cameras_added, cameras_removed, cameras_changed;
};
void itsi_config_change_fini(struct itsi_config_change *change); /* takes zeroed */
bool itsi_config_change_empty(const struct itsi_config_change *change);

/* config: the first snapshot; the store takes over the caller's reference, whatever happens. */
ITS_NODISCARD int itsi_config_store_create(struct itsi_config_store **out, struct itsi_config *config,
                                           struct its_diag *diag);
void itsi_config_store_destroy(struct itsi_config_store *store); /* takes NULL; snapshots handed out live on */

/* The snapshot in force; caller unrefs (itsi_config_unref). */
struct itsi_config *itsi_config_store_get(struct itsi_config_store *store);
/* Goes up with every swap; lets a thread see cheaply that there is something new. */
uint64_t itsi_config_store_version(const struct itsi_config_store *store);

/* Loads args anew and puts it in force. change (may be NULL) is written on success. On failure nothing changed. */
ITS_NODISCARD int itsi_config_store_reload(struct itsi_config_store *store, const struct itsi_config_args *args,
                                           struct itsi_config_change *change, struct its_diag *diag);
/* The same with a configuration at hand. Takes over the caller's reference, whatever happens; no other reference to next
 * may exist, since rows that need a restart are set back in it. */
ITS_NODISCARD int itsi_config_store_replace(struct itsi_config_store *store, struct itsi_config *next,
                                            struct itsi_config_change *change, struct its_diag *diag);

#endif
