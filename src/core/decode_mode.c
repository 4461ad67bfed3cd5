#include "core/decode_mode.h"

const char *itsi_decode_mode_name(enum itsi_decode_mode mode)
{
    static const char *const names[] = {
#define ITSI_X(name, text) text,
        ITSI_DECODE_MODE_MAP(ITSI_X)
#undef ITSI_X
    };
    return names[mode];
}
