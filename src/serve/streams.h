/* Everything that goes on after its response began: events, live pictures, the wall.
 *
 * The hub thread takes results off the detection bus and hands events to viewers; encoder threads make pictures, once
 * per camera, width and overlay for all who watch; the network thread reads from each viewer's queue. One lock guards the
 * lists and queues; nobody encodes, formats or writes under it. */
#ifndef ITSI_SERVE_STREAMS_H
#define ITSI_SERVE_STREAMS_H

#include "pipeline/pipeline.h"
#include "serve/item.h"
#include "serve/stats.h"
#include "serve/tracing.h"

#include <sys/types.h>

struct MHD_Connection;
struct itsi_connections;
struct itsi_reads;
struct itsi_streams;
struct itsi_viewer;

/* Live settings, read by any thread. */
struct itsi_serve_settings {
    atomic_int jpeg_quality, tile_width, viewer_queue, camera_limit;
    _Atomic double live_fps, sla_ms;
    atomic_bool metrics_open;
};

struct itsi_streams_params {
    struct itsi_pipeline *pipeline;
    const struct itsi_serve_settings *settings; /* borrowed */
    struct itsi_serve_stats *stats;             /* borrowed */
    struct itsi_connections *connections;       /* borrowed */
    struct itsi_reads *reads;                   /* likewise */
    struct itsi_lookups *lookups;               /* likewise */
    int encoders;     /* threads, >= 1 */
    int max_viewers;
};
ITS_NODISCARD int itsi_streams_create(struct itsi_streams **out, const struct itsi_streams_params *params,
                                      struct its_diag *diag);
/* Ends every viewer's stream and waits (until_ns at the latest) for them to go; then joins the threads. No new viewers
 * are taken. */
void itsi_streams_stop(struct itsi_streams *streams, int64_t until_ns);
void itsi_streams_destroy(struct itsi_streams *streams); /* takes NULL; after stop and after the network's end */
/* Something for the hub's timer to look after: a connection was opened. */
void itsi_streams_poke(struct itsi_streams *streams);

/* --- viewers ------------------------------------------------------------------------------------------------------ */

struct itsi_viewer_params {
    enum itsi_viewer_kind kind;
    const char *camera;         /* EVENTS: NULL for all; LIVE: the one */
    const char *const *cameras; /* WALL: the ones to show; NULL: all, also those that come later */
    int camera_count;
    int width;  /* 0: as the camera gives it */
    bool boxes; /* drawn into the picture */
    double fps; /* 0: the most the settings allow */
    const char *route; /* static, for traces */
    const struct itsi_trace_client *client;
    struct MHD_Connection *connection;
};
/* ITS_ELIMIT: enough viewers; ITS_ECANCELLED: shutting down. */
ITS_NODISCARD int itsi_viewer_create(struct itsi_streams *streams, const struct itsi_viewer_params *params,
                                     struct itsi_viewer **out, struct its_diag *diag);
/* Content reader and free callback for libmicrohttpd. */
ssize_t itsi_viewer_read(void *viewer, uint64_t position, char *out, size_t size);
void itsi_viewer_free(void *viewer);

/* --- single pictures ---------------------------------------------------------------------------------------------- */

/* Someone waiting for one picture. done() is called once, on an encoder thread or within itsi_streams_stop. */
struct itsi_picture_wait {
    void (*done)(struct itsi_picture_wait *wait);
    int status;             /* 0; ITS_EAGAIN: no picture yet; ITS_EINVAL: the source has none; ... */
    struct itsi_item *item; /* owned by the waiter when status is 0 */
    char reason[160];
    struct itsi_picture_wait *next;
};
/* The newest picture of a camera. ITS_ELIMIT: too many different sizes at once; ITS_ECANCELLED: shutting down. */
ITS_NODISCARD int itsi_streams_picture(struct itsi_streams *streams, const char *camera, int width, bool boxes,
                                       struct itsi_picture_wait *wait, struct its_diag *diag);

#endif
