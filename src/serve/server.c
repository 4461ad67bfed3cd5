#include "serve/server.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/serve_impl.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { FDS_PER_CAMERA = 4, FDS_OTHER = 64, CONNECTIONS_KEPT_FREE = 16 };

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct itsi_server *server = arg;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        itsi_connection_closed(&server->connections, *context);
        *context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *context = info ? itsi_connection_opened(&server->connections, info->connect_fd, itsi_now_ns()) : NULL;
    if (itsi_connections_count(&server->connections) == 1)
        itsi_streams_poke(server->streams); /* its timer slept */
}

static void on_log(void *arg, const char *format, va_list args)
{
    char text[256];
    (void)arg;
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\r\n")] = '\0';
    itsi_debug("http", "%s", text);
}

/* The connections that fit beside cameras and files under the limit of descriptors, which is raised where allowed. */
static int connection_limit(const struct its_cfg *cfg)
{
    const rlim_t others = FDS_OTHER + FDS_PER_CAMERA * (rlim_t)cfg->general.max_concurrent_streams;
    const rlim_t wanted = (rlim_t)cfg->server.max_connections + others;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 256;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || limit.rlim_max > wanted ? wanted : limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            getrlimit(RLIMIT_NOFILE, &limit);
    }
    rlim_t fits = limit.rlim_cur > others + 32 ? limit.rlim_cur - others : 32;
    if (fits >= (rlim_t)cfg->server.max_connections)
        return (int)cfg->server.max_connections;
    itsi_warn("serve", "only %d of %d connections fit under the limit of %llu open files", (int)fits,
              (int)cfg->server.max_connections, (unsigned long long)limit.rlim_cur);
    return (int)fits;
}

void itsi_server_configure(struct itsi_server *server, const struct its_cfg *cfg)
{
    struct itsi_serve_settings *s = &server->settings;
    atomic_store(&s->jpeg_quality, (int)cfg->server.jpeg_quality);
    atomic_store(&s->tile_width, (int)cfg->server.tile_width);
    atomic_store(&s->viewer_queue, (int)cfg->server.viewer_queue);
    atomic_store(&s->live_fps, cfg->server.live_fps);
    atomic_store(&s->metrics_open, cfg->server.metrics_open);
    atomic_store(&s->sla_ms, cfg->latency_monitoring.latency_sla_ms);
    atomic_store(&s->camera_limit, (int)cfg->general.max_concurrent_streams);
}

static int start_network(struct itsi_server *server, int limit, struct its_diag *diag)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* the network thread takes no signals */
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        itsi_request_handle, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, server, MHD_OPTION_LISTEN_SOCKET,
        server->listen.fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)limit, MHD_OPTION_CONNECTION_TIMEOUT, 30U,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)64 * 1024, MHD_OPTION_NOTIFY_COMPLETED, itsi_request_completed,
        server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!server->daemon)
        return itsi_fail(diag, ITS_EINTERNAL, "the HTTP server does not start on %s", server->listen.url);
    server->listen.fd = -1; /* the daemon's now */
    return 0;
}

static int start_all(struct itsi_server *server, const struct itsi_server_params *params, struct its_diag *diag)
{
    const struct its_cfg *cfg = params->cfg;
    int rc = itsi_listen_open(&server->listen, cfg->server.listen ? cfg->server.listen : "127.0.0.1:8080", diag);
    if (rc != 0)
        return rc;
    if (!server->listen.loopback && !server->token)
        return itsi_fail(diag, ITS_EINVAL,
                         "listening on %s, beyond this machine, needs server.token (or PERFORMANCE__TOKEN)",
                         cfg->server.listen);
    const int limit = connection_limit(cfg);
    rc = itsi_reads_create(&server->reads, params->read_file, &server->stats, diag);
    if (rc == 0)
        rc = itsi_lookups_create(&server->lookups, &server->stats, diag);
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    const struct itsi_streams_params streams = {
        .pipeline = server->pipeline,
        .settings = &server->settings,
        .stats = &server->stats,
        .connections = &server->connections,
        .reads = server->reads,
        .lookups = server->lookups,
        .encoders = cpus >= 32 ? 4 : cpus >= 8 ? 2 : 1,
        .max_viewers = limit > 2 * CONNECTIONS_KEPT_FREE ? limit - CONNECTIONS_KEPT_FREE : limit / 2,
    };
    if (rc == 0)
        rc = itsi_streams_create(&server->streams, &streams, diag);
    if (rc == 0)
        rc = itsi_worker_create(&server->worker, "serve-work", diag);
    if (rc == 0)
        rc = itsi_worker_create(&server->questions, "serve-ask", diag);
    return rc == 0 ? start_network(server, limit, diag) : rc;
}

int itsi_server_start(struct itsi_server **out, const struct itsi_server_params *params, struct its_diag *diag)
{
    struct itsi_server *server = itsi_zalloc(sizeof *server);
    if (!server)
        return itsi_fail(diag, ITS_ENOMEM, "server: out of memory");
    const char *token = params->cfg->server.token;
    server->pipeline = params->pipeline;
    server->pools = params->pools;
    server->version = params->version;
    server->document = params->document;
    server->document_arg = params->document_arg;
    server->started_ns = server->cpu_at_ns = itsi_now_ns();
    server->started_wall_ns = itsi_wall_ns();
    server->cpu_seen_ns = itsi_cpu_ns();
    server->listen.fd = -1;
    server->model = itsi_strdup(params->model);
    server->token = token && token[0] ? itsi_strdup(token) : NULL;
    itsi_connections_init(&server->connections, &server->stats);
    itsi_server_configure(server, params->cfg);
    int rc = (params->model && !server->model) || (token && token[0] && !server->token)
                 ? itsi_fail(diag, ITS_ENOMEM, "server: out of memory")
                 : start_all(server, params, diag);
    if (rc != 0) {
        itsi_server_stop(server);
        return rc;
    }
    *out = server;
    return 0;
}

const char *itsi_server_url(const struct itsi_server *server) { return server->listen.url; }
int itsi_server_port(const struct itsi_server *server) { return server->listen.port; }
void itsi_server_drain(struct itsi_server *server) { atomic_store(&server->draining, true); }

/* After this nothing is suspended any more, which MHD_stop_daemon insists on. What a disk holds is given up first, so that
 * who waits for it is told while others come to their ends. */
static void end_answers(struct itsi_server *server)
{
    if (server->lookups)
        itsi_lookups_stop(server->lookups);
    if (server->reads)
        itsi_reads_stop(server->reads);
    if (server->streams)
        itsi_streams_stop(server->streams, itsi_now_ns() + ITSI_SERVER_GOODBYE_NS);
    if (server->worker)
        itsi_worker_stop(server->worker);
    if (server->questions)
        itsi_worker_stop(server->questions);
    itsi_connections_settle(&server->connections, itsi_now_ns() + ITSI_SERVER_SETTLE_NS);
}

static void leave_disk(struct itsi_server *server)
{
    const int left = itsi_lookups_end(server->lookups, itsi_now_ns() + ITSI_SERVER_LEAVE_NS) +
                     itsi_reads_end(server->reads, itsi_now_ns() + ITSI_SERVER_LEAVE_NS);
    if (left)
        itsi_warn("serve", "clips: the disk does not answer: threads left to it: %d", left);
}

void itsi_server_stop(struct itsi_server *server)
{
    if (!server)
        return;
    atomic_store(&server->draining, true);
    atomic_store(&server->stopping, true);
    MHD_socket listening = MHD_INVALID_SOCKET;
    if (server->daemon)
        listening = MHD_quiesce_daemon(server->daemon); /* ours to close again */
    end_answers(server);
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    if (listening != MHD_INVALID_SOCKET)
        close(listening);
    if (server->listen.fd >= 0)
        close(server->listen.fd);
    leave_disk(server);
    itsi_worker_destroy(server->worker);
    itsi_worker_destroy(server->questions);
    itsi_streams_destroy(server->streams);
    itsi_connections_fini(&server->connections);
    itsi_free(server->model);
    itsi_free(server->token);
    itsi_free(server);
}
