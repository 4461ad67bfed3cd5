/* The way to an address: names with several of them, some of which nobody answers at; and no way through what others block.
 * getaddrinfo is this program's own, for the name that it knows. */
#include "redis_client.h"
#include "redis_one.h"

#include "base/thread.h"

#include <dlfcn.h>
#include <netdb.h>
#include <signal.h>

#define NAME "several.example"

/* --- a name's addresses ------------------------------------------------------------------------------------------- */

enum { ADDRESSES = 2 };

static struct sockaddr_in places[ADDRESSES];
static struct addrinfo found[ADDRESSES];

static void name_has(int index, const char *address, int port)
{
    places[index] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    assert_int_equal(inet_pton(AF_INET, address, &places[index].sin_addr), 1);
    found[index] = (struct addrinfo){.ai_family = AF_INET,
                                     .ai_socktype = SOCK_STREAM,
                                     .ai_addr = (struct sockaddr *)&places[index],
                                     .ai_addrlen = sizeof places[index],
                                     .ai_next = index + 1 < ADDRESSES ? &found[index + 1] : NULL};
}

#define IN_PLACE_OF_LIBC __attribute__((visibility("default")))

IN_PLACE_OF_LIBC int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **out)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (name && strcmp(name, NAME) == 0 && !(hints->ai_flags & AI_NUMERICHOST)) {
        *out = found;
        return 0;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(name, port, hints, out);
}

IN_PLACE_OF_LIBC void freeaddrinfo(struct addrinfo *list)
{
    void (*real)(struct addrinfo *);
    *(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
    if (list != found)
        real(list);
}

/* --- a port where nothing is ever answered: its queue is full ------------------------------------------------------- */

struct silence {
    int port, listener, fillers[8];
};

static void begin_silence(struct silence *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->listener, 0), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &len), 0);
    s->port = ntohs(at.sin_port);
    for (size_t i = 0; i < sizeof s->fillers / sizeof *s->fillers; i++) {
        s->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(s->fillers[i], (struct sockaddr *)&at, sizeof at);
    }
}

static void end_silence(struct silence *s)
{
    for (size_t i = 0; i < sizeof s->fillers / sizeof *s->fillers; i++)
        close(s->fillers[i]);
    close(s->listener);
}

/* --- tests ---------------------------------------------------------------------------------------------------------- */

static void opens(const char *host, int port)
{
    struct client c;
    struct asked a;
    char url[128];
    snprintf(url, sizeof url, "redis://%s:%d", host, port);
    client_init(&c);
    CHECK_OK(client_open_url(&c, url, 2), c.diag);
    client_ask(&c, &a, 5, "PING");
    assert_string_equal(a.text, "PONG");
    client_close(&c);
    client_fini(&c);
}

static void fails(int rc, const char *part)
{
    struct client c;
    client_init(&c);
    assert_int_equal(client_open_url(&c, "redis://" NAME, 1), rc);
    CHECK_CONTAINS(c.diag.text, part);
    client_close(&c);
    client_fini(&c);
}

static void an_address_that_refuses_is_not_the_last(void **state)
{
    (void)state;
    name_has(0, "127.0.0.1", free_port());
    name_has(1, "127.0.0.1", server.port);
    opens(NAME, 6379);
}

/* As that of IPv6 where there is no way but IPv4's: the system says so at once. */
static void an_address_without_a_way_is_not_the_last(void **state)
{
    (void)state;
    name_has(0, "224.0.0.1", server.port);
    name_has(1, "127.0.0.1", server.port);
    opens(NAME, 6379);
    name_has(1, "224.0.0.2", server.port);
    fails(ITS_EREFUSED, "connecting: network is unreachable");
}

static void an_address_that_is_silent_leaves_time_for_the_next(void **state)
{
    (void)state;
    struct silence silence;
    begin_silence(&silence);
    name_has(0, "127.0.0.1", silence.port);
    name_has(1, "127.0.0.1", server.port);
    opens(NAME, 6379);
    name_has(1, "127.0.0.1", silence.port);
    fails(ITS_ETIMEOUT, "connecting");
    end_silence(&silence);
}

static void an_address_may_be_of_ipv6(void **state)
{
    (void)state;
    struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own))
        skip(); /* this machine has none */
    close(fd);
    opens("[::1]", server.port);
}

/* Closed while it turns from one address to the next. */
static void can_be_closed_at_any_time(void **state)
{
    (void)state;
    struct silence silence;
    begin_silence(&silence);
    name_has(0, "127.0.0.1", silence.port);
    name_has(1, "224.0.0.1", server.port);
    for (int turns = 0; turns < 40; turns++) {
        struct client c;
        struct itsi_redis_url url;
        client_init(&c);
        CHECK_OK(itsi_redis_url_parse(&url, turns % 2 ? "redis://" NAME : "redis://127.0.0.1:1", &c.diag), c.diag);
        struct itsi_redis_params params = client_params(&url);
        CHECK_OK(itsi_redis_open(&c.connection, &c.loop, &params, in_seconds(0.02), &client_events, &c, &c.diag), c.diag);
        for (int i = 0; i < turns; i++)
            uv_run(&c.loop, UV_RUN_NOWAIT);
        client_close(&c);
        client_fini(&c);
    }
    end_silence(&silence);
}

/* --- what others block ---------------------------------------------------------------------------------------------- */

struct blocking {
    uv_work_t work;
    struct itsi_event *over;
    int *ended;
};

static void block(uv_work_t *work)
{
    struct blocking *b = work->data;
    itsi_event_wait_until(b->over, ITSI_NEVER);
}

static void unblocked(uv_work_t *work, int status)
{
    struct blocking *b = work->data;
    (void)status;
    ++*b->ended;
}

/* Names that nobody resolves, a disk that hangs: libuv's few threads are taken. An address needs none. */
static void an_address_needs_no_thread(void **state)
{
    (void)state;
    enum { THREADS = 8 };
    struct blocking blocking[THREADS];
    struct itsi_event over;
    struct client c;
    int ended = 0;
    itsi_event_init(&over);
    client_init(&c);
    for (int i = 0; i < THREADS; i++) {
        blocking[i] = (struct blocking){.over = &over, .ended = &ended};
        blocking[i].work.data = &blocking[i];
        assert_int_equal(uv_queue_work(&c.loop, &blocking[i].work, block, unblocked), 0);
    }
    char url[128];
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", server.port);
    int rc = client_open_url(&c, url, 2);
    itsi_event_set(&over);
    client_run(&c, &ended, THREADS, 10);
    client_close(&c);
    client_fini(&c);
    itsi_event_fini(&over);
    CHECK_OK(rc, c.diag);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_that_refuses_is_not_the_last),
        cmocka_unit_test(an_address_without_a_way_is_not_the_last),
        cmocka_unit_test(an_address_that_is_silent_leaves_time_for_the_next),
        cmocka_unit_test(an_address_may_be_of_ipv6),
        cmocka_unit_test(can_be_closed_at_any_time),
        cmocka_unit_test(an_address_needs_no_thread),
    };
    return cmocka_run_group_tests(tests, start_server, end_server);
}
