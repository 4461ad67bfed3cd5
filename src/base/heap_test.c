#include "support/check.h"

#include "base/heap.h"
#include "base/rand.h"

#include <stdbool.h>
#include <string.h>

enum { NODES = 500 };

static void check_links(const struct itsi_heap_node *node, int *count)
{
    (*count)++;
    const struct itsi_heap_node *before = node;
    for (const struct itsi_heap_node *c = node->child; c; before = c, c = c->next) {
        assert_ptr_equal(c->prev, before);
        assert_true(c->key > node->key || (c->key == node->key && c->tie >= node->tie));
        check_links(c, count);
    }
}

/* Held against the plainest model there is: an array of what is in, searched for its least. */
static void agrees_with_a_search_through_all(void **state)
{
    (void)state;
    static struct itsi_heap_node nodes[NODES];
    static bool in[NODES];
    struct itsi_heap heap = {0};
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 5);
    memset(nodes, 0, sizeof nodes);
    memset(in, 0, sizeof in);
    for (int step = 0; step < 20000; step++) {
        int i = (int)itsi_rand_range(&rng, 0, NODES);
        if (in[i])
            itsi_heap_remove(&nodes[i]);
        else
            itsi_heap_insert(&heap, &nodes[i], (int64_t)itsi_rand_range(&rng, -50, 50), i);
        in[i] = !in[i];
        assert_true((nodes[i].heap != NULL) == in[i]);
        int least = -1, members = 0, linked = 0;
        for (int k = 0; k < NODES; k++) {
            members += in[k];
            if (in[k] && (least < 0 || nodes[k].key < nodes[least].key))
                least = k; /* ties ascend with k */
        }
        assert_ptr_equal(heap.first, least < 0 ? NULL : &nodes[least]);
        if (heap.first && step % 100 == 0) {
            check_links(heap.first, &linked);
            assert_int_equal(linked, members);
        }
    }
}

static void comes_out_in_order(void **state)
{
    (void)state;
    static struct itsi_heap_node nodes[NODES];
    struct itsi_heap heap = {0};
    for (int i = 0; i < NODES; i++)
        itsi_heap_insert(&heap, &nodes[i], (i * 7919) % 101, -i);
    int64_t key = -1, tie = 0;
    for (int n = 0; n < NODES; n++) {
        struct itsi_heap_node *first = heap.first;
        assert_true(first->key > key || (first->key == key && first->tie > tie));
        key = first->key;
        tie = first->tie;
        itsi_heap_remove(first);
        itsi_heap_remove(first); /* in none: nothing happens */
    }
    assert_null(heap.first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_search_through_all),
        cmocka_unit_test(comes_out_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
