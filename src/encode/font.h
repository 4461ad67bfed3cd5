/* A small bitmap font of our own for labels: 5 x 7 pixels a character. */
#ifndef ITSI_ENCODE_FONT_H
#define ITSI_ENCODE_FONT_H

#include <stdint.h>

enum { ITSI_FONT_WIDTH = 5, ITSI_FONT_HEIGHT = 7, ITSI_FONT_ADVANCE = 6 };

/* Seven rows, bit 4 the leftmost pixel. Never NULL: a hollow box for what is missing. */
const uint8_t *itsi_font_glyph(char c);

#endif
