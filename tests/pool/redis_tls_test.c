/* Redis over TLS, with certificates made here: who is trusted, and who is not. */
#include "redis_client.h"
#include "redis_server.h"

#include <signal.h>
#include <sys/wait.h>

static struct redis_server server;
static char own_ca[96], other_ca[96];

/* A certificate for `names` and so many days, signed by the one called ca, which may be itself. */
static bool make_certificate(const char *name, const char *ca, const char *names, int days)
{
    char script[1024];
    int len = snprintf(script, sizeof script,
                       "cd %s && openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout %s.key "
                       "-subj /CN=%s -addext subjectAltName=%s ",
                       server.folder, name, name, names);
    if (strcmp(name, ca) == 0)
        snprintf(script + len, sizeof script - (size_t)len, "-x509 -days %d -out %s.crt", days, name);
    else
        snprintf(script + len, sizeof script - (size_t)len,
                 "| openssl x509 -req -CA %s.crt -CAkey %s.key -CAcreateserial -days %d -copy_extensions copy -out %s.crt", ca,
                 ca, days, name);
    const char *const argv[] = {"sh", "-c", script, NULL};
    return run_program(argv) == 0;
}

/* want_client: only clients with a certificate of the CA are let in. days: that the server's own is good for. */
static int start_tls(bool want_client, int days)
{
    redis_prepare(&server, NULL);
    server.tls_port = free_port();
    if (!make_certificate("ca", "ca", "DNS:ca", 2) || !make_certificate("other", "other", "DNS:other", 2) ||
        !make_certificate("server", "ca", "DNS:localhost,IP:127.0.0.1", days) ||
        !make_certificate("client", "ca", "DNS:client", 2))
        return -1;
    snprintf(own_ca, sizeof own_ca, "%s/ca.crt", server.folder);
    snprintf(other_ca, sizeof other_ca, "%s/other.crt", server.folder);
    char port[16], certificate[96], key[96];
    snprintf(port, sizeof port, "%d", server.tls_port);
    snprintf(certificate, sizeof certificate, "%s/server.crt", server.folder);
    snprintf(key, sizeof key, "%s/server.key", server.folder);
    const char *const options[] = {"--tls-port", port, "--tls-cert-file", certificate, "--tls-key-file", key,
                                   "--tls-ca-cert-file", own_ca, "--tls-auth-clients", want_client ? "yes" : "no",
                                   "--bind", "127.0.0.1", "127.0.0.2", NULL};
    for (int i = 0; options[i]; i++)
        redis_word(&server, options[i]);
    return redis_start(&server);
}

/* The outcome of an exchange over TLS, or of opening. */
static int try_tls(const char *host, const char *query, struct its_diag *diag)
{
    struct client c;
    struct asked a;
    char url[512];
    snprintf(url, sizeof url, "rediss://%s:%d?%s", host, server.tls_port, query);
    client_init(&c);
    int rc = client_open_url(&c, url, 5);
    *diag = c.diag;
    if (!rc) {
        client_ask(&c, &a, 5, "PING");
        assert_string_equal(a.text, "PONG");
    }
    client_close(&c);
    client_fini(&c);
    return rc;
}

static void trusts_whom_the_ca_vouches_for(void **state)
{
    (void)state;
    struct its_diag diag;
    char query[256];
    snprintf(query, sizeof query, "ssl_ca_certs=%s", own_ca);
    CHECK_OK(try_tls("127.0.0.1", query, &diag), diag);
    CHECK_OK(try_tls("localhost", query, &diag), diag);
}

static void distrusts_everybody_else(void **state)
{
    (void)state;
    struct its_diag diag;
    char query[256];
    snprintf(query, sizeof query, "ssl_ca_certs=%s", other_ca);
    assert_int_equal(try_tls("127.0.0.1", query, &diag), ITS_EAUTH);
    CHECK_CONTAINS(diag.text, "not trusted");
    assert_int_equal(try_tls("127.0.0.1", "db=0", &diag), ITS_EAUTH); /* the system's */
    CHECK_CONTAINS(diag.text, "not trusted");
    /* a certificate that is trusted, but of another host: 127.0.0.2 answers as well, and is not named in it */
    snprintf(query, sizeof query, "ssl_ca_certs=%s", own_ca);
    assert_int_equal(try_tls("127.0.0.2", query, &diag), ITS_EAUTH);
    CHECK_CONTAINS(diag.text, "not for '127.0.0.2'");
    /* unless told otherwise */
    snprintf(query, sizeof query, "ssl_ca_certs=%s&ssl_check_hostname=false", own_ca);
    CHECK_OK(try_tls("127.0.0.2", query, &diag), diag);
    CHECK_OK(try_tls("127.0.0.2", "ssl_cert_reqs=none", &diag), diag);
}

static void refuses_a_ca_that_is_none(void **state)
{
    (void)state;
    struct itsi_tls *tls;
    struct its_diag diag;
    struct itsi_tls_files files = {.ca_file = "/nowhere"};
    assert_int_equal(itsi_tls_create(&tls, &files, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "ssl_ca_certs '/nowhere'");
}

/* TLS to a server that speaks none, and none to one that speaks TLS. */
static void notices_the_wrong_protocol(void **state)
{
    (void)state;
    struct client c;
    char url[128];
    client_init(&c);
    snprintf(url, sizeof url, "rediss://127.0.0.1:%d", server.port);
    assert_int_not_equal(client_open_url(&c, url, 1), 0); /* it may well wait for the end of a line */
    client_close(&c);
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", server.tls_port);
    assert_int_not_equal(client_open_url(&c, url, 1), 0);
    client_close(&c);
    client_fini(&c);
}

static void carries_large_values(void **state)
{
    (void)state;
    struct client c;
    struct asked a;
    char url[256];
    char *value = calloc(1, 8 << 20);
    memset(value, 'v', (8 << 20) - 1);
    snprintf(url, sizeof url, "rediss://127.0.0.1:%d?ssl_ca_certs=%s", server.tls_port, own_ca);
    client_init(&c);
    CHECK_OK(client_open_url(&c, url, 5), c.diag);
    client_ask(&c, &a, 10, "SET", "large", value);
    assert_string_equal(a.text, "OK");
    client_ask(&c, &a, 10, "STRLEN", "large");
    assert_int_equal(a.integer, (8 << 20) - 1);
    client_ask(&c, &a, 10, "GET", "large");
    assert_int_equal(a.text[200], 'v');
    client_close(&c);
    client_fini(&c);
    free(value);
}

static void shows_its_own_certificate(void **state)
{
    (void)state;
    struct its_diag diag;
    char query[512];
    redis_end(&server);
    assert_int_equal(start_tls(true, 2), 0);
    snprintf(query, sizeof query, "ssl_ca_certs=%s", own_ca);
    assert_int_equal(try_tls("127.0.0.1", query, &diag), ITS_EAUTH);
    snprintf(query, sizeof query, "ssl_ca_certs=%s&ssl_certfile=%s/client.crt&ssl_keyfile=%s/client.key", own_ca,
             server.folder, server.folder);
    CHECK_OK(try_tls("127.0.0.1", query, &diag), diag);
}

static void distrusts_what_has_expired(void **state)
{
    (void)state;
    struct its_diag diag;
    char query[256];
    redis_end(&server);
    assert_int_equal(start_tls(false, -1), 0);
    snprintf(query, sizeof query, "ssl_ca_certs=%s", own_ca);
    assert_int_equal(try_tls("127.0.0.1", query, &diag), ITS_EAUTH);
    CHECK_CONTAINS(diag.text, "expired");
}

/* A key that wants a passphrase is refused: nobody sits before a daemon to be asked for it. */
static void asks_nobody_for_a_passphrase(void **state)
{
    (void)state;
    char script[256];
    int input[2], status = 0;
    snprintf(script, sizeof script, "cd %s && openssl ec -in client.key -aes256 -passout pass:s3cret -out locked.key",
             server.folder);
    const char *const argv[] = {"sh", "-c", script, NULL};
    assert_int_equal(run_program(argv), 0);
    assert_int_equal(pipe(input), 0);
    const pid_t child = fork();
    if (child == 0) { /* without a terminal OpenSSL asks its input, where nothing comes and no end */
        struct itsi_tls *tls;
        struct its_diag diag;
        struct itsi_tls_files files = {.any_name = true};
        snprintf(files.cert_file, sizeof files.cert_file, "%s/client.crt", server.folder);
        snprintf(files.key_file, sizeof files.key_file, "%s/locked.key", server.folder);
        setsid();
        dup2(input[0], STDIN_FILENO);
        const int rc = itsi_tls_create(&tls, &files, &diag);
        _exit(rc == ITS_EINVAL && strstr(diag.text, "ssl_keyfile") ? 0 : 1);
    }
    const int64_t until = in_seconds(5);
    pid_t ended;
    while ((ended = waitpid(child, &status, WNOHANG)) == 0 && itsi_now_ns() < until)
        itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
    if (ended == 0) { /* it catches all other signals while it asks */
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
    }
    close(input[0]);
    close(input[1]);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int start_server(void **state)
{
    (void)state;
    return start_tls(false, 2);
}

static int end_server(void **state)
{
    (void)state;
    redis_end(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trusts_whom_the_ca_vouches_for), cmocka_unit_test(distrusts_everybody_else),
        cmocka_unit_test(refuses_a_ca_that_is_none),      cmocka_unit_test(notices_the_wrong_protocol),
        cmocka_unit_test(carries_large_values),           cmocka_unit_test(shows_its_own_certificate),
        cmocka_unit_test(distrusts_what_has_expired),     cmocka_unit_test(asks_nobody_for_a_passphrase),
    };
    return cmocka_run_group_tests(tests, start_server, end_server);
}
