#include "net/http.h"

#include "base/diag.h"
#include "base/url.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>

#define ANSWER_LIMIT ((size_t)64 << 20)

static void init_once(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

static size_t take(char *data, size_t size, size_t count, void *arg)
{
    struct itsi_buf *answer = arg;
    if (answer->len + size * count > ANSWER_LIMIT)
        return 0;
    itsi_buf_add(answer, data, size * count);
    return answer->failed ? 0 : size * count;
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
    default:
        return ITS_EIO;
    }
}

static struct curl_slist *headers_of(const struct itsi_http_request *request)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
    if (request->body)
        headers = curl_slist_append(headers, "Content-Type: application/json");
    if (request->token) {
        char line[1200];
        snprintf(line, sizeof line, "Authorization: Bearer %s", request->token);
        headers = curl_slist_append(headers, line);
    }
    return headers;
}

int itsi_http_perform(const struct itsi_http_request *request, int *status, struct itsi_buf *answer,
                      struct its_diag *diag)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_once);
    CURL *curl = curl_easy_init();
    if (!curl)
        return itsi_fail(diag, ITS_ENOMEM, "HTTP request: out of memory");
    struct curl_slist *headers = headers_of(request);
    double timeout = request->timeout_seconds > 0 ? request->timeout_seconds : 10;
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(timeout * 1000));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    if (request->body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    CURLcode code = curl_easy_perform(curl);
    long got = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &got);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        char shown[512];
        itsi_url_redact(request->url, shown, sizeof shown);
        return itsi_fail(diag, code_of(code), "%s %s: %s", request->method, shown, curl_easy_strerror(code));
    }
    *status = (int)got;
    return 0;
}
