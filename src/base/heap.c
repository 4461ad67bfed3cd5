#include "base/heap.h"

bool itsi_heap_comes_before(const struct itsi_heap_node *a, const struct itsi_heap_node *b)
{
    return a->key != b->key ? a->key < b->key : a->tie < b->tie;
}

/* Two trees into one; either may be NULL. Their roots have no siblings. */
static struct itsi_heap_node *meld(struct itsi_heap_node *a, struct itsi_heap_node *b)
{
    if (!a || !b)
        return a ? a : b;
    if (itsi_heap_comes_before(b, a)) {
        struct itsi_heap_node *other = a;
        a = b;
        b = other;
    }
    b->next = a->child;
    b->prev = a;
    if (a->child)
        a->child->prev = b;
    a->child = b;
    return a;
}

/* Siblings into one tree: in pairs from the left, then the pairs from the right. That order is what makes it O(log n). */
static struct itsi_heap_node *meld_siblings(struct itsi_heap_node *first)
{
    struct itsi_heap_node *pairs = NULL, *whole = NULL;
    while (first) {
        struct itsi_heap_node *a = first, *b = a->next;
        first = b ? b->next : NULL;
        a->next = a->prev = NULL;
        if (b)
            b->next = b->prev = NULL;
        a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    while (pairs) {
        struct itsi_heap_node *next = pairs->next;
        pairs->next = NULL;
        whole = meld(whole, pairs);
        pairs = next;
    }
    return whole;
}

void itsi_heap_insert(struct itsi_heap *heap, struct itsi_heap_node *node, int64_t key, int64_t tie)
{
    *node = (struct itsi_heap_node){.key = key, .tie = tie, .heap = heap};
    heap->first = meld(heap->first, node);
}

void itsi_heap_remove(struct itsi_heap_node *node)
{
    struct itsi_heap *heap = node->heap;
    if (!heap)
        return;
    struct itsi_heap_node *below = meld_siblings(node->child);
    if (node == heap->first) {
        heap->first = below;
    } else {
        if (node->prev->child == node)
            node->prev->child = node->next;
        else
            node->prev->next = node->next;
        if (node->next)
            node->next->prev = node->prev;
        heap->first = meld(heap->first, below);
    }
    node->heap = NULL;
    node->child = node->next = node->prev = NULL;
}
