/* Writes what src/config/options.def generates outside of C: the tables of docs/configuration.md and the classes of
 * python/its_camera_ai/performance/optimization_config.py. What stands between a line with BEGIN GENERATED and one with
 * END GENERATED is replaced; the rest of the file is written by hand.
 *
 *   gen_options docs|python FILE            rewrite FILE
 *   gen_options docs|python FILE --check    exit 1 and name the first line that differs, write nothing */
#include "base/buf.h"
#include "base/mem.h"
#include "config/dump.h"
#include "config/secret.h"
#include "config/strategy.h"
#include "config/value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- docs -------------------------------------------------------------------------------------------------------- */

/* Text in a table's cell: '|' and '<' would be read as markup. */
static void put_cell(struct itsi_buf *out, const char *text)
{
    for (; *text; text++)
        itsi_buf_printf(out, *text == '|' ? "\\|" : *text == '<' ? "&lt;" : "%c", *text);
}

static void put_default(struct itsi_buf *out, const struct itsi_option *option)
{
    json_t *value = itsi_option_default(option);
    if (json_is_null(value)) {
        itsi_buf_puts(out, "not set");
    } else {
        itsi_buf_puts(out, "`");
        itsi_json_compact(out, value);
        itsi_buf_puts(out, "`");
    }
    json_decref(value);
}

static void put_allowed(struct itsi_buf *out, const struct itsi_option *option)
{
    char range[512];
    bool says_itself = option->type == ITSI_OPTION_STR || option->type == ITSI_OPTION_SECRET ||
                       option->type == ITSI_OPTION_LIST || option->type == ITSI_OPTION_MAP ||
                       option->type == ITSI_OPTION_BOOL;
    itsi_option_range(option, range, sizeof range);
    put_cell(out, says_itself ? itsi_option_type_name(option) : range);
}

static void docs_section(struct itsi_buf *out, const struct itsi_option_section *section)
{
    bool general = strcmp(section->name, "general") == 0;
    itsi_buf_printf(out, "\n### %s%s%s\n\n%s.%s\n\n", general ? "Top level" : "`", general ? "" : section->name,
                    general ? "" : "`", section->help, general ? " These keys stand at the top of the file." : "");
    itsi_buf_puts(out, "| option | default | allowed | variable | a change | what it does |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < itsi_option_count; i++) {
        const struct itsi_option *option = &itsi_options[i];
        if (strcmp(option->section, section->name) != 0)
            continue;
        char variable[ITSI_OPTION_NAME_SIZE];
        itsi_option_env_flat(option, variable);
        itsi_buf_printf(out, "| `%s` | ", option->field);
        put_default(out, option);
        itsi_buf_puts(out, " | ");
        put_allowed(out, option);
        itsi_buf_printf(out, " | `%s` | %s | ", variable, option->live ? "on reload" : "needs a restart");
        put_cell(out, option->help);
        itsi_buf_puts(out, " |\n");
    }
}

static const char *change_of(int strategy, const char *key)
{
    for (size_t i = 0; i < itsi_strategy_change_count; i++)
        if (itsi_strategy_changes[i].strategy == strategy && strcmp(itsi_strategy_changes[i].key, key) == 0)
            return itsi_strategy_changes[i].text;
    return NULL;
}

static void docs_strategies(struct itsi_buf *out)
{
    itsi_buf_puts(out, "\n## Strategies\n\n");
    for (int s = 0; s < ITSI_STRATEGY_COUNT; s++)
        itsi_buf_printf(out, "- `%s`: %s.\n", itsi_strategy_name(s), itsi_strategy_purpose(s));
    itsi_buf_puts(out, "\nWhat each changes from the defaults:\n\n| option | default |");
    for (int s = 0; s < ITSI_STRATEGY_COUNT; s++)
        if (s != ITSI_STRATEGY_BALANCED)
            itsi_buf_printf(out, " %s |", itsi_strategy_name(s));
    itsi_buf_puts(out, "\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < itsi_option_count; i++) {
        const char *key = itsi_option_key(&itsi_options[i]);
        bool changed = false;
        for (int s = 0; s < ITSI_STRATEGY_COUNT; s++)
            changed = changed || change_of(s, key);
        if (!changed)
            continue;
        itsi_buf_printf(out, "| `%s` | ", key);
        put_default(out, &itsi_options[i]);
        itsi_buf_puts(out, " |");
        for (int s = 0; s < ITSI_STRATEGY_COUNT; s++)
            if (s != ITSI_STRATEGY_BALANCED)
                itsi_buf_printf(out, " %s |", change_of(s, key) ? change_of(s, key) : "");
        itsi_buf_puts(out, "\n");
    }
}

static void generate_docs(struct itsi_buf *out)
{
    itsi_buf_puts(out, "\n## Options\n");
    for (size_t i = 0; i < itsi_option_section_count; i++)
        docs_section(out, &itsi_option_sections[i]);
    docs_strategies(out);
    itsi_buf_puts(out, "\n");
}

/* --- Python ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *section, *class_name;
} classes[] = {
    {"gpu", "GPUOptimizationConfig"},
    {"caching", "CachingConfig"},
    {"connection_pool", "ConnectionPoolConfig"},
    {"latency_monitoring", "LatencyMonitoringConfig"},
    {"adaptive_quality", "AdaptiveQualityConfig"},
};
enum { CLASSES = sizeof classes / sizeof classes[0] };

/* Top-level options the Python class has, in its order; the rest of "general" belongs to the daemon. */
static const char *const root_fields[] = {
    "max_concurrent_streams", "target_latency_ms", "memory_limit_gb", "enable_performance_profiling",
    "enable_monitoring", "monitoring_interval_seconds", "enable_alerts", "alert_webhook_url",
    "enabled", "gpu_optimization_enabled", "caching_enabled",
};
enum { ROOT_FIELDS = sizeof root_fields / sizeof root_fields[0] };

static void put_upper(struct itsi_buf *out, const char *word)
{
    for (; *word; word++)
        itsi_buf_printf(out, "%c", toupper((unsigned char)*word));
}

static void put_python_value(struct itsi_buf *out, const json_t *value);

static void put_python_list(struct itsi_buf *out, const json_t *array, char open, char close)
{
    itsi_buf_printf(out, "%c", open);
    for (size_t i = 0; i < json_array_size(array); i++) {
        itsi_buf_puts(out, i ? ", " : "");
        put_python_value(out, json_array_get(array, i));
    }
    itsi_buf_printf(out, "%c", close);
}

/* JSON's scalars, strings, arrays and flat objects are Python's but for three words. */
static void put_python_value(struct itsi_buf *out, const json_t *value)
{
    if (json_is_boolean(value))
        itsi_buf_puts(out, json_is_true(value) ? "True" : "False");
    else if (json_is_null(value))
        itsi_buf_puts(out, "None");
    else if (json_is_array(value))
        put_python_list(out, value, '[', ']');
    else
        itsi_json_compact(out, value);
}

/* Name of the Python enumeration of a row, or NULL where Python has plain text. */
static const char *enumeration_of(const struct itsi_option *option)
{
    if (strcmp(option->full_key, "general.strategy") == 0)
        return "OptimizationStrategy";
    return strstr(option->field, "eviction_policy") ? "CacheEvictionPolicy" : NULL;
}

static const char *python_type(const struct itsi_option *option)
{
    switch (option->type) {
    case ITSI_OPTION_BOOL:
        return "bool";
    case ITSI_OPTION_INT:
        return "int";
    case ITSI_OPTION_FLOAT:
        return "float";
    case ITSI_OPTION_ENUM:
        return enumeration_of(option) ? enumeration_of(option) : "str";
    case ITSI_OPTION_STR:
    case ITSI_OPTION_SECRET:
        return option->def_text ? "str" : "str | None";
    case ITSI_OPTION_LIST:
        return "list[str]";
    case ITSI_OPTION_MAP:
        return "dict[str, int]";
    case ITSI_OPTION_PAIR:
        return "tuple[int, int]";
    }
    return "Any";
}

static void put_python_default(struct itsi_buf *out, const struct itsi_option *option)
{
    json_t *value = itsi_option_default(option);
    bool factory = option->type == ITSI_OPTION_LIST || option->type == ITSI_OPTION_MAP;
    if (factory)
        itsi_buf_puts(out, "field(default_factory=lambda: ");
    if (option->type == ITSI_OPTION_PAIR) {
        put_python_list(out, value, '(', ')');
    } else if (option->type == ITSI_OPTION_ENUM && enumeration_of(option)) {
        itsi_buf_printf(out, "%s.", enumeration_of(option));
        put_upper(out, json_string_value(value));
    } else {
        put_python_value(out, value);
    }
    if (factory)
        itsi_buf_puts(out, ")");
    json_decref(value);
}

static void put_python_number(struct itsi_buf *out, const struct itsi_option *option, double value)
{
    json_t *number = option->type == ITSI_OPTION_FLOAT ? json_real(value) : json_integer((json_int_t)value);
    itsi_json_compact(out, number);
    json_decref(number);
}

/* "name": _Row("int", 1, 32, "images"), what the hand-written check reads. */
static void put_python_row(struct itsi_buf *out, const struct itsi_option *option)
{
    static const char *const kinds[] = {
        [ITSI_OPTION_BOOL] = "bool", [ITSI_OPTION_INT] = "int",     [ITSI_OPTION_FLOAT] = "float",
        [ITSI_OPTION_ENUM] = "word", [ITSI_OPTION_STR] = "str",     [ITSI_OPTION_SECRET] = "secret",
        [ITSI_OPTION_LIST] = "list", [ITSI_OPTION_MAP] = "map",     [ITSI_OPTION_PAIR] = "pair",
    };
    itsi_buf_printf(out, "        \"%s\": _Row(\"%s\"", option->field, kinds[option->type]);
    if (option->type == ITSI_OPTION_INT || option->type == ITSI_OPTION_FLOAT || option->type == ITSI_OPTION_PAIR) {
        itsi_buf_puts(out, ", low=");
        put_python_number(out, option, option->min);
        itsi_buf_puts(out, ", high=");
        put_python_number(out, option, option->max);
        if (option->unit[0])
            itsi_buf_printf(out, ", unit=\"%s\"", option->unit);
    }
    if (option->type == ITSI_OPTION_ENUM) {
        char word[64];
        itsi_buf_puts(out, ", words=(");
        for (int i = 0; itsi_option_word(option, i, word, sizeof word); i++)
            itsi_buf_printf(out, "%s\"%s\"", i ? ", " : "", word);
        itsi_buf_puts(out, ")");
        if (enumeration_of(option))
            itsi_buf_printf(out, ", enum=%s", enumeration_of(option));
    }
    itsi_buf_puts(out, "),\n");
}

static void python_enum(struct itsi_buf *out, const char *key, const char *doc)
{
    const struct itsi_option *option = itsi_option_find(key);
    char word[64];
    itsi_buf_printf(out, "\n\nclass %s(str, Enum):\n    \"\"\"%s\"\"\"\n\n", enumeration_of(option), doc);
    for (int i = 0; itsi_option_word(option, i, word, sizeof word); i++) {
        itsi_buf_puts(out, "    ");
        put_upper(out, word);
        itsi_buf_printf(out, " = \"%s\"\n", word);
    }
}

static void python_field(struct itsi_buf *out, const struct itsi_option *option)
{
    itsi_buf_printf(out, "    %s: %s = ", option->field, python_type(option));
    put_python_default(out, option);
    itsi_buf_puts(out, "\n");
}

static void python_section(struct itsi_buf *out, const char *section, const char *class_name)
{
    const char *help = "";
    for (size_t i = 0; i < itsi_option_section_count; i++)
        if (strcmp(itsi_option_sections[i].name, section) == 0)
            help = itsi_option_sections[i].help;
    itsi_buf_printf(out, "\n\n@dataclass\nclass %s(_Options):\n    \"\"\"Options of the %s.\"\"\"\n\n", class_name, help);
    for (size_t i = 0; i < itsi_option_count; i++)
        if (strcmp(itsi_options[i].section, section) == 0)
            python_field(out, &itsi_options[i]);
    itsi_buf_printf(out, "\n    _SECTION: ClassVar[str] = \"%s\"\n    _ROWS: ClassVar[dict[str, _Row]] = {\n", section);
    for (size_t i = 0; i < itsi_option_count; i++)
        if (strcmp(itsi_options[i].section, section) == 0)
            put_python_row(out, &itsi_options[i]);
    itsi_buf_puts(out, "    }\n");
}

static void python_root(struct itsi_buf *out)
{
    itsi_buf_puts(out, "\n\n@dataclass(kw_only=True)\nclass _RootFields(_Options):\n"
                       "    \"\"\"The fields of OptimizationConfig.\"\"\"\n\n"
                       "    strategy: OptimizationStrategy = OptimizationStrategy.LATENCY_OPTIMIZED\n");
    for (int i = 0; i < CLASSES; i++)
        itsi_buf_printf(out, "    %s: %s = field(default_factory=%s)\n", classes[i].section, classes[i].class_name,
                        classes[i].class_name);
    for (int i = 0; i < ROOT_FIELDS; i++)
        python_field(out, itsi_option_find(root_fields[i]));
    itsi_buf_puts(out, "\n    _SECTION: ClassVar[str] = \"\"\n    _ROWS: ClassVar[dict[str, _Row]] = {\n");
    put_python_row(out, itsi_option_find("strategy"));
    for (int i = 0; i < ROOT_FIELDS; i++)
        put_python_row(out, itsi_option_find(root_fields[i]));
    itsi_buf_puts(out, "    }\n    _SECTIONS: ClassVar[dict[str, type]] = {\n");
    for (int i = 0; i < CLASSES; i++)
        itsi_buf_printf(out, "        \"%s\": %s,\n", classes[i].section, classes[i].class_name);
    itsi_buf_puts(out, "    }\n");
}

static void python_strategies(struct itsi_buf *out)
{
    itsi_buf_puts(out, "\n\n# What each strategy changes from the defaults: (section, option, value).\n"
                       "_STRATEGY_CHANGES: dict[OptimizationStrategy, tuple[tuple[str, str, Any], ...]] = {\n");
    for (int s = 0; s < ITSI_STRATEGY_COUNT; s++) {
        itsi_buf_puts(out, "    OptimizationStrategy.");
        put_upper(out, itsi_strategy_name(s));
        itsi_buf_puts(out, ": (");
        bool any = false;
        for (size_t i = 0; i < itsi_strategy_change_count; i++) {
            const struct itsi_strategy_change *change = &itsi_strategy_changes[i];
            const struct itsi_option *option = itsi_option_find(change->key);
            json_t *value = NULL;
            if (change->strategy != s || itsi_option_parse(option, change->text, &value, NULL) != 0)
                continue;
            itsi_buf_printf(out, "\n        (\"%s\", \"%s\", ", itsi_option_is_general(option) ? "" : option->section,
                            option->field);
            put_python_value(out, value);
            itsi_buf_puts(out, "),");
            json_decref(value);
            any = true;
        }
        itsi_buf_puts(out, any ? "\n    ),\n" : "),\n");
    }
    itsi_buf_puts(out, "}\n\n\n");
}

static void generate_python(struct itsi_buf *out)
{
    python_enum(out, "strategy", "A named set of changes from the defaults.");
    python_enum(out, "caching.l1_eviction_policy", "What a full cache level lets go first.");
    for (int i = 0; i < CLASSES; i++)
        python_section(out, classes[i].section, classes[i].class_name);
    python_root(out);
    python_strategies(out);
}

/* --- files ------------------------------------------------------------------------------------------------------- */

/* The line after the one that holds the marker, or the start of that line; NULL: no such line. */
static const char *marker(const char *text, const char *word, bool after)
{
    const char *hit = strstr(text, word);
    if (!hit)
        return NULL;
    if (after) {
        const char *end = strchr(hit, '\n');
        return end ? end + 1 : NULL;
    }
    while (hit > text && hit[-1] != '\n')
        hit--;
    return hit;
}

static int report(const char *path, const char *have, const char *want)
{
    int line = 1;
    for (; *have && *have == *want; have++, want++)
        line += *have == '\n';
    if (!*have && !*want)
        return 0;
    fprintf(stderr, "%s:%d: not what src/config/options.def generates: build the target `options`\n", path, line);
    return 1;
}

static int rewrite(const char *path, const struct itsi_buf *text)
{
    FILE *file = fopen(path, "w");
    bool ok = file && fwrite(text->data, 1, text->len, file) == text->len;
    if (file && fclose(file) != 0)
        ok = false;
    if (!ok)
        perror(path);
    return ok ? 0 : 1;
}

static int run(void (*generate)(struct itsi_buf *), const char *path, bool check)
{
    struct its_diag diag;
    char *old;
    size_t len;
    if (itsi_read_file(path, 4u << 20, &old, &len, &diag) != 0) {
        fprintf(stderr, "gen_options: %s\n", diag.text);
        return 1;
    }
    const char *begin = marker(old, "BEGIN GENERATED", true), *end = marker(old, "END GENERATED", false);
    struct itsi_buf text;
    itsi_buf_init(&text);
    int rc = 1;
    if (begin && end && begin <= end) {
        itsi_buf_add(&text, old, (size_t)(begin - old));
        generate(&text);
        itsi_buf_puts(&text, end);
        rc = text.failed ? 1 : check ? report(path, old, text.data) : rewrite(path, &text);
    } else {
        fprintf(stderr, "gen_options: %s: no lines with BEGIN GENERATED and END GENERATED\n", path);
    }
    itsi_buf_fini(&text);
    itsi_free(old);
    return rc;
}

int main(int argc, char **argv)
{
    bool check = argc == 4 && strcmp(argv[3], "--check") == 0;
    if (argc == 3 || check) {
        if (strcmp(argv[1], "docs") == 0)
            return run(generate_docs, argv[2], check);
        if (strcmp(argv[1], "python") == 0)
            return run(generate_python, argv[2], check);
    }
    fputs("usage: gen_options docs|python FILE [--check]\n", stderr);
    return 2;
}
