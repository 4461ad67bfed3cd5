/* What requests want of a disk besides what is in a file: clips listed, one opened, one removed. The disk may hold who asks
 * it for ever, so that is a thread of its own (serve/crew.h), and what it works on is a lookup, never the request: that one
 * waits, suspended, until the lookup is done or the disk has not answered for too long. */
#ifndef ITSI_SERVE_LOOKUP_H
#define ITSI_SERVE_LOOKUP_H

#include "base/buf.h"
#include "pipeline/clips.h"
#include "serve/crew.h"
#include "serve/stats.h"

#include <microhttpd.h>

struct itsi_request;
struct itsi_lookups;

/* Where so many have not come back the disk does not answer, and who asks next is told so at once. */
enum { ITSI_LOOKUPS_AT_ONCE = 64 };

struct itsi_lookup {
    /* what is wanted; by who makes it */
    void (*job)(struct itsi_lookup *lookup); /* on the thread; may block */
    struct itsi_clips *clips;                /* a reference; NULL: none are made */
    char clip[ITSI_CLIP_NAME_SIZE];
    int limit;
    /* what came of it; the job's, then the request's */
    int status;
    char detail[512];
    struct itsi_buf answer;
    int file; /* -1: none; who takes it sets that */
    uint64_t bytes; /* of the file */
    /* lookup.c's */
    struct itsi_errand errand;
    struct itsi_lookups *all;
    struct itsi_request *request; /* lock; NULL: nobody waits any more */
    struct itsi_lookup *prev, *next;
};

ITS_NODISCARD int itsi_lookups_create(struct itsi_lookups **out, struct itsi_serve_stats *stats, struct its_diag *diag);
/* Who waits is told that this is the end, as is who comes later. Nothing stays suspended. */
void itsi_lookups_stop(struct itsi_lookups *lookups);
/* The end of the thread, until `until`: returns how many were left behind, with what they hold. After the daemon, whose
 * requests own lookups. Takes NULL; stops first. */
int itsi_lookups_end(struct itsi_lookups *lookups, int64_t until);
/* From time to time, any thread: gives up what the disk has not answered for too long, and what nobody waits for. */
void itsi_lookups_look(struct itsi_lookups *lookups, int64_t now);

/* NULL: out of memory. Takes a reference of the clips, which may be NULL. */
struct itsi_lookup *itsi_lookup_make(struct itsi_lookups *lookups, struct itsi_clips *clips);
/* Runs the job and answers with finish, which finds status and detail in the request and, where the status is 0, the lookup
 * as request->lookup. ITS_EAGAIN: the disk does not answer; ITS_ECANCELLED: shutting down. Network thread; the lookup is
 * taken; NULL: there was no memory for it. */
enum MHD_Result itsi_lookup_run(struct itsi_request *request, struct itsi_lookup *lookup,
                                enum MHD_Result (*finish)(struct itsi_request *request));
/* Also its file, on the thread: closing one may block too. Takes NULL. Network thread. */
void itsi_lookup_free(struct itsi_lookup *lookup);

#endif
