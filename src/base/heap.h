/* A priority queue of nodes that live in their owners: a pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986). Inserting
 * is one comparison, taking the first or any other O(log n) amortised; nothing is ever allocated. One thread at a time. */
#ifndef ITSI_BASE_HEAP_H
#define ITSI_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct itsi_heap;
/* Zeroed: in no heap. The keys may be changed while it is in none; read them at any time. */
struct itsi_heap_node {
    int64_t key, tie; /* the smallest key comes first, among equals the smallest tie */
    /* the heap's own */
    struct itsi_heap *heap; /* NULL: in none */
    struct itsi_heap_node *child, *next, *prev; /* prev: the sibling before, or of a first child the parent */
};

struct itsi_heap {
    struct itsi_heap_node *first; /* NULL: empty */
};

/* The struct that a node lives in. */
#define ITSI_HEAP_OWNER(node, type, member) ((type *)((char *)(node) - offsetof(type, member)))

/* By key, then tie; of one heap or of two. */
bool itsi_heap_comes_before(const struct itsi_heap_node *a, const struct itsi_heap_node *b);
void itsi_heap_insert(struct itsi_heap *heap, struct itsi_heap_node *node, int64_t key, int64_t tie);
/* Takes it out of the heap it is in; of none: nothing happens. */
void itsi_heap_remove(struct itsi_heap_node *node);

#endif
