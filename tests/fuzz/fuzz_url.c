/* Camera URLs: taking them apart, hiding their secrets, and what capture makes of them. */
#include "fuzz.h"

#include "base/url.h"
#include "capture/source.h"
#include "render/road.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    char shown[128];
    itsi_url_redact(text, shown, sizeof shown);
    if (itsi_url_parse(&url, text, &diag) == 0) {
        /* a password with a star in it may be completed by the stars that hide it: "user:*" of "a-user:user:*" is in
         * "a-user:***", and ":*" of "::*" in the ":**" of a message */
        const bool starred = strchr(url.password, '*');
        /* one long enough to be told from the rest must not be shown; "er:" is in what is shown of "user:er:@" all the same */
        char before[sizeof url.user + 1];
        snprintf(before, sizeof before, "%s:", url.user);
        if (strlen(url.password) >= 8 && !starred && !strstr(url.path, url.password) && !strstr(url.host, url.password) &&
            !strstr(before, url.password) && !strstr(url.query, url.password) && strstr(shown, url.password))
            abort();
        char message[600];
        memcpy(message, text, size < 599 ? size : 599);
        message[size < 599 ? size : 599] = '\0';
        itsi_url_scrub(&url, message);
        if (url.password[0] && !starred && strstr(message, url.password))
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
