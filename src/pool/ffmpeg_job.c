#include "pool/ffmpeg_job.h"

#include "base/diag.h"
#include "base/url.h"

#include <stdio.h>
#include <string.h>

const char *const itsi_ffmpeg_first_arguments[] = {
    "-hide_banner", "-nostdin", "-nostats", "-stats_period", "0.5", "-progress", "pipe:3", NULL,
};

const char *itsi_ffmpeg_outcome_name(enum itsi_ffmpeg_outcome outcome)
{
    static const char *const names[] = {
#define ITSI_X(name, text) text,
        ITSI_FFMPEG_OUTCOME_MAP(ITSI_X)
#undef ITSI_X
    };
    return names[outcome];
}

/* Options whose value is a secret, or may hold one. */
static bool is_secret_option(const char *name)
{
    static const char *const options[] = {
        "-headers",      "-cookies",        "-password",        "-passphrase",        "-secret",
        "-ftp-password", "-decryption_key", "-decryption_keys", "-encryption_key",    "-cenc_decryption_key",
        "-cryptokey",    "-key",            "-hls_enc_key",     "-srtp_in_params",    "-srtp_out_params",
        "-aa_fixed_key", "-audible_key",    "-audible_iv",      "-audible_fixed_key", "-activation_bytes"};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(name, options[i]) == 0)
            return true;
    return false;
}

static int keep(struct itsi_ffmpeg_secrets *secrets, const char *word, size_t len, int position, struct its_diag *diag)
{
    if (secrets->count == ITSI_FFMPEG_SECRETS || len >= ITSI_FFMPEG_SECRET_SIZE)
        return itsi_fail(diag, ITS_ELIMIT, "argument %d: more or longer secrets than can be hidden", position);
    memcpy(secrets->words[secrets->count], word, len);
    secrets->words[secrets->count++][len] = '\0';
    return 0;
}

/* Line by line, as they are written when they are: headers are several. */
static int keep_lines(struct itsi_ffmpeg_secrets *secrets, const char *value, int position, struct its_diag *diag)
{
    int rc = 0;
    for (size_t len; rc == 0 && *value; value += len + strspn(value + len, "\r\n")) {
        len = strcspn(value, "\r\n");
        if (len)
            rc = keep(secrets, value, len, position, diag);
    }
    return rc;
}

/* As it stands, and as it is when it is used. */
static int keep_encoded(struct itsi_ffmpeg_secrets *secrets, const char *word, size_t len, int position,
                        struct its_diag *diag)
{
    char address[ITSI_FFMPEG_SECRET_SIZE + 16];
    struct itsi_url url;
    int rc = keep(secrets, word, len, position, diag);
    if (rc == 0 && memchr(word, '%', len)) {
        snprintf(address, sizeof address, "x://:%.*s@h", (int)len, word);
        if (itsi_url_parse(&url, address, NULL) == 0 && url.password[0])
            rc = keep(secrets, url.password, strlen(url.password), position, diag);
    }
    return rc;
}

static int keep_of_addresses(struct itsi_ffmpeg_secrets *secrets, const char *text, int position, struct its_diag *diag)
{
    size_t len;
    int rc = 0;
    for (const char *found = text; rc == 0 && (found = itsi_url_find_secret(found, &len)) != NULL; found += len)
        rc = keep_encoded(secrets, found, len, position, diag);
    return rc;
}

static int refuse(int position, const char *option, const char *text, struct its_diag *diag)
{
    static const char scheme[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
    char shown[256] = "an address within others";
    const char *scheme_end = strstr(text, "://");
    if (scheme_end && scheme_end == text + strspn(text, scheme) && !strstr(scheme_end + 3, "://"))
        itsi_url_redact(text, shown, sizeof shown);
    return itsi_fail(
        diag, ITS_EUNSUPPORTED,
        "argument %d (%s) carries a secret, and this FFmpeg gets its arguments where every user of the machine "
        "reads them: give it by a file or the environment",
        position, option ? option : shown);
}

int itsi_ffmpeg_secrets_find(struct itsi_ffmpeg_secrets *secrets, const char *const *arguments, bool is_shown,
                             struct its_diag *diag)
{
    int rc = 0;
    secrets->count = 0;
    for (int i = 0; arguments[i] && rc == 0; i++) {
        const char *const option = i > 0 && is_secret_option(arguments[i - 1]) ? arguments[i - 1] : NULL;
        size_t len;
        if (is_shown && (option || itsi_url_find_secret(arguments[i], &len)))
            rc = refuse(i, option, arguments[i], diag);
        else if (option)
            rc = keep_lines(secrets, arguments[i], i, diag);
        else
            rc = keep_of_addresses(secrets, arguments[i], i, diag);
    }
    return rc;
}
