#include "capture/source.h"

#include "base/diag.h"
#include "config/config.h"
#include "render/road.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Which of our parameters a kind of source takes. */
enum { P_PACE = 1, P_LOOP = 2, P_SECONDS = 4, P_FPS = 8, P_SIZE = 16, P_TRANSPORT = 32, P_REPLAY = 64 };

static const struct scheme {
    const char *name;
    enum itsi_source_kind kind;
    bool tls;
    unsigned params;
    const char *keys; /* the same for people */
} schemes[] = {
    {"rtsp", ITSI_SOURCE_RTSP, false, P_TRANSPORT, "transport"},
    {"rtsps", ITSI_SOURCE_RTSP, true, P_TRANSPORT, "transport"},
    {"http", ITSI_SOURCE_HTTP, false, 0, ""},
    {"https", ITSI_SOURCE_HTTP, true, 0, ""},
    {"file", ITSI_SOURCE_FILE, false, P_PACE | P_LOOP, "pace, loop"},
    {"synth", ITSI_SOURCE_SYNTH, false, P_PACE | P_LOOP | P_SECONDS, "pace, loop, seconds"},
    {"null", ITSI_SOURCE_NULL, false, P_PACE | P_SECONDS | P_FPS | P_SIZE, "pace, fps, size, seconds, surge"},
    {"replay", ITSI_SOURCE_REPLAY, false, P_REPLAY, "camera, start"},
};

static const struct scheme *find_scheme(const char *name)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strcmp(schemes[i].name, name) == 0)
            return &schemes[i];
    return NULL;
}

/* One choice of two words: 0 the first, 1 the second, ITS_EINVAL neither. */
static int choose(const char *value, const char *first, const char *second)
{
    if (strcmp(value, first) == 0)
        return 0;
    return strcmp(value, second) == 0 ? 1 : ITS_EINVAL;
}

static int parse_number(const char *value, double low, double high, double *out)
{
    char *end;
    double number = strtod(value, &end);
    if (end == value || *end || !isfinite(number) || number < low || number > high)
        return ITS_EINVAL;
    *out = number;
    return 0;
}

static int parse_whole(const char *value, int64_t most, int64_t *out)
{
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (end == value || *end || errno || number < 0 || number > most)
        return ITS_EINVAL;
    *out = number;
    return 0;
}

static int parse_size(const char *value, int *width, int *height)
{
    int w, h, used = 0;
    if (sscanf(value, "%5dx%5d%n", &w, &h, &used) != 2 || value[used] || w < 2 || h < 2 || w > 16384 || h > 16384)
        return ITS_EINVAL;
    *width = w;
    *height = h;
    return 0;
}

static int parse_surge(const char *value, struct itsi_source *s)
{
    double fps, from, seconds;
    int used = 0;
    if (sscanf(value, "%lf,%lf,%lf%n", &fps, &from, &seconds, &used) != 3 || value[used])
        return ITS_EINVAL;
    if (!(fps >= 0.1 && fps <= 1000 && from >= 0 && from <= 1e6 && seconds > 0 && seconds <= 1e6))
        return ITS_EINVAL;
    s->surge.fps = fps;
    s->surge.from = from;
    s->surge.seconds = seconds;
    return 0;
}

/* 1: the parameter is ours and was taken; 0: not ours; ITS_EINVAL: ours with a bad value (`allowed` says which are). */
static int take_param(struct itsi_source *s, unsigned params, const char *name, const char *value, const char **allowed)
{
    int which = ITS_EINVAL;
    if ((params & P_TRANSPORT) && strcmp(name, "transport") == 0) {
        which = choose(value, "tcp", "udp");
        if (which < 0)
            return 0; /* some camera's own */
        s->transport = which ? ITSI_TRANSPORT_UDP : ITSI_TRANSPORT_TCP;
    } else if ((params & P_PACE) && strcmp(name, "pace") == 0) {
        *allowed = "real or off";
        which = choose(value, "real", "off");
        s->pace_off = which == 1;
    } else if ((params & P_LOOP) && strcmp(name, "loop") == 0) {
        *allowed = "1 or 0";
        which = choose(value, "1", "0");
        s->once = which == 1;
    } else if ((params & P_SECONDS) && strcmp(name, "seconds") == 0) {
        bool synth = s->kind == ITSI_SOURCE_SYNTH;
        *allowed = synth ? "1 to 600" : "more than 0";
        which = parse_number(value, synth ? 1.0 : 1e-3, synth ? 600.0 : 1e9, &s->seconds);
    } else if ((params & P_FPS) && strcmp(name, "fps") == 0) {
        *allowed = "0.1 to 1000";
        which = parse_number(value, 0.1, 1000.0, &s->fps);
    } else if ((params & P_FPS) && strcmp(name, "surge") == 0) {
        *allowed = "FPS,FROM,FOR: 0.1 to 1000 frames/s from that second on for so many";
        which = parse_surge(value, s);
    } else if ((params & P_SIZE) && strcmp(name, "size") == 0) {
        *allowed = "WIDTHxHEIGHT, 2 to 16384 each";
        which = parse_size(value, &s->width, &s->height);
    } else if ((params & P_REPLAY) && strcmp(name, "camera") == 0) {
        *allowed = "a camera's index in the record";
        which = parse_whole(value, UINT32_MAX, &s->index);
    } else if ((params & P_REPLAY) && strcmp(name, "start") == 0) {
        *allowed = "nanoseconds of the monotonic clock";
        which = parse_whole(value, INT64_MAX / 2, &s->start_ns);
    } else {
        return 0;
    }
    return which < 0 ? which : 1;
}

/* Takes our parameters out of the query; the rest stays in s->url.query. */
static int take_params(struct itsi_source *s, const struct scheme *scheme, struct its_diag *diag)
{
    char kept[sizeof s->url.query] = "";
    size_t used = 0;
    for (const char *p = s->url.query; *p;) {
        size_t len = strcspn(p, "&"), name_len = strcspn(p, "=&");
        char name[64] = "", value[128] = "";
        const char *allowed = "";
        int taken = 0;
        if (name_len < sizeof name) {
            memcpy(name, p, name_len);
            if (itsi_url_param(&s->url, name, value, sizeof value) == 1)
                taken = take_param(s, scheme->params, name, value, &allowed);
        }
        if (taken < 0)
            return itsi_fail(diag, ITS_EINVAL, "URL '%s': %s=%s is not allowed (%s)", s->shown, name, value, allowed);
        bool strict = s->kind == ITSI_SOURCE_FILE || s->kind == ITSI_SOURCE_NULL || s->kind == ITSI_SOURCE_REPLAY;
        if (!taken && strict && len)
            return itsi_fail(diag, ITS_EINVAL, "URL '%s': unknown parameter '%.*s' (allowed: %s)", s->shown,
                             (int)(name_len < 40 ? name_len : 40), p, scheme->keys);
        if (!taken && len) {
            if (used)
                kept[used++] = '&';
            memcpy(kept + used, p, len);
            used += len;
            kept[used] = '\0';
        }
        p += len + (p[len] == '&');
    }
    memcpy(s->url.query, kept, used + 1);
    return 0;
}

static int make_address(struct itsi_source *s, const char *text, struct its_diag *diag)
{
    int used;
    if (s->kind == ITSI_SOURCE_FILE) {
        if (!s->url.path[0])
            return itsi_fail(diag, ITS_EINVAL, "URL '%s': no path", s->shown);
        /* the prefix keeps libav from reading a protocol into a file's name */
        used = snprintf(s->address, sizeof s->address, "file:%s", s->url.path);
    } else {
        /* libav knows its protocols in small letters only */
        const char *rest = strstr(text, "://");
        used = snprintf(s->address, sizeof s->address, "%s%.*s%s%s", s->url.scheme, (int)strcspn(rest, "?"), rest,
                        s->url.query[0] ? "?" : "", s->url.query);
    }
    if (used < 0 || (size_t)used >= sizeof s->address)
        return itsi_fail(diag, ITS_EINVAL, "URL '%s': too long", s->shown);
    if (s->kind == ITSI_SOURCE_REPLAY && !s->url.path[0])
        return itsi_fail(diag, ITS_EINVAL, "URL '%s': no path", s->shown);
    bool network = s->kind == ITSI_SOURCE_RTSP || s->kind == ITSI_SOURCE_HTTP;
    if (network && !s->url.host[0])
        return itsi_fail(diag, ITS_EINVAL, "URL '%s': no host", s->shown);
    return 0;
}

int itsi_source_parse(struct itsi_source *out, const char *text, struct its_diag *diag)
{
    struct itsi_source s = {.transport = -1, .fps = 30.0, .width = 1280, .height = 720};
    int rc = itsi_url_parse(&s.url, text, diag);
    if (rc)
        return rc;
    itsi_url_redact(text, s.shown, sizeof s.shown);
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return itsi_fail(diag, ITS_EINVAL, "URL '%s': has a control character in it (byte 0x%02x)", s.shown,
                             (unsigned)(unsigned char)*p);
    const struct scheme *scheme = find_scheme(s.url.scheme);
    if (!scheme)
        return itsi_fail(diag, ITS_EINVAL,
                         "URL '%s': unknown scheme '%s' (allowed: rtsp, rtsps, http, https, file or a plain path, "
                         "synth, null, replay)",
                         s.shown, s.url.scheme);
    s.kind = scheme->kind;
    s.tls = scheme->tls;
    if ((rc = take_params(&s, scheme, diag)) || (rc = make_address(&s, text, diag)))
        return rc;
    if (s.kind == ITSI_SOURCE_SYNTH) {
        struct itsi_road_params road;
        itsi_road_params_default(&road);
        if ((rc = itsi_road_params_parse(&road, text, diag)))
            return rc;
        s.width = road.width;
        s.height = road.height;
        s.fps = road.fps;
    }
    *out = s;
    return 0;
}
