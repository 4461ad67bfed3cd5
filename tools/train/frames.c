/* Renders frames of the synthetic road with their truth into one shard for training and evaluation.
 *
 * usage: frames OUT.frames < PLAN
 *
 * PLAN has a line per scene: its synth:// URL, then the numbers of the frames wanted of it. All are of one size.
 * OUT is little-endian: a 64-byte header (magic "ITSFRAME", u32 version, width, height, count, zeros), `count` I420 frames
 * (limited range BT.601), count + 1 u32 box offsets, then the boxes as struct itsi_road_box lies in memory. */
#include "render/road.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "shards are little-endian"
#endif
_Static_assert(sizeof(struct itsi_road_box) == 28, "the layout of the file");

struct header {
    char magic[8];
    uint32_t version, width, height, count, reserved[10];
};
_Static_assert(sizeof(struct header) == 64, "the layout of the file");

struct shard {
    FILE *file;
    struct header header;
    uint8_t *pixels;
    struct itsi_road_box *boxes;
    uint32_t *offsets;
    size_t box_count, box_cap, offset_cap;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "frames: %s: %s\n", what, why);
    exit(1);
}

/* Room for one more frame and its boxes. */
static void reserve(struct shard *s)
{
    if (s->box_count + ITSI_ROAD_MAX_BOXES > s->box_cap) {
        s->box_cap = s->box_cap * 2 + ITSI_ROAD_MAX_BOXES;
        s->boxes = realloc(s->boxes, s->box_cap * sizeof *s->boxes);
    }
    if (s->header.count + 2 > s->offset_cap) {
        s->offset_cap = s->offset_cap * 2 + 64;
        s->offsets = realloc(s->offsets, s->offset_cap * sizeof *s->offsets);
    }
    if (!s->boxes || !s->offsets)
        die("boxes", "out of memory");
}

static size_t frame_bytes(const struct shard *s) { return (size_t)s->header.width * s->header.height * 3 / 2; }

static void add_frame(struct shard *s, struct itsi_road *road, int64_t index)
{
    reserve(s);
    int w = (int)s->header.width;
    size_t luma = (size_t)w * s->header.height;
    uint8_t *const plane[3] = {s->pixels, s->pixels + luma, s->pixels + luma + luma / 4};
    const int stride[3] = {w, w / 2, w / 2};
    s->offsets[s->header.count] = (uint32_t)s->box_count;
    s->box_count += (size_t)itsi_road_render(road, index, plane, stride, s->boxes + s->box_count);
    s->header.count++;
    s->offsets[s->header.count] = (uint32_t)s->box_count;
    if (fwrite(s->pixels, 1, frame_bytes(s), s->file) != frame_bytes(s))
        die("writing", strerror(errno));
}

static void add_scene(struct shard *s, char *line)
{
    struct its_diag diag;
    struct itsi_road_params params;
    char *rest = NULL, *url = strtok_r(line, " \n", &rest);
    if (!url)
        return;
    if (itsi_road_params_parse(&params, url, &diag) < 0)
        die(url, diag.text);
    if (!s->pixels) {
        s->header.width = (uint32_t)params.width;
        s->header.height = (uint32_t)params.height;
        if (!(s->pixels = malloc(frame_bytes(s))))
            die(url, "out of memory");
    }
    if ((uint32_t)params.width != s->header.width || (uint32_t)params.height != s->header.height)
        die(url, "another size than the frames before");
    struct itsi_road *road;
    if (itsi_road_create(&road, &params, &diag) < 0)
        die(url, diag.text);
    for (char *word; (word = strtok_r(NULL, " \n", &rest));)
        add_frame(s, road, strtoll(word, NULL, 10));
    itsi_road_destroy(road);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        die("usage", "frames OUT.frames < PLAN");
    struct shard s = {.header = {.magic = {'I', 'T', 'S', 'F', 'R', 'A', 'M', 'E'}, .version = 1}};
    if (!(s.file = fopen(argv[1], "wb")) || fwrite(&s.header, sizeof s.header, 1, s.file) != 1)
        die(argv[1], strerror(errno));
    char *line = NULL;
    size_t cap = 0;
    while (getline(&line, &cap, stdin) > 0)
        add_scene(&s, line);
    free(line);
    reserve(&s);
    if (s.header.count == 0)
        die(argv[1], "the plan names no frame");
    /* The header goes last, when the count is known. */
    if (fwrite(s.offsets, sizeof *s.offsets, s.header.count + 1, s.file) != s.header.count + 1 ||
        fwrite(s.boxes, sizeof *s.boxes, s.box_count, s.file) != s.box_count || fseek(s.file, 0, SEEK_SET) != 0 ||
        fwrite(&s.header, sizeof s.header, 1, s.file) != 1 || fclose(s.file) != 0)
        die(argv[1], strerror(errno));
    free(s.pixels);
    free(s.boxes);
    free(s.offsets);
    return 0;
}
