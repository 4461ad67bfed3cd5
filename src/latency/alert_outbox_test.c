#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "latency/alert_outbox.h"
#include "latency/alert_retry.h"
#include "its/error.h"

#define SECOND ITSI_NS_PER_S

static struct itsi_alert alert_of(const char *camera, enum itsi_severity severity, bool firing)
{
    struct itsi_alert alert = {.scope = ITSI_ALERT_CAMERA, .severity = severity, .firing = firing};
    snprintf(alert.subject, sizeof alert.subject, "%s", camera);
    alert.fingerprint = itsi_alert_fingerprint(&alert);
    return alert;
}

static int put(struct itsi_outbox *box, const char *camera, enum itsi_severity severity, bool firing)
{
    const struct itsi_alert alert = alert_of(camera, severity, firing);
    return itsi_outbox_put(box, &alert);
}

static void newer_states_replace_older_ones(void **state)
{
    (void)state;
    struct itsi_outbox box;
    struct itsi_outbox_entry out[4];
    itsi_outbox_init(&box, 16, ITSI_NEVER);
    assert_int_equal(itsi_outbox_due(&box), ITSI_NEVER);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(put(&box, "a", ITSI_SEVERITY_CRITICAL, true), 0);
        assert_int_equal(put(&box, "a", ITSI_SEVERITY_CRITICAL, false), 0);
    }
    assert_int_equal(itsi_outbox_waiting(&box), 1);
    assert_int_equal(itsi_outbox_take(&box, 0, out, 4), 1);
    assert_false(out[0].alert.firing);
    itsi_outbox_settle(&box, out, 1, true, 0);
    assert_int_equal(box.count, 0);
    itsi_outbox_fini(&box);
}

static void a_state_that_came_while_sending_is_sent_too(void **state)
{
    (void)state;
    struct itsi_outbox box;
    struct itsi_outbox_entry out[4];
    itsi_outbox_init(&box, 16, ITSI_NEVER);
    assert_int_equal(put(&box, "a", ITSI_SEVERITY_WARNING, true), 0);
    assert_int_equal(itsi_outbox_take(&box, 0, out, 4), 1);
    assert_int_equal(put(&box, "a", ITSI_SEVERITY_WARNING, false), 0);
    itsi_outbox_settle(&box, out, 1, true, 0);
    assert_int_equal(itsi_outbox_take(&box, 0, out, 4), 1);
    assert_false(out[0].alert.firing);
    assert_int_equal(out[0].told, 1u << ITSI_SEVERITY_WARNING);
    itsi_outbox_settle(&box, out, 1, false, 0); /* refused for good: gone as well */
    assert_int_equal(box.count, 0);
    itsi_outbox_fini(&box);
}

static void a_full_box_keeps_what_it_has(void **state)
{
    (void)state;
    struct itsi_outbox box;
    struct itsi_outbox_entry out[32];
    char id[16];
    itsi_outbox_init(&box, 16, ITSI_NEVER);
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "c%d", i);
        assert_int_equal(put(&box, id, ITSI_SEVERITY_INFO, true), i < 16 ? 0 : ITS_ELIMIT);
    }
    assert_int_equal(put(&box, "c3", ITSI_SEVERITY_INFO, false), 0); /* known: there is room */
    assert_int_equal(itsi_outbox_take(&box, 0, out, 32), 16);
    assert_string_equal(out[0].alert.subject, "c0"); /* first come, first told */
    assert_int_equal(box.cap, 16);
    itsi_outbox_fini(&box);
}

static void what_fires_is_repeated_where_that_is_asked_for(void **state)
{
    (void)state;
    struct itsi_outbox box;
    struct itsi_outbox_entry out[4];
    itsi_outbox_init(&box, 16, 60 * SECOND);
    assert_int_equal(put(&box, "a", ITSI_SEVERITY_WARNING, true), 0);
    assert_int_equal(itsi_outbox_take(&box, 10 * SECOND, out, 4), 1);
    itsi_outbox_settle(&box, out, 1, true, 10 * SECOND);
    assert_int_equal(itsi_outbox_waiting(&box), 0);
    assert_int_equal(itsi_outbox_due(&box), 70 * SECOND);
    assert_int_equal(itsi_outbox_take(&box, 69 * SECOND, out, 4), 0);
    assert_int_equal(itsi_outbox_take(&box, 70 * SECOND, out, 4), 1);
    itsi_outbox_settle(&box, out, 1, true, 70 * SECOND);
    assert_int_equal(put(&box, "a", ITSI_SEVERITY_EMERGENCY, true), 0);
    assert_int_equal(itsi_outbox_take(&box, 71 * SECOND, out, 4), 1);
    assert_int_equal(out[0].told, 1u << ITSI_SEVERITY_WARNING); /* what has to be ended there */
    itsi_outbox_settle(&box, out, 1, true, 71 * SECOND);
    assert_int_equal(put(&box, "a", ITSI_SEVERITY_EMERGENCY, false), 0);
    assert_int_equal(itsi_outbox_take(&box, 72 * SECOND, out, 4), 1);
    assert_int_equal(out[0].told, 1u << ITSI_SEVERITY_EMERGENCY);
    itsi_outbox_settle(&box, out, 1, true, 72 * SECOND);
    assert_int_equal(itsi_outbox_due(&box), ITSI_NEVER); /* an end is told once */
    itsi_outbox_fini(&box);
}

static void puts_survive_no_memory(void **state)
{
    (void)state;
    struct itsi_outbox box;
    itsi_outbox_init(&box, 16, ITSI_NEVER);
    itsi_alloc_fail_at(1);
    assert_int_equal(put(&box, "a", ITSI_SEVERITY_INFO, true), ITS_ENOMEM);
    itsi_alloc_fail_at(0);
    assert_int_equal(put(&box, "a", ITSI_SEVERITY_INFO, true), 0);
    itsi_outbox_fini(&box);
}

/* --- retries -------------------------------------------------------------------------------------------------------
 * */

static void answers_say_whether_to_try_again(void **state)
{
    (void)state;
    static const struct {
        int rc, status;
        enum itsi_delivery_result wanted;
    } rows[] = {
        {0, 200, ITSI_DELIVERY_OK},          {0, 204, ITSI_DELIVERY_OK},
        {0, 301, ITSI_DELIVERY_REFUSED},     {0, 400, ITSI_DELIVERY_REFUSED},
        {0, 401, ITSI_DELIVERY_REFUSED},     {0, 404, ITSI_DELIVERY_REFUSED},
        {0, 408, ITSI_DELIVERY_AGAIN},       {0, 425, ITSI_DELIVERY_AGAIN},
        {0, 429, ITSI_DELIVERY_AGAIN},       {0, 500, ITSI_DELIVERY_AGAIN},
        {0, 503, ITSI_DELIVERY_AGAIN},       {ITS_EREFUSED, 0, ITSI_DELIVERY_AGAIN},
        {ITS_ETIMEOUT, 0, ITSI_DELIVERY_AGAIN}, {ITS_EIO, 0, ITSI_DELIVERY_AGAIN},
        {ITS_EINVAL, 0, ITSI_DELIVERY_REFUSED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(itsi_delivery_judge(rows[i].rc, rows[i].status), rows[i].wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newer_states_replace_older_ones),
        cmocka_unit_test(a_state_that_came_while_sending_is_sent_too),
        cmocka_unit_test(a_full_box_keeps_what_it_has),
        cmocka_unit_test(what_fires_is_repeated_where_that_is_asked_for),
        cmocka_unit_test(puts_survive_no_memory),
        cmocka_unit_test(answers_say_whether_to_try_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
