/* Packs bodies of HTTP requests: gzip (RFC 1952), at zlib's quickest level. A packer keeps zlib's memory between bodies
 * and belongs to one thread at a time. */
#ifndef ITSI_NET_GZIP_H
#define ITSI_NET_GZIP_H

#include "base/buf.h"

/* What fits a packet as it is does not arrive sooner when it is packed. */
enum { ITSI_GZIP_LEAST_BYTES = 1400 };

struct itsi_gzip;
ITS_NODISCARD int itsi_gzip_create(struct itsi_gzip **out, struct its_diag *diag); /* ITS_ENOMEM */
void itsi_gzip_destroy(struct itsi_gzip *gzip);                                     /* takes NULL */
/* Appends the body, packed, to `out`. False: memory ran out, or it did not become smaller; `out` is as before. */
bool itsi_gzip_pack(struct itsi_gzip *gzip, const void *body, size_t len, struct itsi_buf *out);

#endif
