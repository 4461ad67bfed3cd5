#include "net/otlp.h"

#include "base/diag.h"
#include "base/mem.h"
#include "base/url.h"
#include "net/gzip.h"
#include "net/http.h"

#include <stdio.h>
#include <string.h>

#define SIGNAL_PATH "/v1/traces"
/* A collector has no reason to say more. */
#define ANSWER_LIMIT ((size_t)64 << 10)
enum { UNSUPPORTED_MEDIA_TYPE = 415 };
enum { SPAN_BYTES = 320 }; /* of a usual span, to have the room before the first batch */

struct itsi_otlp {
    /* const */
    int batch_spans;
    double timeout_seconds;
    struct itsi_http_client *client;
    struct itsi_buf url, shown, resource, scope;
    /* owner thread */
    int count;
    struct itsi_buf spans, body, packed, answer;
    struct itsi_gzip *gzip;
    bool plain; /* the collector does not take gzip */
};

const char *itsi_otlp_verdict_name(enum itsi_otlp_verdict verdict)
{
    static const char *const names[] = {
#define ITSI_X(name, text) text,
        ITSI_OTLP_VERDICT_MAP(ITSI_X)
#undef ITSI_X
    };
    return names[verdict];
}

static void show_address(const struct itsi_url *parts, size_t path_len, struct itsi_buf *shown)
{
    bool v6 = strchr(parts->host, ':') != NULL;
    itsi_buf_printf(shown, "%s://%s%s%s", parts->scheme, v6 ? "[" : "", parts->host, v6 ? "]" : "");
    if (parts->port)
        itsi_buf_printf(shown, ":%d", parts->port);
    itsi_buf_add(shown, parts->path, path_len);
    itsi_buf_puts(shown, SIGNAL_PATH);
    for (size_t i = 0; i < shown->len; i++) /* a line break forges no line in a log */
        if ((unsigned char)shown->data[i] < 0x20 || shown->data[i] == 0x7f)
            shown->data[i] = '?';
}

int itsi_otlp_address(const char *endpoint, struct itsi_buf *url, struct itsi_buf *shown, struct its_diag *diag)
{
    struct itsi_url parts;
    if (itsi_url_parse(&parts, endpoint, NULL) != 0 || !parts.host[0] || strchr(endpoint, '#') ||
        (strcmp(parts.scheme, "http") != 0 && strcmp(parts.scheme, "https") != 0))
        return itsi_fail(diag, ITS_EINVAL, "otlp_endpoint: wanted is http://HOST:PORT or https://HOST:PORT");
    size_t path_len = strlen(parts.path);
    size_t head = strcspn(endpoint, "?");
    while (path_len && parts.path[path_len - 1] == '/') {
        path_len--;
        head--;
    }
    itsi_buf_add(url, endpoint, head);
    itsi_buf_puts(url, SIGNAL_PATH);
    itsi_buf_puts(url, endpoint + strcspn(endpoint, "?"));
    show_address(&parts, path_len, shown);
    return url->failed || shown->failed ? itsi_fail(diag, ITS_ENOMEM, "otlp_endpoint: out of memory") : 0;
}

int itsi_otlp_create(struct itsi_otlp **out, const struct itsi_otlp_params *params, struct its_diag *diag)
{
    struct itsi_otlp *otlp = itsi_zalloc(sizeof *otlp);
    if (!otlp)
        return itsi_fail(diag, ITS_ENOMEM, "trace exporter: out of memory");
    otlp->batch_spans = params->batch_spans;
    otlp->timeout_seconds = params->timeout_seconds;
    itsi_otlp_resource_encode(&params->resource, &otlp->resource);
    itsi_otlp_scope_encode(params->scope_name, params->scope_version, &otlp->scope);
    size_t room = (size_t)params->batch_spans * SPAN_BYTES;
    int rc = itsi_otlp_address(params->endpoint, &otlp->url, &otlp->shown, diag);
    if (rc == 0 && (otlp->resource.failed || otlp->scope.failed || itsi_buf_reserve(&otlp->spans, room) != 0 ||
                    itsi_buf_reserve(&otlp->body, room) != 0 || itsi_buf_reserve(&otlp->packed, room) != 0))
        rc = itsi_fail(diag, ITS_ENOMEM, "trace exporter: out of memory");
    if (rc == 0)
        rc = itsi_gzip_create(&otlp->gzip, diag);
    if (rc == 0)
        rc = itsi_http_client_create(&otlp->client, diag);
    if (rc != 0) {
        itsi_otlp_destroy(otlp);
        return rc;
    }
    *out = otlp;
    return 0;
}

void itsi_otlp_destroy(struct itsi_otlp *otlp)
{
    if (!otlp)
        return;
    struct itsi_buf *const buffers[] = {&otlp->url,   &otlp->shown, &otlp->resource, &otlp->scope,
                                        &otlp->spans, &otlp->body,  &otlp->packed,   &otlp->answer};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        itsi_buf_fini(buffers[i]);
    itsi_gzip_destroy(otlp->gzip);
    itsi_http_client_destroy(otlp->client);
    itsi_free(otlp);
}

const char *itsi_otlp_shown(const struct itsi_otlp *otlp) { return otlp->shown.data; }
int itsi_otlp_count(const struct itsi_otlp *otlp) { return otlp->count; }

bool itsi_otlp_add(struct itsi_otlp *otlp, const struct itsi_otlp_span *span)
{
    if (otlp->count >= otlp->batch_spans)
        return false;
    size_t before = otlp->spans.len;
    itsi_otlp_span_encode(span, &otlp->spans);
    if (otlp->spans.failed) {
        otlp->spans.len = before;
        otlp->spans.failed = false;
        return false;
    }
    otlp->count++;
    return true;
}

void itsi_otlp_clear(struct itsi_otlp *otlp)
{
    itsi_buf_reset(&otlp->spans);
    otlp->count = 0;
}

static enum itsi_otlp_verdict verdict_of_status(int status)
{
    if (status >= 200 && status < 300)
        return ITSI_OTLP_TAKEN;
    return status == 429 || status == 502 || status == 503 || status == 504 ? ITSI_OTLP_BUSY : ITSI_OTLP_REFUSED;
}

/* A collector that took the batch may still have left some of it out. */
static void read_answer(const struct itsi_otlp *otlp, struct itsi_otlp_result *out)
{
    struct itsi_otlp_partial partial;
    if (itsi_otlp_response_decode(otlp->answer.data, otlp->answer.len, &partial) != 0)
        return; /* not in our encoding: a success all the same, its status says so */
    uint64_t count = (uint64_t)otlp->count;
    out->rejected = partial.rejected < count ? partial.rejected : count;
    if (out->rejected || partial.message[0])
        snprintf(out->text, sizeof out->text, "%.200s: %llu of %d spans rejected: %s", otlp->shown.data,
                 (unsigned long long)out->rejected, otlp->count, partial.message);
}

static int post(struct itsi_otlp *otlp, const struct itsi_buf *body, const char *encoding,
                struct itsi_http_reply *reply, struct its_diag *diag)
{
    const struct itsi_http_request request = {
        .method = "POST",
        .url = otlp->url.data,
        .shown = otlp->shown.data,
        .body = body->data,
        .body_len = body->len,
        .content_type = "application/x-protobuf",
        .content_encoding = encoding,
        .timeout_seconds = otlp->timeout_seconds,
        .connect_seconds = otlp->timeout_seconds / 2,
    };
    itsi_buf_reset(&otlp->answer);
    return itsi_http_client_perform(otlp->client, &request, ANSWER_LIMIT, reply, &otlp->answer, diag);
}

/* The body, packed where that pays. */
static int post_body(struct itsi_otlp *otlp, struct itsi_http_reply *reply, struct its_diag *diag)
{
    itsi_buf_reset(&otlp->packed);
    if (!otlp->plain && otlp->body.len >= ITSI_GZIP_LEAST_BYTES &&
        itsi_gzip_pack(otlp->gzip, otlp->body.data, otlp->body.len, &otlp->packed)) {
        const int rc = post(otlp, &otlp->packed, "gzip", reply, diag);
        if (rc != 0 || reply->status != UNSUPPORTED_MEDIA_TYPE)
            return rc;
        otlp->plain = true;
    }
    return post(otlp, &otlp->body, NULL, reply, diag);
}

void itsi_otlp_send(struct itsi_otlp *otlp, struct itsi_otlp_result *out)
{
    *out = (struct itsi_otlp_result){.verdict = ITSI_OTLP_UNREACHABLE};
    itsi_buf_reset(&otlp->body);
    itsi_otlp_request_encode(&otlp->resource, &otlp->scope, &otlp->spans, &otlp->body);
    if (otlp->body.failed) {
        snprintf(out->text, sizeof out->text, "out of memory");
        return;
    }
    struct itsi_http_reply reply;
    struct its_diag diag;
    int rc = post_body(otlp, &reply, &diag);
    if (rc != 0) {
        out->verdict = rc == ITS_ECANCELLED ? ITSI_OTLP_CANCELLED : ITSI_OTLP_UNREACHABLE;
        memcpy(out->text, diag.text, sizeof out->text);
        return;
    }
    out->verdict = verdict_of_status(reply.status);
    out->retry_after_seconds = reply.retry_after_seconds;
    if (out->verdict == ITSI_OTLP_TAKEN)
        read_answer(otlp, out);
    else
        snprintf(out->text, sizeof out->text, "%.200s: HTTP status %d", otlp->shown.data, reply.status);
}

void itsi_otlp_limit(struct itsi_otlp *otlp, int64_t until_ns) { itsi_http_client_limit(otlp->client, until_ns); }
