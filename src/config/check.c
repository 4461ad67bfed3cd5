#include "config/check.h"

#include "base/diag.h"
#include "base/url.h"
#include "config/load.h"
#include "config/value.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int itsi_listen_parse(struct itsi_listen *out, const char *text, struct its_diag *diag)
{
    struct itsi_listen listen = {0};
    const char *colon = strrchr(text, ':'), *start = text, *end = colon;
    if (colon && text[0] == '[' && colon > text + 1 && colon[-1] == ']') {
        start++;
        end--;
    } else if (!colon || strchr(text, ':') != colon || text[0] == '[') {
        return itsi_fail(diag, ITS_EINVAL, "\"%.100s\" is not HOST:PORT or [IPV6]:PORT", text);
    }
    size_t len = (size_t)(end - start), digits = strspn(colon + 1, "0123456789");
    if (len == 0 || len >= sizeof listen.host || digits == 0 || digits > 5 || colon[1 + digits])
        return itsi_fail(diag, ITS_EINVAL, "\"%.100s\" is not HOST:PORT or [IPV6]:PORT", text);
    memcpy(listen.host, start, len);
    listen.port = atoi(colon + 1);
    if (listen.port > 65535)
        return itsi_fail(diag, ITS_EINVAL, "\"%.100s\": the port is not in 0..65535", text);
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, listen.host, &v4) == 1)
        listen.loopback = (ntohl(v4.s_addr) >> 24) == 127;
    else if (inet_pton(AF_INET6, listen.host, &v6) == 1)
        listen.loopback = IN6_IS_ADDR_LOOPBACK(&v6);
    else
        listen.loopback = strcasecmp(listen.host, "localhost") == 0;
    *out = listen;
    return 0;
}

/* "gpu.batch_timeout_ms = 5 (strategy latency_optimized)"; never for secrets. */
static void describe(const struct itsi_config *config, const char *key, char *out, size_t size)
{
    const struct itsi_option *option = itsi_option_find(key);
    char source[160];
    itsi_config_source(config, option, source, sizeof source);
    json_t *value = itsi_option_get(&config->cfg, option);
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
    snprintf(out, size, "%s = %.60s (%s)", itsi_option_key(option), text ? text : "?", source);
    free(text); /* jansson's */
    json_decref(value);
}

static int above(const struct itsi_config *config, const char *key, const char *limit, struct its_diag *diag)
{
    char a[256], b[256];
    describe(config, key, a, sizeof a);
    describe(config, limit, b, sizeof b);
    return itsi_fail(diag, ITS_EINVAL, "%s is above %s", a, b);
}

static int refuse(const struct itsi_config *config, const char *key, const char *why, struct its_diag *diag)
{
    char a[256];
    describe(config, key, a, sizeof a);
    return itsi_fail(diag, ITS_EINVAL, "%s: %s", a, why);
}

/* Pairs of which the first must not exceed the second. */
static int check_order(const struct itsi_config *config, struct its_diag *diag)
{
#define AT(s, f) #s "." #f, (double)config->cfg.s.f
    const struct {
        const char *low;
        double low_value;
        const char *high;
        double high_value;
    } ordered[] = {
        {AT(gpu, tensorrt_min_batch_size), AT(gpu, tensorrt_opt_batch_size)},
        {AT(gpu, tensorrt_opt_batch_size), AT(gpu, tensorrt_max_batch_size)},
        {AT(connection_pool, redis_pool_size), AT(connection_pool, redis_max_connections)},
        {AT(connection_pool, ffmpeg_pool_size), AT(connection_pool, ffmpeg_max_concurrent)},
        {AT(latency_monitoring, latency_p50_target_ms), AT(latency_monitoring, latency_p95_target_ms)},
        {AT(latency_monitoring, latency_p95_target_ms), AT(latency_monitoring, latency_p99_target_ms)},
        {AT(capture, backoff_initial_seconds), AT(capture, backoff_max_seconds)},
        {AT(capture, backoff_initial_seconds), AT(capture, config_backoff_max_seconds)},
    };
#undef AT
    for (size_t i = 0; i < sizeof ordered / sizeof ordered[0]; i++)
        if (ordered[i].low_value > ordered[i].high_value)
            return above(config, ordered[i].low, ordered[i].high, diag);
    if (config->cfg.gpu.batch_size_range[0] > config->cfg.gpu.batch_size_range[1])
        return refuse(config, "gpu.batch_size_range", "the first must not exceed the second", diag);
    return 0;
}

static int check_input_size(const struct itsi_config *config, struct its_diag *diag)
{
    const int64_t *size = config->cfg.inference.input_size;
    if (size[0] == 0 && size[1] == 0)
        return 0;
    if (size[0] == 0 || size[1] == 0 || size[0] % 32 != 0 || size[1] % 32 != 0)
        return refuse(config, "inference.input_size", "must be two multiples of 32, or 0,0", diag);
    return 0;
}

static int check_listen(const struct itsi_config *config, struct its_diag *diag)
{
    struct itsi_listen listen;
    char source[160];
    itsi_config_source(config, itsi_option_find("server.listen"), source, sizeof source);
    int rc = itsi_listen_parse(&listen, config->cfg.server.listen, diag);
    if (rc != 0)
        return itsi_diag_prefix(diag, rc, "%s: server.listen", source);
    if (!listen.loopback && !config->cfg.server.token)
        return refuse(config, "server.listen", "beyond loopback server.token must be set", diag);
    return 0;
}

/* URLs of servers: only the scheme is judged here, and no value is shown, since some carry passwords. */
static int check_scheme(const struct itsi_config *config, const char *key, const char *url, const char *schemes,
                        struct its_diag *diag)
{
    if (!url)
        return 0;
    const char *colon = strstr(url, "://");
    size_t len = colon ? (size_t)(colon - url) : 0;
    for (const char *p = schemes; len > 0 && *p; p += strspn(p, " ")) {
        size_t word = strcspn(p, " ");
        if (word == len && strncasecmp(p, url, len) == 0)
            return 0;
        p += word;
    }
    char source[160];
    itsi_config_source(config, itsi_option_find(key), source, sizeof source);
    return itsi_fail(diag, ITS_EINVAL, "%s: %s: must be a URL that begins with one of: %s (then ://)", source, key,
                     schemes);
}

static int check_urls(const struct itsi_config *config, struct its_diag *diag)
{
    const struct its_cfg_general *general = &config->cfg.general;
    int rc = check_scheme(config, "alert_webhook_url", general->alert_webhook_url, "http https", diag);
    if (rc == 0)
        rc = check_scheme(config, "monitor.alertmanager_url", config->cfg.monitor.alertmanager_url, "http https", diag);
    if (rc == 0)
        rc = check_scheme(config, "otlp_endpoint", general->otlp_endpoint, "http https", diag);
    if (rc == 0)
        rc = check_scheme(config, "redis_url", general->redis_url, "redis rediss redis+sentinel rediss+sentinel unix", diag);
    if (rc == 0)
        rc = check_scheme(config, "database_url", general->database_url, "postgresql postgres", diag);
    return rc;
}

static int check_cameras(const struct itsi_config *config, struct its_diag *diag)
{
    char limit[256];
    const struct itsi_str_list *ids = &config->cfg.adaptive_quality.priority_camera_ids;
    for (size_t i = 0; i < ids->count; i++)
        if (!itsi_camera_id_valid(ids->items[i]))
            return refuse(config, "adaptive_quality.priority_camera_ids",
                          "a camera id is 1 to 64 of A-Z a-z 0-9 _ . -", diag);
    if (config->cameras.count <= (size_t)config->cfg.general.max_concurrent_streams)
        return 0;
    describe(config, "max_concurrent_streams", limit, sizeof limit);
    return itsi_fail(diag, ITS_EINVAL, "%zu cameras are more than %s", config->cameras.count, limit);
}

int itsi_config_check(const struct itsi_config *config, struct its_diag *diag)
{
    static int (*const checks[])(const struct itsi_config *, struct its_diag *) = {
        check_order, check_input_size, check_listen, check_urls, check_cameras,
    };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        int rc = checks[i](config, diag);
        if (rc != 0)
            return rc;
    }
    return 0;
}
