/* Instants as text, as clients write them in a query and names of files have them. Pure. */
#ifndef ITSI_BASE_MOMENT_H
#define ITSI_BASE_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/* "2026-11-26T07:05:00Z", also without seconds, with a fraction of them, or the day alone; or seconds since 1970,
 * "1795676700.5". UTC, 1970 to 2262. False: it is none of these, and *wall_ns is untouched. */
bool itsi_moment_parse(const char *text, int64_t *wall_ns);

#endif
