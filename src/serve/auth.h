/* Who may ask: the token, and the checks that keep other people's web pages out. Pure functions. */
#ifndef ITSI_SERVE_AUTH_H
#define ITSI_SERVE_AUTH_H

#include <stdbool.h>
#include <stddef.h>

#define ITSI_AUTH_COOKIE "its_session"
enum { ITSI_AUTH_COOKIE_SIZE = 2 * 512 + 1 };

/* Takes the same time wherever the texts differ. NULL equals nothing. */
bool itsi_auth_equal(const char *a, const char *b);

/* What a request shows; each may be NULL. */
struct itsi_credentials {
    const char *authorization; /* "Bearer TOKEN" */
    const char *query;         /* ?token=TOKEN */
    const char *cookie;        /* value of ITSI_AUTH_COOKIE */
};
/* True when one of them shows the token (which is not NULL). */
bool itsi_auth_check(const char *token, const struct itsi_credentials *shown);
/* The cookie's value for a token: only characters a cookie may hold. */
void itsi_auth_cookie(const char *token, char out[ITSI_AUTH_COOKIE_SIZE]);

/* DNS rebinding: a page from elsewhere reaches a loopback server under its own name. True for localhost, 127.0.0.0/8 and
 * [::1], with or without a port. */
bool itsi_auth_host_is_local(const char *host);
/* Cross-site requests: an Origin header must name the host that is asked. No Origin (NULL): not a browser's cross-site
 * request. */
bool itsi_auth_origin_matches(const char *origin, const char *host);

#endif
