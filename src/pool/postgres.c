/* Connecting to PostgreSQL, and the life of a connection. */
#include "pool/postgres_hosts.h"
#include "pool/postgres_impl.h"
#include "pool/server_url.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/url.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static bool is_good(const struct itsi_db_connection *db)
{
    const struct itsi_pg *pg = (const struct itsi_pg *)db;
    return !pg->is_broken && PQstatus(pg->handle) == CONNECTION_OK;
}

static void abandon(struct itsi_db_connection *db)
{
    int fd = PQsocket(itsi_pg_of(db)->handle);
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
}

static void close_it(struct itsi_db_connection *db)
{
    struct itsi_pg *pg = itsi_pg_of(db);
    PQfinish(pg->handle);
    itsi_buf_fini(&pg->text);
    itsi_buf_fini(&pg->sql);
    itsi_free(pg);
}

static const struct itsi_db_driver driver = {.name = "postgresql",
                                             .run = itsi_pg_run,
                                             .pipeline = itsi_pg_pipeline,
                                             .append = itsi_pg_append,
                                             .is_good = is_good,
                                             .abandon = abandon,
                                             .close = close_it};

struct itsi_pg_connecting {
    struct itsi_pg *pg; /* owned until taken */
    int wait;       /* enum itsi_pg_wait, or an error */
    bool is_asking; /* connected; who answers is being found out */
    struct itsi_url url; /* to scrub its password from the server's words; zeroed when it is no URL */
};

static void drop_notice(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

/* A part of it stands where libpq sees what is shown. "//user:12@34@host": the password ends at the first '@', and the host has
 * another. "//user:12/34@host": a host, its port and a database; "//us/er:12@host": a host and a database. A database may have an
 * '@' in its name where nothing before it could begin a password; and in the query one may be. */
static bool has_torn_password(const char *url)
{
    const char *scheme_end = strncmp(url, "postgres", 8) == 0 ? strstr(url, "://") : NULL;
    if (!scheme_end)
        return false;
    const char *authority = scheme_end + 3, *path = authority + strcspn(authority, "/");
    const char *end = memchr(authority, '@', (size_t)(path - authority));
    if (end && memchr(end + 1, '@', strcspn(end + 1, "/?")))
        return true;
    const char *late = memchr(path, '@', strcspn(path, "?"));
    return late && memchr(authority, ':', (size_t)(late - authority));
}

/* libpq's own words about a text it cannot read quote it, password and all: they are not shown. */
int itsi_pg_check_url(const char *url, struct its_diag *diag)
{
    char *message = NULL, shown[512];
    PQconninfoOption *options = PQconninfoParse(url, &message);
    PQfreemem(message);
    const bool is_address = options && !has_torn_password(url) && itsi_pg_has_good_ports(url);
    PQconninfoFree(options);
    if (is_address)
        return 0;
    itsi_server_url_show(url, shown, sizeof shown);
    return itsi_fail(diag, ITS_EINVAL, "%s is not the address of a PostgreSQL database "
                     "(postgresql://user:password@host:port/database, / ? # and @ in them as %%2F %%3F %%23 and %%40)", shown);
}

static PGconn *start(const struct itsi_pg_params *params)
{
    char user_timeout[24];
    snprintf(user_timeout, sizeof user_timeout, "%.0f", params->tcp_user_timeout_s * 1e3);
    const char *names[] = {"dbname",       "hostaddr",   "fallback_application_name", "client_encoding", "keepalives_idle",
                           "keepalives_interval", "keepalives_count", "tcp_user_timeout", NULL};
    const char *values[] = {params->url, params->hostaddr, "its-camera-ai", "UTF8", "10", "5", "3", user_timeout, NULL};
    return PQconnectStartParams(names, values, 1);
}

static int connect_failed(struct itsi_pg_connecting *connecting, struct its_diag *diag)
{
    struct itsi_pg *pg = connecting->pg;
    char state[6], line[256];
    const char *text = PQerrorMessage(pg->handle);
    bool known = itsi_pg_state_of(text, state);
    size_t n = strcspn(text, "\n");
    snprintf(line, sizeof line, "%.*s", (int)(n < sizeof line ? n : sizeof line - 1), text);
    itsi_url_scrub(&connecting->url, line);
    /* no state: nobody speaks there */
    return itsi_fail(diag, known ? itsi_pg_code(state) : ITS_EREFUSED, "%s: %s", pg->label, line);
}

int itsi_pg_connect_begin(struct itsi_pg_connecting **out, const struct itsi_pg_params *params, struct its_diag *diag)
{
    int rc = itsi_pg_check_url(params->url, diag);
    if (rc != 0)
        return rc;
    struct itsi_pg_connecting *connecting = itsi_zalloc(sizeof *connecting);
    struct itsi_pg *pg = itsi_zalloc(sizeof *pg);
    if (!connecting || !pg || !(pg->handle = start(params))) {
        itsi_free(connecting);
        itsi_free(pg);
        return itsi_fail(diag, ITS_ENOMEM, "postgresql: out of memory");
    }
    pg->base.driver = &driver;
    pg->without_prepared = params->without_prepared;
    itsi_buf_init(&pg->text);
    itsi_buf_init(&pg->sql);
    connecting->pg = pg;
    connecting->wait = ITSI_PG_WRITE; /* libpq: as if the last step had said so */
    if (itsi_url_parse(&connecting->url, params->url, NULL) != 0)
        memset(&connecting->url, 0, sizeof connecting->url);
    snprintf(pg->label, sizeof pg->label, "postgresql %s:%s/%s", PQhost(pg->handle) ? PQhost(pg->handle) : "",
             PQport(pg->handle) ? PQport(pg->handle) : "", PQdb(pg->handle) ? PQdb(pg->handle) : "");
    if (PQstatus(pg->handle) == CONNECTION_BAD) {
        rc = connect_failed(connecting, diag);
        itsi_pg_connect_abort(connecting);
        return rc;
    }
    PQsetnonblocking(pg->handle, 1);
    PQsetErrorVerbosity(pg->handle, PQERRORS_VERBOSE); /* the state is all that tells one failure from another */
    PQsetNoticeProcessor(pg->handle, drop_notice, NULL);
    *out = connecting;
    return 0;
}

int itsi_pg_connect_socket(const struct itsi_pg_connecting *connecting)
{
    return PQsocket(connecting->pg->handle);
}

/* A pooler hands out process numbers of its own invention, so the number told at the start is not that of the process that
 * runs the statements. Names prepared in one transaction may be unknown, or somebody else's, in the next there. */
static void learn_who_answers(struct itsi_pg *pg, const PGresult *result)
{
    if (strtol(PQgetvalue(result, 0, 0), NULL, 10) != PQbackendPID(pg->handle))
        pg->without_prepared = true;
}

int itsi_pg_ping_begin(struct itsi_db_connection *db, struct its_diag *diag)
{
    struct itsi_pg *pg = itsi_pg_of(db);
    if (!pg->is_broken && PQsendQuery(pg->handle, "SELECT pg_backend_pid()"))
        return ITSI_PG_WRITE;
    pg->is_broken = true;
    return itsi_pg_fail(pg, NULL, "ping", diag);
}

int itsi_pg_ping_step(struct itsi_db_connection *db, struct its_diag *diag)
{
    struct itsi_pg *pg = itsi_pg_of(db);
    int unsent = PQflush(pg->handle), rc = 0;
    if (unsent < 0 || !PQconsumeInput(pg->handle))
        rc = itsi_pg_fail(pg, NULL, "ping", diag);
    while (rc == 0 && !PQisBusy(pg->handle)) {
        PGresult *result = PQgetResult(pg->handle);
        if (!result)
            return ITSI_PG_DONE;
        if (PQresultStatus(result) == PGRES_TUPLES_OK)
            learn_who_answers(pg, result);
        else
            rc = itsi_pg_fail(pg, result, "ping", diag);
        PQclear(result);
    }
    pg->is_broken |= rc != 0;
    return rc ? rc : unsent ? ITSI_PG_WRITE : ITSI_PG_READ;
}

static int ask(struct itsi_pg_connecting *connecting, struct its_diag *diag)
{
    PQsetErrorVerbosity(connecting->pg->handle, PQERRORS_DEFAULT);
    if (PQsetnonblocking(connecting->pg->handle, 1) != 0)
        return connect_failed(connecting, diag);
    connecting->is_asking = true;
    return connecting->wait = itsi_pg_ping_begin(&connecting->pg->base, diag);
}

int itsi_pg_connect_step(struct itsi_pg_connecting *connecting, struct its_diag *diag)
{
    if (connecting->is_asking)
        return connecting->wait = itsi_pg_ping_step(&connecting->pg->base, diag);
    switch (PQconnectPoll(connecting->pg->handle)) {
    case PGRES_POLLING_READING: return connecting->wait = ITSI_PG_READ;
    case PGRES_POLLING_WRITING: return connecting->wait = ITSI_PG_WRITE;
    case PGRES_POLLING_OK: return ask(connecting, diag);
    default: return connect_failed(connecting, diag);
    }
}

struct itsi_db_connection *itsi_pg_connect_take(struct itsi_pg_connecting *connecting)
{
    struct itsi_pg *pg = connecting->pg;
    itsi_free(connecting);
    return &pg->base;
}

void itsi_pg_connect_abort(struct itsi_pg_connecting *connecting)
{
    if (!connecting)
        return;
    close_it(&connecting->pg->base);
    itsi_free(connecting);
}

int itsi_pg_connect(struct itsi_db_connection **out, const struct itsi_pg_params *params, int64_t deadline,
                    struct its_diag *diag)
{
    struct itsi_pg_connecting *connecting;
    int rc = itsi_pg_connect_begin(&connecting, params, diag);
    if (rc != 0)
        return rc;
    for (int wait = connecting->wait;;) {
        rc = itsi_pg_wait(connecting->pg, wait == ITSI_PG_READ ? POLLIN : POLLOUT, deadline, "connecting", diag);
        if (rc == 0)
            rc = wait = itsi_pg_connect_step(connecting, diag);
        if (rc < 0) {
            itsi_pg_connect_abort(connecting);
            return rc;
        }
        if (wait == ITSI_PG_DONE) {
            *out = itsi_pg_connect_take(connecting);
            return 0;
        }
    }
}

int itsi_pg_socket(const struct itsi_db_connection *db)
{
    return PQsocket(((const struct itsi_pg *)db)->handle);
}
