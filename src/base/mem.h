/* Allocation through one door, so that it can be counted (steady state allocates nothing on the frame path: a test
 * reads the count) and made to fail (the allocation-failure sweep over constructors). Thread-safe. */
#ifndef ITSI_BASE_MEM_H
#define ITSI_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

void *itsi_alloc(size_t size);                 /* uninitialised; NULL when out of memory */
void *itsi_zalloc(size_t size);                /* zeroed */
void *itsi_calloc(size_t count, size_t size);  /* zeroed, overflow-checked */
void *itsi_realloc(void *old, size_t size);    /* old stays valid when NULL is returned */
void *itsi_alloc_aligned(size_t align, size_t size); /* free with itsi_free */
char *itsi_strdup(const char *text);           /* NULL for NULL or out of memory */
void itsi_free(void *p);

/* Allocations made since the start of the process (by any thread). */
uint64_t itsi_alloc_count(void);

/* The n-th allocation from now on (1 = the next) fails, once; 0 switches it off. For tests only. */
void itsi_alloc_fail_at(int64_t nth);

#endif
