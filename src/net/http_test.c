#include "support/check.h"

#include "base/clock.h"
#include "base/thread.h"
#include "net/http.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server for one request: keeps what it was sent, answers what it is told. */
struct once {
    int listener, port;
    const char *answer; /* NULL: never answers */
    char got[2048];
};

static int listen_on_loopback(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 1), 0);
    getsockname(fd, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    return fd;
}

static void *serve_once(void *arg)
{
    struct once *once = arg;
    int fd = accept(once->listener, NULL, NULL);
    size_t used = 0;
    while (used < sizeof once->got - 1 && !strstr(once->got, "\r\n\r\n{}") && !strstr(once->got, "GET")) {
        ssize_t n = read(fd, once->got + used, sizeof once->got - 1 - used);
        if (n <= 0)
            break;
        used += (size_t)n;
    }
    if (once->answer)
        assert_true(write(fd, once->answer, strlen(once->answer)) > 0);
    else
        assert_true(read(fd, once->got, 1) <= 0); /* until the client gives up */
    close(fd);
    return NULL;
}

static int ask(struct once *once, struct itsi_http_request *request, int *status, struct itsi_buf *answer,
               struct its_diag *diag)
{
    pthread_t thread;
    char url[64];
    once->listener = listen_on_loopback(&once->port);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/x", once->port);
    request->url = url;
    CHECK_OK(itsi_thread_start(&thread, "once", serve_once, once, diag), *diag);
    int rc = itsi_http_perform(request, status, answer, diag);
    pthread_join(thread, NULL);
    close(once->listener);
    return rc;
}

static void sends_and_receives(void **state)
{
    (void)state;
    struct once once = {.answer = "HTTP/1.1 409 Conflict\r\nContent-Length: 5\r\n\r\nhello"};
    struct itsi_http_request request = {.method = "POST", .token = "t0k", .body = "{}"};
    struct itsi_buf answer;
    struct its_diag diag;
    itsi_buf_init(&answer);
    int status = 0;
    CHECK_OK(ask(&once, &request, &status, &answer, &diag), diag);
    assert_int_equal(status, 409);
    assert_string_equal(answer.data, "hello");
    CHECK_CONTAINS(once.got, "POST /x HTTP/1.1\r\n");
    CHECK_CONTAINS(once.got, "Authorization: Bearer t0k\r\n");
    itsi_buf_fini(&answer);
}

static void names_refusal_and_silence(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_buf answer;
    itsi_buf_init(&answer);
    int status, port;
    int fd = listen_on_loopback(&port);
    close(fd); /* nobody listens there now */
    char url[64];
    snprintf(url, sizeof url, "http://u:secret@127.0.0.1:%d/", port);
    struct itsi_http_request request = {.method = "GET", .url = url};
    assert_int_equal(itsi_http_perform(&request, &status, &answer, &diag), ITS_EREFUSED);
    CHECK_CONTAINS(diag.text, "u:***@127.0.0.1");
    struct once silent = {.answer = NULL};
    request.timeout_seconds = 0.2;
    assert_int_equal(ask(&silent, &request, &status, &answer, &diag), ITS_ETIMEOUT);
    request.url = "ftp://127.0.0.1/";
    assert_int_equal(itsi_http_perform(&request, &status, &answer, &diag), ITS_EINVAL);
    itsi_buf_fini(&answer);
}

/* A server that takes one connection and answers every request on it. */
struct keeping {
    int listener, requests;
    char got[4096];
};

static void *serve_kept(void *arg)
{
    struct keeping *keeping = arg;
    static const char answer[] = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 10\r\n\r\n0123456789";
    int fd = accept(keeping->listener, NULL, NULL);
    for (size_t used = 0;;) {
        ssize_t n = read(fd, keeping->got + used, sizeof keeping->got - 1 - used);
        if (n <= 0)
            break;
        used += (size_t)n;
        keeping->got[used] = '\0';
        if (!memchr(keeping->got, '\x02', used)) /* the body's last byte */
            continue;
        keeping->requests++;
        used = 0;
        assert_true(write(fd, answer, sizeof answer - 1) > 0);
    }
    close(fd);
    return NULL;
}

static void a_client_keeps_its_connection(void **state)
{
    (void)state;
    static const char body[] = {1, 0, 2}; /* not text */
    struct keeping keeping = {0};
    struct itsi_http_client *client;
    struct its_diag diag;
    struct itsi_buf answer;
    pthread_t thread;
    int port;
    char url[64];
    keeping.listener = listen_on_loopback(&port);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/v1", port);
    const struct itsi_http_request request = {.method = "POST", .url = url, .body = body, .body_len = sizeof body,
                                              .content_type = "application/x-protobuf", .content_encoding = "gzip"};
    itsi_buf_init(&answer);
    CHECK_OK(itsi_http_client_create(&client, &diag), diag);
    CHECK_OK(itsi_thread_start(&thread, "kept", serve_kept, &keeping, &diag), diag);
    for (int i = 0; i < 3; i++) {
        struct itsi_http_reply reply = {0};
        itsi_buf_reset(&answer);
        CHECK_OK(itsi_http_client_perform(client, &request, 4, &reply, &answer, &diag), diag);
        assert_int_equal(reply.status, 503);
        CHECK_NEAR(reply.retry_after_seconds, 7, 0);
        assert_string_equal(answer.data, "0123"); /* the rest is read past */
    }
    itsi_http_client_destroy(client);
    pthread_join(thread, NULL);
    close(keeping.listener);
    assert_int_equal(keeping.requests, 3);
    CHECK_CONTAINS(keeping.got, "Content-Type: application/x-protobuf\r\n");
    CHECK_CONTAINS(keeping.got, "Content-Encoding: gzip\r\n");
    CHECK_CONTAINS(keeping.got, "Content-Length: 3\r\n");
    itsi_buf_fini(&answer);
}

static void *limit_soon(void *arg)
{
    itsi_sleep_until_ns(itsi_now_ns() + 50 * ITSI_NS_PER_MS);
    itsi_http_client_limit(arg, itsi_now_ns());
    return NULL;
}

/* From another thread, in the middle of an exchange that would last a minute. */
static void a_client_can_be_stopped(void **state)
{
    (void)state;
    struct itsi_http_client *client;
    struct itsi_http_reply reply;
    struct its_diag diag;
    struct itsi_buf answer;
    pthread_t thread;
    int port;
    int fd = listen_on_loopback(&port);
    char url[64];
    snprintf(url, sizeof url, "http://u:secret@127.0.0.1:%d/", port);
    const struct itsi_http_request request = {.method = "GET", .url = url, .shown = "the collector",
                                              .timeout_seconds = 60};
    itsi_buf_init(&answer);
    CHECK_OK(itsi_http_client_create(&client, &diag), diag);
    CHECK_OK(itsi_thread_start(&thread, "limit", limit_soon, client, &diag), diag);
    assert_int_equal(itsi_http_client_perform(client, &request, 4, &reply, &answer, &diag), ITS_ECANCELLED);
    assert_string_equal(diag.text, "GET the collector: given up");
    pthread_join(thread, NULL);
    itsi_http_client_destroy(client);
    itsi_buf_fini(&answer);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_and_receives),
        cmocka_unit_test(names_refusal_and_silence),
        cmocka_unit_test(a_client_keeps_its_connection),
        cmocka_unit_test(a_client_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
