/* TLS over any transport (OpenSSL with memory BIOs): bytes from the network go in, bytes for the network come out, and
 * nothing here touches a socket. The server's certificate and name are checked. */
#ifndef ITSI_POOL_TLS_H
#define ITSI_POOL_TLS_H

#include "base/buf.h"

#include <stdbool.h>

struct itsi_tls_files {
    char ca_file[512];              /* PEM of who may vouch for servers; empty: the system's */
    char cert_file[512], key_file[512]; /* our own certificate, for servers that ask; empty: none */
    bool is_unchecked;              /* any certificate will do */
    bool any_name;                  /* a trusted certificate will do, whomever it names */
};

/* What sessions share. Any thread; outlives its sessions. */
struct itsi_tls;
ITS_NODISCARD int itsi_tls_create(struct itsi_tls **out, const struct itsi_tls_files *files, struct its_diag *diag);
void itsi_tls_destroy(struct itsi_tls *tls); /* takes NULL */

/* One connection's; one thread. `host`: name or address the certificate must be for, copied. */
struct itsi_tls_session;
ITS_NODISCARD int itsi_tls_session_create(struct itsi_tls_session **out, struct itsi_tls *tls, const char *host,
                                          struct its_diag *diag);
void itsi_tls_session_destroy(struct itsi_tls_session *session); /* takes NULL */

/* Bytes from the network. ITS_ENOMEM. */
ITS_NODISCARD int itsi_tls_feed(struct itsi_tls_session *session, const char *data, size_t len, struct its_diag *diag);
/* Goes on with the handshake: 0 done, ITS_EAGAIN needs more bytes, ITS_EAUTH the server is not trusted or refuses us,
 * ITS_EIO otherwise. What is to be sent is in itsi_tls_take after each call, a failing one too (an alert). */
ITS_NODISCARD int itsi_tls_greet(struct itsi_tls_session *session, struct its_diag *diag);
/* Decrypts into out: the length, 0 nothing now, ITS_EEOF the other side has ended, or a failure. */
ITS_NODISCARD int itsi_tls_read(struct itsi_tls_session *session, char *out, size_t size, struct its_diag *diag);
ITS_NODISCARD int itsi_tls_write(struct itsi_tls_session *session, const char *data, size_t len, struct its_diag *diag);
/* Appends what is to go to the network. */
void itsi_tls_take(struct itsi_tls_session *session, struct itsi_buf *out);

#endif
