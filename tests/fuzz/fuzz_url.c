/* Camera URLs: taking them apart, hiding their secrets, and what capture makes of them. */
#include "fuzz.h"

#include "base/url.h"
#include "capture/source.h"
#include "render/road.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is shown does not depend on the password: with another one in its place the same is shown. (To look for the
 * password in what is shown proves nothing: "@x" is in what is shown of "user:@x@x", and was there without it.) */
static void show_nothing_of_the_password(const char *text)
{
    const char *authority = strstr(text, "://") + 3, *end = authority + strcspn(authority, "/?#");
    const char *password = strchr(authority, ':') + 1, *at = end;
    while (*at != '@')
        at--;
    char *other = malloc(strlen(text) + sizeof "another");
    if (!other)
        return;
    sprintf(other, "%.*sanother%s", (int)(password - text), text, at);
    char shown[8192], shown_of_other[8192]; /* nothing is cut off: inputs have 4096 bytes */
    itsi_url_redact(text, shown, sizeof shown);
    itsi_url_redact(other, shown_of_other, sizeof shown_of_other);
    if (strcmp(shown, shown_of_other) != 0)
        abort();
    free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    struct its_diag diag;
    struct itsi_url url;
    if (itsi_url_parse(&url, text, &diag) == 0) {
        if (url.password[0])
            show_nothing_of_the_password(text);
        char message[600];
        memcpy(message, text, size < 599 ? size : 599);
        message[size < 599 ? size : 599] = '\0';
        itsi_url_scrub(&url, message);
        /* a password with a star in it may be completed by the stars that hide it: "**" of "a**" in "a***" */
        if (url.password[0] && !strchr(url.password, '*') && strstr(message, url.password))
            abort();
        char value[64];
        (void)itsi_url_param(&url, "transport", value, sizeof value);
    }
    struct itsi_source source;
    if (itsi_source_parse(&source, text, &diag) == 0 && (int)source.kind < 0)
        abort();
    struct itsi_road_params params;
    itsi_road_params_default(&params);
    if (itsi_road_params_parse(&params, text, &diag) == 0 && (params.width < 64 || params.width > 4096))
        abort();
    free(text);
    return 0;
}
