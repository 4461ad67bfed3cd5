/* Is it UTF-8? */
#ifndef ITSI_BASE_UTF8_H
#define ITSI_BASE_UTF8_H

#include <stddef.h>

/* Length of the UTF-8 sequence at the front of `size` bytes, 0 when it is none: overlong forms, surrogates, what lies
 * beyond U+10FFFF, and what is cut off are none. A NUL counts as one of length 1 and is never read past: of text that
 * ends in one, SIZE_MAX will do. */
size_t itsi_utf8_length(const char *text, size_t size);

#endif
