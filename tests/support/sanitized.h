/* Whether a sanitizer watches. It finds what it can find in the first cases of a long computation; the results of all of
 * them are the business of the builds without one, which take a fraction of the time. */
#ifndef ITS_TESTS_SANITIZED_H
#define ITS_TESTS_SANITIZED_H

#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) ||                 \
    __has_feature(thread_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

#endif
