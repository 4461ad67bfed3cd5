#include "support/check.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_and_receives),
        cmocka_unit_test(names_refusal_and_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
