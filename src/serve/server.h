/* The daemon's HTTP side: API, live pictures, events, metrics, health and the dashboard.
 *
 * One thread does the network (libmicrohttpd on epoll) and never blocks: pictures are encoded by small threads of their
 * own, files are read by others, slow commands (adding and removing cameras) run on a worker, questions to the database and
 * looking for files on others, results are handed out by the hub. A slow client loses pictures or events, which is counted,
 * and never slows anybody else. */
#ifndef ITSI_SERVE_SERVER_H
#define ITSI_SERVE_SERVER_H

#include "base/buf.h"
#include "base/clock.h"
#include "config/config.h"
#include "optimizer/pools.h"
#include "pipeline/pipeline.h"

#include <sys/types.h>

struct itsi_server_params {
    const struct its_cfg *cfg; /* what is needed of it is copied */
    struct itsi_pipeline *pipeline; /* borrowed; outlives the server */
    struct itsi_pools *pools;       /* likewise; NULL: none */
    const char *model;              /* shown to people; copied; NULL: none */
    const char *version;            /* borrowed */
    /* Writes the JSON document "status", "status-detailed", "metrics" or "config" of /api/v1/performance. Called on the
     * network thread. NULL: those paths answer 404. */
    int (*document)(void *arg, const char *name, struct itsi_buf *out);
    void *document_arg;
    ssize_t (*read_file)(int fd, void *out, size_t size, off_t at); /* how files are read that are sent; NULL: pread */
};

struct itsi_server;
/* Binds and serves. ITS_EBUSY: the address is in use (diag names it); ITS_EINVAL: a bad address, or one beyond loopback
 * without a token. */
ITS_NODISCARD int itsi_server_start(struct itsi_server **out, const struct itsi_server_params *params,
                                    struct its_diag *diag);
/* "http://127.0.0.1:8080/"; borrowed for the server's life. */
const char *itsi_server_url(const struct itsi_server *server);
/* The port bound: another than asked for when that was 0. */
int itsi_server_port(const struct itsi_server *server);
/* Takes the live rows (metrics_open, jpeg_quality, live_fps, tile_width, viewer_queue, latencies, camera limit). */
void itsi_server_configure(struct itsi_server *server, const struct its_cfg *cfg);
/* From now on /api/v1/health/ready answers 503, so that nobody new is sent here; everything else goes on. */
void itsi_server_drain(struct itsi_server *server);
/* The bounds of its end, one after the other, and their sum. */
#define ITSI_SERVER_GOODBYE_NS (ITSI_NS_PER_S / 2)  /* for streams to end, to clients that read */
#define ITSI_SERVER_QUESTION_NS (3 * ITSI_NS_PER_S) /* for a question that the database is asked, at any time */
#define ITSI_SERVER_SETTLE_NS (ITSI_NS_PER_S / 2)   /* for answers that are under way */
#define ITSI_SERVER_LEAVE_NS (ITSI_NS_PER_S / 2)    /* for threads a disk may hold, those that look and those that read */
#define ITSI_SERVER_STOP_NS                                                                                            \
    (ITSI_SERVER_GOODBYE_NS + ITSI_SERVER_QUESTION_NS + ITSI_SERVER_SETTLE_NS + 2 * ITSI_SERVER_LEAVE_NS)
/* Accepts nobody any more, ends every stream, joins the threads and frees. A thread that a disk holds is left behind, with
 * what it needs. Without a limit are the commands that are being carried out: a camera that comes or goes, a flight record
 * that is written. Takes NULL. */
void itsi_server_stop(struct itsi_server *server);

#endif
