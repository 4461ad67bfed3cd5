#include "pipeline/bus.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/thread.h"

#include <string.h>

struct itsi_subscription {
    /* const */
    struct itsi_bus *bus;
    char camera_id[ITSI_CAMERA_ID_SIZE]; /* empty: all */
    int depth;
    void (*wake)(void *arg);
    void *wake_arg;
    /* under the bus's mutex */
    struct itsi_subscription *next;
    struct itsi_result **ring;
    int head, count;
    uint64_t lost;
    pthread_cond_t arrived;
};

void itsi_bus_init(struct itsi_bus *bus)
{
    *bus = (struct itsi_bus){0};
    pthread_mutex_init(&bus->mutex, NULL);
}

void itsi_bus_fini(struct itsi_bus *bus) { pthread_mutex_destroy(&bus->mutex); }

int itsi_bus_subscribe(struct itsi_bus *bus, const char *camera_id, int depth, void (*wake)(void *arg), void *wake_arg,
                       struct itsi_subscription **out, struct its_diag *diag)
{
    if (depth < 1)
        return itsi_fail(diag, ITS_EINVAL, "subscription depth %d: must be at least 1", depth);
    if (camera_id && strlen(camera_id) >= ITSI_CAMERA_ID_SIZE)
        return itsi_fail(diag, ITS_EINVAL, "camera id '%.64s...': too long", camera_id);
    struct itsi_subscription *s = itsi_zalloc(sizeof *s);
    if (!s || !(s->ring = itsi_calloc((size_t)depth, sizeof(struct itsi_result *)))) {
        itsi_free(s);
        return itsi_fail(diag, ITS_ENOMEM, "subscription: out of memory");
    }
    s->bus = bus;
    s->depth = depth;
    s->wake = wake;
    s->wake_arg = wake_arg;
    if (camera_id)
        memcpy(s->camera_id, camera_id, strlen(camera_id) + 1);
    itsi_cond_init(&s->arrived);
    pthread_mutex_lock(&bus->mutex);
    s->next = bus->first;
    bus->first = s;
    pthread_mutex_unlock(&bus->mutex);
    *out = s;
    return 0;
}

static struct itsi_result *pop(struct itsi_subscription *s)
{
    struct itsi_result *result = s->ring[s->head];
    s->ring[s->head] = NULL;
    s->head = (s->head + 1) % s->depth;
    s->count--;
    return result;
}

void itsi_bus_publish(struct itsi_bus *bus, struct itsi_result *result)
{
    pthread_mutex_lock(&bus->mutex);
    for (struct itsi_subscription *s = bus->first; s; s = s->next) {
        if (s->camera_id[0] && strcmp(s->camera_id, result->info.camera_id) != 0)
            continue;
        if (s->count == s->depth) {
            struct itsi_result *oldest = pop(s);
            itsi_result_unref(&oldest);
            s->lost++;
            bus->lost++;
        }
        s->ring[(s->head + s->count) % s->depth] = itsi_result_ref(result);
        s->count++;
        pthread_cond_signal(&s->arrived);
        /* under the lock, so that a subscription is never woken after its close() returned */
        if (s->wake)
            s->wake(s->wake_arg);
    }
    pthread_mutex_unlock(&bus->mutex);
}

void itsi_bus_close(struct itsi_bus *bus)
{
    pthread_mutex_lock(&bus->mutex);
    bus->closed = true;
    for (struct itsi_subscription *s = bus->first; s; s = s->next) {
        pthread_cond_broadcast(&s->arrived);
        if (s->wake)
            s->wake(s->wake_arg);
    }
    pthread_mutex_unlock(&bus->mutex);
}

uint64_t itsi_bus_lost(struct itsi_bus *bus)
{
    pthread_mutex_lock(&bus->mutex);
    uint64_t lost = bus->lost;
    pthread_mutex_unlock(&bus->mutex);
    return lost;
}

struct itsi_result *itsi_subscription_next(struct itsi_subscription *s, int64_t until_ns)
{
    pthread_mutex_lock(&s->bus->mutex);
    while (s->count == 0 && !s->bus->closed && until_ns != 0 &&
           itsi_cond_wait_until(&s->arrived, &s->bus->mutex, until_ns))
        ;
    struct itsi_result *result = s->count ? pop(s) : NULL;
    pthread_mutex_unlock(&s->bus->mutex);
    return result;
}

uint64_t itsi_subscription_lost(struct itsi_subscription *s)
{
    pthread_mutex_lock(&s->bus->mutex);
    uint64_t lost = s->lost;
    pthread_mutex_unlock(&s->bus->mutex);
    return lost;
}

bool itsi_subscription_ended(struct itsi_subscription *s)
{
    pthread_mutex_lock(&s->bus->mutex);
    bool ended = s->bus->closed && s->count == 0;
    pthread_mutex_unlock(&s->bus->mutex);
    return ended;
}

void itsi_subscription_close(struct itsi_subscription *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->bus->mutex);
    for (struct itsi_subscription **at = &s->bus->first; *at; at = &(*at)->next)
        if (*at == s) {
            *at = s->next;
            break;
        }
    pthread_mutex_unlock(&s->bus->mutex);
    while (s->count) {
        struct itsi_result *result = pop(s);
        itsi_result_unref(&result);
    }
    pthread_cond_destroy(&s->arrived);
    itsi_free(s->ring);
    itsi_free(s);
}
