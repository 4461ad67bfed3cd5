#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint_fast64_t allocations;
static atomic_int_fast64_t fail_countdown;

/* True when the failure armed by itsi_alloc_fail_at falls on this allocation. */
static int must_fail(void)
{
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) <= 0)
        return 0;
    return atomic_fetch_sub_explicit(&fail_countdown, 1, memory_order_relaxed) == 1;
}

void *itsi_alloc(size_t size) { return must_fail() ? NULL : malloc(size ? size : 1); }
void *itsi_zalloc(size_t size) { return itsi_calloc(1, size ? size : 1); }
void *itsi_calloc(size_t count, size_t size) { return must_fail() ? NULL : calloc(count, size); }
void *itsi_realloc(void *old, size_t size) { return must_fail() ? NULL : realloc(old, size ? size : 1); }

void *itsi_alloc_aligned(size_t align, size_t size)
{
    void *p = NULL;
    if (must_fail() || posix_memalign(&p, align, size ? size : align) != 0)
        return NULL;
    return p;
}

char *itsi_strdup(const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = itsi_alloc(size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

void itsi_free(void *p) { free(p); }

uint64_t itsi_alloc_count(void) { return atomic_load_explicit(&allocations, memory_order_relaxed); }
void itsi_alloc_fail_at(int64_t nth) { atomic_store(&fail_countdown, nth); }
