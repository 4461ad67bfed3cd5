/* /metrics: Prometheus' text format. Label sets are bounded: by the number of cameras at most. */
#include "serve/serve_impl.h"

#include "base/clock.h"
#include "base/mem.h"
#include "optimizer/process.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void family(struct itsi_buf *out, const char *name, const char *type, const char *help)
{
    itsi_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct itsi_buf *out, const char *name, const char *type, const char *help, double value)
{
    family(out, name, type, help);
    itsi_buf_printf(out, "%s %.15g\n", name, value);
}

/* --- frames ------------------------------------------------------------------------------------------------------- */

static void put_ledger(struct itsi_buf *out, const struct itsi_ledger_counts *c)
{
    one(out, "its_frames_expected_total", "counter", "Frames the cameras should have given.", (double)c->expected);
    family(out, "its_frames_total", "counter",
           "Frames by how they ended; sums to the expected ones, less those in flight.");
    const struct {
        const char *outcome;
        uint64_t count;
    } rows[] = {{"delivered", c->delivered}, {"late", c->late},       {"skipped", c->skipped},
                {"dropped", itsi_ledger_dropped(c)}, {"corrupt", c->corrupt}, {"missing", c->missing}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        itsi_buf_printf(out, "its_frames_total{outcome=\"%s\"} %llu\n", rows[i].outcome,
                        (unsigned long long)rows[i].count);
    family(out, "its_frames_dropped_total", "counter", "Dropped frames by stage and reason.");
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        for (int r = 0; r < ITSI_DROP_COUNT; r++)
            if (c->dropped[s][r])
                itsi_buf_printf(out, "its_frames_dropped_total{stage=\"%s\",reason=\"%s\"} %llu\n",
                                itsi_stage_name((enum itsi_stage)s), itsi_drop_name((enum itsi_drop)r),
                                (unsigned long long)c->dropped[s][r]);
    one(out, "its_frames_in_flight", "gauge", "Frames taken in and not ended.", (double)c->in_flight);
    one(out, "its_frames_admitted_total", "counter", "Frames the batcher took.", (double)c->admitted);
    one(out, "its_ledger_balance", "gauge", "Expected frames less all accounted for; 0 unless something is wrong.",
        (double)itsi_ledger_balance(c));
    one(out, "its_on_time_ratio", "gauge", "Share of the frames due that were handed over in time.",
        itsi_ledger_on_time_ratio(c));
}

static void put_quantiles(struct itsi_buf *out, const char *stage, const char *part, const struct itsi_quantiles *q)
{
    const double values[] = {q->p50, q->p95, q->p99};
    static const char *const names[] = {"0.5", "0.95", "0.99"};
    for (int i = 0; i < 3; i++)
        itsi_buf_printf(out, "its_stage_seconds{stage=\"%s\",part=\"%s\",quantile=\"%s\"} %.9g\n", stage, part, names[i],
                        values[i] / 1000);
    itsi_buf_printf(out, "its_stage_seconds_sum{stage=\"%s\",part=\"%s\"} %.9g\n"
                         "its_stage_seconds_count{stage=\"%s\",part=\"%s\"} %llu\n",
                    stage, part, q->mean * (double)q->count / 1000, stage, part, (unsigned long long)q->count);
}

static void put_stages(struct itsi_buf *out, const struct itsi_latency_report *latency)
{
    family(out, "its_stage_seconds", "summary", "Time of a frame in a stage, waiting and service apart.");
    for (int stage = 0; stage < ITSI_STAGE_ENCODING; stage++) {
        put_quantiles(out, itsi_stage_name((enum itsi_stage)stage), "wait", &latency->wait[stage]);
        put_quantiles(out, itsi_stage_name((enum itsi_stage)stage), "service", &latency->service[stage]);
    }
}

static void put_pipeline(struct itsi_buf *out, struct itsi_pipeline *pipeline, const struct itsi_pipeline_stats *s)
{
    struct itsi_latency_buckets buckets;
    itsi_pipeline_latency_buckets(pipeline, &buckets);
    put_ledger(out, &s->ledger);
    family(out, "its_end_to_end_seconds", "histogram", "From a frame's origin to the hand-over of its result.");
    for (int i = 0; i < ITSI_LATENCY_EDGE_COUNT; i++)
        itsi_buf_printf(out, "its_end_to_end_seconds_bucket{le=\"%g\"} %llu\n", buckets.edges[i],
                        (unsigned long long)buckets.counts[i]);
    itsi_buf_printf(out, "its_end_to_end_seconds_bucket{le=\"+Inf\"} %llu\nits_end_to_end_seconds_sum %.9g\n"
                         "its_end_to_end_seconds_count %llu\n",
                    (unsigned long long)buckets.total, buckets.sum_seconds, (unsigned long long)buckets.total);
    put_stages(out, &s->latency);
    one(out, "its_batches_total", "counter", "Batches run.", (double)s->batches);
    one(out, "its_batch_images_total", "counter", "Images run in batches.", (double)s->batch_images);
    one(out, "its_batch_size_max", "gauge", "Largest batch so far.", s->batch_max);
    one(out, "its_results_total", "counter", "Results handed over.", (double)s->results);
    one(out, "its_analysed_frames_per_second", "gauge", "Results a second, over the last seconds.", s->analysed_fps);
    one(out, "its_bus_lost_total", "counter", "Results a subscriber of the bus was too slow for.", (double)s->bus_lost);
    one(out, "its_cameras", "gauge", "Cameras known.", s->cameras);
    one(out, "its_cameras_running", "gauge", "Cameras that give pictures.", s->cameras_running);
    one(out, "its_handshakes", "gauge", "Camera handshakes in flight.", s->handshakes_now);
}

/* --- cameras: gauges and a few counters each, gone with the camera ------------------------------------------------- */

static double camera_value(const struct itsi_camera_status *s, int column)
{
    switch (column) {
    case 0:
        return s->capture.state == ITSI_CAPTURE_RUNNING;
    case 1:
        return s->analysed_fps;
    case 2:
        return s->capture.fps;
    case 3:
        return s->age_ms / 1000;
    case 4:
        return s->latency_ms / 1000;
    case 5:
        return (double)s->ledger.expected;
    case 6:
        return (double)s->ledger.delivered;
    default:
        return (double)s->capture.reconnects;
    }
}

static void put_cameras(struct itsi_buf *out, struct itsi_pipeline *pipeline)
{
    static const char *const columns[][3] = {
        {"its_camera_up", "gauge", "1 while the camera gives pictures."},
        {"its_camera_fps", "gauge", "Frames analysed a second."},
        {"its_camera_source_fps", "gauge", "Frames a second the camera sends."},
        {"its_camera_age_seconds", "gauge", "Age of the newest analysed picture."},
        {"its_camera_latency_seconds", "gauge", "End-to-end latency of the newest result."},
        {"its_camera_frames_expected_total", "counter", "Frames the camera should have given."},
        {"its_camera_frames_delivered_total", "counter", "Frames of the camera handed over in time."},
        {"its_camera_reconnects_total", "counter", "Times the camera came back."},
    };
    const int cap = itsi_pipeline_cameras(pipeline, NULL, 0);
    struct itsi_camera_status *all = itsi_calloc((size_t)cap + 1, sizeof *all);
    int count = all ? itsi_pipeline_cameras(pipeline, all, cap) : 0;
    if (count > cap)
        count = cap;
    for (int column = 0; column < 8; column++) {
        family(out, columns[column][0], columns[column][1], columns[column][2]);
        for (int i = 0; i < count; i++) {
            const double value = camera_value(&all[i], column);
            if (isfinite(value)) /* ids hold no character that would need an escape */
                itsi_buf_printf(out, "%s{camera=\"%s\"} %.9g\n", columns[column][0], all[i].camera.id, value);
        }
    }
    itsi_free(all);
}

/* --- the server itself -------------------------------------------------------------------------------------------- */

static void put_buckets(struct itsi_buf *out, const char *name, const char *label, struct itsi_buckets *buckets)
{
    static const double edges[] = ITSI_LATENCY_EDGES;
    const char *comma = label[0] ? "," : "";
    uint64_t sum = 0;
    for (int i = 0; i <= ITSI_LATENCY_EDGE_COUNT; i++) {
        sum += atomic_load_explicit(&buckets->counts[i], memory_order_relaxed);
        if (i < ITSI_LATENCY_EDGE_COUNT)
            itsi_buf_printf(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, label, comma, edges[i],
                            (unsigned long long)sum);
        else
            itsi_buf_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, label, comma, (unsigned long long)sum);
    }
    const char *open = label[0] ? "{" : "", *close = label[0] ? "}" : "";
    itsi_buf_printf(out, "%s_sum%s%s%s %.9g\n%s_count%s%s%s %llu\n", name, open, label, close,
                    (double)atomic_load(&buckets->sum_ns) / 1e9, name, open, label, close, (unsigned long long)sum);
}

static void put_requests(struct itsi_buf *out, struct itsi_serve_stats *stats)
{
    static const unsigned codes[] = ITSI_HTTP_CODES;
    family(out, "its_http_requests_total", "counter", "HTTP requests answered.");
    for (int route = 0; route < ITSI_ROUTE_COUNT; route++)
        for (int i = 0; i <= ITSI_HTTP_CODE_COUNT; i++) {
            const unsigned long long count = atomic_load(&stats->requests[route][i]);
            if (count && i < ITSI_HTTP_CODE_COUNT)
                itsi_buf_printf(out, "its_http_requests_total{path=\"%s\",code=\"%u\"} %llu\n",
                                itsi_route_pattern((enum itsi_route)route), codes[i], count);
            else if (count)
                itsi_buf_printf(out, "its_http_requests_total{path=\"%s\",code=\"other\"} %llu\n",
                                itsi_route_pattern((enum itsi_route)route), count);
        }
    one(out, "its_http_connections", "gauge", "Open HTTP connections.", atomic_load(&stats->connections));
    one(out, "its_http_connections_opened_total", "counter", "HTTP connections accepted.",
        (double)atomic_load(&stats->connections_total));
    one(out, "its_http_timeouts_total", "counter", "HTTP connections cut off because no whole request came.",
        (double)atomic_load(&stats->timeouts));
}

static void put_viewers(struct itsi_buf *out, struct itsi_serve_stats *stats)
{
    char label[32];
    family(out, "its_viewers", "gauge", "Clients that watch.");
    for (int k = 0; k < ITSI_VIEWER_KINDS; k++)
        itsi_buf_printf(out, "its_viewers{kind=\"%s\"} %d\n", itsi_viewer_kind_name((enum itsi_viewer_kind)k),
                        atomic_load(&stats->viewers[k]));
    family(out, "its_viewer_sent_total", "counter", "Pictures and events written to clients.");
    for (int k = 0; k < ITSI_VIEWER_KINDS; k++)
        itsi_buf_printf(out, "its_viewer_sent_total{kind=\"%s\"} %llu\n",
                        itsi_viewer_kind_name((enum itsi_viewer_kind)k),
                        (unsigned long long)atomic_load(&stats->sent[k]));
    family(out, "its_viewer_dropped_total", "counter", "Pictures and events a client was too slow for.");
    for (int k = 0; k < ITSI_VIEWER_KINDS; k++)
        itsi_buf_printf(out, "its_viewer_dropped_total{kind=\"%s\"} %llu\n",
                        itsi_viewer_kind_name((enum itsi_viewer_kind)k),
                        (unsigned long long)atomic_load(&stats->dropped[k]));
    family(out, "its_viewer_network_seconds", "histogram",
           "From a picture or event being next to its last byte written.");
    for (int k = 0; k < ITSI_VIEWER_KINDS; k++) {
        snprintf(label, sizeof label, "kind=\"%s\"", itsi_viewer_kind_name((enum itsi_viewer_kind)k));
        put_buckets(out, "its_viewer_network_seconds", label, &stats->network[k]);
    }
    family(out, "its_viewer_end_to_end_seconds", "histogram",
           "From a frame's origin to the last byte written to a client.");
    for (int k = 0; k < ITSI_VIEWER_KINDS; k++) {
        snprintf(label, sizeof label, "kind=\"%s\"", itsi_viewer_kind_name((enum itsi_viewer_kind)k));
        put_buckets(out, "its_viewer_end_to_end_seconds", label, &stats->end_to_end[k]);
    }
    one(out, "its_pictures_encoded_total", "counter", "JPEG pictures made.", (double)atomic_load(&stats->encoded));
    one(out, "its_pictures_failed_total", "counter", "JPEG pictures that could not be made.",
        (double)atomic_load(&stats->encode_failures));
    family(out, "its_encoding_wait_seconds", "histogram", "Wait of a picture for an encoder.");
    put_buckets(out, "its_encoding_wait_seconds", "", &stats->encode_wait);
    family(out, "its_encoding_service_seconds", "histogram", "Encoding of a picture.");
    put_buckets(out, "its_encoding_service_seconds", "", &stats->encode_service);
}

static int open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = -3; /* ".", ".." and the folder itself */
    if (!dir)
        return 0;
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void put_process(struct itsi_buf *out, const struct itsi_server *server)
{
    one(out, "process_cpu_seconds_total", "counter", "CPU time used, user and system.", (double)itsi_cpu_ns() / 1e9);
    one(out, "process_resident_memory_bytes", "gauge", "Resident memory.", itsi_process_rss_mb() * 1024 * 1024);
    one(out, "process_open_fds", "gauge", "Open file descriptors.", open_files());
    one(out, "process_start_time_seconds", "gauge", "Start, seconds since 1970.",
        (double)(itsi_wall_ns() - (itsi_now_ns() - server->started_ns)) / 1e9);
    one(out, "its_allocations_total", "counter", "Memory allocations by our own code.", (double)itsi_alloc_count());
    family(out, "its_build_info", "gauge", "1, with the version.");
    itsi_buf_printf(out, "its_build_info{version=\"%s\"} 1\n", server->version);
}

enum MHD_Result itsi_api_metrics(struct itsi_request *r)
{
    struct itsi_server *server = r->server;
    struct itsi_pipeline_stats stats;
    struct itsi_buf out;
    itsi_buf_init(&out);
    itsi_pipeline_stats(server->pipeline, &stats);
    put_pipeline(&out, server->pipeline, &stats);
    put_cameras(&out, server->pipeline);
    put_requests(&out, &server->stats);
    put_viewers(&out, &server->stats);
    put_process(&out, server);
    return itsi_respond_text(r, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &out);
}
