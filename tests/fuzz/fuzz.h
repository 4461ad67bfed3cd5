/* What libFuzzer calls, so that replay.c can call it too. */
#ifndef ITS_TESTS_FUZZ_H
#define ITS_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
