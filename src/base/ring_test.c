#include "base/ring.h"

#include "support/check.h"

struct item {
    int number;
    struct itsi_ring place;
};

static void check_order(const struct itsi_ring *list, const int *numbers, int count)
{
    const struct itsi_ring *at = list;
    for (int i = 0; i < count; i++) {
        assert_ptr_equal(at->next->prev, at);
        at = at->next;
        assert_int_equal(ITSI_RING_OWNER((void *)at, struct item, place)->number, numbers[i]);
    }
    assert_ptr_equal(at->next, list);
    assert_ptr_equal(list->prev, at);
}

static void keeps_the_order_it_is_given(void **state)
{
    (void)state;
    struct item items[4] = {{.number = 0}, {.number = 1}, {.number = 2}, {.number = 3}};
    struct itsi_ring list;
    itsi_ring_init(&list);
    assert_null(itsi_ring_first(&list));
    itsi_ring_put_last(&list, &items[1].place);
    itsi_ring_put_last(&list, &items[2].place);
    itsi_ring_put_first(&list, &items[0].place);
    itsi_ring_put_after(&items[1].place, &items[3].place);
    check_order(&list, (const int[]){0, 1, 3, 2}, 4);
    itsi_ring_take_out(&items[3].place);
    itsi_ring_take_out(&items[3].place); /* of none */
    assert_false(itsi_ring_is_in(&items[3].place));
    check_order(&list, (const int[]){0, 1, 2}, 3);
    itsi_ring_take_out(&items[0].place);
    itsi_ring_take_out(&items[2].place);
    itsi_ring_take_out(&items[1].place);
    assert_true(itsi_ring_is_empty(&list));
    itsi_ring_put_last(&list, &items[3].place); /* and can be used again */
    check_order(&list, (const int[]){3}, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_order_it_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
