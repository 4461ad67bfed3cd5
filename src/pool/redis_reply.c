#include "pool/redis_reply.h"

#include "pool/redis_slot.h"

#include <stdlib.h>
#include <string.h>

bool itsi_redis_says(const struct itsi_redis_reply *reply, const char *word)
{
    size_t len = strlen(word);
    return reply->text && reply->len >= len && memcmp(reply->text, word, len) == 0 &&
           (reply->len == len || reply->text[len] == ' ');
}

enum itsi_redis_problem itsi_redis_problem_of(const struct itsi_redis_reply *reply)
{
    static const struct {
        const char *word;
        enum itsi_redis_problem problem;
    } table[] = {
        {"MOVED", ITSI_REDIS_MOVED},
        {"ASK", ITSI_REDIS_ASK},
        {"READONLY", ITSI_REDIS_READONLY},
        {"LOADING", ITSI_REDIS_LOADING},
        {"TRYAGAIN", ITSI_REDIS_TRYAGAIN},
        {"CLUSTERDOWN", ITSI_REDIS_CLUSTERDOWN},
        {"MASTERDOWN", ITSI_REDIS_MASTERDOWN},
        {"NOAUTH", ITSI_REDIS_AUTH},
        {"WRONGPASS", ITSI_REDIS_AUTH},
        {"NOPERM", ITSI_REDIS_AUTH},
        {"ERR invalid password", ITSI_REDIS_AUTH}, /* before Redis 6 */
        {"ERR max number of clients reached", ITSI_REDIS_FULL},
        {"OOM", ITSI_REDIS_MEMORY},
    };
    if (reply->type != ITSI_REDIS_ERROR)
        return ITSI_REDIS_FINE;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (itsi_redis_says(reply, table[i].word))
            return table[i].problem;
    return ITSI_REDIS_REFUSED;
}

int itsi_redis_problem_code(enum itsi_redis_problem problem)
{
    switch (problem) {
    case ITSI_REDIS_FINE:
        return 0;
    case ITSI_REDIS_AUTH:
        return ITS_EAUTH;
    case ITSI_REDIS_FULL:
        return ITS_ELIMIT;
    case ITSI_REDIS_MEMORY:
        return ITS_ENOSPACE;
    case ITSI_REDIS_REFUSED:
        return ITS_EINVAL;
    case ITSI_REDIS_LOADING:
    case ITSI_REDIS_READONLY:
    case ITSI_REDIS_MASTERDOWN:
    case ITSI_REDIS_MOVED:
    case ITSI_REDIS_ASK:
    case ITSI_REDIS_TRYAGAIN:
    case ITSI_REDIS_CLUSTERDOWN:
        break;
    }
    return ITS_EBUSY;
}

int itsi_redis_redirect(const struct itsi_redis_reply *reply, int *slot, struct itsi_redis_host *host)
{
    if (!itsi_redis_says(reply, "MOVED") && !itsi_redis_says(reply, "ASK"))
        return ITS_EFORMAT;
    const char *number = strchr(reply->text, ' ');
    char *end;
    long found_slot = number ? strtol(number + 1, &end, 10) : -1;
    if (found_slot < 0 || found_slot >= ITSI_REDIS_SLOTS || *end != ' ')
        return ITS_EFORMAT;
    const char *name = end + 1, *colon = strrchr(name, ':'); /* the last: an IPv6 address has more, and no brackets */
    if (!colon || (size_t)(colon - name) >= sizeof host->name)
        return ITS_EFORMAT;
    long port = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || *end || port < 1 || port > 65535)
        return ITS_EFORMAT;
    memset(host, 0, sizeof *host);
    if (*name != '?') /* as Redis 7 says that it does not know its own name */
        memcpy(host->name, name, (size_t)(colon - name));
    host->port = (int)port;
    *slot = (int)found_slot;
    return 0;
}
