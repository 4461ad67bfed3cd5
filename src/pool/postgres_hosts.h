/* The hosts of a PostgreSQL address. */
#ifndef ITSI_POOL_POSTGRES_HOSTS_H
#define ITSI_POOL_POSTGRES_HOSTS_H

#include "its/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { ITSI_PG_HOSTADDR = 1024 };

/* Does it name a host that has to be looked up? Not addresses, nor unix sockets. */
bool itsi_pg_has_names(const char *url);

/* Looks up every host that is a name (there may be several, with commas: the one that answers, or may be written to, is
 * libpq's choice), for its `hostaddr`. Empty: none is (addresses, unix sockets). Blocks: not on the loop's thread. A name that
 * is not found is left out of a list; when none is found: ITS_ENOTFOUND. */
ITS_NODISCARD int itsi_pg_look_up(const char *url, char out[ITSI_PG_HOSTADDR], struct its_diag *diag);

/* libpq looks at ports only when it connects. */
bool itsi_pg_has_good_ports(const char *url);

/* "postgresql://host:port/database" of an address that itsi_pg_check_url takes: what may be shown of it. */
void itsi_pg_address(const char *url, char *out, size_t size);

#endif
