/* What every cmocka test here includes: the headers in the order cmocka wants, and assertions that print both values. */
#ifndef ITS_TESTS_CHECK_H
#define ITS_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A call that must succeed; prints the diagnosis otherwise. */
#define CHECK_OK(call, diag)                                                                                           \
    do {                                                                                                               \
        int check_rc_ = (call);                                                                                        \
        if (check_rc_ != 0)                                                                                            \
            fail_msg("%s: %d: %s", #call, check_rc_, (diag).text);                                                     \
    } while (0)

#define CHECK_NEAR(actual, wanted, tolerance)                                                                          \
    do {                                                                                                               \
        double check_a_ = (actual), check_w_ = (wanted);                                                               \
        if (!(fabs(check_a_ - check_w_) <= (tolerance)))                                                               \
            fail_msg("%s is %.9g, wanted %.9g +- %g", #actual, check_a_, check_w_, (double)(tolerance));               \
    } while (0)

/* The text must contain a part; prints the text otherwise. */
#define CHECK_CONTAINS(text, part)                                                                                     \
    do {                                                                                                               \
        if (!strstr((text), (part)))                                                                                   \
            fail_msg("\"%s\" does not contain \"%s\"", (text), (part));                                                \
    } while (0)

#endif
