/* Which handler a path belongs to. Pure. */
#ifndef ITSI_SERVE_ROUTER_H
#define ITSI_SERVE_ROUTER_H

#include "core/frame.h"
#include "pipeline/clip_folder.h"

enum itsi_method { ITSI_GET = 1, ITSI_POST = 2, ITSI_DELETE = 4 }; /* HEAD is GET without a body */

/* X(NAME, "pattern", methods) */
#define ITSI_ROUTE_MAP(X)                                                                                              \
    X(METRICS, "/metrics", ITSI_GET)                                                                                   \
    X(HEALTH, "/api/v1/health/performance", ITSI_GET)                                                                  \
    X(READY, "/api/v1/health/ready", ITSI_GET)                                                                         \
    X(STARTUP, "/api/v1/health/startup", ITSI_GET)                                                                     \
    X(OVERVIEW, "/api/v1/overview", ITSI_GET)                                                                          \
    X(CAMERAS, "/api/v1/cameras", ITSI_GET | ITSI_POST)                                                                \
    X(CAMERA, "/api/v1/cameras/{id}", ITSI_GET | ITSI_DELETE)                                                          \
    X(SNAPSHOT, "/api/v1/cameras/{id}/snapshot.jpg", ITSI_GET)                                                         \
    X(LIVE, "/api/v1/cameras/{id}/live.mjpg", ITSI_GET)                                                                \
    X(CAMERA_QUALITY, "/api/v1/cameras/{id}/quality", ITSI_POST)                                                       \
    X(CAMERA_COUNTS, "/api/v1/cameras/{id}/counts", ITSI_GET)                                                          \
    X(CAMERA_EVENTS, "/api/v1/cameras/{id}/events", ITSI_GET)                                                          \
    X(CAMERA_VIOLATIONS, "/api/v1/cameras/{id}/violations", ITSI_GET)                                                  \
    X(CAMERA_CHANGES, "/api/v1/cameras/{id}/quality/history", ITSI_GET)                                                \
    X(STORE_CAMERAS, "/api/v1/store/cameras", ITSI_GET)                                                                \
    X(CAMERA_DETECTIONS, "/api/v1/cameras/{id}/detections", ITSI_GET)                                                  \
    X(DETECTIONS, "/api/v1/detections", ITSI_GET)                                                                      \
    X(WALL, "/api/v1/wall", ITSI_GET)                                                                                  \
    X(STATUS, "/api/v1/performance/status", ITSI_GET)                                                                  \
    X(PERFORMANCE_METRICS, "/api/v1/performance/metrics", ITSI_GET)                                                    \
    X(CONFIG, "/api/v1/performance/config", ITSI_GET)                                                                  \
    X(ALERTS, "/api/v1/performance/alerts", ITSI_GET)                                                                  \
    X(QUALITY, "/api/v1/performance/quality", ITSI_GET)                                                                \
    X(POOLS, "/api/v1/performance/pools", ITSI_GET)                                                                    \
    X(VIOLATIONS, "/api/v1/performance/violations", ITSI_GET)                                                          \
    X(MEASUREMENTS, "/api/v1/performance/measurements", ITSI_POST)                                                     \
    X(FLIGHT, "/api/v1/performance/flight", ITSI_POST)                                                                 \
    X(CLIPS, "/api/v1/clips", ITSI_GET)                                                                                \
    X(CLIP, "/api/v1/clips/{clip}", ITSI_GET | ITSI_DELETE)                                                            \
    X(OPENAPI, "/openapi.json", ITSI_GET)

enum itsi_route {
#define ITSI_X(name, pattern, methods) ITSI_ROUTE_##name,
    ITSI_ROUTE_MAP(ITSI_X)
#undef ITSI_X
        ITSI_ROUTE_ASSET, /* everything else: a file of the dashboard, or nothing */
    ITSI_ROUTE_COUNT
};

struct itsi_match {
    enum itsi_route route;
    unsigned methods;              /* allowed here */
    char camera[ITSI_CAMERA_ID_SIZE]; /* {id}; empty where the pattern has none */
    char clip[ITSI_CLIP_NAME_SIZE];   /* {clip}, likewise; a name that a clip can have */
};

/* The path as libmicrohttpd gives it: percent-decoded, without the query. */
void itsi_router_match(const char *path, struct itsi_match *out);
/* The pattern, as shown in metrics and in openapi.json; "asset" for the rest. */
const char *itsi_route_pattern(enum itsi_route route);
unsigned itsi_route_methods(enum itsi_route route);
/* "GET, HEAD, POST" */
void itsi_route_allow(unsigned methods, char out[48]);
/* enum itsi_method of "GET", "HEAD", ...; 0 when it is none of ours. */
unsigned itsi_method_of(const char *name);

#endif
