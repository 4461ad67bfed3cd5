#include "support/check.h"

#include "base/clock.h"
#include "latency/alert.h"

#include <jansson.h>

#define WALL (INT64_C(1767225600) * ITSI_NS_PER_S) /* 2026-01-01T00:00:00Z */

static struct itsi_alert group_alert(void)
{
    struct itsi_alert alert = {
        .condition = ITSI_ALERT_BURN,
        .scope = ITSI_ALERT_GROUP,
        .subject = "10.0.0.7",
        .severity = ITSI_SEVERITY_EMERGENCY,
        .firing = true,
        .started_wall = WALL,
        .figures = {.value = 19.96, .limit = 14.4, .burn_short = 20, .budget = 0.05, .due = 300000, .bad = 299400,
                    .long_ns = 300 * ITSI_NS_PER_S, .short_ns = 60 * ITSI_NS_PER_S, .failing = 40, .members = 40,
                    .names = "a, b and 38 more"},
    };
    alert.fingerprint = itsi_alert_fingerprint(&alert);
    return alert;
}

static void fingerprints_identify(void **state)
{
    (void)state;
    struct itsi_alert a = group_alert(), b = a;
    b.severity = ITSI_SEVERITY_INFO;
    b.figures.value = 1;
    b.started_wall = 0;
    b.firing = false;
    assert_int_equal(itsi_alert_fingerprint(&a), itsi_alert_fingerprint(&b));
    assert_true(itsi_alert_fingerprint(&a) == UINT64_C(0xa3642d3cf17bd48c)); /* the same after a restart */
    snprintf(b.subject, sizeof b.subject, "10.0.0.8");
    assert_true(itsi_alert_fingerprint(&a) != itsi_alert_fingerprint(&b));
    b = a;
    b.scope = ITSI_ALERT_CAMERA;
    assert_true(itsi_alert_fingerprint(&a) != itsi_alert_fingerprint(&b));
    b = a;
    b.condition = ITSI_ALERT_STUCK;
    assert_true(itsi_alert_fingerprint(&a) != itsi_alert_fingerprint(&b));
    struct itsi_alert c = {.subject = "x", .part = "yz"}, d = {.subject = "xy", .part = "z"};
    assert_true(itsi_alert_fingerprint(&c) != itsi_alert_fingerprint(&d));
}

static void summaries_have_the_figures(void **state)
{
    (void)state;
    char text[768];
    struct itsi_alert alert = group_alert();
    itsi_alert_summary(&alert, text, sizeof text);
    assert_string_equal(text, "group 10.0.0.7: 299400 of 300000 frames due in the last 300 s were not delivered in "
                              "time; the budget of 5 % burns at 20.0x (last 60 s: 20.0x, limit 14.4x); 40 of 40 "
                              "cameras failing: a, b and 38 more");
    struct itsi_alert other = {.condition = ITSI_ALERT_STAGE_BUDGET, .part = "ml_inference",
                               .figures = {.value = 72.125, .limit = 50}};
    itsi_alert_summary(&other, text, sizeof text);
    assert_string_equal(text, "stage ml_inference: p95 of 72.1 ms, its budget is 50 ms");
    other = (struct itsi_alert){.condition = ITSI_ALERT_REGRESSION, .part = "preprocessing",
                                .figures = {.value = 31.4, .limit = 20, .confidence = 0.9991, .since_wall = WALL}};
    itsi_alert_summary(&other, text, sizeof text);
    assert_string_equal(text, "preprocessing slower by 31.4 % since 2026-01-01T00:00:00.000Z (confidence 0.9991, limit "
                              "20 %)");
    other = (struct itsi_alert){.condition = ITSI_ALERT_STUCK, .part = "ml_inference",
                                .figures = {.value = 12.34, .limit = 5, .names = "gate"}};
    itsi_alert_summary(&other, text, sizeof text);
    assert_string_equal(text, "a frame of camera gate has been in ml_inference for 12.3 s (limit 5 s)");
    other = (struct itsi_alert){.condition = ITSI_ALERT_LATENCY_TARGET, .part = "p95",
                                .figures = {.value = 91.26, .limit = 80}};
    itsi_alert_summary(&other, text, sizeof text);
    assert_string_equal(text, "end-to-end latency: p95 of 91.3 ms, its target is 80 ms");
    other = (struct itsi_alert){.condition = ITSI_ALERT_EXHAUSTED,
                                .figures = {.value = 12.34, .limit = 10, .failing = 40, .members = 42, .names = "cpu"}};
    itsi_alert_summary(&other, text, sizeof text);
    assert_string_equal(text, "quality has nothing left to give: overload of the cpu has gone on for 12.3 s (limit 10 s) "
                              "with 40 of the 42 cameras that take of it as low as they may be");
    other = (struct itsi_alert){.condition = ITSI_ALERT_POOL, .part = "database",
                                .figures = {.value = 12.34, .limit = 10, .names = "db:5432: connection refused"}};
    itsi_alert_summary(&other, text, sizeof text);
    assert_string_equal(text, "database has been down for 12.3 s (limit 10 s): db:5432: connection refused");
    itsi_alert_summary(&alert, text, 10); /* cut, not overrun */
    assert_string_equal(text, "group 10.");
}

static json_t *parsed(struct itsi_buf *buf)
{
    json_error_t error;
    json_t *root = json_loads(buf->data, 0, &error);
    if (!root)
        fail_msg("%s in %s", error.text, buf->data);
    itsi_buf_fini(buf);
    return root;
}

static const char *text_at(json_t *root, const char *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object ? json_object_get(root, object) : root, key));
    return text ? text : "(none)";
}

static void the_document_says_all(void **state)
{
    (void)state;
    struct itsi_alert alerts[2] = {group_alert(), {.condition = ITSI_ALERT_LATENCY_TARGET, .part = "p95",
                                                   .severity = ITSI_SEVERITY_WARNING, .end = ITSI_ALERT_REMOVED,
                                                   .started_wall = WALL, .ended_wall = WALL + 1500 * ITSI_NS_PER_MS,
                                                   .figures = {.value = NAN, .limit = 80}}};
    struct itsi_buf buf;
    struct itsi_json json;
    itsi_buf_init(&buf);
    itsi_json_init(&json, &buf);
    itsi_alert_webhook_head(&json, "edge \"7\"");
    itsi_alert_json(&json, NULL, &alerts[0]);
    itsi_alert_json(&json, NULL, &alerts[1]);
    itsi_alert_webhook_foot(&json);
    json_t *root = parsed(&buf);
    assert_string_equal(text_at(root, NULL, "version"), "1");
    assert_string_equal(text_at(root, NULL, "instance"), "edge \"7\"");
    json_t *list = json_object_get(root, "alerts");
    assert_int_equal(json_array_size(list), 2);
    json_t *first = json_array_get(list, 0), *second = json_array_get(list, 1);
    assert_string_equal(text_at(first, NULL, "status"), "firing");
    assert_string_equal(text_at(first, NULL, "starts_at"), "2026-01-01T00:00:00.000Z");
    assert_true(json_is_null(json_object_get(first, "ends_at")));
    assert_string_equal(text_at(first, "labels", "group"), "10.0.0.7");
    assert_string_equal(text_at(first, "labels", "condition"), "error_budget_burn");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(first, "figures"), "cameras_failing")), 40);
    assert_int_equal(strlen(text_at(first, NULL, "fingerprint")), 16);
    assert_string_equal(text_at(second, NULL, "status"), "resolved");
    assert_string_equal(text_at(second, NULL, "reason"), "removed");
    assert_string_equal(text_at(second, NULL, "ends_at"), "2026-01-01T00:00:01.500Z");
    assert_string_equal(text_at(second, "labels", "quantile"), "p95");
    assert_true(json_is_null(json_object_get(json_object_get(second, "figures"), "latency_ms")));
    json_decref(root);
}

static void alertmanager_gets_strings_only(void **state)
{
    (void)state;
    struct itsi_alert alert = group_alert();
    struct itsi_buf buf;
    struct itsi_json json;
    itsi_buf_init(&buf);
    itsi_json_init(&json, &buf);
    itsi_alert_alertmanager_json(&json, &alert, ITSI_SEVERITY_CRITICAL, "edge-7", WALL + 240 * ITSI_NS_PER_S);
    json_t *root = parsed(&buf);
    static const char *const maps[] = {"labels", "annotations"};
    for (int i = 0; i < 2; i++) {
        const char *key;
        json_t *value;
        json_object_foreach(json_object_get(root, maps[i]), key, value)
            assert_true(json_is_string(value) && json_string_length(value) > 0);
    }
    assert_string_equal(text_at(root, "labels", "alertname"), "ItsErrorBudgetBurn");
    assert_string_equal(text_at(root, "labels", "severity"), "critical");
    assert_string_equal(text_at(root, "labels", "group"), "10.0.0.7");
    assert_string_equal(text_at(root, NULL, "endsAt"), "2026-01-01T00:04:00.000Z");
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fingerprints_identify),
        cmocka_unit_test(summaries_have_the_figures),
        cmocka_unit_test(the_document_says_all),
        cmocka_unit_test(alertmanager_gets_strings_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
