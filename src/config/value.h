/* One option's value: from text (environment, command line), from JSON (file, API), to JSON, copied, compared.
 *
 * All go through the row's type and range; a failing call leaves the struct as it was. Messages say what is wrong with
 * the value and what is allowed ("9999999 is not in 0..1048576 MiB"); callers prefix key and source. */
#ifndef ITSI_CONFIG_VALUE_H
#define ITSI_CONFIG_VALUE_H

#include "config/option.h"

#include <jansson.h>

/* Longest string an option may hold, in bytes. */
#define ITSI_OPTION_TEXT_MAX 4095

/* Text as environment and command line give it, as a JSON value of the row's type: true/false/1/0/yes/no/on/off,
 * numbers, words, "a,b" or a JSON array for lists, "K=1,L=2" or a JSON object for maps, "1,32" or [1,32] for pairs.
 * Empty text unsets strings and secrets and empties lists. A secret starting with '{' is parsed as a reference.
 * Only the form is checked here. *out: new reference. */
ITS_NODISCARD int itsi_option_parse(const struct itsi_option *option, const char *text, json_t **out,
                                    struct its_diag *diag);
/* Checks type and range and stores. Secrets take text or null: references are resolved before (config/secret.h). */
ITS_NODISCARD int itsi_option_set(struct its_cfg *cfg, const struct itsi_option *option, const json_t *value,
                                  struct its_diag *diag);
/* parse and set: for callers with a struct its_cfg of their own and no need of sources (tests, tools). key as
 * itsi_option_find takes it; messages begin with the key. */
ITS_NODISCARD int itsi_cfg_set(struct its_cfg *cfg, const char *key, const char *text, struct its_diag *diag);

/* The value as JSON, secrets in clear; NULL when out of memory. New reference. */
json_t *itsi_option_get(const struct its_cfg *cfg, const struct itsi_option *option);
/* The table's default as JSON. New reference. */
json_t *itsi_option_default(const struct itsi_option *option);

ITS_NODISCARD int itsi_option_set_default(struct its_cfg *cfg, const struct itsi_option *option);
ITS_NODISCARD int itsi_option_copy(struct its_cfg *to, const struct its_cfg *from, const struct itsi_option *option);
bool itsi_option_equal(const struct its_cfg *a, const struct its_cfg *b, const struct itsi_option *option);
void itsi_option_clear(struct its_cfg *cfg, const struct itsi_option *option); /* frees and zeroes */

/* Lists of strings. */
void itsi_str_list_fini(struct itsi_str_list *list);
ITS_NODISCARD int itsi_str_list_add(struct itsi_str_list *list, const char *text);
/* Replaces what `to` holds; without memory it keeps that. */
ITS_NODISCARD int itsi_str_list_copy(struct itsi_str_list *to, const struct itsi_str_list *from);
bool itsi_str_list_has(const struct itsi_str_list *list, const char *text);

#endif
