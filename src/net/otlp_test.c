#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/otlp.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static void builds_the_address(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint, *url, *shown;
    } cases[] = {
        {"http://collector:4318", "http://collector:4318/v1/traces", "http://collector:4318/v1/traces"},
        {"https://collector/", "https://collector/v1/traces", "https://collector/v1/traces"},
        {"http://[::1]:4318/otlp//", "http://[::1]:4318/otlp/v1/traces", "http://[::1]:4318/otlp/v1/traces"},
        {"http://tom:s3cret@c:1/a", "http://tom:s3cret@c:1/a/v1/traces", "http://c:1/a/v1/traces"},
        {"http://t0ken@c/?api-key=s3cret", "http://t0ken@c/v1/traces?api-key=s3cret", "http://c/v1/traces"},
        {"http://c?x=1", "http://c/v1/traces?x=1", "http://c/v1/traces"},
        {"HTTP://c/a\nb", "HTTP://c/a\nb/v1/traces", "http://c/a?b/v1/traces"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct itsi_buf url = {0}, shown = {0};
        struct its_diag diag;
        CHECK_OK(itsi_otlp_address(cases[i].endpoint, &url, &shown, &diag), diag);
        assert_string_equal(url.data, cases[i].url);
        assert_string_equal(shown.data, cases[i].shown);
        itsi_buf_fini(&url);
        itsi_buf_fini(&shown);
    }
}

static void refuses_what_is_no_endpoint(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "collector:4318", "grpc://u:s3cret@collector", "http://", "http://c:99999",
                                      "http://u:s3cret@c#x", "/etc/passwd"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct itsi_otlp_params params = {.endpoint = bad[i], .scope_name = "s", .scope_version = "1",
                                                .batch_spans = 8};
        struct itsi_otlp *otlp;
        struct its_diag diag;
        assert_int_equal(itsi_otlp_create(&otlp, &params, &diag), ITS_EINVAL);
        assert_null(strstr(diag.text, "s3cret"));
    }
}

static struct itsi_otlp_params usual(const char *endpoint)
{
    return (struct itsi_otlp_params){.endpoint = endpoint,
                                     .resource = {.service_name = "test"},
                                     .scope_name = "s",
                                     .scope_version = "1",
                                     .batch_spans = 3,
                                     .timeout_seconds = 5};
}

static void takes_no_more_than_a_batch(void **state)
{
    (void)state;
    const struct itsi_otlp_params params = usual("http://localhost:4318");
    const struct itsi_otlp_span span = {.span_id = {1}, .name = "n", .kind = ITSI_OTLP_INTERNAL};
    struct itsi_otlp *otlp;
    struct its_diag diag;
    CHECK_OK(itsi_otlp_create(&otlp, &params, &diag), diag);
    for (int i = 0; i < 5; i++)
        assert_int_equal(itsi_otlp_add(otlp, &span), i < 3);
    assert_int_equal(itsi_otlp_count(otlp), 3);
    itsi_otlp_clear(otlp);
    assert_int_equal(itsi_otlp_count(otlp), 0);
    uint64_t before = itsi_alloc_count();
    for (int i = 0; i < 3; i++)
        assert_true(itsi_otlp_add(otlp, &span));
    assert_int_equal(itsi_alloc_count(), before);
    itsi_otlp_destroy(otlp);
}

static void creation_survives_no_memory(void **state)
{
    (void)state;
    const struct itsi_otlp_params params = usual("http://localhost:4318");
    struct itsi_otlp *otlp = NULL;
    int64_t nth = 0;
    for (int rc = ITS_ENOMEM; rc != 0;) {
        itsi_alloc_fail_at(++nth);
        rc = itsi_otlp_create(&otlp, &params, NULL);
        itsi_alloc_fail_at(0);
        if (rc != 0)
            assert_int_equal(rc, ITS_ENOMEM);
        assert_true(nth < 100);
    }
    assert_true(nth > 5);
    itsi_otlp_destroy(otlp);
}

static int listen_on_loopback(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 4), 0);
    getsockname(fd, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    return fd;
}

static void nobody_there_and_nobody_answering(void **state)
{
    (void)state;
    int port;
    int fd = listen_on_loopback(&port); /* takes connections and never answers */
    char endpoint[80];
    snprintf(endpoint, sizeof endpoint, "http://tom:s3cret@127.0.0.1:%d", port);
    const struct itsi_otlp_params params = usual(endpoint);
    const struct itsi_otlp_span span = {.span_id = {1}, .name = "n", .kind = ITSI_OTLP_INTERNAL};
    struct itsi_otlp *otlp;
    struct its_diag diag;
    struct itsi_otlp_result result;
    CHECK_OK(itsi_otlp_create(&otlp, &params, &diag), diag);
    assert_null(strstr(itsi_otlp_shown(otlp), "tom"));
    assert_true(itsi_otlp_add(otlp, &span));
    itsi_otlp_limit(otlp, itsi_now_ns() + 50 * ITSI_NS_PER_MS);
    itsi_otlp_send(otlp, &result);
    assert_int_equal(result.verdict, ITSI_OTLP_CANCELLED);
    itsi_otlp_send(otlp, &result); /* the limit holds on */
    assert_int_equal(result.verdict, ITSI_OTLP_CANCELLED);
    itsi_otlp_limit(otlp, ITSI_NEVER);
    close(fd);
    itsi_otlp_send(otlp, &result);
    assert_int_equal(result.verdict, ITSI_OTLP_UNREACHABLE);
    CHECK_CONTAINS(result.text, "http://127.0.0.1:");
    assert_null(strstr(result.text, "s3cret"));
    assert_null(strstr(result.text, "tom"));
    assert_int_equal(itsi_otlp_count(otlp), 1); /* still there, to be tried again */
    itsi_otlp_destroy(otlp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_the_address),          cmocka_unit_test(refuses_what_is_no_endpoint),
        cmocka_unit_test(takes_no_more_than_a_batch),  cmocka_unit_test(creation_survives_no_memory),
        cmocka_unit_test(nobody_there_and_nobody_answering),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
