/* The HTTP side: requests, viewers, pictures. */
#include "serve/metrics.h"

#include <stdio.h>

static void put_requests(struct itsi_exposition *e, struct itsi_serve_stats *stats)
{
    static const unsigned codes[] = ITSI_HTTP_CODES;
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_http_requests", NULL, "HTTP requests answered.");
    for (int route = 0; route < ITSI_ROUTE_COUNT; route++)
        for (int i = 0; i <= ITSI_HTTP_CODE_COUNT; i++) {
            char code[16] = "other";
            if (i < ITSI_HTTP_CODE_COUNT)
                snprintf(code, sizeof code, "%u", codes[i]);
            itsi_exposition_count(e, ITSI_LABELS({"path", itsi_route_pattern((enum itsi_route)route)}, {"code", code}),
                                  atomic_load(&stats->requests[route][i]));
        }
    itsi_put_gauge(e, "its_http_connections", NULL, "Open HTTP connections.", atomic_load(&stats->connections));
    itsi_put_counter(e, "its_http_connections_opened", NULL, "HTTP connections accepted.",
                     (double)atomic_load(&stats->connections_total));
    itsi_put_counter(e, "its_http_timeouts", NULL, "HTTP connections cut off because no whole request came.",
                     (double)atomic_load(&stats->timeouts));
    itsi_put_counter(e, "its_http_disk_timeouts", NULL,
                     "Answers given up because the disk with the clips did not answer for 30 s.",
                     (double)atomic_load(&stats->disk_timeouts));
}

static const char *kind_name(int kind) { return itsi_viewer_kind_name((enum itsi_viewer_kind)kind); }

static void put_kinds(struct itsi_exposition *e, atomic_uint_fast64_t counts[ITSI_VIEWER_KINDS])
{
    for (int k = 0; k < ITSI_VIEWER_KINDS; k++)
        itsi_exposition_count(e, ITSI_LABELS({"kind", kind_name(k)}), atomic_load(&counts[k]));
}

static void put_histograms(struct itsi_exposition *e, struct itsi_buckets kinds[ITSI_VIEWER_KINDS])
{
    for (int k = 0; k < ITSI_VIEWER_KINDS; k++)
        itsi_put_buckets(e, ITSI_LABELS({"kind", kind_name(k)}), &kinds[k]);
}

static void put_viewers(struct itsi_exposition *e, struct itsi_serve_stats *stats)
{
    itsi_exposition_family(e, ITSI_METRIC_GAUGE, "its_viewers", NULL, "Clients that watch.");
    for (int k = 0; k < ITSI_VIEWER_KINDS; k++)
        itsi_exposition_value(e, ITSI_LABELS({"kind", kind_name(k)}), atomic_load(&stats->viewers[k]));
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_viewer_sent", NULL, "Pictures and events written to clients.");
    put_kinds(e, stats->sent);
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_viewer_dropped", NULL,
                           "Pictures and events a client was too slow for.");
    put_kinds(e, stats->dropped);
    itsi_exposition_family(e, ITSI_METRIC_HISTOGRAM, "its_viewer_network_seconds", "seconds",
                           "From a picture or event being next to its last byte written.");
    put_histograms(e, stats->network);
    itsi_exposition_family(e, ITSI_METRIC_HISTOGRAM, "its_viewer_end_to_end_seconds", "seconds",
                           "From a frame's origin (see its_end_to_end_seconds) to the last byte written to a client.");
    put_histograms(e, stats->end_to_end);
}

void itsi_put_client_metrics(struct itsi_exposition *e, struct itsi_serve_stats *stats)
{
    put_requests(e, stats);
    put_viewers(e, stats);
    itsi_put_counter(e, "its_pictures_encoded", NULL, "JPEG pictures made.", (double)atomic_load(&stats->encoded));
    itsi_put_counter(e, "its_pictures_failed", NULL, "JPEG pictures that could not be made.",
                     (double)atomic_load(&stats->encode_failures));
}
