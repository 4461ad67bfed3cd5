/* Waiting for a PostgreSQL server, and what its errors mean. */
#include "pool/postgres_impl.h"

#include "base/clock.h"
#include "base/diag.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

int itsi_pg_code(const char *state)
{
    static const struct {
        const char *prefix; /* the longest that fits comes first */
        int code;
    } codes[] = {
        {"53300", ITS_EREFUSED}, /* too many connections */
        {"53100", ITS_ENOSPACE}, {"53200", ITS_ENOMEM}, {"53", ITS_ELIMIT},
        {"57014", ITS_ETIMEOUT}, /* cancelled by statement_timeout */
        {"57", ITS_EREFUSED},    /* shutting down, starting up */
        {"28", ITS_EAUTH},       {"42501", ITS_EAUTH},
        {"3D000", ITS_ENOTFOUND},
        {"23505", ITS_EEXISTS},
        {"40", ITS_EBUSY},       /* serialisation, deadlock */
        {"55P03", ITS_EBUSY},
        {"26000", ITS_EBUSY},    {"42P05", ITS_EBUSY}, /* another server behind a pooler */
        {"08", ITS_EIO},         {"58", ITS_EIO},
        {"25006", ITS_EREFUSED}, /* read-only: a standby */
    };
    if (!state || !*state)
        return ITS_EIO;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strncmp(state, codes[i].prefix, strlen(codes[i].prefix)) == 0)
            return codes[i].code;
    return ITS_EINVAL;
}

bool itsi_pg_state_of(const char *message, char out[6])
{
    for (const char *at = message; (at = strstr(at, ": ")); at++) {
        const char *state = at + strspn(at, ": ");
        size_t n = 0;
        while (n < 5 && (isdigit((unsigned char)state[n]) || isupper((unsigned char)state[n])))
            n++;
        if (n == 5 && state[5] == ':') {
            memcpy(out, state, 5);
            out[5] = '\0';
            return true;
        }
    }
    return false;
}

int itsi_pg_fail(struct itsi_pg *pg, const PGresult *result, const char *what, struct its_diag *diag)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *text = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (!text || !*text)
        text = PQerrorMessage(pg->handle);
    if (PQstatus(pg->handle) != CONNECTION_OK)
        pg->is_broken = true;
    char line[256];
    size_t n = strcspn(text, "\n");
    snprintf(line, sizeof line, "%.*s", (int)(n < sizeof line ? n : sizeof line - 1), text);
    return itsi_fail(diag, itsi_pg_code(state), "%s: %s: %s%s%s%s", pg->label, what, *line ? line : "connection lost",
                     state ? " (SQLSTATE " : "", state ? state : "", state ? ")" : "");
}

int itsi_pg_too_late(struct itsi_pg *pg, const char *what, struct its_diag *diag)
{
    pg->is_broken = true;
    return itsi_fail(diag, ITS_ETIMEOUT, "%s: %s: no answer until the deadline", pg->label, what);
}

int itsi_pg_wait(struct itsi_pg *pg, short events, int64_t deadline, const char *what, struct its_diag *diag)
{
    struct pollfd poll_for = {.fd = PQsocket(pg->handle), .events = events};
    for (;;) {
        int64_t left = deadline == ITSI_NEVER ? -1 : deadline - itsi_now_ns();
        if (deadline != ITSI_NEVER && left <= 0)
            return itsi_pg_too_late(pg, what, diag);
        int64_t ms = left < 0 ? -1 : left / ITSI_NS_PER_MS + 1;
        int ready = poll(&poll_for, 1, ms > 3600000 ? 3600000 : (int)ms);
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR) {
            pg->is_broken = true;
            return itsi_fail_errno(diag, errno, "%s: %s", pg->label, what);
        }
    }
}

int itsi_pg_flush(struct itsi_pg *pg, int64_t deadline, const char *what, struct its_diag *diag)
{
    int left;
    while ((left = PQflush(pg->handle)) > 0) {
        /* reading too: a server that waits for us to take its answers takes nothing more itself */
        int rc = itsi_pg_wait(pg, POLLIN | POLLOUT, deadline, what, diag);
        if (rc != 0)
            return rc;
        if (!PQconsumeInput(pg->handle))
            break;
    }
    if (left == 0)
        return 0;
    pg->is_broken = true;
    return itsi_pg_fail(pg, NULL, what, diag);
}

int itsi_pg_result(struct itsi_pg *pg, PGresult **out, int64_t deadline, const char *what, struct its_diag *diag)
{
    while (PQisBusy(pg->handle)) {
        int rc = itsi_pg_flush(pg, deadline, what, diag);
        if (rc == 0)
            rc = itsi_pg_wait(pg, POLLIN, deadline, what, diag);
        if (rc != 0)
            return rc;
        if (!PQconsumeInput(pg->handle)) {
            pg->is_broken = true;
            return itsi_pg_fail(pg, NULL, what, diag);
        }
    }
    *out = PQgetResult(pg->handle);
    return 0;
}
