#include "pool/postgres_hosts.h"

#include "base/diag.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOSTS = 4096 };

static bool is_name(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return *host && *host != '/' && *host != '@' && inet_pton(AF_INET, host, address) != 1 &&
           inet_pton(AF_INET6, host, address) != 1;
}

static int address_of(const char *host, char *out, size_t size)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *found;
    int status = getaddrinfo(host, NULL, &hints, &found);
    if (status != 0)
        return status;
    status = getnameinfo(found->ai_addr, found->ai_addrlen, out, (socklen_t)size, NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(found);
    return status;
}

/* libpq wants as many addresses as hosts: one that is not found keeps its place, as an address where nobody is. */
static int look_up_all(const char *hosts, char out[ITSI_PG_HOSTADDR], struct its_diag *diag)
{
    static const char nobody[] = "192.0.2.1"; /* RFC 5737 */
    char host[256], address[INET6_ADDRSTRLEN + 16];
    int names = 0, found = 0, addresses = 0;
    size_t length = 0;
    for (const char *at = hosts;; at++) {
        size_t n = strcspn(at, ",");
        snprintf(host, sizeof host, "%.*s", (int)n, at);
        bool has_name = is_name(host);
        int status = has_name ? address_of(host, address, sizeof address) : 0;
        names += has_name;
        addresses += !has_name;
        found += has_name && status == 0;
        const char *shown = !has_name ? (*host == '/' ? "" : host) : status == 0 ? address : nobody;
        length += (size_t)snprintf(out + length, ITSI_PG_HOSTADDR - length, "%s%s", at == hosts ? "" : ",", shown);
        if (length >= ITSI_PG_HOSTADDR)
            return itsi_fail(diag, ITS_EINVAL, "postgresql: too many hosts");
        if (names && !found && !addresses && !at[n])
            return itsi_fail(diag, ITS_ENOTFOUND, "postgresql: host %s: %s", host, gai_strerror(status));
        at += n;
        if (!*at)
            break;
    }
    if (!names)
        out[0] = '\0';
    return 0;
}

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *o = options; o && o->keyword; o++)
        if (strcmp(o->keyword, keyword) == 0 && o->val)
            return o->val;
    return "";
}

/* "": none are, or their addresses are named beside them. */
static void names_to_look_up(const char *url, char *out, size_t size)
{
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    snprintf(out, size, "%s", *value_of(options, "hostaddr") ? "" : value_of(options, "host"));
    PQconninfoFree(options);
}

bool itsi_pg_has_names(const char *url)
{
    char hosts[HOSTS], host[256];
    names_to_look_up(url, hosts, sizeof hosts);
    for (const char *at = hosts; *at;) {
        const size_t n = strcspn(at, ",");
        snprintf(host, sizeof host, "%.*s", (int)n, at);
        if (is_name(host))
            return true;
        at += n + (at[n] == ',');
    }
    return false;
}

int itsi_pg_look_up(const char *url, char out[ITSI_PG_HOSTADDR], struct its_diag *diag)
{
    char hosts[HOSTS];
    names_to_look_up(url, hosts, sizeof hosts);
    out[0] = '\0';
    return *hosts ? look_up_all(hosts, out, diag) : 0;
}

static bool are_ports(const char *port)
{
    while (*port) {
        char *end = (char *)port;
        const long number = *port == ',' ? 1 : strtol(port, &end, 10); /* empty: the usual one */
        if (number < 1 || number > 65535 || (*end && *end != ','))
            return false;
        port = *end ? end + 1 : end;
    }
    return true;
}

bool itsi_pg_has_good_ports(const char *url)
{
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    const bool is_good = are_ports(value_of(options, "port"));
    PQconninfoFree(options);
    return is_good;
}

void itsi_pg_address(const char *url, char *out, size_t size)
{
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    const char *host = value_of(options, "host"), *port = value_of(options, "port");
    snprintf(out, size, "postgresql://%s%s%s/%s", *host ? host : value_of(options, "hostaddr"), *port ? ":" : "", port,
             value_of(options, "dbname"));
    PQconninfoFree(options);
}
