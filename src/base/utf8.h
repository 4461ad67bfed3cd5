/* Is it UTF-8? */
#ifndef ITSI_BASE_UTF8_H
#define ITSI_BASE_UTF8_H

#include <stddef.h>

/* Length of the UTF-8 sequence at text (NUL-terminated), 0 when it is none: overlong forms, surrogates and what lies
 * beyond U+10FFFF are none. The NUL itself counts as one of length 1. */
size_t itsi_utf8_length(const char *text);

#endif
