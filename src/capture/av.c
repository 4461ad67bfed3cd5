#include "capture/av.h"

#include "base/diag.h"
#include "base/log.h"

#include <libavutil/error.h>
#include <libavutil/log.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local const struct itsi_url *about;
static _Thread_local char last_words[256];

/* Stars over "user:password" of every URL inside a message. */
static void hide_userinfo(char *message)
{
    for (char *p = message; (p = strstr(p, "://")) != NULL;) {
        p += 3;
        size_t len = strcspn(p, " \t\n'\"/?#");
        char *at = NULL;
        for (size_t i = 0; i < len; i++)
            if (p[i] == '@')
                at = p + i;
        char *colon = at ? memchr(p, ':', (size_t)(at - p)) : NULL;
        if (colon)
            memset(colon + 1, '*', (size_t)(at - colon - 1));
        p += len;
    }
}

static void scrub(char *message)
{
    hide_userinfo(message);
    if (about)
        itsi_url_scrub(about, message);
}

static void on_log(void *avcl, int level, const char *fmt, va_list args)
{
    if (level > AV_LOG_WARNING)
        return;
    char line[256];
    int print_prefix = 1;
    av_log_format_line2(avcl, level, fmt, args, line, sizeof line, &print_prefix);
    line[strcspn(line, "\r\n")] = '\0';
    if (!line[0])
        return;
    scrub(line);
    if (level <= AV_LOG_ERROR) {
        /* without "[rtsp @ 0x55...] " */
        const char *text = line[0] == '[' ? strstr(line, "] ") : NULL;
        snprintf(last_words, sizeof last_words, "%s", text ? text + 2 : line);
    }
    itsi_debug("libav", "%s", line);
}

static void init_once(void) { av_log_set_callback(on_log); }

void itsi_av_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_once);
}

void itsi_av_about(const struct itsi_url *url)
{
    about = url;
    last_words[0] = '\0';
}

int itsi_av_code(int averr)
{
    switch (averr) {
    case AVERROR_HTTP_UNAUTHORIZED:
    case AVERROR_HTTP_FORBIDDEN:
        return ITS_EAUTH;
    case AVERROR_HTTP_NOT_FOUND:
        return ITS_ENOTFOUND;
    case AVERROR_HTTP_BAD_REQUEST:
    case AVERROR_HTTP_OTHER_4XX:
    case AVERROR_OPTION_NOT_FOUND:
        return ITS_EINVAL;
    case AVERROR_HTTP_SERVER_ERROR:
        return ITS_EIO;
    case AVERROR_INVALIDDATA:
    case AVERROR_STREAM_NOT_FOUND:
        return ITS_EFORMAT;
    case AVERROR_EOF:
        return ITS_EEOF;
    case AVERROR_EXIT:
        return ITS_ECANCELLED;
    case AVERROR_PROTOCOL_NOT_FOUND:
    case AVERROR_DEMUXER_NOT_FOUND:
    case AVERROR_DECODER_NOT_FOUND:
    case AVERROR_ENCODER_NOT_FOUND:
    case AVERROR_PATCHWELCOME:
        return ITS_EUNSUPPORTED;
    case AVERROR_BUG:
    case AVERROR_BUG2:
        return ITS_EINTERNAL;
    case AVERROR(EAGAIN):
        return ITS_EAGAIN;
    default:
        return itsi_code_from_errno(AVUNERROR(averr));
    }
}

int itsi_av_fail(struct its_diag *diag, int averr, const char *fmt, ...)
{
    int code = itsi_av_code(averr);
    if (!diag)
        return code;
    va_list args;
    va_start(args, fmt);
    int used = vsnprintf(diag->text, sizeof diag->text, fmt, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof diag->text) {
        char reason[AV_ERROR_MAX_STRING_SIZE] = "";
        av_strerror(averr, reason, sizeof reason);
        snprintf(diag->text + used, sizeof diag->text - (size_t)used, ": %s%s%s%s", reason, last_words[0] ? " (" : "",
                 last_words, last_words[0] ? ")" : "");
    }
    scrub(diag->text);
    return code;
}
