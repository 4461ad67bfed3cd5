/* The hosts of a PostgreSQL address. */
#ifndef ITSI_POOL_POSTGRES_HOSTS_H
#define ITSI_POOL_POSTGRES_HOSTS_H

#include "its/error.h"

enum { ITSI_PG_HOSTADDR = 1024 };

/* Looks up every host that is a name (there may be several, with commas: the one that answers, or may be written to, is
 * libpq's choice), for its `hostaddr`. Empty: none is (addresses, unix sockets). Blocks: not on the loop's thread. A name that
 * is not found is left out of a list; when none is found: ITS_ENOTFOUND. */
ITS_NODISCARD int itsi_pg_look_up(const char *url, char out[ITSI_PG_HOSTADDR], struct its_diag *diag);

#endif
