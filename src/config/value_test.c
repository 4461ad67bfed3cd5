#include "support/check.h"

#include "base/mem.h"
#include "config/value.h"

static struct its_cfg cfg;
static struct its_diag diag;

static int setup(void **state)
{
    (void)state;
    return its_cfg_init(&cfg, &diag);
}

static int teardown(void **state)
{
    (void)state;
    its_cfg_fini(&cfg);
    return 0;
}

static void defaults_are_the_tables(void **state)
{
    (void)state;
    assert_int_equal(cfg.general.strategy, ITSI_STRATEGY_BALANCED);
    assert_true(cfg.general.enabled);
    assert_int_equal(cfg.general.max_concurrent_streams, 100);
    CHECK_NEAR(cfg.general.target_latency_ms, 100.0, 0);
    assert_string_equal(cfg.general.data_dir, "data");
    assert_null(cfg.general.redis_url);
    assert_int_equal(cfg.gpu.batch_size_range[0], 1);
    assert_int_equal(cfg.gpu.batch_size_range[1], 32);
    assert_int_equal(cfg.adaptive_quality.priority_camera_ids.count, 0);
    assert_true(cfg.adaptive_quality.enable_adaptive_quality);
    const struct itsi_str_map *map = &cfg.connection_pool.redis_socket_keepalive_options;
    assert_int_equal(map->count, 3);
    assert_string_equal(map->keys[1], "TCP_KEEPINTVL");
    assert_int_equal(map->values[1], 3);
}

static void text_sets_every_type(void **state)
{
    (void)state;
    CHECK_OK(itsi_cfg_set(&cfg, "enabled", "No", &diag), diag);
    assert_false(cfg.general.enabled);
    CHECK_OK(itsi_cfg_set(&cfg, "general.enabled", "1", &diag), diag);
    assert_true(cfg.general.enabled);
    CHECK_OK(itsi_cfg_set(&cfg, "caching.l1_cache_size_mb", " 1024 ", &diag), diag);
    assert_int_equal(cfg.caching.l1_cache_size_mb, 1024);
    CHECK_OK(itsi_cfg_set(&cfg, "target_latency_ms", "9e1", &diag), diag);
    CHECK_NEAR(cfg.general.target_latency_ms, 90.0, 0);
    CHECK_OK(itsi_cfg_set(&cfg, "gpu.tensorrt_precision", "int8", &diag), diag);
    assert_int_equal(cfg.gpu.tensorrt_precision, 2);
    CHECK_OK(itsi_cfg_set(&cfg, "model", "/m/a.onnx", &diag), diag);
    assert_string_equal(cfg.general.model, "/m/a.onnx");
    CHECK_OK(itsi_cfg_set(&cfg, "model", "", &diag), diag);
    assert_null(cfg.general.model);
    CHECK_OK(itsi_cfg_set(&cfg, "inference.classes", "car, bus ,,truck", &diag), diag);
    assert_int_equal(cfg.inference.classes.count, 3);
    assert_string_equal(cfg.inference.classes.items[1], "bus");
    CHECK_OK(itsi_cfg_set(&cfg, "inference.classes", "[\"traffic light\"]", &diag), diag);
    assert_int_equal(cfg.inference.classes.count, 1);
    assert_string_equal(cfg.inference.classes.items[0], "traffic light");
    CHECK_OK(itsi_cfg_set(&cfg, "connection_pool.redis_socket_keepalive_options", "A=1, B=-2", &diag), diag);
    assert_int_equal(cfg.connection_pool.redis_socket_keepalive_options.count, 2);
    assert_int_equal(cfg.connection_pool.redis_socket_keepalive_options.values[1], -2);
    CHECK_OK(itsi_cfg_set(&cfg, "connection_pool.redis_socket_keepalive_options", "{\"C\": 7}", &diag), diag);
    assert_string_equal(cfg.connection_pool.redis_socket_keepalive_options.keys[0], "C");
    CHECK_OK(itsi_cfg_set(&cfg, "inference.input_size", "640, 384", &diag), diag);
    assert_int_equal(cfg.inference.input_size[0], 640);
    assert_int_equal(cfg.inference.input_size[1], 384);
    CHECK_OK(itsi_cfg_set(&cfg, "inference.input_size", "[320,320]", &diag), diag);
    assert_int_equal(cfg.inference.input_size[1], 320);
}

static void bad_text_is_refused_with_value_and_range(void **state)
{
    (void)state;
    static const struct {
        const char *key, *text, *says;
    } bad[] = {
        {"enabled", "maybe", "enabled: \"maybe\" is not true or false"},
        {"enabled", "", "true or false"},
        {"caching.l1_cache_size_mb", "-1", "-1 is not an integer in 0..1048576 MiB"},
        {"caching.l1_cache_size_mb", "1048577", "1048577 is not an integer in 0..1048576 MiB"},
        {"caching.l1_cache_size_mb", "99999999999999999999", "is not an integer in 0..1048576 MiB"},
        {"caching.l1_cache_size_mb", "12MB", "\"12MB\" is not an integer"},
        {"caching.l1_cache_size_mb", "0x10", "\"0x10\" is not an integer"},
        {"caching.l1_cache_size_mb", "", "\"\" is not an integer"},
        {"caching.l1_cache_size_mb", "1.5", "\"1.5\" is not an integer"},
        {"target_latency_ms", "nan", "\"nan\" is not a number"},
        {"target_latency_ms", "1e999", "\"1e999\" is not a number"},
        {"target_latency_ms", "0", "is not a number in 0.001..60000 ms"},
        {"gpu.tensorrt_precision", "fp8", "\"fp8\" is not one of fp32, fp16 or int8"},
        {"gpu.tensorrt_precision", "fp1", "is not one of"},
        {"data_dir", "", "data_dir"},
        {"model", "a\nb", "control character"},
        {"gpu.batch_size_range", "1", "two integers"},
        {"gpu.batch_size_range", "1,65", "two integers, each 1..64 images"},
        {"gpu.batch_size_range", "[1,2,3]", "[1,2,3] is not two integers"},
        {"gpu.batch_size_range", "[1,", "two integers"},
        {"connection_pool.redis_socket_keepalive_options", "A", "names with integers"},
        {"connection_pool.redis_socket_keepalive_options", "{\"A\": \"x\"}", "names with integers"},
        {"inference.classes", "[1]", "[1] is not a list of strings"},
        {"inference.classes", "\xff\xfe", "a list of strings"},
        {"nonsense", "1", "unknown option \"nonsense\""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct its_cfg before;
        CHECK_OK(its_cfg_copy(&before, &cfg, &diag), diag);
        assert_int_equal(itsi_cfg_set(&cfg, bad[i].key, bad[i].text, &diag), ITS_EINVAL);
        CHECK_CONTAINS(diag.text, bad[i].says);
        for (size_t row = 0; row < itsi_option_count; row++)
            assert_true(itsi_option_equal(&before, &cfg, &itsi_options[row]));
        its_cfg_fini(&before);
    }
}

static void json_must_have_the_rows_type(void **state)
{
    (void)state;
    static const struct {
        const char *key, *json;
        int rc;
    } cases[] = {
        {"enabled", "true", 0},        {"enabled", "1", ITS_EINVAL},    {"enabled", "\"true\"", ITS_EINVAL},
        {"max_concurrent_streams", "7", 0}, {"max_concurrent_streams", "7.0", ITS_EINVAL},
        {"max_concurrent_streams", "true", ITS_EINVAL},
        {"target_latency_ms", "80", 0}, {"target_latency_ms", "80.5", 0}, {"target_latency_ms", "\"80\"", ITS_EINVAL},
        {"strategy", "\"minimal\"", 0}, {"strategy", "0", ITS_EINVAL},   {"model", "null", 0},
        {"model", "5", ITS_EINVAL},     {"data_dir", "null", ITS_EINVAL}, {"gpu.batch_size_range", "[2,4]", 0},
        {"gpu.batch_size_range", "[2,4.0]", ITS_EINVAL}, {"inference.classes", "[\"\"]", ITS_EINVAL},
        {"inference.classes", "\"car\"", ITS_EINVAL},    {"server.token", "\"t\"", 0}, {"server.token", "[]", ITS_EINVAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *value = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);
        int rc = itsi_option_set(&cfg, itsi_option_find(cases[i].key), value, &diag);
        if (rc != cases[i].rc)
            fail_msg("%s = %s: %d, wanted %d", cases[i].key, cases[i].json, rc, cases[i].rc);
        json_decref(value);
    }
}

static void secrets_are_not_repeated_in_messages(void **state)
{
    (void)state;
    assert_int_equal(itsi_cfg_set(&cfg, "server.token", "hunter2\n", &diag), ITS_EINVAL);
    assert_null(strstr(diag.text, "hunter2"));
    assert_int_equal(itsi_cfg_set(&cfg, "server.token", "{\"hunter2", &diag), ITS_EINVAL);
    assert_null(strstr(diag.text, "hunter2"));
}

static void values_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < itsi_option_count; i++) {
        const struct itsi_option *option = &itsi_options[i];
        json_t *value = itsi_option_get(&cfg, option), *wanted = itsi_option_default(option);
        if (!json_equal(value, wanted))
            fail_msg("%s does not read back as its default", option->full_key);
        CHECK_OK(itsi_option_set(&cfg, option, value, &diag), diag);
        json_decref(value);
        json_decref(wanted);
    }
}

static void copies_share_nothing(void **state)
{
    (void)state;
    struct its_cfg copy;
    CHECK_OK(itsi_cfg_set(&cfg, "inference.classes", "car,bus", &diag), diag);
    CHECK_OK(itsi_cfg_set(&cfg, "server.token", "secret", &diag), diag);
    CHECK_OK(its_cfg_copy(&copy, &cfg, &diag), diag);
    for (size_t i = 0; i < itsi_option_count; i++)
        assert_true(itsi_option_equal(&copy, &cfg, &itsi_options[i]));
    CHECK_OK(itsi_cfg_set(&cfg, "inference.classes", "car,van", &diag), diag);
    CHECK_OK(itsi_cfg_set(&cfg, "server.token", "", &diag), diag);
    assert_string_equal(copy.inference.classes.items[1], "bus");
    assert_string_equal(copy.server.token, "secret");
    assert_false(itsi_option_equal(&copy, &cfg, itsi_option_find("inference.classes")));
    assert_false(itsi_option_equal(&copy, &cfg, itsi_option_find("server.token")));
    its_cfg_fini(&copy);
}

static void maps_compare_without_order(void **state)
{
    (void)state;
    const struct itsi_option *option = itsi_option_find("connection_pool.redis_socket_keepalive_options");
    struct its_cfg other;
    CHECK_OK(its_cfg_copy(&other, &cfg, &diag), diag);
    CHECK_OK(itsi_cfg_set(&other, option->full_key, "TCP_KEEPCNT=5,TCP_KEEPIDLE=1,TCP_KEEPINTVL=3", &diag), diag);
    assert_true(itsi_option_equal(&cfg, &other, option));
    CHECK_OK(itsi_cfg_set(&other, option->full_key, "TCP_KEEPCNT=6,TCP_KEEPIDLE=1,TCP_KEEPINTVL=3", &diag), diag);
    assert_false(itsi_option_equal(&cfg, &other, option));
    its_cfg_fini(&other);
}

static void init_and_copy_survive_every_failed_allocation(void **state)
{
    (void)state;
    int failures = 0;
    CHECK_OK(itsi_cfg_set(&cfg, "inference.classes", "car,bus,truck", &diag), diag);
    json_set_alloc_funcs(itsi_alloc, itsi_free); /* jansson's allocations count too */
    for (int which = 0; which < 2; which++) {
        for (int64_t nth = 1;; nth++) {
            struct its_cfg out;
            itsi_alloc_fail_at(nth);
            int rc = which ? its_cfg_copy(&out, &cfg, &diag) : its_cfg_init(&out, &diag);
            itsi_alloc_fail_at(0);
            if (rc == 0) {
                its_cfg_fini(&out);
                break;
            }
            assert_int_equal(rc, ITS_ENOMEM);
            failures++;
            assert_true(nth < 10000);
        }
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(failures > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_are_the_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(text_sets_every_type, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_text_is_refused_with_value_and_range, setup, teardown),
        cmocka_unit_test_setup_teardown(json_must_have_the_rows_type, setup, teardown),
        cmocka_unit_test_setup_teardown(secrets_are_not_repeated_in_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(values_read_back, setup, teardown),
        cmocka_unit_test_setup_teardown(copies_share_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(maps_compare_without_order, setup, teardown),
        cmocka_unit_test_setup_teardown(init_and_copy_survive_every_failed_allocation, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
