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
    static const char *const options[] = {"-headers",   "-cookies",  "-decryption_key", "-encryption_key",
                                          "-cryptokey", "-password", "-passphrase"};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(name, options[i]) == 0)
            return true;
    return false;
}

static int keep(struct itsi_ffmpeg_secrets *secrets, const char *word, int position, struct its_diag *diag)
{
    if (secrets->count == ITSI_FFMPEG_SECRETS || strlen(word) >= ITSI_FFMPEG_SECRET_SIZE)
        return itsi_fail(diag, ITS_ELIMIT, "argument %d: more or longer secrets than can be hidden", position);
    memcpy(secrets->words[secrets->count++], word, strlen(word) + 1);
    return 0;
}

/* Does hiding what is secret in an address change it? */
static bool address_has_secret(const char *text, char *shown, size_t size)
{
    itsi_url_redact(text, shown, size);
    return strstr(shown, "***") != NULL && strcmp(shown, text) != 0;
}

static int refuse(int position, const char *shown, struct its_diag *diag)
{
    return itsi_fail(
        diag, ITS_EUNSUPPORTED,
        "argument %d (%s) carries a secret, and this FFmpeg gets its arguments where every user of the machine "
        "reads them: give it by a file or the environment",
        position, shown);
}

int itsi_ffmpeg_secrets_find(struct itsi_ffmpeg_secrets *secrets, const char *const *arguments, bool is_shown,
                             struct its_diag *diag)
{
    char shown[2048];
    int rc = 0;
    secrets->count = 0;
    for (int i = 0; arguments[i] && rc == 0; i++) {
        const bool option = i > 0 && is_secret_option(arguments[i - 1]);
        const bool address = address_has_secret(arguments[i], shown, sizeof shown);
        struct itsi_url url = {.password = ""};
        if (!option && !address)
            continue;
        if (is_shown)
            return refuse(i, option ? arguments[i - 1] : shown, diag);
        if (option)
            rc = keep(secrets, arguments[i], i, diag);
        else if (itsi_url_parse(&url, arguments[i], NULL) == 0 &&
                 url.password[0]) /* as decoded; as it stands, the address is known */
            rc = keep(secrets, url.password, i, diag);
    }
    return rc;
}
