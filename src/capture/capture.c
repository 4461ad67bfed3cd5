#include "base/diag.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "capture/av.h"
#include "capture/capture_impl.h"
#include "capture/decode.h"
#include "capture/handshakes.h"
#include "capture/successor.h"
#include "capture/synth.h"

#include <stdio.h>
#include <string.h>

#define GOLDEN 0.6180339887 /* its multiples modulo 1 lie evenly, however many there are */
/* A camera that answers within this of its start owes nothing for the time before. */
#define START_GRACE_NS ITSI_NS_PER_S

void itsi_capture_publish(struct itsi_capture *c, const struct its_diag *diag)
{
    pthread_mutex_lock(&c->mutex);
    c->status.state = c->machine.state;
    c->status.state_since_ns = c->machine.since;
    c->status.next_retry_ns = c->machine.state == ITSI_CAPTURE_BACKOFF ? c->machine.next_retry : 0;
    c->status.attempts = c->machine.attempts;
    c->status.epoch = c->epoch;
    if (diag) {
        c->status.last_code = c->machine.last_code;
        snprintf(c->status.last_error, sizeof c->status.last_error, "%s", diag->text);
    }
    pthread_mutex_unlock(&c->mutex);
}

void itsi_capture_good_frame(struct itsi_capture *c, int64_t now)
{
    enum itsi_capture_state state = c->machine.state;
    int attempts = c->machine.attempts;
    itsi_machine_frame(&c->machine, c->freeze.frozen, now);
    if (state != c->machine.state || attempts != c->machine.attempts)
        itsi_capture_publish(c, NULL);
}

/* --- the thread --------------------------------------------------------------------------------------------------- */

static int prepare(struct itsi_capture *c, char *path, size_t size, struct its_diag *diag)
{
    itsi_machine_enter(&c->machine, ITSI_CAPTURE_PREPARING, itsi_now_ns());
    itsi_capture_publish(c, NULL);
    char clip[2048];
    int rc = itsi_synth_clip(c->streams[c->using].url, c->cache_dir, &c->stop, clip, sizeof clip, diag);
    if (!rc)
        snprintf(path, size, "file:%s", clip);
    return rc;
}

static int run_once(struct itsi_capture *c, struct its_diag *diag)
{
    if (c->source.kind == ITSI_SOURCE_NULL)
        return itsi_null_run(c);
    if (c->source.kind == ITSI_SOURCE_REPLAY)
        return itsi_replay_run(c, diag);
    char clip[2100];
    const char *address = c->source.address;
    if (c->source.kind == ITSI_SOURCE_SYNTH && !itsi_successor_is_ready(c)) {
        int rc = prepare(c, clip, sizeof clip, diag);
        if (rc)
            return rc;
        address = clip;
    }
    int rc = itsi_session_run(c, address, diag);
    if (rc == ITS_EFORMAT && address == clip)
        itsi_synth_forget(clip + strlen("file:")); /* a damaged cache entry is made again */
    return rc;
}

static void back_off(struct itsi_capture *c, int code, const struct its_diag *diag)
{
    int64_t now = itsi_now_ns();
    bool first = c->machine.attempts == 0;
    int64_t until = itsi_machine_failed(&c->machine, code, now);
    itsi_capture_publish(c, diag);
    itsi_log(first ? ITSI_LOG_WARN : ITSI_LOG_DEBUG, "capture", "%s: %s; next attempt in %.1f s", c->id, diag->text,
             (double)(until - now) / ITSI_NS_PER_S);
    /* what was due before the first failure counts too: the camera was down from the start */
    if (!c->source.pace_off)
        itsi_capture_owe(c, c->machine.since);
    c->grace = 0;
    while (now < until && !itsi_successor_stands_by(c)) {
        itsi_capture_tick(c);
        int64_t wake = now + ITSI_CAPTURE_TICK_NS < until ? now + ITSI_CAPTURE_TICK_NS : until;
        if (itsi_event_wait_until(&c->stop_event, wake))
            return;
        now = itsi_now_ns();
    }
}

/* Goes to the other stream. */
static void change_stream(struct itsi_capture *c)
{
    /* of two streams that run side by side a picture counts once: half a beat decides whose it is */
    c->overlap = c->last_unit + (int64_t)((double)ITSI_NS_PER_S / itsi_capture_fps(c) / 2);
    c->using = 1 - c->using;
    c->source = c->streams[c->using].source;
    itsi_cadence_init(&c->cadence); /* it has a beat of its own */
    pthread_mutex_lock(&c->mutex);
    c->status.key_seconds = 0;
    pthread_mutex_unlock(&c->mutex);
}

/* Until the one that is being opened stands by, or has failed. Its own timeouts bound that. */
static void await_successor(struct itsi_capture *c)
{
    while (itsi_successor_is_coming(c) && !itsi_successor_stands_by(c) && !itsi_capture_stopping(c)) {
        itsi_capture_tick(c);
        itsi_event_wait_until(&c->stop_event, itsi_now_ns() + ITSI_CAPTURE_TICK_NS);
    }
}

/* The smaller stream is lost. Where the full one is being opened already, that is further than a new connection would be. */
static void leave_smaller(struct itsi_capture *c, const struct its_diag *diag)
{
    itsi_capture_stream_failed(c, 1, diag);
    if (itsi_successor_is_coming(c)) { /* nothing comes meanwhile */
        itsi_machine_enter(&c->machine, ITSI_CAPTURE_CONNECTING, itsi_now_ns());
        itsi_capture_publish(c, diag);
    }
    await_successor(c);
    change_stream(c);
}

/* The full stream is lost. It is tried again, unless the smaller one is there by then. */
static void leave_full(struct itsi_capture *c, int code, const struct its_diag *diag)
{
    if (!itsi_successor_stands_by(c))
        back_off(c, code, diag);
    await_successor(c); /* before the full one is connected to again, which could not look at it */
    const bool ready = itsi_successor_stands_by(c);
    if (ready)
        itsi_info("capture", "%s: %s; goes on with the smaller stream", c->id, diag->text);
    /* perhaps that one answers; while it is being opened it will tell by itself */
    if (ready || (itsi_capture_wanted(c) == 1 && !itsi_successor_is_coming(c)))
        change_stream(c);
}

/* The owner's last words. */
static void conclude(struct itsi_capture *c, bool ended)
{
    pthread_mutex_lock(&c->mutex);
    itsi_dues_stop(&c->dues);
    pthread_mutex_unlock(&c->mutex);
    itsi_machine_enter(&c->machine, ended ? ITSI_CAPTURE_ENDED : ITSI_CAPTURE_STOPPED, itsi_now_ns());
    itsi_capture_publish(c, NULL);
}

static void *run(void *arg)
{
    struct itsi_capture *c = arg;
    enum itsi_source_kind kind = c->source.kind;
    c->grace = START_GRACE_NS;
    if (kind == ITSI_SOURCE_RTSP || kind == ITSI_SOURCE_HTTP)
        itsi_capture_owe(c, itsi_now_ns());
    bool ended = false;
    if (itsi_capture_wanted(c) == 1)
        change_stream(c);
    while (!ended && !itsi_capture_stopping(c)) {
        struct its_diag diag = {""};
        int rc = run_once(c, &diag);
        itsi_av_about(NULL);
        ended = rc == ITS_EEOF;
        if (rc == ITS_EAGAIN) { /* for the other stream */
            change_stream(c);
            continue;
        }
        if (rc == ITS_ECANCELLED && !itsi_capture_stopping(c))
            break; /* the receiver is stopping: it will stop us too */
        if (ended || rc == ITS_ECANCELLED)
            continue;
        if (c->using == 1)
            leave_smaller(c, &diag);
        else
            leave_full(c, rc, &diag);
    }
    itsi_successor_cancel(c);
    conclude(c, ended);
    return NULL;
}

/* A beat of one that has no thread. */
static int64_t beat(void *arg, int64_t now)
{
    struct itsi_capture *c = arg;
    int64_t next = ITSI_NEVER;
    int rc = itsi_null_step(c, now, &next);
    if (rc == 0)
        return next;
    conclude(c, rc == ITS_EEOF);
    return ITSI_NEVER;
}

/* --- the interface ------------------------------------------------------------------------------------------------ */

/* Strings are owned; on failure the caller destroys. */
static int fill(struct itsi_capture *c, const struct itsi_capture_params *params, struct its_diag *diag)
{
    snprintf(c->id, sizeof c->id, "%s", params->id);
    c->cfg = *params->cfg;
    c->cfg.tls_ca_file = itsi_strdup(params->cfg->tls_ca_file);
    const char *sub_url = params->sub_url && params->sub_url[0] ? params->sub_url : NULL;
    c->streams[0].url = itsi_strdup(params->url);
    c->streams[1].url = itsi_strdup(sub_url);
    c->cache_dir = itsi_strdup(params->cache_dir);
    if (!c->streams[0].url || (sub_url && !c->streams[1].url) || (params->cache_dir && !c->cache_dir) ||
        (params->cfg->tls_ca_file && !c->cfg.tls_ca_file))
        return itsi_fail(diag, ITS_ENOMEM, "camera %s: out of memory", c->id);
    c->camera = params->camera;
    c->generation = params->generation;
    c->budget_ns = params->budget_ns;
    c->start_offset_ns = params->start_offset_ns;
    c->expected_fps = params->expected_fps;
    c->ledger = params->ledger;
    c->handshakes = params->handshakes;
    c->metronome = params->metronome;
    c->ring = params->ring;
    c->keeps_beat = c->metronome && c->source.kind == ITSI_SOURCE_NULL && !c->source.pace_off;
    c->sink = params->sink;
    bool pixels = c->source.kind != ITSI_SOURCE_NULL && c->source.kind != ITSI_SOURCE_REPLAY;
    return itsi_frame_pool_create(&c->pool, params->frames > 0 ? params->frames : 1, pixels ? itsi_native_create : NULL,
                                  pixels ? itsi_native_release : NULL, pixels ? itsi_native_dispose : NULL, diag);
}

static uint64_t seed_of(const struct itsi_capture *c)
{
    /* cameras draw different waits, and not the same after every start of the process */
    return itsi_hash_bytes((uint64_t)itsi_wall_ns(), c->id, strlen(c->id)) ^ (uint64_t)(uintptr_t)c;
}

int itsi_capture_create(struct itsi_capture **out, const struct itsi_capture_params *params, struct its_diag *diag)
{
    itsi_av_init();
    struct itsi_source source;
    int rc = itsi_source_parse(&source, params->url, diag);
    if (rc)
        return rc;
    struct itsi_source sub = {0};
    if (params->sub_url && params->sub_url[0] && (rc = itsi_source_parse(&sub, params->sub_url, diag)))
        return itsi_diag_prefix(diag, rc, "sub_url");
    if (source.kind == ITSI_SOURCE_SYNTH && (!params->cache_dir || !params->cache_dir[0]))
        return itsi_fail(diag, ITS_EINVAL, "URL '%s': no directory to keep rendered clips in", source.shown);
    struct itsi_capture *c = itsi_zalloc(sizeof *c);
    if (!c)
        return itsi_fail(diag, ITS_ENOMEM, "camera %s: out of memory", params->id);
    pthread_mutex_init(&c->mutex, NULL);
    itsi_event_init(&c->stop_event);
    c->source = c->streams[0].source = source;
    c->streams[1].source = sub;
    c->dues.covered = ITSI_NO_TIME;
    itsi_cadence_init(&c->cadence);
    itsi_selection_init(&c->selection, params->camera * GOLDEN); /* far from its neighbours' */
    itsi_freeze_init(&c->freeze, (int64_t)(params->cfg->freeze_timeout_seconds * ITSI_NS_PER_S));
    int64_t now = itsi_now_ns();
    if ((rc = fill(c, params, diag))) {
        itsi_capture_destroy(c);
        return rc;
    }
    itsi_machine_init(&c->machine, &c->cfg, seed_of(c), now);
    c->status.state_since_ns = now;
    c->status.live = !source.pace_off;
    c->status.clock_offset_seconds = (double)NAN;
    *out = c;
    return 0;
}

int itsi_capture_start(struct itsi_capture *c, struct its_diag *diag)
{
    if (c->started)
        return itsi_fail(diag, ITS_EINVAL, "camera %s: started already", c->id);
    int rc;
    if (c->keeps_beat) {
        c->member = (struct itsi_metronome_member){.beat = beat, .arg = c};
        rc = itsi_metronome_join(c->metronome, &c->member, itsi_null_begin(c), diag);
    } else {
        char name[ITSI_CAMERA_ID_SIZE + 8];
        snprintf(name, sizeof name, "cap-%s", c->id);
        rc = itsi_thread_start(&c->thread, name, run, c, diag);
    }
    c->started = rc == 0;
    return rc;
}

void itsi_capture_request_stop(struct itsi_capture *c)
{
    atomic_store(&c->stop, true);
    atomic_store(&c->successor.stop, true);
    itsi_event_set(&c->stop_event);
    if (c->handshakes)
        itsi_handshakes_wake(c->handshakes);
}

void itsi_capture_stop(struct itsi_capture *c)
{
    if (!c->started)
        return;
    itsi_capture_request_stop(c);
    if (c->keeps_beat) {
        itsi_metronome_leave(c->metronome, &c->member);
        if (c->machine.state != ITSI_CAPTURE_ENDED && c->machine.state != ITSI_CAPTURE_STOPPED)
            conclude(c, false);
    } else {
        pthread_join(c->thread, NULL);
    }
    c->started = false;
}

void itsi_capture_destroy(struct itsi_capture *c)
{
    if (!c)
        return;
    itsi_capture_stop(c);
    itsi_frame_pool_close(c->pool);
    itsi_event_fini(&c->stop_event);
    pthread_mutex_destroy(&c->mutex);
    itsi_free(c->cfg.tls_ca_file);
    itsi_free(c->streams[0].url);
    itsi_free(c->streams[1].url);
    itsi_free(c->cache_dir);
    itsi_free(c);
}

void itsi_capture_tell(const struct itsi_capture *c, struct itsi_capture_told *out)
{
    const struct itsi_source *s = &c->streams[0].source;
    *out = (struct itsi_capture_told){.undecoded = s->kind == ITSI_SOURCE_NULL || s->kind == ITSI_SOURCE_REPLAY};
    if (s->kind != ITSI_SOURCE_NULL && s->kind != ITSI_SOURCE_SYNTH)
        return;
    out->width = s->width;
    out->height = s->height;
    out->fps = s->fps;
}

void itsi_capture_economise(struct itsi_capture *c, enum itsi_decode_mode decode, double most, bool sub)
{
    atomic_store(&c->decode, (int)decode);
    atomic_store(&c->most_millihertz, (int)(most * 1e3 + 0.5));
    atomic_store(&c->want_sub, sub);
}

void itsi_capture_status(struct itsi_capture *c, struct itsi_capture_status *out)
{
    pthread_mutex_lock(&c->mutex);
    *out = c->status;
    pthread_mutex_unlock(&c->mutex);
}
