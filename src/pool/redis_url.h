/* Addresses of Redis servers: what `redis_url` may say, and what it means.
 *
 *   redis://[user:password@]host[:6379][,host2[:port]...][/db][?key=value...]     rediss:// the same over TLS
 *   redis+sentinel://[user:password@]host[:26379][,...]/master[/db][?...]         rediss+sentinel:// the same over TLS
 *   unix://[user:password@]/path/of/socket[?db=N...]
 *
 * "user@" and "user:@" are a user without a password. An '@' behind the host is part of a password that was not escaped, and
 * refused; that of a socket's path is not.
 *
 * Several hosts are tried in turn (of a cluster: seeds). Keys, named as in redis-py where it has them: db, client_name,
 * socket_connect_timeout, socket_timeout (seconds), ssl_ca_certs, ssl_certfile, ssl_keyfile, ssl_cert_reqs (required or
 * none), ssl_check_hostname (true or false), sentinel_username, sentinel_password. Anything else is refused by name. Pure. */
#ifndef ITSI_POOL_REDIS_URL_H
#define ITSI_POOL_REDIS_URL_H

#include "its/error.h"

#include "pool/tls.h"

#include <stdbool.h>

enum { ITSI_REDIS_HOSTS = 16 };

enum itsi_redis_via { ITSI_REDIS_DIRECT, ITSI_REDIS_SENTINEL, ITSI_REDIS_UNIX };

struct itsi_redis_host {
    char name[256]; /* without brackets */
    int port;
};

struct itsi_redis_url {
    enum itsi_redis_via via;
    bool is_tls;
    struct itsi_redis_host hosts[ITSI_REDIS_HOSTS]; /* none for a unix socket */
    int host_count;
    char socket[108];
    char user[128], password[256]; /* percent-decoded; empty: none */
    char sentinel_user[128], sentinel_password[256];
    char master[128]; /* the name sentinels know it by */
    char client_name[64];
    int db;
    double connect_seconds, command_seconds; /* 0: not said */
    struct itsi_tls_files tls;
    char shown[256]; /* the whole, without its passwords */
};

/* ITS_EINVAL names the part that is wrong; no message holds a password. */
ITS_NODISCARD int itsi_redis_url_parse(struct itsi_redis_url *out, const char *text, struct its_diag *diag);

#endif
