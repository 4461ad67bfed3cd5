#include "capture/machine.h"

#include "base/clock.h"
#include "net/backoff.h"

#include <string.h>

const char *itsi_capture_state_name(enum itsi_capture_state state)
{
    static const char *const names[] = {
#define ITSI_X(name, text) text,
        ITSI_CAPTURE_STATE_MAP(ITSI_X)
#undef ITSI_X
    };
    return (unsigned)state < ITSI_CAPTURE_STATE_COUNT ? names[state] : "unknown";
}

void itsi_machine_init(struct itsi_machine *m, const struct its_cfg_capture *cfg, uint64_t seed, int64_t now)
{
    memset(m, 0, sizeof *m);
    m->since = now;
    m->initial_ns = (int64_t)(cfg->backoff_initial_seconds * ITSI_NS_PER_S);
    m->cap_ns = (int64_t)(cfg->backoff_max_seconds * ITSI_NS_PER_S);
    m->config_cap_ns = (int64_t)(cfg->config_backoff_max_seconds * ITSI_NS_PER_S);
    m->stable_ns = (int64_t)(cfg->stable_seconds * ITSI_NS_PER_S);
    itsi_rand_seed(&m->rng, seed);
}

void itsi_machine_enter(struct itsi_machine *m, enum itsi_capture_state state, int64_t now)
{
    if (m->state == state)
        return;
    m->state = state;
    m->since = now;
    if (state == ITSI_CAPTURE_CONNECTING)
        m->good_since = 0;
}

void itsi_machine_frame(struct itsi_machine *m, bool frozen, int64_t now)
{
    if (!m->good_since)
        m->good_since = now;
    itsi_machine_enter(m, frozen ? ITSI_CAPTURE_FROZEN : ITSI_CAPTURE_RUNNING, now);
    if (m->attempts && now - m->good_since >= m->stable_ns) {
        m->attempts = 0;
        m->last_code = 0;
    }
}

bool itsi_failure_is_config(int code)
{
    switch (code) {
    case ITS_EAUTH:
    case ITS_ENOTFOUND:
    case ITS_EFORMAT:
    case ITS_EUNSUPPORTED:
    case ITS_EINVAL:
    case ITS_ELIMIT:
        return true;
    default:
        return false;
    }
}

int64_t itsi_machine_bound(const struct itsi_machine *m, int failures, int code)
{
    return itsi_backoff_bound(m->initial_ns, itsi_failure_is_config(code) ? m->config_cap_ns : m->cap_ns, failures);
}

int64_t itsi_machine_failed(struct itsi_machine *m, int code, int64_t now)
{
    m->attempts++;
    m->last_code = code;
    m->good_since = 0;
    double bound = (double)itsi_machine_bound(m, m->attempts, code);
    m->next_retry = now + (int64_t)itsi_rand_range(&m->rng, 0.0, bound);
    itsi_machine_enter(m, ITSI_CAPTURE_BACKOFF, now);
    return m->next_retry;
}
