#include "capture/truth.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "capture/synth.h"
#include "render/road.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static_assert(sizeof(struct itsi_road_box) == 28, "the layout of the file");
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the truth file is written in the machine's order: little-endian only"
#endif

#define VERSION 1u
#define MAX_FRAMES (600u * 1000u)

struct header {
    char magic[8];
    uint32_t version, frames;
    double fps;
};

struct itsi_synth_truth {
    uint32_t frames;
    double fps;
    uint32_t *offsets; /* frames + 1 */
    struct itsi_road_box *boxes;
};

void itsi_truth_init(struct itsi_truth_writer *w)
{
    memset(w, 0, sizeof *w);
    itsi_buf_init(&w->offsets);
    itsi_buf_init(&w->boxes);
}

void itsi_truth_fini(struct itsi_truth_writer *w)
{
    itsi_buf_fini(&w->offsets);
    itsi_buf_fini(&w->boxes);
}

void itsi_truth_add(struct itsi_truth_writer *w, const struct itsi_road_box *boxes, int count)
{
    itsi_buf_add(&w->offsets, &w->count, sizeof w->count);
    itsi_buf_add(&w->boxes, boxes, (size_t)count * sizeof *boxes);
    w->count += (uint32_t)count;
    w->frames++;
}

int itsi_truth_save(struct itsi_truth_writer *w, const char *path, double fps, struct its_diag *diag)
{
    struct header header = {.version = VERSION, .frames = w->frames, .fps = fps};
    memcpy(header.magic, "ITSTRUTH", 8);
    if (w->offsets.failed || w->boxes.failed)
        return itsi_fail(diag, ITS_ENOMEM, "writing %s: out of memory", path);
    FILE *file = fopen(path, "wb");
    if (!file)
        return itsi_fail_errno(diag, errno, "writing %s", path);
    bool ok = fwrite(&header, sizeof header, 1, file) == 1 &&
              fwrite(w->offsets.data, 1, w->offsets.len, file) == w->offsets.len &&
              fwrite(&w->count, sizeof w->count, 1, file) == 1 &&
              (!w->boxes.len || fwrite(w->boxes.data, 1, w->boxes.len, file) == w->boxes.len);
    int err = errno;
    if (fclose(file) && ok) {
        ok = false;
        err = errno;
    }
    return ok ? 0 : itsi_fail_errno(diag, err, "writing %s", path);
}

static int read_all(struct itsi_synth_truth *t, FILE *file)
{
    struct header header;
    if (fread(&header, sizeof header, 1, file) != 1 || memcmp(header.magic, "ITSTRUTH", 8) ||
        header.version != VERSION || !header.frames || header.frames > MAX_FRAMES || !(header.fps > 0) || !isfinite(header.fps))
        return ITS_EFORMAT;
    t->frames = header.frames;
    t->fps = header.fps;
    t->offsets = itsi_calloc(t->frames + 1u, sizeof *t->offsets);
    if (!t->offsets)
        return ITS_ENOMEM;
    if (fread(t->offsets, sizeof *t->offsets, t->frames + 1u, file) != t->frames + 1u)
        return ITS_EFORMAT;
    for (uint32_t i = 0; i < t->frames; i++)
        if (t->offsets[i] > t->offsets[i + 1] || t->offsets[i + 1] - t->offsets[i] > ITSI_ROAD_MAX_BOXES)
            return ITS_EFORMAT;
    uint32_t count = t->offsets[t->frames];
    if (t->offsets[0])
        return ITS_EFORMAT;
    t->boxes = itsi_calloc(count ? count : 1u, sizeof *t->boxes);
    if (!t->boxes)
        return ITS_ENOMEM;
    return fread(t->boxes, sizeof *t->boxes, count, file) == count && fgetc(file) == EOF ? 0 : ITS_EFORMAT;
}

int itsi_truth_load(struct itsi_synth_truth **out, const char *path, struct its_diag *diag)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return itsi_fail_errno(diag, errno, "ground truth %s", path);
    struct itsi_synth_truth *t = itsi_zalloc(sizeof *t);
    int rc = t ? read_all(t, file) : ITS_ENOMEM;
    fclose(file);
    if (rc) {
        itsi_synth_truth_close(t);
        return itsi_fail(diag, rc, "ground truth %s: %s", path, rc == ITS_EFORMAT ? "damaged" : its_strerror(rc));
    }
    *out = t;
    return 0;
}

static int open_cached(struct itsi_synth_truth **out, const char *url, const char *cache_dir, char *path, size_t size,
                       struct its_diag *diag)
{
    int rc = itsi_synth_clip(url, cache_dir, NULL, path, size - sizeof ".truth", diag);
    if (rc)
        return rc;
    strcat(path, ".truth");
    return itsi_truth_load(out, path, diag);
}

int itsi_synth_truth_open(struct itsi_synth_truth **out, const char *url, const char *cache_dir, struct its_diag *diag)
{
    char path[2100];
    int rc = open_cached(out, url, cache_dir, path, sizeof path, diag);
    if (rc != ITS_EFORMAT)
        return rc;
    itsi_synth_forget(path); /* cut short by a crash, say: it is made anew like a damaged clip */
    return open_cached(out, url, cache_dir, path, sizeof path, diag);
}

int itsi_synth_truth_at(struct itsi_synth_truth *t, int64_t media_ns, const struct itsi_road_box **boxes)
{
    double index = floor((double)media_ns / ITSI_NS_PER_S * t->fps + 0.5);
    if (!(index >= 0) || index >= t->frames)
        return 0;
    uint32_t i = (uint32_t)index;
    *boxes = t->boxes + t->offsets[i];
    return (int)(t->offsets[i + 1] - t->offsets[i]);
}

void itsi_synth_truth_close(struct itsi_synth_truth *t)
{
    if (!t)
        return;
    itsi_free(t->offsets);
    itsi_free(t->boxes);
    itsi_free(t);
}
