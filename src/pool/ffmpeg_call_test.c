/* Runs of FFmpeg that are waited for: what they write, how they end, and that nothing of a secret shows. */
#include "pool/ffmpeg_pool_fixture.h"

#include "pool/ffmpeg_call.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int call(struct itsi_ffmpeg_call *out, const char *const *arguments, int64_t deadline, size_t limit,
                struct its_diag *diag)
{
    *out = (struct itsi_ffmpeg_call){.arguments = arguments,
                                     .owner = {"test", "call", 0},
                                     .deadline = deadline,
                                     .output_limit = limit};
    return itsi_ffmpeg_call(w.pool, out, diag);
}

/* 100 pictures of 16x16 bytes to stdout. */
static const char *const pictures[] = {"-f", "lavfi", "-i", "color=size=16x16:rate=25:duration=4", "-pix_fmt", "gray",
                                       "-f", "rawvideo", "-", NULL};

static void what_it_writes_is_given(void **state)
{
    struct itsi_ffmpeg_call made;
    struct its_diag diag;
    (void)state;
    make();
    CHECK_OK(call(&made, pictures, ITSI_NEVER, 1 << 20, &diag), diag);
    assert_int_equal(made.outcome, ITSI_FFMPEG_DONE);
    assert_int_equal(made.code, 0);
    assert_int_equal(made.exit_code, 0);
    assert_int_equal(made.output.len, 100 * 256);
    assert_int_equal(made.output_bytes, 100 * 256);
    CHECK_CONTAINS(made.lines.data, "rawvideo");
    itsi_ffmpeg_call_fini(&made);
}

static void a_flood_is_bounded(void **state)
{
    const char *const flood[] = {"-f", "lavfi", "-i", "color=size=1280x720:rate=25:duration=4", "-f", "rawvideo", "-",
                                 "-loglevel", "trace", NULL};
    struct itsi_ffmpeg_call made;
    struct its_diag diag;
    (void)state;
    make();
    CHECK_OK(call(&made, flood, ITSI_NEVER, 1000, &diag), diag);
    assert_int_equal(made.outcome, ITSI_FFMPEG_DONE);
    assert_int_equal(made.output.len, 1000);
    assert_int_equal(made.output_bytes, 100 * 1280 * 720 * 3 / 2);
    assert_true(made.lines.len > 1000 && made.lines.len <= 100 * 256);
    itsi_ffmpeg_call_fini(&made);
    CHECK_OK(call(&made, pictures, ITSI_NEVER, 0, &diag), diag); /* nothing is wanted */
    assert_int_equal(made.output.len, 0);
    itsi_ffmpeg_call_fini(&made);
}

static void a_failure_has_its_exit_code_and_last_lines(void **state)
{
    const char *const missing[] = {"-i", "/no/such/file.mp4", "-f", "null", "-", NULL};
    struct itsi_ffmpeg_call made;
    struct its_diag diag;
    (void)state;
    make();
    CHECK_OK(call(&made, missing, ITSI_NEVER, 0, &diag), diag);
    assert_int_equal(made.outcome, ITSI_FFMPEG_FAILED);
    assert_int_equal(made.exit_code, 1);
    assert_true(made.code < 0);
    CHECK_CONTAINS(made.lines.data, "/no/such/file.mp4: No such file or directory");
    CHECK_CONTAINS(made.error.data, "No such file");
    itsi_ffmpeg_call_fini(&made);
}

static void its_time_is_bounded(void **state)
{
    struct itsi_ffmpeg_call made;
    struct its_diag diag;
    (void)state;
    make();
    await(two_idle);
    const int64_t before = itsi_now_ns();
    CHECK_OK(call(&made, endless, before + 500 * MS, 0, &diag), diag);
    assert_int_equal(made.outcome, ITSI_FFMPEG_KILLED);
    assert_int_equal(made.code, ITS_ETIMEOUT);
    assert_true(itsi_now_ns() - before < 10 * S);
    itsi_ffmpeg_call_fini(&made);
}

static void no_program_is_named(void **state)
{
    struct itsi_ffmpeg_call made;
    struct its_diag diag;
    (void)state;
    w.params.program = "no-such-ffmpeg";
    make();
    assert_int_equal(call(&made, pictures, ITSI_NEVER, 0, &diag), ITS_EREFUSED);
    CHECK_CONTAINS(diag.text, "no-such-ffmpeg");
    itsi_ffmpeg_call_fini(&made);
}

/* --- secrets ------------------------------------------------------------------------------------------------------ */

static struct itsi_buf logged;

static void keep_log(void *arg, enum itsi_log_level level, const char *component, const char *text)
{
    (void)arg, (void)level;
    itsi_buf_printf(&logged, "%s: %s\n", component, text);
}

/* Command lines of all children, while it runs. */
static bool children_show(const char *word)
{
    pid_t children[32];
    const int count = list_children(children, 32);
    bool shown = false;
    for (int i = 0; i < count; i++) {
        char text[4096];
        processes_read(children[i], "cmdline", text, sizeof text);
        shown = shown || strstr(text, word) != NULL;
    }
    return shown;
}

struct apart {
    const char *const *arguments;
    struct itsi_ffmpeg_call made;
    struct its_diag diag;
    int rc;
    struct itsi_event over;
};

static void *call_apart(void *arg)
{
    struct apart *apart = arg;
    apart->rc = call(&apart->made, apart->arguments, itsi_now_ns() + 30 * S, 0, &apart->diag);
    itsi_event_set(&apart->over);
    return NULL;
}

/* One that takes connections and never answers. */
static int listen_somewhere(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void a_secret_shows_nowhere(void **state)
{
    char url[80];
    int port, looks = 0;
    const int listener = listen_somewhere(&port);
    const char *const arguments[] = {"-re",  "-f", "lavfi", "-i", "color=size=16x16:duration=0.5", "-f",
                                     "mpegts", url, NULL};
    struct apart apart = {.arguments = arguments};
    struct its_diag diag;
    pthread_t thread;
    (void)state;
    snprintf(url, sizeof url, "http://user:hunter2@127.0.0.1:%d/x", port);
    itsi_buf_init(&logged);
    itsi_log_install(keep_log, NULL, ITSI_LOG_DEBUG);
    make();
    await(two_idle);
    itsi_event_init(&apart.over);
    CHECK_OK(itsi_thread_start(&thread, "apart", call_apart, &apart, &diag), diag);
    for (; !itsi_event_wait_until(&apart.over, itsi_now_ns() + MS); looks++)
        assert_false(children_show("hunter2"));
    close(listener);
    assert_true(looks > 10);
    pthread_join(thread, NULL);
    itsi_event_fini(&apart.over);
    itsi_log_install(NULL, NULL, ITSI_LOG_ERROR);
    CHECK_OK(apart.rc, apart.diag);
    CHECK_CONTAINS(apart.made.lines.data, "127.0.0.1");
    assert_null(strstr(apart.made.lines.data, "hunter2"));
    assert_null(strstr(apart.made.error.data, "hunter2"));
    assert_true(!logged.data || !strstr(logged.data, "hunter2"));
    itsi_ffmpeg_call_fini(&apart.made);
    itsi_buf_fini(&logged);
}

/* --- many at once ------------------------------------------------------------------------------------------------- */

static void more_than_processes_wait_their_turn(void **state)
{
    enum { CALLS = 24 };
    static struct apart all[CALLS];
    pthread_t threads[CALLS];
    struct its_diag diag;
    (void)state;
    make();
    for (int i = 0; i < CALLS; i++) {
        all[i] = (struct apart){.arguments = pictures};
        itsi_event_init(&all[i].over);
        CHECK_OK(itsi_thread_start(&threads[i], "apart", call_apart, &all[i], &diag), diag);
    }
    for (int i = 0; i < CALLS; i++) {
        pthread_join(threads[i], NULL);
        itsi_event_fini(&all[i].over);
        CHECK_OK(all[i].rc, all[i].diag);
        assert_int_equal(all[i].made.outcome, ITSI_FFMPEG_DONE);
        assert_int_equal(all[i].made.output_bytes, 100 * 256);
        itsi_ffmpeg_call_fini(&all[i].made);
    }
    assert_true(stats()->leases.opens <= 4); /* ffmpeg_max_concurrent */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_it_writes_is_given),
        TEST(a_flood_is_bounded),
        TEST(a_failure_has_its_exit_code_and_last_lines),
        TEST(its_time_is_bounded),
        TEST(no_program_is_named),
        TEST(a_secret_shows_nowhere),
        TEST(more_than_processes_wait_their_turn),
    };
    processes_warm_up();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
