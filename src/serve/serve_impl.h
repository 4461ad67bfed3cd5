/* Private to the room: the server, one request, and how it is answered. */
#ifndef ITSI_SERVE_SERVE_IMPL_H
#define ITSI_SERVE_SERVE_IMPL_H

#include "serve/connections.h"
#include "serve/crew.h"
#include "serve/file_body.h"
#include "serve/listen.h"
#include "serve/lookup.h"
#include "serve/router.h"
#include "serve/server.h"
#include "serve/stats.h"
#include "serve/streams.h"
#include "serve/tracing.h"

#include <microhttpd.h>

enum { ITSI_BODY_MAX = 64 * 1024 };

struct itsi_worker;

struct itsi_server {
    /* const */
    struct itsi_pipeline *pipeline;
    struct itsi_pools *pools; /* NULL: none */
    const char *version;
    int (*document)(void *arg, const char *name, struct itsi_buf *out);
    void *document_arg;
    char *model, *token; /* owned; NULL: none */
    struct itsi_listen listen;
    int64_t started_ns, started_wall_ns;
    struct MHD_Daemon *daemon;
    struct itsi_streams *streams;
    struct itsi_worker *worker;    /* for what changes something */
    struct itsi_lookups *lookups;  /* for what looks for files */
    struct itsi_reads *reads;      /* for what is in them */
    struct itsi_worker *questions; /* for what asks the database, which may be slow or away */
    /* shared, each with its own lock or atomic */
    struct itsi_serve_settings settings;
    struct itsi_serve_stats stats;
    struct itsi_connections connections;
    atomic_bool draining, stopping;
    /* network thread */
    int64_t cpu_seen_ns, cpu_at_ns; /* for CPU use between two looks */
    double cpu_percent;
};

struct itsi_request {
    struct itsi_server *server;
    struct MHD_Connection *connection;
    struct itsi_connection *link;
    struct itsi_match match;
    unsigned method;
    bool head;
    int refusal;         /* status to answer with, decided from the headers; 0: none */
    char detail[512];    /* its reason */
    struct itsi_buf body;
    size_t received;
    int64_t came_ns;
    struct itsi_served served; /* the picture or result on its way to the client */
    /* handed to a worker or an encoder while the connection is suspended */
    bool waiting;
    enum MHD_Result (*finish)(struct itsi_request *request); /* on the network thread, when that is done */
    struct itsi_picture_wait picture;
    void (*job)(struct itsi_request *request); /* on the worker */
    struct itsi_worker *worker;                /* that has it */
    struct itsi_errand errand;
    int status;
    struct itsi_buf answer;
    struct itsi_lookup *lookup; /* what came of it; owned; NULL: nothing yet, or there was none */
    char location[128];
    void *asked; /* api_store.c's; owned */
};

/* --- request.c: libmicrohttpd's callbacks ------------------------------------------------------------------------- */

enum MHD_Result itsi_request_handle(void *server, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *upload, size_t *upload_size,
                                    void **slot);
void itsi_request_completed(void *server, struct MHD_Connection *connection, void **slot,
                            enum MHD_RequestTerminationCode why);
/* Suspends the connection; finish() runs once itsi_request_resume was called (by any thread). */
void itsi_request_suspend(struct itsi_request *request, enum MHD_Result (*finish)(struct itsi_request *request));
void itsi_request_resume(struct itsi_request *request);
/* Query parameter; NULL: absent. */
const char *itsi_request_query(const struct itsi_request *request, const char *name);
/* Number of a query parameter: 0 and *out untouched when absent, ITS_EINVAL out of range (diag). */
int itsi_request_number(const struct itsi_request *request, const char *name, double least, double most, double *out,
                        struct its_diag *diag);
/* Likewise, a whole one. */
int itsi_request_whole(const struct itsi_request *request, const char *name, int least, int most, int *out,
                       struct its_diag *diag);
int itsi_request_flag(const struct itsi_request *request, const char *name, bool *out, struct its_diag *diag);

/* --- respond.c: responses are queued and counted here ------------------------------------------------------------ */

/* The buffer's content is taken. */
enum MHD_Result itsi_respond_text(struct itsi_request *request, unsigned status, const char *type, struct itsi_buf *text);
/* application/problem+json */
enum MHD_Result itsi_respond_problem(struct itsi_request *request, unsigned status, const char *detail);
/* The status that fits one of our codes. */
unsigned itsi_respond_status_of(int code);
enum MHD_Result itsi_respond_asset(struct itsi_request *request, const char *path, unsigned status);
/* Queues and counts; the response is consumed. */
enum MHD_Result itsi_respond_queue(struct itsi_request *request, unsigned status, struct MHD_Response *response);
/* Capture time, age, quality and Server-Timing. */
void itsi_respond_facts(struct MHD_Response *response, const struct itsi_frame_facts *facts, int64_t now);
void itsi_respond_header(struct MHD_Response *response, const char *name, const char *value);

/* --- worker.c: a thread for what may take long -------------------------------------------------------------------- */

ITS_NODISCARD int itsi_worker_create(struct itsi_worker **out, const char *name, struct its_diag *diag);
/* Suspends the request, runs the job on the worker and answers with finish; where the worker has no room, finish finds
 * that in r->status. */
enum MHD_Result itsi_worker_run(struct itsi_request *request, void (*job)(struct itsi_request *),
                                enum MHD_Result (*finish)(struct itsi_request *));
/* On another worker than the usual one. */
enum MHD_Result itsi_worker_run_on(struct itsi_worker *worker, struct itsi_request *request,
                                   void (*job)(struct itsi_request *), enum MHD_Result (*finish)(struct itsi_request *));
/* Ends the thread; jobs not begun are answered 503, later ones refused with ITS_ECANCELLED. */
void itsi_worker_stop(struct itsi_worker *worker);
void itsi_worker_destroy(struct itsi_worker *worker); /* takes NULL; stops first */

/* --- handlers ----------------------------------------------------------------------------------------------------- */

enum MHD_Result itsi_api_health(struct itsi_request *request);
enum MHD_Result itsi_api_ready(struct itsi_request *request);
enum MHD_Result itsi_api_startup(struct itsi_request *request);
enum MHD_Result itsi_api_overview(struct itsi_request *request);
enum MHD_Result itsi_api_document(struct itsi_request *request);
enum MHD_Result itsi_api_cameras(struct itsi_request *request);
enum MHD_Result itsi_api_measurements(struct itsi_request *request);
enum MHD_Result itsi_api_alerts(struct itsi_request *request);
enum MHD_Result itsi_api_pools(struct itsi_request *request);
enum MHD_Result itsi_api_violations(struct itsi_request *request);
enum MHD_Result itsi_api_quality(struct itsi_request *request);
enum MHD_Result itsi_api_camera_quality(struct itsi_request *request);
enum MHD_Result itsi_api_store_cameras(struct itsi_request *request);
enum MHD_Result itsi_api_camera_counts(struct itsi_request *request);
enum MHD_Result itsi_api_camera_events(struct itsi_request *request);
enum MHD_Result itsi_api_camera_violations(struct itsi_request *request);
enum MHD_Result itsi_api_camera_changes(struct itsi_request *request);
enum MHD_Result itsi_api_flight(struct itsi_request *request);
enum MHD_Result itsi_api_clips(struct itsi_request *request);
enum MHD_Result itsi_api_clip(struct itsi_request *request);
enum MHD_Result itsi_api_camera(struct itsi_request *request);
enum MHD_Result itsi_api_snapshot(struct itsi_request *request);
enum MHD_Result itsi_api_live(struct itsi_request *request);
enum MHD_Result itsi_api_detections(struct itsi_request *request);
enum MHD_Result itsi_api_wall(struct itsi_request *request);
enum MHD_Result itsi_api_metrics(struct itsi_request *request);

/* The array of cameras as in GET /api/v1/cameras. */
struct itsi_json;
void itsi_put_cameras(struct itsi_json *json, const char *key, struct itsi_pipeline *pipeline);
/* One of them, as in GET /api/v1/cameras/{id}. ITS_ENOTFOUND, ITS_ENOMEM. */
ITS_NODISCARD int itsi_put_camera(struct itsi_pipeline *pipeline, const char *id, struct itsi_buf *out);

/* A document with a list in it, whose length the client may bound by a whole number in the query. */
struct itsi_listing {
    const char *parameter;
    int least, most, unasked;
    void (*put)(struct itsi_json *json, struct itsi_request *request, int count);
};
enum MHD_Result itsi_respond_listing(struct itsi_request *request, const struct itsi_listing *listing);

#endif
