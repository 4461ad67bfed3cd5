/* What tracking saves and costs: clips detected on at a lower cadence and at smaller sizes, with the tracker's
 * predictions between, held against detection of every picture at full size.
 *
 *   bench_track --model yolo11n.onnx [--keep FILE] CLIP...
 *
 * One JSON line per setting and clip, and per setting one for all clips together ("pooled"):
 *   f1, precision, recall  against full size on every picture (640x384), IoU 0.5, by class, confidence 0.25
 *   f1_large               against the same detector at 1280x736 (every seventh picture): a look at accuracy that does
 *                          not take full size's own wavering for truth
 *   saving                 CPU time of inference on every picture at full size, over the setting's
 *   ids_kept               share of a thing's sightings that have the id of the one before
 *   retention              what the tracker says of itself, mean
 *   tracker_us             CPU time of the tracker per picture
 *   counted                objects that passed, as the product counts them; of "late", which detects nothing, none
 *   passages_us            CPU time of that per picture detected on, two readings of the thread's clock included
 * --keep FILE: reads what the engine found from the file; without the file, writes it. */
#include "base/buf.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/mem.h"
#include "track_keep.h"
#include "track_play.h"

#include <getopt.h>
#include <stdio.h>

#define FLOOR 0.1F /* boxes below are of no use to the tracker */
enum { MOST_CLIPS = 64 };

static const struct track_setting settings[] = {
    {TRACK_EVERY, 0, 1, 0},    {TRACK_LATE, 0, 1, 0},      {TRACK_STALE, 0, 2, 0},   {TRACK_EVERY, 0, 2, 0},
    {TRACK_EVERY, 0, 3, 0},    {TRACK_STALE, 0, 5, 0},     {TRACK_EVERY, 0, 5, 0},   {TRACK_EVERY, 0, 10, 0},
    {TRACK_DOUBT, 0, 4, 1.0F}, {TRACK_DOUBT, 0, 4, 1.5F},  {TRACK_DOUBT, 0, 4, 2.0F}, {TRACK_DOUBT, 0, 4, 2.4F},
    {TRACK_DOUBT, 0, 4, 2.8F}, {TRACK_DOUBT, 0, 6, 6.0F},  {TRACK_BUDGET, 0, 2, 0},  {TRACK_BUDGET, 0, 3, 0},
    {TRACK_BUDGET, 0, 4, 0},   {TRACK_BUDGET, 0, 6, 0},    {TRACK_EVERY, 1, 1, 0},   {TRACK_EVERY, 1, 2, 0},
    {TRACK_BUDGET, 1, 3, 0},   {TRACK_BUDGET, 1, 4, 0},    {TRACK_BUDGET, 1, 6, 0},  {TRACK_BUDGET, 1, 10, 0},
    {TRACK_EVERY, 2, 1, 0},    {TRACK_EVERY, 2, 2, 0},     {TRACK_EVERY, 3, 1, 0},   {TRACK_EVERY, 3, 3, 0},
    {TRACK_EVERY, 3, 5, 0},    {TRACK_BUDGET, 3, 8, 0},    {TRACK_BUDGET, 3, 15, 0},
};

struct options {
    const char *model, *keep;
    char **clips;
    int count;
};

static bool parse(struct options *o, int argc, char **argv)
{
    static const struct option table[] = {{"model", 1, NULL, 'm'}, {"keep", 1, NULL, 'k'}, {0}};
    for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;) {
        if (c == 'm')
            o->model = optarg;
        else if (c == 'k')
            o->keep = optarg;
        else
            return false;
    }
    o->clips = argv + optind;
    o->count = argc - optind;
    return o->count <= MOST_CLIPS && (o->model ? o->count > 0 : o->keep != NULL);
}

/* Reads the clips through the engine; each goes to `keep` too, unless that is NULL. Returns their number. */
static int read_clips(const struct options *o, FILE *keep, struct track_clip *clips, struct its_diag *diag)
{
    struct track_reader *reader;
    int rc = track_reader_open(&reader, o->model, FLOOR, diag);
    if (rc != 0)
        return rc;
    fprintf(stderr, "bench_track: %s\n", track_reader_about(reader));
    int count = 0;
    while (rc == 0 && count < o->count) {
        rc = track_reader_read(reader, o->clips[count], &clips[count], diag);
        if (rc == 0 && keep && !track_keep_write(keep, &clips[count]))
            fprintf(stderr, "bench_track: %s: cannot be written\n", o->keep);
        count += rc == 0;
    }
    track_reader_close(reader);
    return rc == 0 ? count : rc;
}

static int find_clips(const struct options *o, struct track_clip *clips, struct its_diag *diag)
{
    int count = 0;
    FILE *keep = o->keep ? fopen(o->keep, "rb") : NULL;
    if (keep) {
        while (count < MOST_CLIPS && track_keep_read(keep, &clips[count]))
            count++;
        if (count == 0)
            count = itsi_fail(diag, ITS_EFORMAT, "%s: holds no clip", o->keep);
    } else {
        keep = o->keep ? fopen(o->keep, "wb") : NULL;
        count = read_clips(o, keep, clips, diag);
    }
    if (keep)
        fclose(keep);
    return count;
}

/* An inference costs the same whatever the picture shows: what differs between clips is the machine's mood. */
static void even_out(struct track_clip *clips, int count)
{
    for (int size = 0; size < TRACK_SIZES; size++) {
        double ms = 0;
        int runs = 0;
        for (int i = 0; i < count; i++) {
            ms += clips[i].cpu_ms[size] * clips[i].runs[size];
            runs += clips[i].runs[size];
        }
        for (int i = 0; i < count; i++)
            clips[i].cpu_ms[size] = ms / runs;
    }
}

static void print(const char *clip, const struct track_setting *s, const struct track_outcome *o)
{
    struct itsi_buf buf;
    struct itsi_json json;
    char input[24];
    snprintf(input, sizeof input, "%dx%d", track_sizes[s->size].width, track_sizes[s->size].height);
    itsi_buf_init(&buf);
    itsi_json_init(&json, &buf);
    itsi_json_object(&json, NULL);
    itsi_json_string(&json, "benchmark", "track");
    itsi_json_string(&json, "clip", clip);
    itsi_json_string(&json, "rule", track_rule_name(s->rule));
    itsi_json_string(&json, "input", input);
    itsi_json_int(&json, "interval", s->interval);
    itsi_json_number(&json, "tolerance", (double)s->tolerance, 2);
    itsi_json_int(&json, "frames", o->frames);
    itsi_json_int(&json, "detected", o->detected);
    if (o->inference_ms > 0)
        itsi_json_number(&json, "saving", o->always_ms / o->inference_ms, 3);
    itsi_json_number(&json, "f1", track_score_f1(&o->same), 4);
    itsi_json_number(&json, "precision", track_score_precision(&o->same), 4);
    itsi_json_number(&json, "recall", track_score_recall(&o->same), 4);
    itsi_json_number(&json, "f1_large", track_score_f1(&o->large), 4);
    itsi_json_number(&json, "ids_kept", track_score_retention(&o->same), 4);
    itsi_json_number(&json, "retention", o->retention / o->frames, 4);
    itsi_json_number(&json, "tracker_us", (double)o->tracker_ns / 1e3 / o->frames, 2);
    itsi_json_int(&json, "counted", o->counted);
    if (o->detected > 0)
        itsi_json_number(&json, "passages_us", (double)o->passages_ns / 1e3 / o->detected, 3);
    itsi_json_end(&json, '}');
    puts(buf.data);
    itsi_buf_fini(&buf);
}

/* One setting: each clip's outcome, and that of all together. */
static int run(struct track_player *player, const struct track_setting *setting, const struct track_clip *clips, int count,
               struct its_diag *diag)
{
    static struct track_outcome outcomes[MOST_CLIPS];
    struct track_outcome pooled = {.frames = 0};
    int rc = track_player_play(player, setting, outcomes, diag);
    for (int i = 0; rc == 0 && i < count; i++) {
        print(clips[i].name, setting, &outcomes[i]);
        track_outcome_merge(&pooled, &outcomes[i]);
    }
    if (rc == 0)
        print("pooled", setting, &pooled);
    return rc;
}

int main(int argc, char **argv)
{
    static struct track_clip clips[MOST_CLIPS];
    struct options o = {.model = NULL};
    if (!parse(&o, argc, argv)) {
        fputs("usage: bench_track --model FILE [--keep FILE] CLIP...\n", stderr);
        return 2;
    }
    struct its_diag diag = {""};
    struct track_player *player = NULL;
    const int count = find_clips(&o, clips, &diag);
    int rc = count;
    if (count > 0) {
        even_out(clips, count);
        rc = track_player_create(&player, clips, count, &diag);
    }
    for (size_t i = 0; rc == 0 && i < sizeof settings / sizeof *settings; i++)
        rc = run(player, &settings[i], clips, count, &diag);
    if (rc != 0)
        fprintf(stderr, "bench_track: %s\n", diag.text);
    for (int i = 0; i < count; i++)
        track_clip_free(&clips[i]);
    track_player_destroy(player);
    return rc == 0 ? 0 : 1;
}
