/* What tracking costs and saves: clips detected on at a lower cadence and a smaller size, with the tracker's predictions
 * between, held against detection of every picture at full size.
 *
 *   bench_track --model yolo11n.onnx CLIP...
 *
 * One JSON line per setting and clip, and one per setting for all clips together ("pooled"). */
#include "track_keep.h"
#include "track_score.h"

#include "base/clock.h"
#include "base/mem.h"
#include "postprocess/track.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIDENCE 0.25F

struct setting {
    int size;     /* of track_sizes */
    int interval; /* every n-th picture is detected on */
    bool tracks;  /* else the boxes of the last detection stand */
};

struct outcome {
    struct track_score score;
    int frames;
    int runs[TRACK_SIZES];
    int64_t tracker_ns;
};

/* What is published of a picture that was detected on. */
static int shown(const struct itsi_detection *boxes, int count, struct itsi_detection *out)
{
    int n = 0;
    for (int i = 0; i < count; i++)
        if (boxes[i].score >= CONFIDENCE)
            out[n++] = boxes[i];
    return n;
}

struct player {
    struct itsi_tracker *tracker;
    struct itsi_track_scratch *scratch;
    struct itsi_detection out[ITSI_MAX_DETECTIONS];
    int count;
};

static void detect(struct player *p, const struct track_clip *clip, const struct track_view *view, int size)
{
    static struct itsi_detection boxes[ITSI_MAX_DETECTIONS];
    int count = 0;
    for (int i = 0; i < view->count[size]; i++)
        if (view->boxes[size][i].score >= 0.1F)
            boxes[count++] = view->boxes[size][i];
    itsi_tracker_update(p->tracker, p->scratch, view->at_ns, clip->width, clip->height, boxes, count);
    p->count = shown(boxes, count, p->out);
}

static void play(struct player *p, const struct track_clip *clip, const struct setting *s, struct itsi_detection **ref,
                 int *ref_count, struct outcome *o)
{
    struct itsi_tracker_params params = ITSI_TRACKER_DEFAULTS;
    struct its_diag diag;
    if (itsi_tracker_create(&p->tracker, &params, &diag) != 0)
        abort();
    struct track_identities ids;
    if (track_identities_init(&ids, 100000) != 0)
        abort();
    for (int f = 0; f < clip->frames; f++) {
        const struct track_view *view = &clip->views[f];
        const int64_t cpu = itsi_thread_cpu_ns();
        if (f % s->interval == 0) {
            detect(p, clip, view, s->size);
            o->runs[s->size]++;
        } else if (s->tracks) {
            p->count = itsi_tracker_predict(p->tracker, view->at_ns, clip->width, clip->height, p->out);
        }
        o->tracker_ns += itsi_thread_cpu_ns() - cpu;
        o->frames++;
        track_score_add(&o->score, &ids, p->out, p->count, ref[f], ref_count[f]);
    }
    if (getenv("FIT")) {
        struct itsi_track_fit fit = itsi_tracker_fit(p->tracker);
        fprintf(stderr, "%s fit %.4f %.3f\n", clip->name, (double)fit.retention, (double)fit.overlap);
    }
    track_identities_fini(&ids);
    itsi_tracker_destroy(p->tracker);
}

/* ---- the reference: every picture at full size, with the tracker's ids ---- */
struct reference {
    struct itsi_detection **boxes;
    int *count;
};

static struct reference refer(struct player *p, const struct track_clip *clip)
{
    struct reference r = {itsi_calloc((size_t)clip->frames, sizeof *r.boxes), itsi_calloc((size_t)clip->frames, sizeof *r.count)};
    struct itsi_tracker_params params = ITSI_TRACKER_DEFAULTS;
    if (itsi_tracker_create(&p->tracker, &params, NULL) != 0)
        abort();
    for (int f = 0; f < clip->frames; f++) {
        detect(p, clip, &clip->views[f], 0);
        r.count[f] = p->count;
        r.boxes[f] = itsi_calloc((size_t)p->count + 1, sizeof **r.boxes);
        memcpy(r.boxes[f], p->out, (size_t)p->count * sizeof *p->out);
    }
    itsi_tracker_destroy(p->tracker);
    return r;
}

int main(int argc, char **argv)
{
    static struct player player;
    if (itsi_track_scratch_create(&player.scratch, NULL) != 0)
        return 1;
    struct its_diag diag = {""};
    struct track_clip clips[16];
    int n = 0;
    const char *keep = "/tmp/tr/keep.bin";
    FILE *file = fopen(keep, "rb");
    if (file) {
        while (n < 16 && track_keep_read(file, &clips[n]))
            n++;
    } else {
        struct track_reader *reader;
        if (track_reader_open(&reader, argv[1], 0.05F, &diag) != 0) {
            fprintf(stderr, "%s\n", diag.text);
            return 1;
        }
        fprintf(stderr, "%s\n", track_reader_about(reader));
        file = fopen(keep, "wb");
        for (int i = 2; i < argc; i++) {
            if (track_reader_read(reader, argv[i], &clips[n], &diag) != 0) {
                fprintf(stderr, "%s\n", diag.text);
                return 1;
            }
            fprintf(stderr, "%s %dx%d %d frames thumb %.1f us, cpu", clips[n].name, clips[n].width, clips[n].height, clips[n].frames, clips[n].thumb_us);
            for (int k = 0; k < TRACK_SIZES; k++)
                fprintf(stderr, " %.2f", clips[n].cpu_ms[k]);
            fprintf(stderr, "\n");
            if (!track_keep_write(file, &clips[n]))
                return 1;
            n++;
        }
        track_reader_close(reader);
    }
    fclose(file);
    struct reference refs[16];
    for (int i = 0; i < n; i++)
        refs[i] = refer(&player, &clips[i]);
    static const struct setting settings[] = {{0, 1, 1}, {0, 2, 0}, {0, 2, 1}, {0, 3, 0}, {0, 3, 1}, {0, 5, 0}, {0, 5, 1}, {0, 10, 1},
        {1, 1, 1}, {2, 1, 1}, {2, 2, 1}, {3, 1, 1}, {4, 1, 1}};
    for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) {
        struct track_score all = {0};
        int64_t ns = 0, frames = 0;
        printf("%dx%d every %d %s:", track_sizes[settings[k].size].width, track_sizes[settings[k].size].height, settings[k].interval, settings[k].tracks ? "tracked" : "held");
        for (int i = 0; i < n; i++) {
            struct outcome o = {0};
            play(&player, &clips[i], &settings[k], refs[i].boxes, refs[i].count, &o);
            printf(" %.3f", track_score_f1(&o.score));
            track_score_merge(&all, &o.score);
            ns += o.tracker_ns;
            frames += o.frames;
        }
        printf(" | F1 %.4f P %.3f R %.3f ret %.4f us %.2f\n", track_score_f1(&all), (double)all.right / (double)all.said, (double)all.right / (double)all.wanted, track_score_retention(&all), (double)ns / 1e3 / (double)frames);
    }
    return 0;
}
