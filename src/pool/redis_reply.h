/* What a Redis server answers (RESP2), and what its errors mean. Pure. */
#ifndef ITSI_POOL_REDIS_REPLY_H
#define ITSI_POOL_REDIS_REPLY_H

#include "pool/redis_url.h"

#include <stdint.h>

enum itsi_redis_type {
    ITSI_REDIS_NIL,
    ITSI_REDIS_STATUS, /* "OK" */
    ITSI_REDIS_ERROR,
    ITSI_REDIS_INTEGER,
    ITSI_REDIS_STRING,
    ITSI_REDIS_ARRAY,
};

struct itsi_redis_reply {
    enum itsi_redis_type type;
    int64_t integer;  /* of an integer */
    const char *text; /* of a status, error or string, with a NUL after its len bytes */
    size_t len;
    struct itsi_redis_reply *elements; /* of an array, count of them */
    size_t count;
};

/* Errors that ask for more than being shown. */
enum itsi_redis_problem {
    ITSI_REDIS_FINE,        /* no error */
    ITSI_REDIS_REFUSED,     /* the command is wrong in itself */
    ITSI_REDIS_LOADING,     /* the server is reading its data: later */
    ITSI_REDIS_READONLY,    /* a replica: its master is elsewhere */
    ITSI_REDIS_MASTERDOWN,  /* a replica without its master */
    ITSI_REDIS_MOVED,       /* cluster: this slot lives elsewhere, from now on */
    ITSI_REDIS_ASK,         /* cluster: this key, this once, elsewhere, after ASKING */
    ITSI_REDIS_TRYAGAIN,    /* cluster: keys of one command are on their way to another node */
    ITSI_REDIS_CLUSTERDOWN, /* cluster: it lacks slots or its majority */
    ITSI_REDIS_AUTH,        /* NOAUTH, WRONGPASS, NOPERM */
    ITSI_REDIS_FULL,        /* the server has as many clients as it takes */
    ITSI_REDIS_MEMORY,      /* the server has no memory left for writes */
};
enum itsi_redis_problem itsi_redis_problem_of(const struct itsi_redis_reply *reply);
/* Our code for it. */
int itsi_redis_problem_code(enum itsi_redis_problem problem);

/* Where MOVED and ASK point: "MOVED 3999 127.0.0.1:6381". A node that does not know its own address leaves the host out;
 * then it is the one that was asked (host is ""). ITS_EFORMAT. */
ITS_NODISCARD int itsi_redis_redirect(const struct itsi_redis_reply *reply, int *slot, struct itsi_redis_host *host);

/* Is the text this word, or does it begin with it and a blank? */
bool itsi_redis_says(const struct itsi_redis_reply *reply, const char *word);

#endif
