/* What is handed to viewers: one picture or one event, made once and shared by all who get it. */
#ifndef ITSI_SERVE_ITEM_H
#define ITSI_SERVE_ITEM_H

#include "base/buf.h"
#include "core/detection.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/* What is known of the frame that a picture or event shows. */
struct itsi_frame_facts {
    struct itsi_frame_info info;
    struct itsi_breakdown breakdown;
    bool late; /* handed over after its deadline */
    int quality_level;
    int64_t encode_asked, encode_start, encode_end; /* monotonic ns; 0: nothing was encoded */
};
void itsi_frame_facts_of(const struct itsi_result *result, struct itsi_frame_facts *out); /* encode_*: 0 */

struct itsi_item {
    struct itsi_buf part;   /* MJPEG: boundary and headers */
    struct itsi_buf record; /* wall: lengths and JSON */
    struct itsi_buf body;   /* JPEG, or a whole event */
    struct itsi_frame_facts facts;

    struct itsi_item_pool *pool;
    atomic_uint refs;
    struct itsi_item *next_free;
};

/* Items go back and keep their memory, so that steady state allocates nothing. Thread-safe; outlives its items. */
struct itsi_item_pool {
    pthread_mutex_t mutex;
    struct itsi_item *free;
    int free_count;
};
void itsi_item_pool_init(struct itsi_item_pool *pool);
void itsi_item_pool_fini(struct itsi_item_pool *pool);
struct itsi_item *itsi_item_get(struct itsi_item_pool *pool); /* emptied; NULL: out of memory */
struct itsi_item *itsi_item_ref(struct itsi_item *item);
void itsi_item_unref(struct itsi_item **item); /* takes a pointer to NULL */

#endif
