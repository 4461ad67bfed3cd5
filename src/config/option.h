/* The rows of options.def at run time: what the loader, --set, explain, the documents and the generators walk over.
 * Static, read-only data; every function here is thread-safe and allocates nothing. */
#ifndef ITSI_CONFIG_OPTION_H
#define ITSI_CONFIG_OPTION_H

#include "config/config.h"

enum itsi_option_type {
    ITSI_OPTION_BOOL,
    ITSI_OPTION_INT,
    ITSI_OPTION_FLOAT,
    ITSI_OPTION_ENUM,
    ITSI_OPTION_STR,
    ITSI_OPTION_SECRET,
    ITSI_OPTION_LIST,
    ITSI_OPTION_MAP,
    ITSI_OPTION_PAIR,
};

struct itsi_option {
    enum itsi_option_type type;
    bool live;            /* applies on reload; else a restart is needed */
    const char *section;  /* "general" rows are top-level keys in JSON and carry no prefix in their key */
    const char *field;
    const char *full_key; /* "section.field" */
    const char *env;      /* flat name, the part after PERFORMANCE__ */
    const char *unit;     /* "" where there is none */
    const char *words;    /* ENUM: "a|b|c"; else NULL */
    const char *help;
    size_t offset;        /* in struct its_cfg */
    double min, max;      /* INT, FLOAT, PAIR (both of its numbers) */
    int64_t def_int[2];   /* BOOL, INT, ENUM (index), PAIR */
    double def_float;
    const char *def_text; /* STR, LIST, MAP as options.def writes them; NULL: not set */
};

struct itsi_option_section {
    const char *name, *help;
};

extern const struct itsi_option itsi_options[];
extern const size_t itsi_option_count;
extern const struct itsi_option_section itsi_option_sections[];
extern const size_t itsi_option_section_count;

#define ITSI_ENV_PREFIX "PERFORMANCE__"
/* Room for any key or environment name of the table; a test holds the table to it. */
#define ITSI_OPTION_NAME_SIZE 128

/* "gpu.batch_timeout_ms", or "strategy" for general rows: what files, --set, explain and messages use. */
const char *itsi_option_key(const struct itsi_option *option);
bool itsi_option_is_general(const struct itsi_option *option);
/* Index in itsi_options. */
size_t itsi_option_index(const struct itsi_option *option);

/* By key; "general.strategy" means "strategy" too. NULL: no such row. */
const struct itsi_option *itsi_option_find(const char *key);
/* By section and field, as a file nests them. */
const struct itsi_option *itsi_option_find_in(const char *section, const char *field);
bool itsi_option_is_section(const char *name);

/* "PERFORMANCE__L1_CACHE_SIZE_MB" and "PERFORMANCE__CACHING__L1_CACHE_SIZE_MB". */
void itsi_option_env_flat(const struct itsi_option *option, char out[ITSI_OPTION_NAME_SIZE]);
void itsi_option_env_nested(const struct itsi_option *option, char out[ITSI_OPTION_NAME_SIZE]);
/* By either name (with the prefix); NULL: no such variable. */
const struct itsi_option *itsi_option_find_env(const char *name);

/* Word of an ENUM by index into out (truncated to size); false when there is none. */
bool itsi_option_word(const struct itsi_option *option, int index, char *out, size_t size);
/* Index of a word of an ENUM; -1: no such word. */
int itsi_option_word_index(const struct itsi_option *option, const char *word);

/* What is allowed, for people: "0..1048576 MiB", "lru, lfu, ttl or predictive", "true or false". */
void itsi_option_range(const struct itsi_option *option, char *out, size_t size);
/* "integer", "list of strings", ... */
const char *itsi_option_type_name(const struct itsi_option *option);

/* The key, or the environment name, most like a mistyped one; false when none is near. */
bool itsi_option_suggest_key(const char *typed, char out[ITSI_OPTION_NAME_SIZE]);
bool itsi_option_suggest_env(const char *typed, char out[ITSI_OPTION_NAME_SIZE]);

#endif
