#include "support/check.h"

#include "base/mem.h"
#include "config/load.h"
#include "config/value.h"

#include <unistd.h>

static struct its_diag diag;

/* Loads a document with an environment and --set assignments (both may be NULL, NULL-terminated). */
static int load(struct itsi_config **out, const char *document, char *const *env, const char *const *sets)
{
    struct itsi_config_args args;
    itsi_config_args_init(&args, env);
    int rc = 0;
    if (document) {
        rc = itsi_config_args_file(&args, "conf.json", &diag);
        args.document = document;
        args.document_len = strlen(document);
    }
    for (; rc == 0 && sets && *sets; sets++)
        rc = itsi_config_args_set(&args, *sets, &diag);
    if (rc == 0)
        rc = itsi_config_load(out, &args, &diag);
    itsi_config_args_fini(&args);
    return rc;
}

static void check_source(const struct itsi_config *config, const char *key, const char *wanted)
{
    char source[256];
    itsi_config_source(config, itsi_option_find(key), source, sizeof source);
    assert_string_equal(source, wanted);
}

static void layers_win_in_order(void **state)
{
    (void)state;
    struct itsi_config *config;
    char *env[] = {"HOME=/", "PERFORMANCE__TENSORRT_OPT_BATCH_SIZE=5", "PERFORMANCE__L1_CACHE_TTL_SECONDS=6", NULL};
    const char *sets[] = {"caching.l1_cache_ttl_seconds=7", "caching.l1_cache_ttl_seconds=8", NULL};
    const char *document = "{\"strategy\": \"latency_optimized\", \"gpu\": {\"batch_timeout_ms\": 4,"
                           "\"tensorrt_opt_batch_size\": 6}, \"caching\": {\"l1_cache_ttl_seconds\": 9}}";
    CHECK_OK(load(&config, document, env, sets), diag);
    assert_int_equal(config->cfg.general.strategy, ITSI_STRATEGY_LATENCY);
    check_source(config, "strategy", "file conf.json");
    CHECK_NEAR(config->cfg.latency_monitoring.latency_sla_ms, 80, 0);
    check_source(config, "latency_monitoring.latency_sla_ms", "strategy latency_optimized");
    CHECK_NEAR(config->cfg.gpu.batch_timeout_ms, 4, 0);
    check_source(config, "gpu.batch_timeout_ms", "file conf.json");
    assert_int_equal(config->cfg.gpu.tensorrt_opt_batch_size, 5);
    check_source(config, "gpu.tensorrt_opt_batch_size", "environment PERFORMANCE__TENSORRT_OPT_BATCH_SIZE");
    assert_int_equal(config->cfg.caching.l1_cache_ttl_seconds, 8);
    check_source(config, "caching.l1_cache_ttl_seconds", "command line --set");
    assert_int_equal(config->cfg.caching.l1_cache_size_mb, 512);
    check_source(config, "caching.l1_cache_size_mb", "default");
    const struct itsi_config_trace *trace =
        &config->traces[itsi_option_index(itsi_option_find("caching.l1_cache_ttl_seconds"))];
    assert_int_equal(json_integer_value(trace->value[ITSI_LAYER_STRATEGY]), 3);
    assert_int_equal(json_integer_value(trace->value[ITSI_LAYER_FILE]), 9);
    assert_int_equal(json_integer_value(trace->value[ITSI_LAYER_ENVIRONMENT]), 6);
    itsi_config_unref(&config);
    assert_null(config);
}

static void the_strongest_layer_names_the_strategy(void **state)
{
    (void)state;
    struct itsi_config *config;
    char *env[] = {"PERFORMANCE__STRATEGY=aggressive", NULL};
    const char *sets[] = {"strategy=memory_optimized", NULL};
    CHECK_OK(load(&config, "{\"strategy\": \"minimal\"}", env, NULL), diag);
    assert_int_equal(config->cfg.caching.l1_cache_size_mb, 1024);
    assert_true(config->cfg.caching.l2_cache_enabled);
    itsi_config_unref(&config);
    CHECK_OK(load(&config, "{\"strategy\": \"minimal\"}", env, sets), diag);
    assert_int_equal(config->cfg.caching.l1_cache_size_mb, 256);
    assert_int_equal(config->cfg.connection_pool.redis_pool_size, 25);
    assert_int_equal(config->cfg.connection_pool.db_pool_size, 10);
    assert_int_equal(config->cfg.connection_pool.ffmpeg_pool_size, 5);
    itsi_config_unref(&config);
}

static void every_strategy_loads(void **state)
{
    (void)state;
    static const char *const names[] = {"minimal", "aggressive", "balanced", "memory_optimized", "latency_optimized"};
    for (size_t i = 0; i < 5; i++) {
        struct itsi_config *config;
        char set[64];
        snprintf(set, sizeof set, "strategy=%s", names[i]);
        const char *sets[] = {set, NULL};
        CHECK_OK(load(&config, NULL, NULL, sets), diag);
        assert_int_equal(config->cfg.adaptive_quality.enable_adaptive_quality, i != 0);
        itsi_config_unref(&config);
    }
}

static void both_forms_of_a_variable_work(void **state)
{
    (void)state;
    struct itsi_config *config;
    char *flat[] = {"PERFORMANCE__L1_CACHE_SIZE_MB=64", NULL};
    char *nested[] = {"PERFORMANCE__CACHING__L1_CACHE_SIZE_MB=65", NULL};
    char *same[] = {"PERFORMANCE__L1_CACHE_SIZE_MB=66", "PERFORMANCE__CACHING__L1_CACHE_SIZE_MB= 66", NULL};
    char *apart[] = {"PERFORMANCE__L1_CACHE_SIZE_MB=66", "PERFORMANCE__CACHING__L1_CACHE_SIZE_MB=67", NULL};
    CHECK_OK(load(&config, NULL, flat, NULL), diag);
    assert_int_equal(config->cfg.caching.l1_cache_size_mb, 64);
    itsi_config_unref(&config);
    CHECK_OK(load(&config, NULL, nested, NULL), diag);
    assert_int_equal(config->cfg.caching.l1_cache_size_mb, 65);
    itsi_config_unref(&config);
    CHECK_OK(load(&config, NULL, same, NULL), diag);
    assert_int_equal(config->cfg.caching.l1_cache_size_mb, 66);
    itsi_config_unref(&config);
    assert_int_equal(load(&config, NULL, apart, NULL), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "PERFORMANCE__L1_CACHE_SIZE_MB");
    CHECK_CONTAINS(diag.text, "PERFORMANCE__CACHING__L1_CACHE_SIZE_MB");
}

/* Every row can be set through its nested variable. */
static void every_row_takes_its_default_from_the_environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < itsi_option_count; i++) {
        const struct itsi_option *option = &itsi_options[i];
        if (option->type == ITSI_OPTION_STR || option->type == ITSI_OPTION_SECRET)
            continue;
        char name[ITSI_OPTION_NAME_SIZE], entry[512];
        json_t *value = itsi_option_default(option);
        char *text = json_is_string(value) ? strdup(json_string_value(value))
                                           : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        itsi_option_env_nested(option, name);
        snprintf(entry, sizeof entry, "%s=%s", name, text);
        char *env[] = {entry, NULL};
        struct itsi_config *config;
        CHECK_OK(load(&config, NULL, env, NULL), diag);
        assert_int_equal(itsi_config_layer_of(config, option), ITSI_LAYER_ENVIRONMENT);
        itsi_config_unref(&config);
        json_decref(value);
        free(text);
    }
}

struct bad {
    const char *document, *variable, *set, *says, *says_too;
};

static void bad_input_names_key_value_range_and_source(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {.document = "{\"gpu\": {\"batch_timeout_ms\": 5000}}", .says = "file conf.json: gpu.batch_timeout_ms: 5000",
         .says_too = "0..1000 ms"},
        {.document = "{\"gpu\": {\"batch_timout_ms\": 5}}", .says = "file conf.json: unknown option \"gpu.batch_timout_ms\"",
         .says_too = "did you mean \"gpu.batch_timeout_ms\"?"},
        {.document = "{\"batch_timeout_ms\": 5}", .says = "did you mean \"gpu.batch_timeout_ms\"?"},
        {.document = "{\"general\": {\"strategy\": \"minimal\"}}", .says = "unknown option \"general\""},
        {.document = "{\"gpu\": 5}", .says = "gpu: is not an object"},
        {.document = "{\"strategy\": \"fastest\"}", .says = "strategy: \"fastest\" is not one of minimal",
         .says_too = "file conf.json"},
        {.variable = "PERFORMANCE__L1_CACHE_SIZE_MB=lots", .says = "environment PERFORMANCE__L1_CACHE_SIZE_MB",
         .says_too = "caching.l1_cache_size_mb: \"lots\" is not an integer in 0..1048576 MiB"},
        {.variable = "PERFORMANCE__L1_CACHE_SIZE_MB=-4", .says = "environment PERFORMANCE__L1_CACHE_SIZE_MB",
         .says_too = "-4 is not an integer in 0..1048576 MiB"},
        {.variable = "PERFORMANCE__L1_CACH_SIZE_MB=4", .says = "unknown variable PERFORMANCE__L1_CACH_SIZE_MB",
         .says_too = "did you mean PERFORMANCE__L1_CACHE_SIZE_MB?"},
        {.variable = "PERFORMANCE__=4", .says = "unknown variable PERFORMANCE__"},
        {.set = "gpu.batch_timeout_ms=1e9", .says = "command line --set: gpu.batch_timeout_ms",
         .says_too = "0..1000 ms"},
        {.set = "gpu.batch_timeout_ms", .says = "is not SECTION.FIELD=VALUE"},
        {.set = "=4", .says = "is not SECTION.FIELD=VALUE"},
        {.set = "gpu.nothing=4", .says = "--set: unknown option \"gpu.nothing\""},
        /* combinations */
        {.set = "gpu.tensorrt_max_batch_size=4", .says = "gpu.tensorrt_opt_batch_size = 8 (default) is above",
         .says_too = "gpu.tensorrt_max_batch_size = 4 (command line --set)"},
        {.set = "gpu.tensorrt_min_batch_size=9", .says = "gpu.tensorrt_min_batch_size = 9", .says_too = "is above"},
        {.set = "gpu.batch_size_range=8,4", .says = "gpu.batch_size_range = [8,4] (command line --set)"},
        {.variable = "PERFORMANCE__LATENCY_P50_TARGET_MS=85",
         .says = "latency_monitoring.latency_p50_target_ms = 85.0 (environment PERFORMANCE__LATENCY_P50_TARGET_MS)",
         .says_too = "latency_monitoring.latency_p95_target_ms = 80.0 (default)"},
        {.set = "latency_monitoring.latency_p95_target_ms=96", .says = "latency_p99_target_ms"},
        {.set = "connection_pool.redis_pool_size=101", .says = "connection_pool.redis_max_connections = 100"},
        {.set = "connection_pool.ffmpeg_max_concurrent=9", .says = "connection_pool.ffmpeg_pool_size = 10"},
        {.set = "capture.backoff_initial_seconds=9", .says = "capture.backoff_max_seconds = 8.0"},
        {.set = "capture.config_backoff_max_seconds=0.1", .says = "capture.backoff_initial_seconds = 0.5"},
        {.set = "inference.input_size=640,380", .says = "inference.input_size = [640,380]",
         .says_too = "multiples of 32"},
        {.set = "inference.input_size=640,0", .says = "multiples of 32"},
        {.set = "server.listen=0.0.0.0:8080", .says = "server.listen = \"0.0.0.0:8080\"",
         .says_too = "server.token must be set"},
        {.set = "server.listen=8080", .says = "is not HOST:PORT"},
        {.set = "server.listen=127.0.0.1:99999", .says = "0..65535"},
        {.set = "database_url=sqlite:///x", .says = "database_url: must be a URL that begins with one of: postgresql"},
        {.set = "redis_url=http://h", .says = "redis_url: must be a URL that begins with one of: redis"},
        {.set = "alert_webhook_url=example.com", .says = "alert_webhook_url: must be a URL"},
        {.set = "monitor.alertmanager_url=example.com", .says = "monitor.alertmanager_url: must be a URL"},
        {.set = "adaptive_quality.priority_camera_ids=a b", .says = "camera id"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct itsi_config *config = NULL;
        char variable[128];
        snprintf(variable, sizeof variable, "%s", cases[i].variable ? cases[i].variable : "");
        char *env[] = {cases[i].variable ? variable : NULL, NULL};
        const char *sets[] = {cases[i].set, NULL};
        int rc = load(&config, cases[i].document, env, sets);
        if (rc != ITS_EINVAL)
            fail_msg("case %zu (%s) gives %d", i, cases[i].says, rc);
        assert_null(config);
        CHECK_CONTAINS(diag.text, cases[i].says);
        if (cases[i].says_too)
            CHECK_CONTAINS(diag.text, cases[i].says_too);
    }
}

static void syntax_errors_name_file_and_line(void **state)
{
    (void)state;
    struct itsi_config *config;
    assert_int_equal(load(&config, "{\n\"strategy\": \"balanced\",\n}", NULL, NULL), ITS_EFORMAT);
    CHECK_CONTAINS(diag.text, "conf.json:3:");
    assert_int_equal(load(&config, "{\"enabled\": true,\n \"enabled\": false}", NULL, NULL), ITS_EFORMAT);
    CHECK_CONTAINS(diag.text, "conf.json:2:");
    assert_int_equal(load(&config, "[]", NULL, NULL), ITS_EFORMAT);
    assert_int_equal(load(&config, "", NULL, NULL), ITS_EFORMAT);
    struct itsi_config_args args;
    itsi_config_args_init(&args, NULL);
    CHECK_OK(itsi_config_args_file(&args, "/nowhere/conf.json", &diag), diag);
    assert_int_equal(itsi_config_load(&config, &args, &diag), ITS_ENOTFOUND);
    CHECK_CONTAINS(diag.text, "/nowhere/conf.json");
    CHECK_OK(itsi_config_args_file(&args, "/", &diag), diag);
    assert_int_equal(itsi_config_load(&config, &args, &diag), ITS_EIO);
    itsi_config_args_fini(&args);
}

static void cameras_are_read_and_named(void **state)
{
    (void)state;
    struct itsi_config *config;
    struct itsi_config_args args;
    char *env[] = {"CAM=rtsp://u:pw@10.0.0.9/x", NULL};
    itsi_config_args_init(&args, env);
    args.document = "{\"cameras\": [{\"url\": \"rtsp://u:secret@10.0.0.1/a\", \"sub_url\": \"rtsp://10.0.0.1/b\","
                    "\"priority\": 9, \"fps\": 12.5}, {\"id\": \"camera_001\", \"url\": {\"env\": \"CAM\"}}]}";
    args.document_len = strlen(args.document);
    CHECK_OK(itsi_config_args_camera(&args, "gate-1=/videos/a=b.mp4", &diag), diag);
    CHECK_OK(itsi_config_args_camera(&args, "rtsp://host/x?id=7", &diag), diag);
    CHECK_OK(itsi_config_load(&config, &args, &diag), diag);
    assert_int_equal(config->cameras.count, 4);
    const struct itsi_config_camera *camera = config->cameras.items;
    assert_string_equal(camera[0].id, "camera_002"); /* 001 is taken */
    assert_string_equal(camera[0].url, "rtsp://u:secret@10.0.0.1/a");
    assert_string_equal(camera[0].sub_url, "rtsp://10.0.0.1/b");
    assert_int_equal(camera[0].priority, 9);
    CHECK_NEAR(camera[0].fps, 12.5, 0);
    assert_string_equal(camera[1].url, "rtsp://u:pw@10.0.0.9/x");
    assert_string_equal(camera[2].id, "gate-1");
    assert_string_equal(camera[2].url, "/videos/a=b.mp4");
    assert_string_equal(camera[3].id, "camera_003");
    assert_string_equal(camera[3].url, "rtsp://host/x?id=7");
    itsi_config_unref(&config);
    itsi_config_args_fini(&args);
}

static void bad_cameras_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *cameras, *says;
    } bad[] = {
        {"{}", "cameras: {} is not a list of cameras"},
        {"[5]", "cameras[0]: 5 is not an object"},
        {"[{\"id\": \"a\"}]", "cameras[0]: has no url"},
        {"[{\"url\": null}]", "cameras[0]: has no url"},
        {"[{\"url\": 5}]", "cameras[0]: url: must be text, {\"file\": PATH} or {\"env\": NAME}"},
        {"[{\"url\": \"/a\"}, {\"url\": \"/b\", \"prio\": 1}]", "cameras[1]: prio: unknown key"},
        {"[{\"url\": \"/a\", \"priority\": 10}]", "priority: 10 is not an integer in 0..9"},
        {"[{\"url\": \"/a\", \"fps\": -1}]", "fps: -1 is not a number in 0..240"},
        {"[{\"url\": \"/a\", \"id\": \"a b\"}]", "id: \"a b\" is not 1 to 64 of"},
        {"[{\"url\": \"/a\", \"id\": \"\"}]", "id: \"\" is not 1 to 64 of"},
        {"[{\"url\": \"/a\", \"id\": \"x\"}, {\"url\": \"/b\", \"id\": \"x\"}]", "camera id \"x\" is used twice"},
        {"[{\"url\": \"rtsp://u:hunter2@h:port/\"}]", "malformed"},
        {"[{\"url\": \"rtsp://u:***@h/\"}]", "a dump has hidden"},
        {"[{\"url\": {\"env\": \"NOT_SET\"}}]", "\"NOT_SET\" is not set"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct itsi_config *config;
        char document[512];
        snprintf(document, sizeof document, "{\"cameras\": %s}", bad[i].cameras);
        int rc = load(&config, document, NULL, NULL);
        if (rc != ITS_EINVAL)
            fail_msg("%s gives %d", bad[i].cameras, rc);
        CHECK_CONTAINS(diag.text, bad[i].says);
        assert_null(strstr(diag.text, "hunter2"));
    }
    struct itsi_config *config;
    assert_int_equal(load(&config, "{\"max_concurrent_streams\": 1, \"cameras\": [{\"url\": \"/a\"}, {\"url\": \"/b\"}]}",
                          NULL, NULL),
                     ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "2 cameras are more than max_concurrent_streams = 1 (file conf.json)");
}

static void secrets_come_from_files_and_variables(void **state)
{
    (void)state;
    char dir[] = "/tmp/its-config-XXXXXX", path[64], conf[64], document[256];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/token", dir);
    snprintf(conf, sizeof conf, "%s/conf.json", dir);
    FILE *file = fopen(path, "w");
    fputs("s3cret\r\n", file);
    fclose(file);
    file = fopen(conf, "w");
    fputs("{\"server\": {\"token\": {\"file\": \"token\"}}, \"redis_url\": {\"env\": \"R\"}}", file);
    fclose(file);
    struct itsi_config *config;
    struct itsi_config_args args;
    char *env[] = {"R=redis://:pw@h:6379", NULL};
    itsi_config_args_init(&args, env);
    CHECK_OK(itsi_config_args_file(&args, conf, &diag), diag);
    CHECK_OK(itsi_config_load(&config, &args, &diag), diag); /* relative to the configuration file */
    assert_string_equal(config->cfg.server.token, "s3cret");
    assert_string_equal(config->cfg.general.redis_url, "redis://:pw@h:6379");
    const json_t *kept = config->traces[itsi_option_index(itsi_option_find("server.token"))].value[ITSI_LAYER_FILE];
    assert_string_equal(json_string_value(json_object_get(kept, "file")), path); /* absolute: good from any folder */
    itsi_config_unref(&config);
    args.env = NULL;
    assert_int_equal(itsi_config_load(&config, &args, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "redis_url: the environment variable \"R\" is not set");
    itsi_config_args_fini(&args);

    snprintf(document, sizeof document, "server.token={\"file\": \"%s\"}", path);
    const char *sets[] = {document, NULL};
    CHECK_OK(load(&config, NULL, NULL, sets), diag);
    assert_string_equal(config->cfg.server.token, "s3cret");
    itsi_config_unref(&config);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(load(&config, NULL, NULL, sets), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "is empty");
    unlink(path);
    assert_int_equal(load(&config, NULL, NULL, sets), ITS_ENOTFOUND);
    CHECK_CONTAINS(diag.text, path);
    unlink(conf);
    rmdir(dir);
    const char *hidden[] = {"server.token=***", NULL}, *shape[] = {"server.token={\"path\": \"x\"}", NULL};
    assert_int_equal(load(&config, NULL, NULL, hidden), ITS_EINVAL);
    assert_int_equal(load(&config, NULL, NULL, shape), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "{\"file\": PATH} or {\"env\": NAME}");
}

static void loading_survives_every_failed_allocation(void **state)
{
    (void)state;
    char *env[] = {"PERFORMANCE__TOKEN=abc", "PERFORMANCE__CLASSES=car,bus", "CAM=rtsp://h/x", NULL};
    const char *sets[] = {"strategy=memory_optimized", "server.jpeg_quality=70", NULL};
    const char *document = "{\"gpu\": {\"batch_timeout_ms\": 4, \"batch_size_range\": [1, 8]}, \"data_dir\": \"d\","
                           "\"cameras\": [{\"url\": \"/a.mp4\"}, {\"url\": {\"env\": \"CAM\"}, \"id\": \"x\"}]}";
    int failures = 0;
    json_set_alloc_funcs(itsi_alloc, itsi_free);
    for (int64_t nth = 1;; nth++) {
        struct itsi_config *config = NULL;
        itsi_alloc_fail_at(nth);
        int rc = load(&config, document, env, sets);
        itsi_alloc_fail_at(0);
        if (rc == 0) {
            assert_int_equal(config->cameras.count, 2);
            itsi_config_unref(&config);
            break;
        }
        assert_null(config); /* jansson cannot tell no memory from bad text, so the code may be any */
        failures++;
        assert_true(nth < 20000);
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(failures > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_win_in_order),
        cmocka_unit_test(the_strongest_layer_names_the_strategy),
        cmocka_unit_test(every_strategy_loads),
        cmocka_unit_test(both_forms_of_a_variable_work),
        cmocka_unit_test(every_row_takes_its_default_from_the_environment),
        cmocka_unit_test(bad_input_names_key_value_range_and_source),
        cmocka_unit_test(syntax_errors_name_file_and_line),
        cmocka_unit_test(cameras_are_read_and_named),
        cmocka_unit_test(bad_cameras_are_refused),
        cmocka_unit_test(secrets_come_from_files_and_variables),
        cmocka_unit_test(loading_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
