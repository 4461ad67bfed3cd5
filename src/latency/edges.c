#include "latency/edges.h"

#define ITSI_X(seconds) seconds,
const double itsi_latency_edges[ITSI_LATENCY_EDGE_COUNT] = {ITSI_LATENCY_EDGE_MAP(ITSI_X)};
#undef ITSI_X

#define ITSI_X(seconds) (int64_t)((seconds) * 1e9 + 0.5),
const int64_t itsi_latency_edges_ns[ITSI_LATENCY_EDGE_SLOTS] = {
    ITSI_LATENCY_EDGE_MAP(ITSI_X)
    INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX,
};
#undef ITSI_X
_Static_assert((int)ITSI_LATENCY_EDGE_COUNT + 8 == ITSI_LATENCY_EDGE_SLOTS,
               "fill up to the last slot, leave at least one");
