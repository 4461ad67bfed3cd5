/* The edges of every latency histogram that Prometheus sees: one exactly at each budget and each target, so that the
 * share of frames that kept it is a count and no interpolation. */
#ifndef ITSI_LATENCY_EDGES_H
#define ITSI_LATENCY_EDGES_H

#include <stdint.h>

/* X(seconds), rising */
#define ITSI_LATENCY_EDGE_MAP(X)                                                                                       \
    X(0.001) X(0.0025) X(0.005) X(0.010) X(0.020) X(0.030) X(0.040) X(0.050) X(0.060) X(0.070) X(0.080) X(0.090)      \
    X(0.095) X(0.100) X(0.125) X(0.150) X(0.160) X(0.190) X(0.200) X(0.300) X(0.500) X(1.0) X(2.5)           \
    X(5.0)

#define ITSI_X(seconds) +1
enum { ITSI_LATENCY_EDGE_COUNT = ITSI_LATENCY_EDGE_MAP(ITSI_X) };
#undef ITSI_X
/* A bucket below each edge, and the one above them all. */
enum { ITSI_LATENCY_BUCKET_COUNT = ITSI_LATENCY_EDGE_COUNT + 1 };

extern const double itsi_latency_edges[ITSI_LATENCY_EDGE_COUNT]; /* seconds */

enum { ITSI_LATENCY_EDGE_SLOTS = 32 };
extern const int64_t itsi_latency_edges_ns[ITSI_LATENCY_EDGE_SLOTS]; /* the same; INT64_MAX after the last */

/* Which bucket a duration falls into: the number of edges below it. A binary search written out: five steps, no branch
 * to mispredict. */
static inline int itsi_latency_bucket(int64_t ns)
{
    int at = (itsi_latency_edges_ns[15] < ns) << 4;
    at |= (itsi_latency_edges_ns[at + 7] < ns) << 3;
    at |= (itsi_latency_edges_ns[at + 3] < ns) << 2;
    at |= (itsi_latency_edges_ns[at + 1] < ns) << 1;
    return at | (itsi_latency_edges_ns[at] < ns);
}

#endif
