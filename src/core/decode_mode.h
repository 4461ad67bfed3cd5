/* How much of a camera's stream is decoded: what the quality manager asks for and capture does. */
#ifndef ITSI_CORE_DECODE_MODE_H
#define ITSI_CORE_DECODE_MODE_H

/* X(NAME, "text") */
#define ITSI_DECODE_MODE_MAP(X)                                                                                        \
    X(ALL, "all")                                                                                                      \
    X(REFERENCE, "reference") /* not the frames that no other refers to */                                             \
    X(KEY, "key")             /* key frames; of a group whose key frame nobody took, what follows it */

enum itsi_decode_mode {
#define ITSI_X(name, text) ITSI_DECODE_##name,
    ITSI_DECODE_MODE_MAP(ITSI_X)
#undef ITSI_X
        ITSI_DECODE_MODES
};
const char *itsi_decode_mode_name(enum itsi_decode_mode mode);

#endif
