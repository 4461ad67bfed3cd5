/* A clip as the product sees it: every picture through its own capture, letterbox, engine and box decoder, at several
 * input sizes, kept to be played again. */
#ifndef ITS_BENCH_TRACK_CLIP_H
#define ITS_BENCH_TRACK_CLIP_H

#include "core/detection.h"

enum { TRACK_SIZES = 5 };

struct track_size {
    int width, height; /* of the network's input */
};
/* The first is full size; the last has four times its pixels and is looked at on every seventh picture only, which none of
 * the usual intervals keeps step with. */
enum { TRACK_LARGE = TRACK_SIZES - 1, TRACK_LARGE_EVERY = 7 };
extern const struct track_size track_sizes[TRACK_SIZES];

struct track_view {
    int64_t at_ns; /* in the clip's own timeline */
    float change;  /* from the picture before: itsi_track_change_next() */
    int count[TRACK_SIZES]; /* -1: not looked at */
    struct itsi_detection *boxes[TRACK_SIZES]; /* by falling score, in pixels of the picture, down to the floor */
};

struct track_clip {
    char name[64];
    int width, height, frames, room;
    int runs[TRACK_SIZES];
    struct track_view *views;
    double cpu_ms[TRACK_SIZES]; /* CPU time of one inference */
};

struct track_reader;
ITS_NODISCARD int track_reader_open(struct track_reader **out, const char *model, float floor, struct its_diag *diag);
const char *track_reader_about(struct track_reader *reader); /* device and precision */
ITS_NODISCARD int track_reader_read(struct track_reader *reader, const char *path, struct track_clip *clip,
                                    struct its_diag *diag);
void track_reader_close(struct track_reader *reader); /* takes NULL */
void track_clip_free(struct track_clip *clip);

#endif
