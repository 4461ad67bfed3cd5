/* What every command does with its arguments and its end. */
#include "cli/cli.h"

#include "base/url.h"
#include "its/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refer_to_help(const char *command)
{
    fprintf(stderr, " (see its-camera-ai %s --help)\n", command);
    return -1;
}

void itsi_say_argument(const char *text)
{
    size_t len;
    fputs("'", stderr);
    for (const char *secret; (secret = itsi_url_find_secret(text, &len)) != NULL; text = secret + len)
        fprintf(stderr, "%.*s***", (int)(secret - text), text);
    fprintf(stderr, "%s'", text);
}

static int no_verb(const char *command, const struct itsi_verb *verbs, int count, const char *given)
{
    fprintf(stderr, "its-camera-ai: %s: ", command);
    if (given) {
        itsi_say_argument(given);
        fputs(" is none of its commands:", stderr);
    } else {
        fputs("needs one of", stderr);
    }
    for (int i = 0; i < count; i++)
        fprintf(stderr, "%s %s", i ? "," : "", verbs[i].name);
    return refer_to_help(command);
}

int itsi_verb_find(const char *command, const struct itsi_verb *verbs, int verb_count, char *const *words, int count)
{
    enum { MOST = sizeof verbs->operands / sizeof verbs->operands[0] };
    int found = 0, most = 0;
    while (count > 0 && found < verb_count && strcmp(verbs[found].name, words[0]) != 0)
        found++;
    if (count == 0 || found == verb_count)
        return no_verb(command, verbs, verb_count, count ? words[0] : NULL);
    const struct itsi_verb *verb = &verbs[found];
    const int given = count - 1;
    while (most < MOST && verb->operands[most])
        most++;
    if (given >= verb->required && given <= most)
        return found;
    fprintf(stderr, "its-camera-ai: %s %s: ", command, verb->name);
    if (given < verb->required) {
        fprintf(stderr, "needs %s", verb->operands[given]);
    } else {
        itsi_say_argument(words[1 + most]);
        fputs(" is one argument too many", stderr);
    }
    return refer_to_help(command);
}

bool itsi_parse_number(const char *text, double min, double max, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return *text && !*end && *out >= min && *out <= max;
}

int itsi_exit_code(int code)
{
    return code == ITS_EINVAL || code == ITS_EFORMAT || code == ITS_ENOTFOUND ? ITSI_EXIT_USAGE : ITSI_EXIT_FAILURE;
}
