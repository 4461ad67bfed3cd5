/* Delivery against a scripted HTTP server on loopback: real sockets, real threads, short waits. */
#include "support/check.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "latency/alert_delivery.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BODIES = 64, BODY = 16384 };
#define MS ITSI_NS_PER_MS
#define HANG "hang" /* takes the request and says nothing until told otherwise */

/* Answers the n-th request with the n-th entry of the script, the last one for ever. */
static struct server {
    int listener, port;
    pthread_t thread;
    const char *script[8];
    atomic_bool stop, release; /* release: hanging requests are closed, and answered well from now on */
    atomic_int requests;
    int64_t at[BODIES];
    char head[BODIES][2048], body[BODIES][BODY];
} s;

static char log_text[65536];
static size_t log_used;
static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;

static void keep_log(void *arg, enum itsi_log_level level, const char *component, const char *text)
{
    (void)arg, (void)level;
    pthread_mutex_lock(&log_mutex);
    const int n = snprintf(log_text + log_used, sizeof log_text - log_used, "%s: %s\n", component, text);
    if (n > 0 && (size_t)n < sizeof log_text - log_used)
        log_used += (size_t)n;
    pthread_mutex_unlock(&log_mutex);
}

static void read_request(int fd, int n)
{
    char *head = s.head[n], *end = NULL;
    size_t used = 0;
    while (!end && used < sizeof s.head[n] - 1) {
        const ssize_t got = read(fd, head + used, sizeof s.head[n] - 1 - used);
        if (got <= 0)
            return;
        used += (size_t)got;
        head[used] = '\0';
        end = strstr(head, "\r\n\r\n");
    }
    const char *length = strstr(head, "Content-Length: ");
    const size_t want = length ? (size_t)atol(length + 16) : 0;
    size_t have = end ? used - (size_t)(end + 4 - head) : 0;
    assert_true(want < BODY);
    if (have)
        memcpy(s.body[n], end + 4, have);
    while (have < want) {
        const ssize_t got = read(fd, s.body[n] + have, want - have);
        if (got <= 0)
            return;
        have += (size_t)got;
    }
}

static void answer(int fd, const char *status_and_headers)
{
    char text[512];
    snprintf(text, sizeof text, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", status_and_headers);
    if (write(fd, text, strlen(text)) < 0) /* the client may have gone */
        return;
}

static void *serve(void *arg)
{
    (void)arg;
    while (!atomic_load(&s.stop)) {
        struct pollfd ready = {.fd = s.listener, .events = POLLIN};
        if (poll(&ready, 1, 5) <= 0)
            continue;
        const int fd = accept(s.listener, NULL, NULL);
        const int n = atomic_load(&s.requests) % BODIES;
        int step = n < 7 ? n : 7;
        while (!s.script[step])
            step--;
        read_request(fd, n);
        s.at[n] = itsi_now_ns();
        atomic_fetch_add(&s.requests, 1);
        if (strcmp(s.script[step], HANG) != 0 || atomic_load(&s.release)) {
            answer(fd, strcmp(s.script[step], HANG) != 0 ? s.script[step] : "204 No Content");
        } else {
            struct pollfd gone = {.fd = fd, .events = POLLIN};
            while (!atomic_load(&s.stop) && !atomic_load(&s.release) && poll(&gone, 1, 5) <= 0)
                ;
        }
        close(fd);
    }
    return NULL;
}

static void open_port(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int yes = 1;
    s.listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(s.listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    assert_int_equal(bind(s.listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(s.listener, 64), 0);
    getsockname(s.listener, (struct sockaddr *)&address, &size);
    s.port = ntohs(address.sin_port);
}

static void start_server(int port, const char *first, const char *second, const char *third)
{
    struct its_diag diag;
    memset(&s, 0, sizeof s);
    s.script[0] = first;
    s.script[1] = second;
    s.script[2] = second ? third : NULL;
    open_port(port);
    CHECK_OK(itsi_thread_start(&s.thread, "server", serve, NULL, &diag), diag);
}

static void stop_server(void)
{
    atomic_store(&s.stop, true);
    pthread_join(s.thread, NULL);
    close(s.listener);
}

/* --- what is delivered ----------------------------------------------------------------------------------------------
 * */

static struct itsi_alert_delivery *deliver(enum itsi_alert_receiver to, double timeout_seconds)
{
    static char url[128];
    struct itsi_alert_delivery *delivery = NULL;
    struct its_diag diag;
    snprintf(url, sizeof url, "http://robot:pa55word@127.0.0.1:%d/hooks/T0KEN?x=K3Y", s.port);
    struct itsi_alert_delivery_params params = {
        .webhook_url = to == ITSI_ALERT_TO_WEBHOOK ? url : NULL,
        .instance = "edge-7",
        .timeout_seconds = timeout_seconds,
        .retry_base_ns = 10 * MS,
        .retry_most_ns = 40 * MS,
        .repeat_ns = 100 * MS,
    };
    if (to == ITSI_ALERT_TO_ALERTMANAGER) {
        snprintf(url, sizeof url, "http://127.0.0.1:%d/am/", s.port);
        params.alertmanager_url = url;
    }
    log_used = 0;
    log_text[0] = '\0';
    CHECK_OK(itsi_alert_delivery_create(&delivery, &params, &diag), diag);
    return delivery;
}

static void put(struct itsi_alert_delivery *delivery, const char *camera, enum itsi_severity severity, bool firing)
{
    struct itsi_alert alert = {.scope = ITSI_ALERT_CAMERA, .severity = severity, .firing = firing};
    snprintf(alert.subject, sizeof alert.subject, "%s", camera);
    alert.fingerprint = itsi_alert_fingerprint(&alert);
    alert.started_wall = itsi_wall_ns();
    alert.ended_wall = firing ? 0 : alert.started_wall;
    itsi_alert_delivery_put(delivery, &alert);
}

static struct itsi_alert_receiver_stats stats_of(struct itsi_alert_delivery *delivery, enum itsi_alert_receiver r)
{
    struct itsi_alert_receiver_stats all[ITSI_ALERT_RECEIVERS];
    itsi_alert_delivery_stats(delivery, all);
    return all[r];
}

/* Until the condition holds, ten seconds at most. */
#define UNTIL(condition)                                                                                               \
    do {                                                                                                               \
        const int64_t give_up_ = itsi_now_ns() + 10 * ITSI_NS_PER_S;                                                   \
        while (!(condition)) {                                                                                         \
            if (itsi_now_ns() > give_up_)                                                                              \
                fail_msg("not within 10 s: %s", #condition);                                                           \
            itsi_sleep_until_ns(itsi_now_ns() + 2 * MS);                                                               \
        }                                                                                                              \
    } while (0)

static void finish(struct itsi_alert_delivery *delivery)
{
    itsi_alert_delivery_destroy(delivery, itsi_now_ns() + 100 * MS);
}

static void check_no_secret(void)
{
    static const char *const secrets[] = {"pa55word", "T0KEN", "K3Y", "127.0.0.1"};
    for (int i = 0; i < 4; i++)
        if (strstr(log_text, secrets[i]))
            fail_msg("the log shows %s: %s", secrets[i], log_text);
}

static void a_webhook_is_told(void **state)
{
    (void)state;
    start_server(0, "200 OK", NULL, NULL);
    struct itsi_alert_delivery *delivery = deliver(ITSI_ALERT_TO_WEBHOOK, 5);
    put(delivery, "gate", ITSI_SEVERITY_CRITICAL, true);
    UNTIL(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).sent == 1);
    CHECK_CONTAINS(s.head[0], "POST /hooks/T0KEN?x=K3Y HTTP/1.1\r\n");
    CHECK_CONTAINS(s.head[0], "Content-Type: application/json\r\n");
    CHECK_CONTAINS(s.body[0], "{\"version\":\"1\",\"source\":\"its-camera-ai\",\"instance\":\"edge-7\",\"alerts\":[");
    CHECK_CONTAINS(s.body[0], "\"status\":\"firing\"");
    put(delivery, "gate", ITSI_SEVERITY_CRITICAL, false);
    UNTIL(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).sent == 2);
    CHECK_CONTAINS(s.body[1], "\"status\":\"resolved\"");
    assert_int_equal(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).waiting, 0);
    assert_false(stats_of(delivery, ITSI_ALERT_TO_LOG).on);
    finish(delivery);
    check_no_secret();
    stop_server();
}

static void a_refusing_port_is_asked_until_somebody_listens(void **state)
{
    (void)state;
    memset(&s, 0, sizeof s);
    open_port(0);
    close(s.listener);
    const int port = s.port;
    struct itsi_alert_delivery *delivery = deliver(ITSI_ALERT_TO_WEBHOOK, 5);
    put(delivery, "gate", ITSI_SEVERITY_CRITICAL, true);
    UNTIL(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).failed >= 3);
    assert_int_equal(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).last_error, ITS_EREFUSED);
    put(delivery, "gate", ITSI_SEVERITY_CRITICAL, false);
    start_server(port, "200 OK", NULL, NULL);
    UNTIL(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).sent == 1);
    CHECK_CONTAINS(s.body[0], "\"status\":\"resolved\"");
    assert_null(strstr(s.body[0], "\"status\":\"firing\"")); /* the old state was replaced */
    assert_false(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).down);
    finish(delivery);
    CHECK_CONTAINS(log_text, "the webhook cannot be told of alerts: connection refused");
    CHECK_CONTAINS(log_text, "the webhook takes alerts again");
    check_no_secret();
    stop_server();
}

static void a_hanging_receiver_costs_nothing_and_learns_the_end(void **state)
{
    (void)state;
    start_server(0, HANG, NULL, NULL);
    struct itsi_alert_delivery *delivery = deliver(ITSI_ALERT_TO_WEBHOOK, 0.1);
    put(delivery, "gate", ITSI_SEVERITY_CRITICAL, true);
    UNTIL(atomic_load(&s.requests) >= 1);
    const uint64_t allocations = itsi_alloc_count();
    const int64_t began = itsi_now_ns();
    for (int i = 0; i < 10000; i++)
        put(delivery, "gate", ITSI_SEVERITY_CRITICAL, i % 2 == 0);
    assert_true(itsi_now_ns() - began < 100 * ITSI_NS_PER_S); /* a hanging attempt lasts 0.1 s each: it waited for none */
    assert_true(itsi_alloc_count() - allocations < 100); /* the thread's own, none for the states */
    assert_int_equal(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).waiting, 1);
    UNTIL(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).failed >= 2);
    assert_int_equal(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).last_error, ITS_ETIMEOUT);
    atomic_store(&s.release, true);
    UNTIL(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).sent >= 1);
    UNTIL(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).waiting == 0);
    const int last = (atomic_load(&s.requests) - 1) % BODIES;
    CHECK_CONTAINS(s.body[last], "\"status\":\"resolved\"");
    finish(delivery);
    check_no_secret();
    stop_server();
}

static void server_errors_pass(void **state)
{
    (void)state;
    start_server(0, "500 Oops", "503 Busy", "200 OK");
    struct itsi_alert_delivery *delivery = deliver(ITSI_ALERT_TO_WEBHOOK, 5);
    put(delivery, "gate", ITSI_SEVERITY_WARNING, true);
    UNTIL(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).sent == 1);
    assert_int_equal(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).failed, 2);
    assert_int_equal(atomic_load(&s.requests), 3);
    assert_string_equal(s.body[0], s.body[2]);
    finish(delivery);
    CHECK_CONTAINS(log_text, "HTTP status 500");
    check_no_secret();
    stop_server();
}

static void retry_after_is_honoured(void **state)
{
    (void)state;
    start_server(0, "429 Slow down\r\nRetry-After: 1", "200 OK", NULL);
    struct itsi_alert_delivery *delivery = deliver(ITSI_ALERT_TO_WEBHOOK, 5);
    put(delivery, "gate", ITSI_SEVERITY_WARNING, true);
    UNTIL(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).sent == 1);
    assert_true(s.at[1] - s.at[0] >= 990 * MS);
    finish(delivery);
    stop_server();
}

static void a_final_no_is_not_repeated(void **state)
{
    (void)state;
    start_server(0, "404 Not Found", "200 OK", NULL);
    struct itsi_alert_delivery *delivery = deliver(ITSI_ALERT_TO_WEBHOOK, 5);
    put(delivery, "gate", ITSI_SEVERITY_WARNING, true);
    UNTIL(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).refused == 1);
    assert_int_equal(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).waiting, 0);
    assert_int_equal(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).last_error, 404);
    put(delivery, "yard", ITSI_SEVERITY_WARNING, true); /* other alerts still go, one request each */
    UNTIL(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).sent == 1);
    assert_int_equal(atomic_load(&s.requests), 2);
    assert_null(strstr(s.body[1], "gate"));
    finish(delivery);
    CHECK_CONTAINS(log_text, "HTTP status 404");
    check_no_secret();
    stop_server();
}

static void stopping_is_bounded(void **state)
{
    (void)state;
    start_server(0, HANG, NULL, NULL);
    struct itsi_alert_delivery *delivery = deliver(ITSI_ALERT_TO_WEBHOOK, 60);
    put(delivery, "gate", ITSI_SEVERITY_WARNING, true);
    UNTIL(atomic_load(&s.requests) >= 1);
    const int64_t began = itsi_now_ns();
    itsi_alert_delivery_destroy(delivery, began + 200 * MS);
    const int64_t took = itsi_now_ns() - began;
    assert_in_range(took, 150 * MS, 30 * ITSI_NS_PER_S); /* an attempt lasts a minute */
    stop_server();
}

static void nobody_waits_for_one_who_backs_off(void **state)
{
    (void)state;
    start_server(0, "429 Slow down\r\nRetry-After: 30", NULL, NULL);
    struct itsi_alert_delivery *delivery = deliver(ITSI_ALERT_TO_WEBHOOK, 5);
    put(delivery, "gate", ITSI_SEVERITY_WARNING, true);
    UNTIL(stats_of(delivery, ITSI_ALERT_TO_WEBHOOK).failed == 1);
    const int64_t began = itsi_now_ns();
    itsi_alert_delivery_destroy(delivery, began + 10 * ITSI_NS_PER_S);
    assert_true(itsi_now_ns() - began < 10 * ITSI_NS_PER_S); /* not until then */
    assert_int_equal(atomic_load(&s.requests), 1);
    stop_server();
}

static void what_waits_is_said_before_the_end(void **state)
{
    (void)state;
    start_server(0, "200 OK", NULL, NULL);
    struct itsi_alert_delivery *delivery = deliver(ITSI_ALERT_TO_WEBHOOK, 5);
    for (int i = 0; i < 10; i++) {
        char id[32];
        snprintf(id, sizeof id, "camera_%d", i);
        put(delivery, id, ITSI_SEVERITY_WARNING, true);
    }
    itsi_alert_delivery_destroy(delivery, itsi_now_ns() + 5 * ITSI_NS_PER_S);
    char all[4 * BODY] = "";
    for (int i = 0; i < atomic_load(&s.requests) && i < 4; i++)
        strncat(all, s.body[i], BODY - 1);
    CHECK_CONTAINS(all, "camera_0\"");
    CHECK_CONTAINS(all, "camera_9\"");
    stop_server();
}

static void alertmanager_is_reminded_and_severities_change_there(void **state)
{
    (void)state;
    start_server(0, "200 OK", NULL, NULL);
    struct itsi_alert_delivery *delivery = deliver(ITSI_ALERT_TO_ALERTMANAGER, 5);
    put(delivery, "gate", ITSI_SEVERITY_CRITICAL, true);
    UNTIL(stats_of(delivery, ITSI_ALERT_TO_ALERTMANAGER).sent >= 3); /* repeated while it fires */
    CHECK_CONTAINS(s.head[0], "POST /am/api/v2/alerts HTTP/1.1\r\n");
    assert_int_equal(s.body[0][0], '[');
    CHECK_CONTAINS(s.body[2], "\"severity\":\"critical\"");
    assert_true(s.at[1] - s.at[0] >= 99 * MS);
    put(delivery, "gate", ITSI_SEVERITY_EMERGENCY, true);
    int n = 0;
    UNTIL((n = atomic_load(&s.requests)) > 0 && strstr(s.body[(n - 1) % BODIES], "\"severity\":\"emergency\""));
    bool ended = false; /* the critical one ends in the request that begins the emergency */
    for (int i = 0; i < n; i++)
        ended |= strstr(s.body[i], "\"severity\":\"critical\"") && strstr(s.body[i], "\"severity\":\"emergency\"");
    assert_true(ended);
    put(delivery, "gate", ITSI_SEVERITY_EMERGENCY, false);
    UNTIL(stats_of(delivery, ITSI_ALERT_TO_ALERTMANAGER).waiting == 0);
    const uint64_t sent = stats_of(delivery, ITSI_ALERT_TO_ALERTMANAGER).sent;
    itsi_sleep_until_ns(itsi_now_ns() + 250 * MS); /* two repetitions' time: an end is told once */
    assert_int_equal(stats_of(delivery, ITSI_ALERT_TO_ALERTMANAGER).sent, sent);
    finish(delivery);
    stop_server();
}

static void the_log_is_told(void **state)
{
    (void)state;
    struct itsi_alert_delivery *delivery = NULL;
    struct its_diag diag;
    const struct itsi_alert_delivery_params params = {.log = true};
    log_used = 0;
    CHECK_OK(itsi_alert_delivery_create(&delivery, &params, &diag), diag);
    put(delivery, "gate", ITSI_SEVERITY_EMERGENCY, true);
    UNTIL(stats_of(delivery, ITSI_ALERT_TO_LOG).sent == 1);
    put(delivery, "gate", ITSI_SEVERITY_EMERGENCY, false);
    finish(delivery);
    CHECK_CONTAINS(log_text, "alerts: emergency error_budget_burn: camera gate: ");
    CHECK_CONTAINS(log_text, "alerts: resolved (recovered) error_budget_burn: last camera gate: ");
}

static void creation_survives_no_memory(void **state)
{
    (void)state;
    const struct itsi_alert_delivery_params params = {
        .log = true, .webhook_url = "http://127.0.0.1:1/", .alertmanager_url = "http://127.0.0.1:1"};
    int rc = ITS_ENOMEM, nth = 0;
    while (rc == ITS_ENOMEM && nth < 100) {
        struct itsi_alert_delivery *delivery = NULL;
        itsi_alloc_fail_at(++nth);
        rc = itsi_alert_delivery_create(&delivery, &params, NULL);
        itsi_alloc_fail_at(0);
        itsi_alert_delivery_destroy(delivery, itsi_now_ns());
    }
    assert_int_equal(rc, 0);
    assert_true(nth > 8);
}

int main(void)
{
    itsi_log_install(keep_log, NULL, ITSI_LOG_DEBUG);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_webhook_is_told),
        cmocka_unit_test(a_refusing_port_is_asked_until_somebody_listens),
        cmocka_unit_test(a_hanging_receiver_costs_nothing_and_learns_the_end),
        cmocka_unit_test(server_errors_pass),
        cmocka_unit_test(retry_after_is_honoured),
        cmocka_unit_test(a_final_no_is_not_repeated),
        cmocka_unit_test(stopping_is_bounded),
        cmocka_unit_test(nobody_waits_for_one_who_backs_off),
        cmocka_unit_test(what_waits_is_said_before_the_end),
        cmocka_unit_test(alertmanager_is_reminded_and_severities_change_there),
        cmocka_unit_test(the_log_is_told),
        cmocka_unit_test(creation_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
