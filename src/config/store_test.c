#include "support/check.h"

#include "base/mem.h"
#include "base/thread.h"
#include "config/store.h"
#include "config/value.h"

static struct its_diag diag;

static int load(struct itsi_config **out, const char *document)
{
    struct itsi_config_args args;
    itsi_config_args_init(&args, NULL);
    args.document = document;
    args.document_len = strlen(document);
    int rc = itsi_config_load(out, &args, &diag);
    itsi_config_args_fini(&args);
    return rc;
}

static struct itsi_config_store *store_of(const char *document)
{
    struct itsi_config *config;
    struct itsi_config_store *store;
    CHECK_OK(load(&config, document), diag);
    CHECK_OK(itsi_config_store_create(&store, config, &diag), diag);
    return store;
}

static int replace(struct itsi_config_store *store, const char *document, struct itsi_config_change *change)
{
    struct itsi_config *next;
    int rc = load(&next, document);
    return rc == 0 ? itsi_config_store_replace(store, next, change, &diag) : rc;
}

static void check_names(const struct itsi_str_list *list, const char *wanted)
{
    char joined[512] = "";
    for (size_t i = 0; i < list->count; i++)
        snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s", i ? " " : "", list->items[i]);
    assert_string_equal(joined, wanted);
}

static void live_rows_apply_and_the_rest_is_named(void **state)
{
    (void)state;
    struct itsi_config_store *store = store_of("{\"gpu\": {\"batch_timeout_ms\": 4}, \"server\": {\"max_connections\": 9}}");
    struct itsi_config *old = itsi_config_store_get(store);
    struct itsi_config_change change;
    assert_int_equal(itsi_config_store_version(store), 1);
    CHECK_OK(replace(store, "{\"gpu\": {\"batch_timeout_ms\": 6, \"enable_tensorrt\": false}}", &change), diag);
    check_names(&change.applied, "gpu.batch_timeout_ms");
    check_names(&change.restart, "gpu.enable_tensorrt server.max_connections");
    itsi_config_change_fini(&change);
    assert_int_equal(itsi_config_store_version(store), 2);
    struct itsi_config *now = itsi_config_store_get(store);
    CHECK_NEAR(now->cfg.gpu.batch_timeout_ms, 6, 0);
    assert_true(now->cfg.gpu.enable_tensorrt);
    assert_int_equal(now->cfg.server.max_connections, 9);
    assert_int_equal(itsi_config_layer_of(now, itsi_option_find("server.max_connections")), ITSI_LAYER_FILE);
    assert_int_equal(itsi_config_layer_of(now, itsi_option_find("gpu.enable_tensorrt")), ITSI_LAYER_DEFAULT);
    CHECK_NEAR(old->cfg.gpu.batch_timeout_ms, 4, 0); /* who holds a snapshot keeps it */
    itsi_config_unref(&old);
    itsi_config_unref(&now);
    itsi_config_store_destroy(store);
}

/* A new strategy applies what can apply now and names the rest. */
static void a_strategy_changes_what_it_can(void **state)
{
    (void)state;
    struct itsi_config_store *store = store_of("{}");
    struct itsi_config_change change;
    CHECK_OK(replace(store, "{\"strategy\": \"latency_optimized\"}", &change), diag);
    check_names(&change.applied, "strategy gpu.batch_timeout_ms caching.l1_cache_ttl_seconds "
                                 "latency_monitoring.latency_sla_ms");
    check_names(&change.restart, "gpu.tensorrt_opt_batch_size");
    itsi_config_change_fini(&change);
    struct itsi_config *now = itsi_config_store_get(store);
    assert_int_equal(now->cfg.general.strategy, ITSI_STRATEGY_LATENCY);
    assert_int_equal(now->cfg.gpu.tensorrt_opt_batch_size, 8);
    itsi_config_unref(&now);
    itsi_config_store_destroy(store);
}

/* Rows that belong together and wait for a restart wait together. */
static void rows_that_wait_stay_together(void **state)
{
    (void)state;
    struct itsi_config_store *store = store_of("{\"server\": {\"listen\": \"127.0.0.1:1\"}}");
    struct itsi_config_change change;
    CHECK_OK(replace(store, "{\"server\": {\"listen\": \"0.0.0.0:1\", \"token\": \"t\"}}", &change), diag);
    check_names(&change.restart, "server.listen server.token");
    itsi_config_change_fini(&change);
    struct itsi_config *now = itsi_config_store_get(store);
    assert_string_equal(now->cfg.server.listen, "127.0.0.1:1");
    assert_null(now->cfg.server.token);
    itsi_config_unref(&now);
    itsi_config_store_destroy(store);
}

static void errors_leave_the_last_good_one(void **state)
{
    (void)state;
    struct itsi_config_store *store = store_of("{\"gpu\": {\"batch_timeout_ms\": 4}}");
    struct itsi_config *before = itsi_config_store_get(store);
    struct itsi_config_change change = {0};
    assert_int_equal(replace(store, "{\"gpu\": {\"batch_timeout_ms\": -4}}", &change), ITS_EINVAL);
    assert_int_equal(replace(store, "{", &change), ITS_EFORMAT);
    CHECK_OK(replace(store, "{\"gpu\": {\"batch_timeout_ms\": 4}}", &change), diag);
    assert_true(itsi_config_change_empty(&change));
    itsi_config_change_fini(&change);
    struct itsi_config *after = itsi_config_store_get(store);
    CHECK_NEAR(after->cfg.gpu.batch_timeout_ms, 4, 0);
    itsi_config_unref(&before);
    itsi_config_unref(&after);
    itsi_config_store_destroy(store);
}

static void cameras_are_compared_by_id(void **state)
{
    (void)state;
    struct itsi_config_store *store =
        store_of("{\"cameras\": [{\"id\": \"a\", \"url\": \"/a\"}, {\"id\": \"b\", \"url\": \"/b\"},"
                 "{\"id\": \"c\", \"url\": \"/c\"}]}");
    struct itsi_config_change change;
    CHECK_OK(replace(store, "{\"cameras\": [{\"id\": \"c\", \"url\": \"/c\"}, {\"id\": \"b\", \"url\": \"/b\","
                            "\"fps\": 5}, {\"id\": \"d\", \"url\": \"/d\"}]}", &change), diag);
    check_names(&change.cameras_added, "d");
    check_names(&change.cameras_removed, "a");
    check_names(&change.cameras_changed, "b");
    assert_int_equal(change.applied.count + change.restart.count, 0);
    itsi_config_change_fini(&change);
    itsi_config_store_destroy(store);
}

static void reload_reads_the_file_again(void **state)
{
    (void)state;
    char path[] = "/tmp/its-store-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    fputs("{\"server\": {\"live_fps\": 5}}", file);
    fclose(file);
    struct itsi_config_args args;
    struct itsi_config *config;
    struct itsi_config_store *store;
    itsi_config_args_init(&args, NULL);
    CHECK_OK(itsi_config_args_file(&args, path, &diag), diag);
    CHECK_OK(itsi_config_load(&config, &args, &diag), diag);
    CHECK_OK(itsi_config_store_create(&store, config, &diag), diag);
    file = fopen(path, "w");
    fputs("{\"server\": {\"live_fps\": 7}}", file);
    fclose(file);
    struct itsi_config_change change;
    CHECK_OK(itsi_config_store_reload(store, &args, &change, &diag), diag);
    check_names(&change.applied, "server.live_fps");
    itsi_config_change_fini(&change);
    remove(path);
    assert_int_equal(itsi_config_store_reload(store, &args, &change, &diag), ITS_ENOTFOUND);
    config = itsi_config_store_get(store);
    CHECK_NEAR(config->cfg.server.live_fps, 7, 0);
    itsi_config_unref(&config);
    itsi_config_store_destroy(store);
    itsi_config_args_fini(&args);
}

struct reader {
    struct itsi_config_store *store;
    struct itsi_event stop;
    atomic_int torn, reads;
};

/* The two rows always change together: a reader that sees them apart saw half a change. */
static void *read_snapshots(void *arg)
{
    struct reader *reader = arg;
    do {
        struct itsi_config *config = itsi_config_store_get(reader->store);
        if (config->cfg.inference.classes.count != (size_t)config->cfg.caching.l1_cache_ttl_seconds)
            atomic_fetch_add(&reader->torn, 1);
        atomic_fetch_add(&reader->reads, 1);
        itsi_config_unref(&config);
    } while (!itsi_event_is_set(&reader->stop));
    return NULL;
}

static void readers_see_whole_snapshots_while_it_changes(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "{\"inference\": {\"classes\": [\"car\"]}, \"caching\": {\"l1_cache_ttl_seconds\": 1}}",
        "{\"inference\": {\"classes\": [\"car\", \"bus\"]}, \"caching\": {\"l1_cache_ttl_seconds\": 2}}",
    };
    struct reader reader = {.store = store_of(documents[0])};
    pthread_t threads[3];
    itsi_event_init(&reader.stop);
    for (int i = 0; i < 3; i++)
        CHECK_OK(itsi_thread_start(&threads[i], "reader", read_snapshots, &reader, &diag), diag);
    for (int i = 1; i <= 200; i++)
        CHECK_OK(replace(reader.store, documents[i % 2], NULL), diag);
    itsi_event_set(&reader.stop);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&reader.torn), 0);
    assert_true(atomic_load(&reader.reads) >= 3);
    assert_int_equal(itsi_config_store_version(reader.store), 201);
    itsi_event_fini(&reader.stop);
    itsi_config_store_destroy(reader.store);
}

static void replacing_survives_every_failed_allocation(void **state)
{
    (void)state;
    struct itsi_config_store *store = store_of("{\"cameras\": [{\"url\": \"/a\"}]}");
    int failures = 0;
    for (int64_t nth = 1;; nth++) {
        struct itsi_config *next;
        struct itsi_config_change change;
        CHECK_OK(load(&next, "{\"data_dir\": \"other\", \"gpu\": {\"batch_timeout_ms\": 3},"
                             "\"cameras\": [{\"id\": \"x\", \"url\": \"/b\"}]}"), diag);
        itsi_alloc_fail_at(nth);
        int rc = itsi_config_store_replace(store, next, &change, &diag);
        itsi_alloc_fail_at(0);
        if (rc == 0) {
            itsi_config_change_fini(&change);
            break;
        }
        assert_int_equal(rc, ITS_ENOMEM);
        struct itsi_config *now = itsi_config_store_get(store);
        CHECK_NEAR(now->cfg.gpu.batch_timeout_ms, 10, 0);
        itsi_config_unref(&now);
        failures++;
        assert_true(nth < 1000);
    }
    assert_true(failures >= 8);
    itsi_config_store_destroy(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(live_rows_apply_and_the_rest_is_named),
        cmocka_unit_test(a_strategy_changes_what_it_can),
        cmocka_unit_test(rows_that_wait_stay_together),
        cmocka_unit_test(errors_leave_the_last_good_one),
        cmocka_unit_test(cameras_are_compared_by_id),
        cmocka_unit_test(reload_reads_the_file_again),
        cmocka_unit_test(readers_see_whole_snapshots_while_it_changes),
        cmocka_unit_test(replacing_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
