#include "config/option.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define LIVE true
#define RESTART false
#define ROW(kind, section_, field_, env_, live_, help_)                                                               \
    .type = ITSI_OPTION_##kind, .live = live_, .section = #section_, .field = #field_,                                 \
    .full_key = #section_ "." #field_, .env = env_, .help = help_, .offset = offsetof(struct its_cfg, section_.field_)

#define SECTION(section, help)
#define BOOL(s, f, def, env, live, help) {ROW(BOOL, s, f, env, live, help), .unit = "", .def_int = {def}},
#define INT(s, f, def, low, high, unit_, env, live, help)                                                              \
    {ROW(INT, s, f, env, live, help), .unit = unit_, .min = low, .max = high, .def_int = {def}},
#define FLOAT(s, f, def, low, high, unit_, env, live, help)                                                            \
    {ROW(FLOAT, s, f, env, live, help), .unit = unit_, .min = low, .max = high, .def_float = def},
#define ENUM(s, f, def, words_, env, live, help)                                                                       \
    {ROW(ENUM, s, f, env, live, help), .unit = "", .words = words_, .def_int = {def}},
#define STR(s, f, def, env, live, help) {ROW(STR, s, f, env, live, help), .unit = "", .def_text = def},
#define SECRET(s, f, env, live, help) {ROW(SECRET, s, f, env, live, help), .unit = ""},
#define LIST(s, f, def, env, live, help) {ROW(LIST, s, f, env, live, help), .unit = "", .def_text = def},
#define MAP(s, f, def, env, live, help) {ROW(MAP, s, f, env, live, help), .unit = "", .def_text = def},
#define PAIR(s, f, a, b, low, high, unit_, env, live, help)                                                            \
    {ROW(PAIR, s, f, env, live, help), .unit = unit_, .min = low, .max = high, .def_int = {a, b}},

const struct itsi_option itsi_options[] = {
#include "config/options.def"
};
const size_t itsi_option_count = sizeof itsi_options / sizeof itsi_options[0];

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

/* The ranges hold their defaults, or this file does not compile. */
#define HOLDS(s, f, low, def, high) static_assert((low) <= (def) && (def) <= (high), #s "." #f ": default out of range");
/* clang takes no floating-point comparison here; its_cfg_init, which checks every default, covers those under it. */
#ifdef __clang__
#define HOLDS_FLOAT(...)
#else
#define HOLDS_FLOAT HOLDS
#endif
#define SECTION(section, help)
#define BOOL(s, f, def, env, live, help)
#define INT(s, f, def, low, high, unit, env, live, help) HOLDS(s, f, low, def, high)
#define FLOAT(s, f, def, low, high, unit, env, live, help) HOLDS_FLOAT(s, f, low, def, high)
#define ENUM(s, f, def, words, env, live, help) static_assert((def) >= 0, #s "." #f);
#define STR(s, f, def, env, live, help)
#define SECRET(s, f, env, live, help)
#define LIST(s, f, def, env, live, help)
#define MAP(s, f, def, env, live, help)
#define PAIR(s, f, a, b, low, high, unit, env, live, help) HOLDS(s, f, low, a, high) HOLDS(s, f, low, b, high)
#include "config/options.def"
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

#define SECTION(section, help) {#section, help},
#define BOOL(...)
#define INT(...)
#define FLOAT(...)
#define ENUM(...)
#define STR(...)
#define SECRET(...)
#define LIST(...)
#define MAP(...)
#define PAIR(...)
const struct itsi_option_section itsi_option_sections[] = {
#include "config/options.def"
};
const size_t itsi_option_section_count = sizeof itsi_option_sections / sizeof itsi_option_sections[0];

#define GENERAL "general"

bool itsi_option_is_general(const struct itsi_option *option) { return strcmp(option->section, GENERAL) == 0; }
size_t itsi_option_index(const struct itsi_option *option) { return (size_t)(option - itsi_options); }

const char *itsi_option_key(const struct itsi_option *option)
{
    return itsi_option_is_general(option) ? option->field : option->full_key;
}

const struct itsi_option *itsi_option_find(const char *key)
{
    for (size_t i = 0; i < itsi_option_count; i++)
        if (strcmp(itsi_option_key(&itsi_options[i]), key) == 0 || strcmp(itsi_options[i].full_key, key) == 0)
            return &itsi_options[i];
    return NULL;
}

const struct itsi_option *itsi_option_find_in(const char *section, const char *field)
{
    for (size_t i = 0; i < itsi_option_count; i++)
        if (strcmp(itsi_options[i].section, section) == 0 && strcmp(itsi_options[i].field, field) == 0)
            return &itsi_options[i];
    return NULL;
}

bool itsi_option_is_section(const char *name)
{
    for (size_t i = 0; i < itsi_option_section_count; i++)
        if (strcmp(itsi_option_sections[i].name, name) == 0)
            return strcmp(name, GENERAL) != 0; /* its rows are top-level keys: a file has no such section */
    return false;
}

void itsi_option_env_flat(const struct itsi_option *option, char out[ITSI_OPTION_NAME_SIZE])
{
    snprintf(out, ITSI_OPTION_NAME_SIZE, ITSI_ENV_PREFIX "%s", option->env);
}

void itsi_option_env_nested(const struct itsi_option *option, char out[ITSI_OPTION_NAME_SIZE])
{
    snprintf(out, ITSI_OPTION_NAME_SIZE, ITSI_ENV_PREFIX "%s__%s", option->section, option->field);
    for (char *c = out; *c; c++)
        *c = (char)toupper((unsigned char)*c);
}

const struct itsi_option *itsi_option_find_env(const char *name)
{
    char known[ITSI_OPTION_NAME_SIZE];
    for (size_t i = 0; i < itsi_option_count; i++) {
        itsi_option_env_flat(&itsi_options[i], known);
        if (strcmp(known, name) == 0)
            return &itsi_options[i];
        itsi_option_env_nested(&itsi_options[i], known);
        if (strcmp(known, name) == 0)
            return &itsi_options[i];
    }
    return NULL;
}

/* Walks "a|b|c": the next word's start and length, or NULL at the end. */
static const char *next_word(const char **at, size_t *len)
{
    const char *start = *at;
    if (!start)
        return NULL;
    *len = strcspn(start, "|");
    *at = start[*len] ? start + *len + 1 : NULL;
    return start;
}

bool itsi_option_word(const struct itsi_option *option, int index, char *out, size_t size)
{
    const char *at = option->words, *word;
    size_t len;
    for (int i = 0; (word = next_word(&at, &len)) != NULL; i++) {
        if (i == index) {
            snprintf(out, size, "%.*s", (int)len, word);
            return true;
        }
    }
    return false;
}

int itsi_option_word_index(const struct itsi_option *option, const char *text)
{
    const char *at = option->words, *word;
    size_t len;
    for (int i = 0; (word = next_word(&at, &len)) != NULL; i++)
        if (strlen(text) == len && strncmp(word, text, len) == 0)
            return i;
    return -1;
}

static void range_words(const struct itsi_option *option, char *out, size_t size)
{
    const char *at = option->words, *word;
    size_t len, used = 0;
    bool first = true;
    out[0] = '\0';
    while (used < size && (word = next_word(&at, &len)) != NULL) {
        const char *between = first ? "" : at ? ", " : " or ";
        used += (size_t)snprintf(out + used, size - used, "%s%.*s", between, (int)len, word);
        first = false;
    }
}

void itsi_option_range(const struct itsi_option *option, char *out, size_t size)
{
    const char *gap = option->unit[0] ? " " : "";
    switch (option->type) {
    case ITSI_OPTION_BOOL:
        snprintf(out, size, "true or false");
        break;
    case ITSI_OPTION_INT:
        snprintf(out, size, "%.0f..%.0f%s%s", option->min, option->max, gap, option->unit);
        break;
    case ITSI_OPTION_FLOAT:
        snprintf(out, size, "%.15g..%.15g%s%s", option->min, option->max, gap, option->unit);
        break;
    case ITSI_OPTION_ENUM:
        range_words(option, out, size);
        break;
    case ITSI_OPTION_STR:
        snprintf(out, size, option->def_text ? "text, not empty" : "text, or null for not set");
        break;
    case ITSI_OPTION_SECRET:
        snprintf(out, size, "text, {\"file\": PATH}, {\"env\": NAME}, or null for not set");
        break;
    case ITSI_OPTION_LIST:
        snprintf(out, size, "a list of strings");
        break;
    case ITSI_OPTION_MAP:
        snprintf(out, size, "names with integers");
        break;
    case ITSI_OPTION_PAIR:
        snprintf(out, size, "two integers, each %.0f..%.0f%s%s", option->min, option->max, gap, option->unit);
        break;
    }
}

const char *itsi_option_type_name(const struct itsi_option *option)
{
    static const char *const names[] = {
        [ITSI_OPTION_BOOL] = "boolean",        [ITSI_OPTION_INT] = "integer", [ITSI_OPTION_FLOAT] = "number",
        [ITSI_OPTION_ENUM] = "word",           [ITSI_OPTION_STR] = "string",  [ITSI_OPTION_SECRET] = "secret",
        [ITSI_OPTION_LIST] = "list of strings", [ITSI_OPTION_MAP] = "map",    [ITSI_OPTION_PAIR] = "pair",
    };
    return names[option->type];
}
