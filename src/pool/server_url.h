/* Addresses of servers (Redis, PostgreSQL), whose passwords may hold what ends the authority of a URL for every parser: what
 * is then taken for a port, a path or a query is a part of the password. */
#ifndef ITSI_POOL_SERVER_URL_H
#define ITSI_POOL_SERVER_URL_H

#include <stdbool.h>
#include <stddef.h>

/* Is there an '@' behind the authority? Not of a URL without one ("unix:///path"). */
bool itsi_server_url_is_torn(const char *text);

/* As itsi_url_redact; of what is torn, or no URL, nothing but the scheme. Never fails. */
void itsi_server_url_show(const char *text, char *out, size_t size);

#endif
