/* The time code: 4 rows of 16 cells, black or white, in a black frame at the top left.
 *
 *   row 0: a fixed pattern, from which the reader learns black and white
 *   row 1, 2: the number, most significant bit first
 *   row 3: CRC-16 of the number
 *
 * Cells are a fixed share of the picture's sides, so a scaled picture is read by the same rule. Small pictures get
 * relatively larger cells; as a reader cannot know what size a picture once had, it tries every share. */
#include "render/scene.h"

enum { COLUMNS = 16, ROWS = 4, BLACK = 16, WHITE = 235, LEAST_CONTRAST = 60 };
static const uint16_t pattern = 0xB2D4; /* eight of each, no period */

/* Cells over the width (and 9/16 of that over the height). */
static const int shares[] = {100, 64, 28};

static int share_for(int width) { return width >= 640 ? shares[0] : width >= 320 ? shares[1] : shares[2]; }

struct grid {
    double w, h; /* of a cell, pixels */
};
static struct grid grid_of(int width, int height, int share)
{
    return (struct grid){(double)width / share, (double)height / (share * 0.5625)};
}

/* CRC-16/CCITT. */
static uint16_t checksum(uint32_t number)
{
    uint32_t crc = 0xffff;
    for (int bit = 31; bit >= 0; bit--) {
        uint32_t in = (number >> bit & 1) ^ (crc >> 15 & 1);
        crc = (crc << 1 & 0xffff) ^ (in ? 0x1021u : 0);
    }
    return (uint16_t)crc;
}

static bool cell_is_white(uint32_t number, int row, int column)
{
    uint32_t bits = row == 0 ? pattern : row == 1 ? number >> 16 : row == 2 ? number & 0xffff : checksum(number);
    return bits >> (15 - column) & 1;
}

void itsi_timecode_size(int width, int height, int *w, int *h)
{
    struct grid g = grid_of(width, height, share_for(width));
    *w = (int)(g.w * (COLUMNS + 1));
    *h = (int)(g.h * (ROWS + 1));
}

void itsi_timecode_write(uint8_t *luma, int stride, int width, int height, uint32_t number)
{
    struct grid g = grid_of(width, height, share_for(width));
    int right, bottom;
    itsi_timecode_size(width, height, &right, &bottom);
    for (int y = 0; y < bottom; y++)
        for (int x = 0; x < right; x++) {
            int column = (int)(((double)x + 0.5) / g.w + 0.5) - 1, row = (int)(((double)y + 0.5) / g.h + 0.5) - 1;
            bool inside = column >= 0 && column < COLUMNS && row >= 0 && row < ROWS;
            luma[(size_t)y * (size_t)stride + (size_t)x] = inside && cell_is_white(number, row, column) ? WHITE : BLACK;
        }
}

/* Mean of the inner half of a cell, times 16. */
static int cell_mean(const uint8_t *luma, int stride, int width, int height, struct grid g, int row, int column)
{
    double x0 = (column + 0.75) * g.w, x1 = (column + 1.25) * g.w;
    double y0 = (row + 0.75) * g.h, y1 = (row + 1.25) * g.h;
    int fx = (int)x0, fy = (int)y0, tx = (int)(x1 - 0.01), ty = (int)(y1 - 0.01);
    tx = tx < fx ? fx : tx >= width ? width - 1 : tx;
    ty = ty < fy ? fy : ty >= height ? height - 1 : ty;
    int sum = 0, n = 0;
    for (int y = fy; y <= ty; y++)
        for (int x = fx; x <= tx; x++, n++)
            sum += luma[(size_t)y * (size_t)stride + (size_t)x];
    return n > 0 ? sum * 16 / n : 0;
}

static bool read_at(const uint8_t *luma, int stride, int width, int height, int share, uint32_t *number)
{
    struct grid g = grid_of(width, height, share);
    if (g.w < 1 || g.h < 1)
        return false;
    int level[COLUMNS], black = 0, white = 0;
    for (int c = 0; c < COLUMNS; c++) {
        level[c] = cell_mean(luma, stride, width, height, g, 0, c);
        if (pattern >> (15 - c) & 1)
            white += level[c];
        else
            black += level[c];
    }
    white /= COLUMNS / 2;
    black /= COLUMNS / 2;
    if (white - black < LEAST_CONTRAST * 16)
        return false;
    int middle = (white + black) / 2;
    for (int c = 0; c < COLUMNS; c++)
        if ((level[c] > middle) != (pattern >> (15 - c) & 1))
            return false;
    uint32_t bits = 0;
    uint16_t sum = 0;
    for (int c = 0; c < 2 * COLUMNS; c++)
        bits = bits << 1 | (cell_mean(luma, stride, width, height, g, 1 + c / COLUMNS, c % COLUMNS) > middle);
    for (int c = 0; c < COLUMNS; c++)
        sum = (uint16_t)(sum << 1 | (cell_mean(luma, stride, width, height, g, 3, c) > middle));
    if (sum != checksum(bits))
        return false;
    *number = bits;
    return true;
}

int itsi_timecode_read(const uint8_t *luma, int stride, int width, int height, uint32_t *number)
{
    if (width < 16 || height < 16)
        return 0;
    for (int i = 0; i < (int)(sizeof shares / sizeof *shares); i++)
        if (read_at(luma, stride, width, height, shares[i], number))
            return 1;
    return 0;
}
