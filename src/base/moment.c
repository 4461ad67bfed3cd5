#include "base/moment.h"

#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DIGITS "0123456789"
#define LATEST_SECONDS 9.2e9 /* what fits into nanoseconds */

/* In two parts: a double of today's seconds is no longer exact to the microsecond. */
static bool take_seconds(int64_t since, double seconds, int64_t *wall_ns)
{
    if (since < 0 || !(seconds >= 0 && seconds < LATEST_SECONDS - (double)since))
        return false;
    const int64_t whole = (int64_t)seconds;
    *wall_ns = (since + whole) * ITSI_NS_PER_S + (int64_t)((seconds - (double)whole) * 1e9 + 0.5);
    return true;
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Hours, minutes and what follows, "Z" being the end; *seconds: since midnight. */
static bool read_clock(const char *text, double *seconds)
{
    int hour, minute, used = 0;
    double second = 0;
    if (sscanf(text, "T%2d:%2d%n", &hour, &minute, &used) != 2 || used != 6 || !isdigit((unsigned char)text[1]) ||
        !isdigit((unsigned char)text[4]))
        return false;
    if (text[used] == ':') {
        const char *begin = text + used + 1;
        size_t len = strspn(begin, DIGITS);
        if (len != 2)
            return false;
        if (begin[len] == '.')
            len += 1 + strspn(begin + len + 1, DIGITS);
        second = strtod(begin, NULL);
        used += 1 + (int)len;
    }
    *seconds = hour * 3600 + minute * 60 + second;
    return strcmp(text + used, "Z") == 0 && hour < 24 && minute < 60 && second < 60;
}

static bool read_calendar(const char *text, int64_t *wall_ns)
{
    int year, month, day;
    double seconds = 0;
    const size_t digits = strspn(text, DIGITS "-");
    if (digits != 10 || text[4] != '-' || text[7] != '-' || sscanf(text, "%4d-%2d-%2d", &year, &month, &day) != 3)
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_of(year, month))
        return false;
    if (text[digits] && !read_clock(text + digits, &seconds))
        return false;
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    return take_seconds(timegm(&tm), seconds, wall_ns);
}

bool itsi_moment_parse(const char *text, int64_t *wall_ns)
{
    char *end;
    if (read_calendar(text, wall_ns))
        return true;
    if (!isdigit((unsigned char)text[0]) || strspn(text, DIGITS ".") != strlen(text))
        return false;
    const double seconds = strtod(text, &end);
    return *end == '\0' && take_seconds(0, seconds, wall_ns);
}
