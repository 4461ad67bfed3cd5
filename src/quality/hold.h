/* Why quality does not rise now, though somebody is below where it might be: the first thing that would have to change. */
#ifndef ITSI_QUALITY_HOLD_H
#define ITSI_QUALITY_HOLD_H

/* X(name, text, sentence): as users read them. In the order of asking. */
#define ITSI_QUALITY_HOLD_MAP(X)                                                                                       \
    X(NOTHING, "nothing", "nobody is below its level")                                                                 \
    X(SWITCHED_OFF, "switched_off", "quality_recovery_enabled is off")                                                 \
    X(LOAD, "load", "the load is not calm")                                                                            \
    X(MEMORY, "memory", "more memory is used than memory_threshold_percent")                                           \
    X(GPU_MEMORY, "gpu_memory", "more GPU memory is used than gpu_memory_threshold_percent")                           \
    X(TRIAL, "trial", "those that rose last are on trial")                                                             \
    X(CALM, "calm", "the load has not been calm for long enough")                                                      \
    X(ROOM, "room", "there is no room for the next level")                                                             \
    X(TURN, "turn", "the next to rise do so in a moment")

enum itsi_quality_hold {
#define ITSI_X(name, text, sentence) ITSI_HOLD_##name,
    ITSI_QUALITY_HOLD_MAP(ITSI_X)
#undef ITSI_X
};
const char *itsi_quality_hold_name(enum itsi_quality_hold hold);
const char *itsi_quality_hold_sentence(enum itsi_quality_hold hold);

#endif
