/* What every command does with its arguments and its end. */
#include "cli/cli.h"

#include "its/error.h"

#include <stdlib.h>

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
