#include "pool/lease_server.h"

#include "base/mem.h"

static char *scrape(struct itsi_pool_stats *pools, int count)
{
    struct itsi_buf out;
    struct itsi_exposition e;
    itsi_buf_init(&out);
    itsi_exposition_init(&e, ITSI_EXPOSITION_TEXT, &out);
    itsi_put_pool_metrics(&e, pools, count);
    itsi_exposition_end(&e);
    char *text = itsi_buf_take(&out);
    assert_non_null(text);
    return text;
}

static void every_family_is_there_once_with_a_sample_of_each_pool(void **state)
{
    (void)state;
    static struct itsi_pool_stats pools[2] = {{.name = "redis", .most = 100}, {.name = "database", .most = 50}};
    char *text = scrape(pools, 2);
    int families = 0;
    for (const char *at = text; (at = strstr(at, "# TYPE its_pool_")); at++) {
        char name[80];
        assert_int_equal(sscanf(at, "# TYPE %79s", name), 1);
        char again[100];
        snprintf(again, sizeof again, "# TYPE %s ", name);
        assert_null(strstr(at + 1, again));
        families++;
    }
    assert_int_equal(families, 22);
    CHECK_CONTAINS(text, "its_pool_most{pool=\"redis\"} 100\n");
    CHECK_CONTAINS(text, "its_pool_most{pool=\"database\"} 50\n");
    for (int r = 0; r < ITSI_POOL_CLOSED_COUNT; r++) {
        char line[100];
        snprintf(line, sizeof line, "its_pool_closed_total{pool=\"redis\",reason=\"%s\"} 0\n",
                 itsi_pool_closed_name((enum itsi_pool_closed)r));
        CHECK_CONTAINS(text, line);
    }
    itsi_free(text);
}

static void what_happened_is_what_is_said(void **state)
{
    (void)state;
    struct server server;
    struct itsi_pool_params p = plain_params();
    struct its_diag diag;
    struct itsi_lease lease, other;
    p.most = 1;
    struct itsi_pool *pool = server_begin(&server, &p);
    for (int i = 0; i < 32; i++) { /* two of them are measured */
        CHECK_OK(itsi_pool_acquire(pool, &somebody, ITSI_NEVER, &lease, &diag), diag);
        itsi_sleep_until_ns(itsi_now_ns() + 2 * MS);
        assert_int_equal(itsi_pool_release(lease, false), 0);
    }
    CHECK_OK(itsi_pool_acquire(pool, &somebody, ITSI_NEVER, &lease, &diag), diag);
    assert_int_equal(itsi_pool_acquire(pool, &somebody, itsi_now_ns() + MS, &other, &diag), ITS_ETIMEOUT);
    struct itsi_pool_stats stats = stats_of(pool);
    char *text = scrape(&stats, 1);
    CHECK_CONTAINS(text, "its_pool_resources{pool=\"test\",state=\"in_use\"} 1\n");
    CHECK_CONTAINS(text, "its_pool_leases_total{pool=\"test\",how=\"at_once\"} 32\n");
    CHECK_CONTAINS(text, "its_pool_leases_total{pool=\"test\",how=\"waited\"} 1\n");
    CHECK_CONTAINS(text, "its_pool_timeouts_total{pool=\"test\"} 1\n");
    CHECK_CONTAINS(text, "its_pool_acquire_seconds_count{pool=\"test\"} 33\n");
    CHECK_CONTAINS(text, "its_pool_usage_seconds_count{pool=\"test\"} 2\n");
    CHECK_CONTAINS(text, "its_pool_usage_seconds_bucket{pool=\"test\",le=\"0.001\"} 0\n");
    CHECK_CONTAINS(text, "its_pool_create_seconds_count{pool=\"test\"} 1\n");
    assert_true(stats.usage.quantiles.p50 >= 2);
    assert_true(stats.usage.sum_s >= 0.004);
    assert_true(stats.utilization > 0.3 && stats.utilization <= 1);
    itsi_free(text);
    assert_int_equal(itsi_pool_release(lease, false), 0);
    server_end(&server, pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family_is_there_once_with_a_sample_of_each_pool),
        cmocka_unit_test(what_happened_is_what_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
