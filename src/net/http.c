#include "net/http.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/url.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_LIMIT ((size_t)64 << 20)

/* curl's multi interface, though there is one transfer at a time: its poll can be woken by another thread. */
struct itsi_http_client {
    CURLM *multi;
    CURL *easy;
    _Atomic int64_t until_ns;
};

struct taking {
    struct itsi_buf *answer;
    size_t end;   /* the answer may grow up to here */
    bool may_cut; /* what is longer is cut, not an error */
};

static void init_once(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

static size_t take(char *data, size_t size, size_t count, void *arg)
{
    struct taking *taking = arg;
    size_t len = size * count, room = taking->end - taking->answer->len;
    if (len > room && !taking->may_cut)
        return 0;
    itsi_buf_add(taking->answer, data, len < room ? len : room);
    return taking->answer->failed ? 0 : len;
}

static int code_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return 0;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        return ITS_EREFUSED;
    case CURLE_OPERATION_TIMEDOUT:
        return ITS_ETIMEOUT;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return ITS_EINVAL;
    case CURLE_WRITE_ERROR:
        return ITS_ELIMIT;
    case CURLE_OUT_OF_MEMORY:
        return ITS_ENOMEM;
    case CURLE_ABORTED_BY_CALLBACK: /* ours: the client's limit */
        return ITS_ECANCELLED;
    default:
        return ITS_EIO;
    }
}

static void add_header(struct curl_slist **headers, const char *name, const char *value)
{
    char line[1200];
    snprintf(line, sizeof line, "%s %s", name, value);
    struct curl_slist *longer = curl_slist_append(*headers, line);
    if (longer)
        *headers = longer;
}

static struct curl_slist *headers_of(const struct itsi_http_request *request)
{
    struct curl_slist *headers = NULL;
    const char *type = request->content_type ? request->content_type : "application/json";
    add_header(&headers, "Accept:", type);
    if (request->body) {
        add_header(&headers, "Content-Type:", type);
        add_header(&headers, "Expect:", ""); /* no waiting for "100 Continue" before a long body */
    }
    if (request->content_encoding)
        add_header(&headers, "Content-Encoding:", request->content_encoding);
    if (request->token)
        add_header(&headers, "Authorization: Bearer", request->token);
    return headers;
}

static void prepare(CURL *easy, const struct itsi_http_request *request, struct curl_slist *headers,
                    struct taking *taking)
{
    double timeout = request->timeout_seconds > 0 ? request->timeout_seconds : 10;
    curl_easy_reset(easy); /* keeps the connection */
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "its-camera-ai/" ITS_VERSION);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a name server that is silent must not hold up the end */
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(timeout * 1000));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(request->connect_seconds * 1000)); /* 0: 300 s */
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, taking);
    if (request->body) {
        size_t len = request->body_len ? request->body_len : strlen(request->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
    }
}

/* How long the next wait may be, in ms; 0: the limit is reached. */
static int wait_ms(struct itsi_http_client *client)
{
    enum { LONGEST_MS = 1000 };
    int64_t until = atomic_load(&client->until_ns);
    int64_t left = until == ITSI_NEVER ? LONGEST_MS : (until - itsi_now_ns() + ITSI_NS_PER_MS - 1) / ITSI_NS_PER_MS;
    return left <= 0 ? 0 : left < LONGEST_MS ? (int)left : LONGEST_MS;
}

static CURLcode result_of(struct itsi_http_client *client)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(client->multi, &left)) != NULL;)
        if (message->msg == CURLMSG_DONE)
            return message->data.result;
    return CURLE_FAILED_INIT;
}

static CURLcode transfer(struct itsi_http_client *client)
{
    if (curl_multi_add_handle(client->multi, client->easy) != CURLM_OK)
        return CURLE_OUT_OF_MEMORY;
    CURLcode code = CURLE_OK;
    for (int running = 1; running && code == CURLE_OK;) {
        int wait = wait_ms(client);
        if (wait == 0)
            code = CURLE_ABORTED_BY_CALLBACK;
        else if (curl_multi_perform(client->multi, &running) != CURLM_OK)
            code = CURLE_FAILED_INIT;
        else if (!running)
            code = result_of(client);
        else if (curl_multi_poll(client->multi, NULL, 0, wait, NULL) != CURLM_OK)
            code = CURLE_FAILED_INIT;
    }
    curl_multi_remove_handle(client->multi, client->easy);
    return code;
}

int itsi_http_client_create(struct itsi_http_client **out, struct its_diag *diag)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_once);
    struct itsi_http_client *client = itsi_zalloc(sizeof *client);
    if (!client)
        return itsi_fail(diag, ITS_ENOMEM, "HTTP request: out of memory");
    atomic_init(&client->until_ns, ITSI_NEVER);
    client->multi = curl_multi_init();
    client->easy = curl_easy_init();
    if (!client->multi || !client->easy) {
        itsi_http_client_destroy(client);
        return itsi_fail(diag, ITS_ENOMEM, "HTTP request: out of memory");
    }
    *out = client;
    return 0;
}

void itsi_http_client_destroy(struct itsi_http_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->easy);
    curl_multi_cleanup(client->multi);
    itsi_free(client);
}

void itsi_http_client_limit(struct itsi_http_client *client, int64_t until_ns)
{
    atomic_store(&client->until_ns, until_ns);
    curl_multi_wakeup(client->multi);
}

static int exchange(struct itsi_http_client *client, const struct itsi_http_request *request, struct taking *taking,
                    struct itsi_http_reply *reply, struct its_diag *diag)
{
    struct curl_slist *headers = headers_of(request);
    prepare(client->easy, request, headers, taking);
    CURLcode code = transfer(client);
    long status = 0;
    curl_off_t retry_after = 0;
    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(client->easy, CURLINFO_RETRY_AFTER, &retry_after);
    curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        char shown[512];
        itsi_url_redact(request->url, shown, sizeof shown);
        return itsi_fail(diag, code_of(code), "%s %s: %s", request->method, request->shown ? request->shown : shown,
                         code == CURLE_ABORTED_BY_CALLBACK ? "given up" : curl_easy_strerror(code));
    }
    *reply = (struct itsi_http_reply){(int)status, retry_after > 0 ? (double)retry_after : 0};
    return 0;
}

int itsi_http_client_perform(struct itsi_http_client *client, const struct itsi_http_request *request,
                             size_t answer_limit, struct itsi_http_reply *reply, struct itsi_buf *answer,
                             struct its_diag *diag)
{
    struct taking taking = {answer, answer->len + answer_limit, true};
    return exchange(client, request, &taking, reply, diag);
}

int itsi_http_perform(const struct itsi_http_request *request, int *status, struct itsi_buf *answer,
                      struct its_diag *diag)
{
    struct itsi_http_client *client;
    struct itsi_http_reply reply;
    int rc = itsi_http_client_create(&client, diag);
    if (rc != 0)
        return rc;
    struct taking taking = {answer, answer->len + ANSWER_LIMIT, false};
    rc = exchange(client, request, &taking, &reply, diag);
    itsi_http_client_destroy(client);
    if (rc == 0)
        *status = reply.status;
    return rc;
}
