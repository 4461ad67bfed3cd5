#include "track_keep.h"

#include "base/mem.h"

static bool put(FILE *file, const void *data, size_t size) { return size == 0 || fwrite(data, size, 1, file) == 1; }
static bool get(FILE *file, void *data, size_t size) { return size == 0 || fread(data, size, 1, file) == 1; }

static size_t boxes_size(const struct track_view *view, int size)
{
    return view->count[size] > 0 ? (size_t)view->count[size] * sizeof(struct itsi_detection) : 0;
}

bool track_keep_write(FILE *file, const struct track_clip *clip)
{
    bool ok = put(file, clip, sizeof *clip);
    for (int f = 0; ok && f < clip->frames; f++) {
        const struct track_view *view = &clip->views[f];
        ok = put(file, view, sizeof *view);
        for (int i = 0; ok && i < TRACK_SIZES; i++)
            ok = put(file, view->boxes[i], boxes_size(view, i));
    }
    return ok;
}

/* Pointers read from the file are replaced before anything can go wrong with them. */
static bool read_view(FILE *file, struct track_view *view)
{
    if (!get(file, view, sizeof *view)) {
        *view = (struct track_view){.at_ns = 0};
        return false;
    }
    for (int i = 0; i < TRACK_SIZES; i++)
        view->boxes[i] = itsi_zalloc(boxes_size(view, i) + 1);
    bool ok = true;
    for (int i = 0; ok && i < TRACK_SIZES; i++)
        ok = view->boxes[i] && get(file, view->boxes[i], boxes_size(view, i));
    return ok;
}

bool track_keep_read(FILE *file, struct track_clip *clip)
{
    if (!get(file, clip, sizeof *clip))
        return false;
    const int frames = clip->frames;
    clip->views = itsi_calloc((size_t)frames, sizeof *clip->views);
    clip->frames = 0;
    bool ok = clip->views != NULL;
    for (; ok && clip->frames < frames; clip->frames++)
        ok = read_view(file, &clip->views[clip->frames]);
    if (!ok)
        track_clip_free(clip);
    return ok;
}
