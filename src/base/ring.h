/* A doubly linked list of members that live in their owners: adding and taking out cost a few stores, nothing is allocated.
 * One thread at a time. */
#ifndef ITSI_BASE_RING_H
#define ITSI_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>

/* The list itself, and each member of it. A zeroed member is in no list. */
struct itsi_ring {
    struct itsi_ring *prev, *next;
};

/* The struct that a member lives in. */
#define ITSI_RING_OWNER(member_at, type, member) ((type *)((char *)(member_at) - offsetof(type, member)))

static inline void itsi_ring_init(struct itsi_ring *list) { list->prev = list->next = list; }
static inline bool itsi_ring_is_empty(const struct itsi_ring *list) { return list->next == list; }
static inline bool itsi_ring_is_in(const struct itsi_ring *member) { return member->next != NULL; }

/* Of a member that is in no list. */
static inline void itsi_ring_put_after(struct itsi_ring *at, struct itsi_ring *member)
{
    member->prev = at;
    member->next = at->next;
    at->next->prev = member;
    at->next = member;
}
static inline void itsi_ring_put_first(struct itsi_ring *list, struct itsi_ring *member)
{
    itsi_ring_put_after(list, member);
}
static inline void itsi_ring_put_last(struct itsi_ring *list, struct itsi_ring *member)
{
    itsi_ring_put_after(list->prev, member);
}

/* Of none: nothing happens. */
static inline void itsi_ring_take_out(struct itsi_ring *member)
{
    if (!itsi_ring_is_in(member))
        return;
    member->prev->next = member->next;
    member->next->prev = member->prev;
    member->prev = member->next = NULL;
}

/* NULL: empty. */
static inline struct itsi_ring *itsi_ring_first(const struct itsi_ring *list)
{
    return itsi_ring_is_empty(list) ? NULL : list->next;
}

#endif
