#include "support/check.h"

#include "base/log.h"
#include "config/option.h"
#include "config/strategy.h"
#include "config/value.h"

#include <ctype.h>

static void keys_and_variables_are_unique(void **state)
{
    (void)state;
    static char names[3 * 512][ITSI_OPTION_NAME_SIZE];
    size_t count = 0;
    assert_true(itsi_option_count > 100 && itsi_option_count <= 512);
    for (size_t i = 0; i < itsi_option_count; i++) {
        const struct itsi_option *option = &itsi_options[i];
        snprintf(names[count++], ITSI_OPTION_NAME_SIZE, "%s", itsi_option_key(option));
        itsi_option_env_flat(option, names[count++]);
        itsi_option_env_nested(option, names[count++]);
        assert_true(strlen(option->full_key) < ITSI_OPTION_NAME_SIZE - 32);
        assert_true(strlen(option->help) > 5);
        assert_null(strstr(option->env, "__"));
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            if (strcmp(names[i], names[j]) == 0)
                fail_msg("%s stands twice in the table", names[i]);
}

static void every_name_finds_its_row(void **state)
{
    (void)state;
    char name[ITSI_OPTION_NAME_SIZE];
    for (size_t i = 0; i < itsi_option_count; i++) {
        const struct itsi_option *option = &itsi_options[i];
        assert_ptr_equal(itsi_option_find(itsi_option_key(option)), option);
        assert_ptr_equal(itsi_option_find(option->full_key), option);
        assert_ptr_equal(itsi_option_find_in(option->section, option->field), option);
        itsi_option_env_flat(option, name);
        assert_ptr_equal(itsi_option_find_env(name), option);
        itsi_option_env_nested(option, name);
        assert_ptr_equal(itsi_option_find_env(name), option);
    }
    assert_null(itsi_option_find("nonsense"));
    assert_null(itsi_option_find_env("PERFORMANCE__NONSENSE"));
    assert_true(itsi_option_is_section("gpu"));
    assert_false(itsi_option_is_section("general"));
}

static void names_are_those_of_the_guide(void **state)
{
    (void)state;
    static const struct {
        const char *variable, *key;
    } guide[] = {
        {"PERFORMANCE__ENABLED", "enabled"},
        {"PERFORMANCE__STRATEGY", "strategy"},
        {"PERFORMANCE__TARGET_LATENCY_MS", "target_latency_ms"},
        {"PERFORMANCE__GPU_OPTIMIZATION_ENABLED", "gpu_optimization_enabled"},
        {"PERFORMANCE__CACHING_ENABLED", "caching_enabled"},
        {"PERFORMANCE__L1_CACHE_SIZE_MB", "caching.l1_cache_size_mb"},
        {"PERFORMANCE__CACHING__L1_CACHE_SIZE_MB", "caching.l1_cache_size_mb"},
        {"PERFORMANCE__REDIS_POOL_SIZE", "connection_pool.redis_pool_size"},
        {"PERFORMANCE__ENABLE_SLA_ALERTS", "latency_monitoring.enable_sla_alerts"},
    };
    for (size_t i = 0; i < sizeof guide / sizeof guide[0]; i++) {
        const struct itsi_option *option = itsi_option_find_env(guide[i].variable);
        assert_non_null(option);
        assert_string_equal(itsi_option_key(option), guide[i].key);
    }
}

static void constants_are_the_tables_words(void **state)
{
    (void)state;
    static const struct {
        const char *key, *word;
        int value;
    } constants[] = {
        {"strategy", "minimal", ITSI_STRATEGY_MINIMAL},
        {"strategy", "aggressive", ITSI_STRATEGY_AGGRESSIVE},
        {"strategy", "balanced", ITSI_STRATEGY_BALANCED},
        {"strategy", "memory_optimized", ITSI_STRATEGY_MEMORY},
        {"strategy", "latency_optimized", ITSI_STRATEGY_LATENCY},
        {"capture.rtsp_transport", "tcp", ITSI_TRANSPORT_TCP},
        {"capture.rtsp_transport", "udp", ITSI_TRANSPORT_UDP},
        {"backend", "auto", ITSI_BACKEND_AUTO},
        {"backend", "openvino", ITSI_BACKEND_OPENVINO},
        {"backend", "null", ITSI_BACKEND_NULL},
        {"inference.batcher", "deadline", ITSI_BATCHER_DEADLINE},
        {"inference.batcher", "fixed", ITSI_BATCHER_FIXED},
        {"log_level", "debug", ITSI_LOG_DEBUG},
        {"log_level", "info", ITSI_LOG_INFO},
        {"log_level", "warn", ITSI_LOG_WARN},
        {"log_level", "error", ITSI_LOG_ERROR},
    };
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++) {
        int index = itsi_option_word_index(itsi_option_find(constants[i].key), constants[i].word);
        if (index != constants[i].value)
            fail_msg("%s \"%s\" is %d in the table, %d in the header", constants[i].key, constants[i].word, index,
                     constants[i].value);
    }
    const struct itsi_option *strategy = itsi_option_find("strategy");
    char word[64];
    for (int i = 0; i < ITSI_STRATEGY_COUNT; i++) {
        assert_true(itsi_option_word(strategy, i, word, sizeof word));
        assert_string_equal(itsi_strategy_name(i), word);
        assert_int_equal(itsi_strategy_index(word), i);
        assert_non_null(itsi_strategy_purpose(i));
    }
    assert_false(itsi_option_word(strategy, ITSI_STRATEGY_COUNT, word, sizeof word));
    assert_null(itsi_strategy_name(ITSI_STRATEGY_COUNT));
    assert_int_equal(itsi_strategy_index("fastest"), -1);
}

static void every_enumeration_holds_its_default(void **state)
{
    (void)state;
    char word[64];
    for (size_t i = 0; i < itsi_option_count; i++)
        if (itsi_options[i].type == ITSI_OPTION_ENUM)
            assert_true(itsi_option_word(&itsi_options[i], (int)itsi_options[i].def_int[0], word, sizeof word));
}

static void ranges_read_well(void **state)
{
    (void)state;
    char range[256];
    itsi_option_range(itsi_option_find("caching.l1_cache_size_mb"), range, sizeof range);
    assert_string_equal(range, "0..1048576 MiB");
    itsi_option_range(itsi_option_find("capture.backoff_initial_seconds"), range, sizeof range);
    assert_string_equal(range, "0.01..60 s");
    itsi_option_range(itsi_option_find("caching.l1_eviction_policy"), range, sizeof range);
    assert_string_equal(range, "lru, lfu, ttl or predictive");
    itsi_option_range(itsi_option_find("gpu.batch_size_range"), range, sizeof range);
    assert_string_equal(range, "two integers, each 1..64 images");
    char tiny[8];
    itsi_option_range(itsi_option_find("strategy"), tiny, sizeof tiny);
    assert_true(strlen(tiny) < sizeof tiny);
}

static void misspellings_find_their_option(void **state)
{
    (void)state;
    char near[ITSI_OPTION_NAME_SIZE];
    assert_true(itsi_option_suggest_key("gpu.batch_timout_ms", near));
    assert_string_equal(near, "gpu.batch_timeout_ms");
    assert_true(itsi_option_suggest_key("stratgey", near));
    assert_string_equal(near, "strategy");
    assert_true(itsi_option_suggest_key("l1_cache_size_mb", near));
    assert_string_equal(near, "caching.l1_cache_size_mb");
    assert_true(itsi_option_suggest_key("cache.l1_cache_size_mb", near));
    assert_string_equal(near, "caching.l1_cache_size_mb");
    assert_true(itsi_option_suggest_env("PERFORMANCE__L1_CACHE_SIZE", near));
    assert_string_equal(near, "PERFORMANCE__L1_CACHE_SIZE_MB");
    assert_false(itsi_option_suggest_key("zzzzzzzzqqqqqqqq", near));
    char endless[1000];
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_false(itsi_option_suggest_key(endless, near));
}

/* What each strategy changes, from the reference table. */
static void strategies_change_what_they_promise(void **state)
{
    (void)state;
    static const struct {
        int strategy;
        const char *key, *text;
    } promised[] = {
        {ITSI_STRATEGY_LATENCY, "gpu.batch_timeout_ms", "5"},
        {ITSI_STRATEGY_LATENCY, "gpu.tensorrt_opt_batch_size", "4"},
        {ITSI_STRATEGY_LATENCY, "caching.l1_cache_ttl_seconds", "3"},
        {ITSI_STRATEGY_LATENCY, "latency_monitoring.latency_sla_ms", "80"},
        {ITSI_STRATEGY_MEMORY, "gpu.tensorrt_max_batch_size", "16"},
        {ITSI_STRATEGY_MEMORY, "gpu.gpu_memory_pool_size_gb", "4"},
        {ITSI_STRATEGY_MEMORY, "caching.l1_cache_size_mb", "256"},
        {ITSI_STRATEGY_MEMORY, "connection_pool.redis_pool_size", "25"},
        {ITSI_STRATEGY_MEMORY, "connection_pool.db_pool_size", "10"},
        {ITSI_STRATEGY_MEMORY, "connection_pool.ffmpeg_pool_size", "5"},
        {ITSI_STRATEGY_AGGRESSIVE, "gpu.batch_timeout_ms", "15"},
        {ITSI_STRATEGY_AGGRESSIVE, "gpu.tensorrt_max_batch_size", "64"},
        {ITSI_STRATEGY_AGGRESSIVE, "caching.l1_cache_size_mb", "1024"},
        {ITSI_STRATEGY_AGGRESSIVE, "connection_pool.redis_pool_size", "100"},
    };
    for (size_t i = 0; i < sizeof promised / sizeof promised[0]; i++) {
        const char *found = NULL;
        for (size_t j = 0; j < itsi_strategy_change_count; j++)
            if (itsi_strategy_changes[j].strategy == promised[i].strategy &&
                strcmp(itsi_strategy_changes[j].key, promised[i].key) == 0)
                found = itsi_strategy_changes[j].text;
        if (!found || strcmp(found, promised[i].text) != 0)
            fail_msg("%s: %s is %s, promised %s", itsi_strategy_name(promised[i].strategy), promised[i].key,
                     found ? found : "unchanged", promised[i].text);
    }
}

static void strategy_changes_are_valid(void **state)
{
    (void)state;
    struct its_diag diag;
    struct its_cfg cfg;
    CHECK_OK(its_cfg_init(&cfg, &diag), diag);
    for (size_t i = 0; i < itsi_strategy_change_count; i++) {
        assert_int_not_equal(itsi_strategy_changes[i].strategy, ITSI_STRATEGY_BALANCED);
        CHECK_OK(itsi_cfg_set(&cfg, itsi_strategy_changes[i].key, itsi_strategy_changes[i].text, &diag), diag);
    }
    its_cfg_fini(&cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_variables_are_unique),
        cmocka_unit_test(every_name_finds_its_row),
        cmocka_unit_test(names_are_those_of_the_guide),
        cmocka_unit_test(constants_are_the_tables_words),
        cmocka_unit_test(every_enumeration_holds_its_default),
        cmocka_unit_test(ranges_read_well),
        cmocka_unit_test(misspellings_find_their_option),
        cmocka_unit_test(strategies_change_what_they_promise),
        cmocka_unit_test(strategy_changes_are_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
