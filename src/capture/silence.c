/* What the sources share on frames that are due: an outage or a silence owes them, and a picture that comes settles them. */
#include "capture/capture_impl.h"

double itsi_capture_fps(const struct itsi_capture *c)
{
    if (c->source.kind == ITSI_SOURCE_NULL)
        return c->source.fps;
    double fps = itsi_cadence_fps(&c->cadence);
    if (fps > 0)
        return fps;
    return c->expected_fps > 0 ? c->expected_fps : c->cfg.expected_fps;
}

/* The owner's lock on what is due; what it knows of the beat goes with it. */
static void lock_dues(struct itsi_capture *c)
{
    double fps = itsi_capture_fps(c);
    pthread_mutex_lock(&c->mutex);
    c->due_fps = fps;
    c->due_grace = c->grace;
}

void itsi_capture_owe(struct itsi_capture *c, int64_t since)
{
    lock_dues(c);
    if (c->dues.covered == ITSI_NO_TIME)
        itsi_dues_start(&c->dues, since);
    pthread_mutex_unlock(&c->mutex);
}

uint64_t itsi_capture_seen(struct itsi_capture *c, int64_t at)
{
    lock_dues(c);
    uint64_t entered = itsi_dues_seen(&c->dues, at);
    pthread_mutex_unlock(&c->mutex);
    return entered;
}

void itsi_capture_settle(struct itsi_capture *c, int64_t at, bool owes)
{
    lock_dues(c);
    uint64_t missing = owes || c->dues.entered ? itsi_dues_tick(&c->dues, at, 0, c->due_fps) : 0;
    itsi_dues_seen(&c->dues, at);
    pthread_mutex_unlock(&c->mutex);
    if (missing)
        itsi_ledger_missing(c->ledger, missing);
}

void itsi_capture_watch(struct itsi_capture *c, int64_t now)
{
    pthread_mutex_lock(&c->mutex);
    uint64_t missing = itsi_dues_tick(&c->dues, now, c->due_grace, c->due_fps);
    pthread_mutex_unlock(&c->mutex);
    if (missing)
        itsi_ledger_missing(c->ledger, missing);
}

void itsi_capture_tick(void *arg)
{
    struct itsi_capture *c = arg;
    int64_t now = itsi_now_ns();
    if (now - c->last_tick < ITSI_CAPTURE_TICK_NS)
        return;
    c->last_tick = now;
    lock_dues(c);
    pthread_mutex_unlock(&c->mutex);
    itsi_capture_watch(c, now);
}
