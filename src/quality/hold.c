#include "quality/hold.h"

const char *itsi_quality_hold_name(enum itsi_quality_hold hold)
{
    static const char *const names[] = {
#define ITSI_X(name, text, sentence) text,
        ITSI_QUALITY_HOLD_MAP(ITSI_X)
#undef ITSI_X
    };
    return names[hold];
}

const char *itsi_quality_hold_sentence(enum itsi_quality_hold hold)
{
    static const char *const sentences[] = {
#define ITSI_X(name, text, sentence) sentence,
        ITSI_QUALITY_HOLD_MAP(ITSI_X)
#undef ITSI_X
    };
    return sentences[hold];
}
