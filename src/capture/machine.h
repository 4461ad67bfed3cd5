/* When to try again: one rule for a camera that is down at the start and one that is lost later. Pure: `now` is an
 * argument and nothing blocks.
 *
 * The n-th attempt in a row waits a time drawn evenly from 0 to min(cap, initial * 2^(n-1)) ("full jitter": a hundred
 * cameras lost together do not come back together). What only a person can mend (wrong password, no such path, not a
 * video) has a larger cap. Only stable_seconds of good frames without a failure make the next one the first again, so
 * a flapping camera backs off. */
#ifndef ITSI_CAPTURE_MACHINE_H
#define ITSI_CAPTURE_MACHINE_H

#include "base/rand.h"
#include "capture/capture.h"

struct itsi_machine {
    enum itsi_capture_state state;
    int64_t since;      /* of the state */
    int64_t next_retry; /* in BACKOFF */
    int64_t good_since; /* first frame of this run; 0: none yet */
    int attempts;       /* failures in a row */
    int last_code;
    int64_t initial_ns, cap_ns, config_cap_ns, stable_ns;
    struct itsi_rand rng;
};

void itsi_machine_init(struct itsi_machine *m, const struct its_cfg_capture *cfg, uint64_t seed, int64_t now);
void itsi_machine_enter(struct itsi_machine *m, enum itsi_capture_state state, int64_t now);
/* A good frame: STARTING becomes RUNNING; after stable_seconds the attempts are forgotten. */
void itsi_machine_frame(struct itsi_machine *m, bool frozen, int64_t now);
/* The connection failed or was lost: BACKOFF until the instant returned. */
int64_t itsi_machine_failed(struct itsi_machine *m, int code, int64_t now);
/* True for what waiting alone does not mend. */
bool itsi_failure_is_config(int code);
/* Upper bound of the wait after the n-th failure in a row (1, 2, ...), ns. */
int64_t itsi_machine_bound(const struct itsi_machine *m, int failures, int code);

#endif
