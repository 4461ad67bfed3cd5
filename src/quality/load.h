/* How loaded the system is: what was measured, smoothed, and the word for it that users see. The word is for people; the
 * controller decides by slack, busy time, queue age and the on-time ratio (pressure.h). Pure, nothing allocates. */
#ifndef ITSI_QUALITY_LOAD_H
#define ITSI_QUALITY_LOAD_H

#include <stdbool.h>
#include <stdint.h>

/* X(field): of all, -1 is unknown; of slack_ms, which may be negative, NAN. */
#define ITSI_QUALITY_LOAD_MAP(X)                                                                                       \
    X(cpu_percent)        /* of the processors this process may use, by all processes */                               \
    X(memory_percent)                                                                                                  \
    X(gpu_percent)                                                                                                     \
    X(gpu_memory_percent)                                                                                              \
    X(engine_busy)        /* share of the time that the engine's lanes run, 0..1 */                                    \
    X(engine_needed)      /* the same if it had run full batches only; unknown of an engine that does not gain from them */ \
    X(decode_share)       /* share of the machine's processor time that goes into decoding, 0..1 */                    \
    X(encode_share)       /* share of the time that the picture encoders are busy, 0..1 */                             \
    X(slack_ms)           /* deadline minus predicted finish, 10th percentile of the frames admitted */                \
    X(queue_age_ms)       /* how long the oldest waiting frame has waited */                                           \
    X(on_time_ratio)      /* delivered in time, of the frames admitted, 0..1 */                                        \
    X(error_rate)         /* failed frames of all, 0..1 */                                                             \
    X(latency_ms)         /* end to end, mean */

struct itsi_quality_load {
#define ITSI_X(field) double field;
    ITSI_QUALITY_LOAD_MAP(ITSI_X)
#undef ITSI_X
};

/* Everything unknown. */
void itsi_quality_load_unknown(struct itsi_quality_load *load);

/* Exponential smoothing by time constant: after tau_ns 63 % of a step is seen, however irregular the ticks. A value that
 * becomes known is taken as it is; one that becomes unknown, or no number at all, is unknown. `smooth` begins as unknown. */
void itsi_quality_load_smooth(struct itsi_quality_load *smooth, const struct itsi_quality_load *raw, int64_t dt_ns,
                              int64_t tau_ns);
/* The weight of the new value in it: 1 - exp(-dt / tau). */
double itsi_quality_smoothing(int64_t dt_ns, int64_t tau_ns);

enum itsi_quality_condition {
    ITSI_LOAD_OPTIMAL,
    ITSI_LOAD_ELEVATED,
    ITSI_LOAD_HIGH,
    ITSI_LOAD_CRITICAL,
    ITSI_LOAD_OVERLOAD,
    ITSI_LOAD_CONDITIONS
};
/* Any one figure over its limit suffices, the worst that holds wins; unknown figures say nothing. */
enum itsi_quality_condition itsi_quality_condition(const struct itsi_quality_load *load);
const char *itsi_quality_condition_name(enum itsi_quality_condition condition); /* "optimal" .. "overload" */
/* The level that the guide's table names for a condition. The controller does not use it. */
int itsi_quality_condition_level(enum itsi_quality_condition condition);

#endif
