#include "support/check.h"

#include "base/mem.h"
#include "config/dump.h"
#include "config/value.h"

#include <sys/stat.h>
#include <unistd.h>

static struct its_diag diag;

static char *const environment[] = {(char[]){"PERFORMANCE__REDIS_URL=redis://:envhush@h"},
                                    (char[]){"HOOK=https://hooks/hookhush"}, NULL};

static const char document[] =
    "{\"strategy\": \"latency_optimized\", \"gpu\": {\"batch_timeout_ms\": 0.1, \"batch_size_range\": [1, 8]},"
    "\"server\": {\"token\": \"filehush\"}, \"alert_webhook_url\": {\"env\": \"HOOK\"},"
    "\"otlp_endpoint\": \"http://u:otlphush@h:4318\","
    "\"cameras\": [{\"id\": \"a\", \"url\": \"rtsp://u:camhush@10.0.0.1/a?token=queryhush\", \"priority\": 2},"
    "{\"id\": \"b\", \"url\": {\"env\": \"HOOK\"}, \"sub_url\": \"rtsp://u:subhush@h/\", \"fps\": 12.5}]}";

static struct itsi_config *loaded(const char *text, size_t len)
{
    struct itsi_config *config;
    struct itsi_config_args args;
    itsi_config_args_init(&args, environment);
    args.document = text;
    args.document_len = len;
    CHECK_OK(itsi_config_args_set(&args, "server.jpeg_quality=70", &diag), diag);
    CHECK_OK(itsi_config_load(&config, &args, &diag), diag);
    itsi_config_args_fini(&args);
    return config;
}

static char *text_of(const struct itsi_config *config, int flags)
{
    struct itsi_buf buf;
    itsi_buf_init(&buf);
    assert_int_equal(itsi_config_text(config, flags, &buf), 0);
    return itsi_buf_take(&buf);
}

static void only_overrides_are_written(void **state)
{
    (void)state;
    struct itsi_config *config = loaded(document, strlen(document));
    char *text = text_of(config, 0);
    assert_string_equal(text, "{\n"
                              "  \"strategy\": \"latency_optimized\",\n"
                              "  \"alert_webhook_url\": {\n"
                              "    \"env\": \"HOOK\"\n"
                              "  },\n"
                              "  \"redis_url\": \"***\",\n"
                              "  \"otlp_endpoint\": \"http://u:***@h:4318\",\n"
                              "  \"gpu\": {\n"
                              "    \"batch_timeout_ms\": 0.1,\n"
                              "    \"batch_size_range\": [1, 8]\n"
                              "  },\n"
                              "  \"server\": {\n"
                              "    \"token\": \"***\",\n"
                              "    \"jpeg_quality\": 70\n"
                              "  },\n"
                              "  \"cameras\": [\n"
                              "    {\n"
                              "      \"id\": \"a\",\n"
                              "      \"url\": \"rtsp://u:***@10.0.0.1/a?token=***\",\n"
                              "      \"priority\": 2\n"
                              "    },\n"
                              "    {\n"
                              "      \"id\": \"b\",\n"
                              "      \"url\": {\n"
                              "        \"env\": \"HOOK\"\n"
                              "      },\n"
                              "      \"sub_url\": \"rtsp://u:***@h/\",\n"
                              "      \"fps\": 12.5\n"
                              "    }\n"
                              "  ]\n"
                              "}\n");
    itsi_free(text);
    itsi_config_unref(&config);
}

static void nothing_shown_holds_a_secret(void **state)
{
    (void)state;
    struct itsi_config *config = loaded(document, strlen(document));
    char *text = text_of(config, ITSI_DUMP_FULL);
    assert_null(strstr(text, "hush"));
    CHECK_CONTAINS(text, "\"max_concurrent_streams\": 100");
    CHECK_CONTAINS(text, "\"latency_sla_ms\": 80.0");
    itsi_free(text);
    for (size_t i = 0; i < itsi_option_count; i++) {
        struct itsi_buf buf;
        itsi_buf_init(&buf);
        json_t *about = itsi_config_explain(config, &itsi_options[i]);
        assert_non_null(about);
        itsi_json_pretty(&buf, about);
        assert_null(strstr(buf.data, "hush"));
        itsi_buf_fini(&buf);
        json_decref(about);
    }
    itsi_config_unref(&config);
}

/* A file written for reuse gives the same configuration, and no secret of the environment lies in it. */
static void a_written_file_loads_to_the_same(void **state)
{
    (void)state;
    for (int flags = ITSI_DUMP_REVEAL; flags <= (ITSI_DUMP_REVEAL | ITSI_DUMP_FULL); flags++) {
        struct itsi_config *config = loaded(document, strlen(document)), *again;
        char dir[] = "/tmp/its-dump-XXXXXX", path[64];
        assert_non_null(mkdtemp(dir));
        snprintf(path, sizeof path, "%s/out.json", dir);
        CHECK_OK(itsi_config_write(config, flags, path, &diag), diag);
        struct stat info;
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
        struct itsi_config_args args;
        itsi_config_args_init(&args, environment);
        args.ignore_env_options = true;
        CHECK_OK(itsi_config_args_file(&args, path, &diag), diag);
        CHECK_OK(itsi_config_load(&again, &args, &diag), diag);
        /* redis_url was PERFORMANCE__REDIS_URL's and is now a reference to it */
        for (size_t i = 0; i < itsi_option_count; i++)
            if (!itsi_option_equal(&config->cfg, &again->cfg, &itsi_options[i]))
                fail_msg("%s differs after writing and reading", itsi_options[i].full_key);
        assert_int_equal(again->cameras.count, 2);
        for (size_t i = 0; i < 2; i++)
            assert_true(itsi_config_camera_equal(&config->cameras.items[i], &again->cameras.items[i]));
        char *text = text_of(config, flags);
        assert_null(strstr(text, "envhush"));
        assert_null(strstr(text, "hookhush"));
        CHECK_CONTAINS(text, "filehush");
        itsi_free(text);
        unlink(path);
        rmdir(dir);
        itsi_config_args_fini(&args);
        itsi_config_unref(&config);
        itsi_config_unref(&again);
    }
}

static void a_failed_write_leaves_no_file(void **state)
{
    (void)state;
    struct itsi_config *config = loaded("{}", 2);
    assert_int_equal(itsi_config_write(config, 0, "/nowhere/x.json", &diag), ITS_ENOTFOUND);
    CHECK_CONTAINS(diag.text, "/nowhere/x.json");
    assert_int_not_equal(itsi_config_write(config, 0, "/proc/x.json", &diag), 0);
    itsi_config_unref(&config);
}

static void numbers_are_the_shortest_that_read_back(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0.1, "0.1"},   {0.05, "0.05"}, {100, "100.0"},      {1.0 / 3, "0.3333333333333333"},
                 {1e-7, "1e-07"}, {1e22, "1e+22"}, {-0.5, "-0.5"},      {0.1 + 0.2, "0.30000000000000004"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct itsi_buf buf;
        itsi_buf_init(&buf);
        json_t *value = json_real(cases[i].value);
        itsi_json_compact(&buf, value);
        assert_string_equal(buf.data, cases[i].text);
        json_decref(value);
        itsi_buf_fini(&buf);
    }
}

static void strings_are_escaped(void **state)
{
    (void)state;
    struct itsi_buf buf;
    itsi_buf_init(&buf);
    json_t *value = json_pack("{s:s, s:[], s:{}}", "a\"b", "x\\y\n\x01é", "e", "o");
    itsi_json_compact(&buf, value);
    assert_string_equal(buf.data, "{\"a\\\"b\": \"x\\\\y\\u000a\\u0001é\", \"e\": [], \"o\": {}}");
    json_decref(value);
    itsi_buf_fini(&buf);
}

static void explain_tells_the_whole_story(void **state)
{
    (void)state;
    struct itsi_config *config = loaded(document, strlen(document));
    json_t *about = itsi_config_explain(config, itsi_option_find("gpu.batch_timeout_ms"));
    assert_string_equal(json_string_value(json_object_get(about, "key")), "gpu.batch_timeout_ms");
    CHECK_NEAR(json_number_value(json_object_get(about, "value")), 0.1, 0);
    CHECK_NEAR(json_number_value(json_object_get(about, "default")), 10, 0);
    assert_string_equal(json_string_value(json_object_get(about, "range")), "0..1000 ms");
    assert_string_equal(json_string_value(json_object_get(about, "applies")), "live");
    assert_string_equal(json_string_value(json_object_get(about, "source")), "file document");
    const json_t *layers = json_object_get(about, "layers");
    assert_int_equal(json_array_size(layers), 3);
    const json_t *strategy = json_array_get(layers, 1);
    assert_string_equal(json_string_value(json_object_get(strategy, "layer")), "strategy");
    assert_string_equal(json_string_value(json_object_get(strategy, "where")), "latency_optimized");
    CHECK_NEAR(json_number_value(json_object_get(strategy, "value")), 5, 0);
    json_decref(about);
    itsi_config_unref(&config);
}

static void the_schema_knows_every_option(void **state)
{
    (void)state;
    json_t *schema = itsi_config_schema(), *root = json_object_get(schema, "properties");
    assert_non_null(root);
    for (size_t i = 0; i < itsi_option_count; i++) {
        const struct itsi_option *option = &itsi_options[i];
        json_t *home = root;
        if (!itsi_option_is_general(option)) {
            json_t *section = json_object_get(root, option->section);
            assert_true(json_is_false(json_object_get(section, "additionalProperties")));
            home = json_object_get(section, "properties");
        }
        json_t *row = json_object_get(home, option->field), *wanted = itsi_option_default(option);
        if (!json_equal(json_object_get(row, "default"), wanted))
            fail_msg("%s is not in the schema with its default", option->full_key);
        json_decref(wanted);
    }
    const json_t *camera = json_object_get(json_object_get(root, "cameras"), "items");
    assert_int_equal(json_object_size(json_object_get(camera, "properties")), 5);
    assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
    const json_t *timeout =
        json_object_get(json_object_get(json_object_get(root, "gpu"), "properties"), "batch_timeout_ms");
    CHECK_NEAR(json_number_value(json_object_get(timeout, "maximum")), 1000, 0);
    json_decref(schema);
}

static void dumping_survives_every_failed_allocation(void **state)
{
    (void)state;
    struct itsi_config *config = loaded(document, strlen(document));
    int failures = 0;
    json_set_alloc_funcs(itsi_alloc, itsi_free);
    for (int which = 0; which < 3; which++) {
        for (int64_t nth = 1;; nth++) {
            struct itsi_buf buf;
            itsi_buf_init(&buf);
            itsi_alloc_fail_at(nth);
            json_t *about = which == 1   ? itsi_config_explain(config, itsi_option_find("otlp_endpoint"))
                            : which == 2 ? itsi_config_schema()
                                         : NULL;
            bool ok = which ? about != NULL : itsi_config_text(config, 0, &buf) == 0;
            itsi_alloc_fail_at(0);
            json_decref(about);
            itsi_buf_fini(&buf);
            if (ok)
                break;
            failures++;
            assert_true(nth < 10000);
        }
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(failures > 60);
    itsi_config_unref(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_overrides_are_written),
        cmocka_unit_test(nothing_shown_holds_a_secret),
        cmocka_unit_test(a_written_file_loads_to_the_same),
        cmocka_unit_test(a_failed_write_leaves_no_file),
        cmocka_unit_test(numbers_are_the_shortest_that_read_back),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(explain_tells_the_whole_story),
        cmocka_unit_test(the_schema_knows_every_option),
        cmocka_unit_test(dumping_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
