#include "pool/lease_books.h"

int itsi_lease_books_init(struct itsi_lease_books *books, int64_t now, struct its_diag *diag)
{
    *books = (struct itsi_lease_books){.lent_at = now};
    for (int i = 0; i < ITSI_LEASE_TIMES; i++) {
        const int rc = itsi_tally_init(&books->times[i], ITSI_LAYOUT_COARSE, diag);
        if (rc) {
            itsi_lease_books_fini(books);
            return rc;
        }
    }
    return 0;
}

void itsi_lease_books_fini(struct itsi_lease_books *books)
{
    for (int i = 0; i < ITSI_LEASE_TIMES; i++)
        itsi_tally_fini(&books->times[i]);
}

void itsi_lease_books_time(struct itsi_lease_books *books, enum itsi_lease_time which, int64_t ns)
{
    struct itsi_tally *tally = &books->times[which];
    struct itsi_moments *m = &tally->moments;
    ns = itsi_layout_clamp(ns);
    itsi_tally_place(tally, itsi_layout_slot(ITSI_LAYOUT_COARSE, ns), 1);
    m->min = m->count == 0 || ns < m->min ? ns : m->min;
    m->max = ns > m->max ? ns : m->max;
    m->count++;
    m->sum += (uint64_t)ns;
}
