#include "capture/tls_relay.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/thread.h"
#include "capture/demux.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RTSPS_PORT 322

struct itsi_tls_relay {
    CURL *curl;
    curl_socket_t camera;
    int listener, local; /* -1: none */
    atomic_bool stop;
    bool started;
    pthread_t thread;
};

static void init_once(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

static int on_progress(void *arg, curl_off_t dt, curl_off_t dn, curl_off_t ut, curl_off_t un)
{
    (void)dt, (void)dn, (void)ut, (void)un;
    struct itsi_interrupt *interrupt = arg;
    if (interrupt->tick)
        interrupt->tick(interrupt->arg);
    return interrupt->stop && atomic_load(interrupt->stop);
}

static int fail_curl(struct itsi_tls_relay *r, CURLcode err, const struct itsi_source *source, const char *details,
                     struct its_diag *diag)
{
    const char *why = details[0] ? details : curl_easy_strerror(err);
    long os = 0;
    switch (err) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        return itsi_fail(diag, ITS_EAUTH, "opening %s: the camera's certificate is not trusted: %s", source->shown, why);
    case CURLE_SSL_CACERT_BADFILE:
        return itsi_fail(diag, ITS_EINVAL, "opening %s: tls_ca_file: %s", source->shown, why);
    case CURLE_OPERATION_TIMEDOUT:
        return itsi_fail(diag, ITS_ETIMEOUT, "opening %s: %s", source->shown, why);
    case CURLE_ABORTED_BY_CALLBACK:
        return itsi_fail(diag, ITS_ECANCELLED, "opening %s: stopped", source->shown);
    case CURLE_OUT_OF_MEMORY:
        return itsi_fail(diag, ITS_ENOMEM, "opening %s: out of memory", source->shown);
    case CURLE_COULDNT_CONNECT:
        curl_easy_getinfo(r->curl, CURLINFO_OS_ERRNO, &os);
        return itsi_fail(diag, os == ECONNREFUSED ? ITS_EREFUSED : ITS_EIO, "opening %s: %s", source->shown, why);
    default:
        return itsi_fail(diag, ITS_EIO, "opening %s: %s", source->shown, why);
    }
}

static int connect_camera(struct itsi_tls_relay *r, const struct itsi_source *source, const struct its_cfg_capture *cfg,
                          struct itsi_interrupt *interrupt, struct its_diag *diag)
{
    char url[512], details[CURL_ERROR_SIZE] = "";
    const char *host = source->url.host;
    bool v6 = strchr(host, ':') != NULL;
    snprintf(url, sizeof url, "https://%s%s%s:%d/", v6 ? "[" : "", host, v6 ? "]" : "",
             source->url.port ? source->url.port : RTSPS_PORT);
    int64_t left_ms = (interrupt->deadline - itsi_now_ns()) / ITSI_NS_PER_MS;
    CURL *curl = r->curl;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_SSL_ENABLE_ALPN, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (cfg->tls_ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, cfg->tls_ca_file);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(left_ms > 1 ? left_ms : 1));
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, details);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, interrupt);
    CURLcode err = curl_easy_perform(curl);
    /* both point into our callers' stacks */
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 1L);
    if (err)
        return fail_curl(r, err, source, details, diag);
    err = curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &r->camera);
    return err ? fail_curl(r, err, source, "", diag) : 0;
}

static int listen_local(struct itsi_tls_relay *r, int *port, struct its_diag *diag)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (r->listener < 0 || bind(r->listener, (struct sockaddr *)&at, len) || listen(r->listener, 1) ||
        getsockname(r->listener, (struct sockaddr *)&at, &len))
        return itsi_fail_errno(diag, errno, "socket for a TLS camera");
    *port = ntohs(at.sin_port);
    return 0;
}

/* Waits for `events` on fd, waking now and then to see whether to stop. */
static bool wait_for(struct itsi_tls_relay *r, int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    while (!atomic_load(&r->stop)) {
        int n = poll(&p, 1, 100);
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
    }
    return false;
}

/* All that the camera has sent, to libav. False: the connection is over. */
static bool from_camera(struct itsi_tls_relay *r)
{
    char buffer[16384];
    for (;;) {
        size_t got = 0;
        CURLcode err = curl_easy_recv(r->curl, buffer, sizeof buffer, &got);
        if (err == CURLE_AGAIN)
            return true;
        if (err || !got)
            return false;
        for (size_t sent = 0; sent < got;) {
            ssize_t n = send(r->local, buffer + sent, got - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n > 0)
                sent += (size_t)n;
            else if (n < 0 && errno != EAGAIN && errno != EINTR)
                return false;
            else if (!wait_for(r, r->local, POLLOUT))
                return false;
        }
    }
}

static bool from_local(struct itsi_tls_relay *r)
{
    char buffer[4096];
    ssize_t got = recv(r->local, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    for (size_t sent = 0; sent < (size_t)got;) {
        size_t n = 0;
        CURLcode err = curl_easy_send(r->curl, buffer + sent, (size_t)got - sent, &n);
        if (err == CURLE_OK)
            sent += n;
        else if (err != CURLE_AGAIN || !wait_for(r, r->camera, POLLOUT))
            return false;
    }
    return got > 0;
}

static void *run(void *arg)
{
    struct itsi_tls_relay *r = arg;
    if (!wait_for(r, r->listener, POLLIN))
        return NULL;
    r->local = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);
    close(r->listener);
    r->listener = -1;
    bool open = r->local >= 0;
    while (open && !atomic_load(&r->stop)) {
        struct pollfd p[2] = {{.fd = r->camera, .events = POLLIN}, {.fd = r->local, .events = POLLIN}};
        if (poll(p, 2, 100) < 0 && errno != EINTR)
            break;
        /* the TLS layer may hold bytes that poll cannot see: always ask it */
        open = from_camera(r) && (!p[1].revents || from_local(r));
    }
    if (r->local >= 0)
        shutdown(r->local, SHUT_RDWR);
    return NULL;
}

static int open_all(struct itsi_tls_relay *r, const struct itsi_source *source, const struct its_cfg_capture *cfg,
                    struct itsi_interrupt *interrupt, int *port, struct its_diag *diag)
{
    int rc = connect_camera(r, source, cfg, interrupt, diag);
    if (!rc)
        rc = listen_local(r, port, diag);
    if (!rc)
        rc = itsi_thread_start(&r->thread, "its-tls", run, r, diag);
    r->started = rc == 0;
    return rc;
}

int itsi_tls_relay_open(struct itsi_tls_relay **out, const struct itsi_source *source, const struct its_cfg_capture *cfg,
                        struct itsi_interrupt *interrupt, char *address, size_t size, struct its_diag *diag)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_once);
    struct itsi_tls_relay *r = itsi_zalloc(sizeof *r);
    if (!r)
        return itsi_fail(diag, ITS_ENOMEM, "opening %s: out of memory", source->shown);
    r->listener = r->local = -1;
    r->curl = curl_easy_init();
    int port = 0;
    int rc = r->curl ? open_all(r, source, cfg, interrupt, &port, diag)
                     : itsi_fail(diag, ITS_ENOMEM, "opening %s: out of memory", source->shown);
    if (rc) {
        itsi_tls_relay_close(r);
        return rc;
    }
    /* the same address with the host replaced; user and password keep their percent-encoding */
    const char *authority = strstr(source->address, "://") + 3;
    size_t len = strcspn(authority, "/?#"), user = 0;
    for (size_t i = 0; i < len; i++)
        if (authority[i] == '@')
            user = i + 1;
    snprintf(address, size, "rtsp://%.*s127.0.0.1:%d%s", (int)user, authority, port, authority + len);
    *out = r;
    return 0;
}

void itsi_tls_relay_close(struct itsi_tls_relay *r)
{
    if (!r)
        return;
    atomic_store(&r->stop, true);
    if (r->started)
        pthread_join(r->thread, NULL);
    if (r->curl)
        curl_easy_cleanup(r->curl);
    if (r->listener >= 0)
        close(r->listener);
    if (r->local >= 0)
        close(r->local);
    itsi_free(r);
}
