/* TLS for rtsps cameras whose certificate is to be checked.
 *
 * libav's RTSP client connects through TLS but has no way to be given certificate options, and checks nothing by
 * default. So libcurl makes and verifies the connection, and a thread passes bytes between it and libav over a loopback
 * socket that takes exactly one connection. Credentials stay in libav's digest exchange, inside the tunnel. */
#ifndef ITSI_CAPTURE_TLS_RELAY_H
#define ITSI_CAPTURE_TLS_RELAY_H

#include "capture/source.h"
#include "config/config.h"

#include <stddef.h>

struct itsi_interrupt;
struct itsi_tls_relay;

/* Connects and verifies (within interrupt's deadline); writes the address libav is to open instead. */
ITS_NODISCARD int itsi_tls_relay_open(struct itsi_tls_relay **out, const struct itsi_source *source,
                                      const struct its_cfg_capture *cfg, struct itsi_interrupt *interrupt, char *address,
                                      size_t size, struct its_diag *diag);
void itsi_tls_relay_close(struct itsi_tls_relay *relay); /* takes NULL */

#endif
