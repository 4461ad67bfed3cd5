#include "track_clip.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "capture/capture.h"
#include "infer/backend.h"
#include "infer/open.h"
#include "postprocess/track_change.h"
#include "postprocess/yolo.h"
#include "preprocess/letterbox.h"

#include <stdio.h>
#include <string.h>

const struct track_size track_sizes[TRACK_SIZES] = {
    {640, 384}, {512, 288}, {416, 256}, {320, 192}, {1280, 736}};

struct track_reader {
    const struct itsi_backend *backend;
    struct itsi_engine *engines[TRACK_SIZES];
    struct itsi_letterboxer *boxer;
    struct itsi_yolo *yolo;
    struct itsi_yolo_params params;
    char about[80];
    /* of the clip being read; written by the capture's thread */
    struct track_clip *clip;
    struct itsi_ledger *ledger;
    struct itsi_track_change change;
    int64_t cpu_ns[TRACK_SIZES];
    int status;
};

int track_reader_open(struct track_reader **out, const char *model, float floor, struct its_diag *diag)
{
    struct track_reader *reader = itsi_zalloc(sizeof *reader);
    if (!reader)
        return itsi_fail(diag, ITS_ENOMEM, "out of memory");
    reader->params =
        (struct itsi_yolo_params){.confidence = floor, .iou = 0.7F, .max_detections = ITSI_MAX_DETECTIONS};
    reader->backend = itsi_backend_find("openvino");
    int rc = reader->backend ? 0 : itsi_fail(diag, ITS_EUNSUPPORTED, "built without OpenVINO");
    for (int i = 0; rc == 0 && i < TRACK_SIZES; i++) {
        const struct itsi_engine_params params = {.model_path = model, .width = track_sizes[i].width,
                                                  .height = track_sizes[i].height, .max_batch = 1, .parallel = 1};
        rc = itsi_engine_open(&reader->engines[i], reader->backend, &params, diag);
    }
    if (rc == 0)
        rc = itsi_letterboxer_create(&reader->boxer, diag);
    if (rc == 0)
        rc = itsi_yolo_create(&reader->yolo, diag);
    if (rc != 0) {
        track_reader_close(reader);
        return rc;
    }
    const struct itsi_engine_info *info = reader->backend->info(reader->engines[0]);
    snprintf(reader->about, sizeof reader->about, "%s, %s", info->device, info->precision);
    *out = reader;
    return 0;
}

const char *track_reader_about(struct track_reader *reader) { return reader->about; }

void track_reader_close(struct track_reader *reader)
{
    if (!reader)
        return;
    for (int i = 0; reader->backend && i < TRACK_SIZES; i++)
        reader->backend->close(reader->engines[i]);
    itsi_letterboxer_destroy(reader->boxer);
    itsi_yolo_destroy(reader->yolo);
    itsi_free(reader);
}

/* Runs the picture through the engine of one size. */
static int detect(struct track_reader *reader, const struct itsi_picture *picture, int size, struct track_view *view)
{
    static struct itsi_detection boxes[ITSI_MAX_DETECTIONS];
    const struct itsi_backend *b = reader->backend;
    struct itsi_engine *engine = reader->engines[size];
    const int slot = b->acquire(engine);
    const struct itsi_image_tensor tensor = {b->input(engine, slot, 0), track_sizes[size].width,
                                             track_sizes[size].height};
    struct itsi_letterbox box;
    int rc = itsi_letterbox_run(reader->boxer, picture, &tensor, &box);
    const int64_t cpu = itsi_cpu_ns();
    if (rc == 0)
        rc = b->submit(engine, slot, 1);
    struct itsi_completion done = {0};
    if (rc == 0)
        rc = b->collect(engine, ITSI_NEVER, &done);
    reader->cpu_ns[size] += itsi_cpu_ns() - cpu;
    if (rc == 0)
        rc = done.status;
    if (rc == 0) {
        struct itsi_output_tensor output;
        b->output(engine, slot, 0, &output);
        rc = itsi_yolo_run(reader->yolo, &output, &box, &reader->params, boxes);
    }
    b->release(engine, slot);
    if (rc < 0)
        return rc;
    view->count[size] = rc;
    view->boxes[size] = itsi_calloc((size_t)rc + 1, sizeof *boxes);
    if (!view->boxes[size])
        return ITS_ENOMEM;
    memcpy(view->boxes[size], boxes, (size_t)rc * sizeof *boxes);
    return 0;
}

static struct track_view *next_view(struct track_clip *clip)
{
    if (clip->frames == clip->room) {
        const int room = clip->room ? 2 * clip->room : 512;
        struct track_view *grown = itsi_realloc(clip->views, (size_t)room * sizeof *grown);
        if (!grown)
            return NULL;
        clip->views = grown;
        clip->room = room;
    }
    struct track_view *view = &clip->views[clip->frames];
    *view = (struct track_view){.at_ns = 0};
    return view;
}

static int take(struct track_reader *reader, const struct itsi_frame *frame)
{
    struct track_clip *clip = reader->clip;
    struct track_view *view = next_view(clip);
    if (!view)
        return ITS_ENOMEM;
    clip->frames++;
    clip->width = frame->picture.width;
    clip->height = frame->picture.height;
    view->at_ns = frame->info.media_ns;
    view->change = itsi_track_change_next(&reader->change, &frame->picture);
    int rc = 0;
    for (int i = 0; rc == 0 && i < TRACK_SIZES; i++) {
        view->count[i] = -1;
        if (i == TRACK_LARGE && (clip->frames - 1) % TRACK_LARGE_EVERY != 0)
            continue;
        rc = detect(reader, &frame->picture, i, view);
        clip->runs[i]++;
    }
    return rc;
}

static int put(void *arg, struct itsi_frame *frame, bool may_block)
{
    struct track_reader *reader = arg;
    (void)may_block;
    if (reader->status == 0)
        reader->status = take(reader, frame);
    itsi_ledger_deliver(reader->ledger, false);
    itsi_frame_unref(&frame);
    return reader->status ? ITS_ECANCELLED : 0;
}

/* Plays the file once, as fast as it goes. */
static int play(struct track_reader *reader, const char *path, struct its_diag *diag)
{
    char url[4200];
    snprintf(url, sizeof url, "%s?pace=off&loop=0", path);
    struct its_cfg cfg;
    int rc = its_cfg_init(&cfg, diag);
    if (rc != 0)
        return rc;
    struct itsi_ledger ledger;
    itsi_ledger_init(&ledger);
    reader->ledger = &ledger;
    const struct itsi_capture_params params = {.id = "clip", .url = url, .cfg = &cfg.capture, .frames = 4,
                                               .budget_ns = ITSI_NEVER, .ledger = &ledger,
                                               .sink = {.put = put, .arg = reader}};
    struct itsi_capture *capture = NULL;
    rc = itsi_capture_create(&capture, &params, diag);
    if (rc == 0)
        rc = itsi_capture_start(capture, diag);
    struct itsi_capture_status status = {.state = ITSI_CAPTURE_IDLE};
    while (rc == 0 && status.state != ITSI_CAPTURE_ENDED && status.state != ITSI_CAPTURE_STOPPED &&
           status.state != ITSI_CAPTURE_BACKOFF) {
        itsi_sleep_until_ns(itsi_now_ns() + 20 * ITSI_NS_PER_MS);
        itsi_capture_status(capture, &status);
    }
    itsi_capture_destroy(capture);
    itsi_ledger_fini(&ledger);
    its_cfg_fini(&cfg);
    if (rc == 0 && reader->status != 0)
        rc = itsi_fail(diag, reader->status, "%s: %s", path, its_strerror(reader->status));
    if (rc == 0 && status.state != ITSI_CAPTURE_ENDED)
        rc = itsi_fail(diag, ITS_EIO, "%s", status.last_error);
    return rc;
}

static void name_clip(struct track_clip *clip, const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(clip->name, sizeof clip->name, "%s", slash ? slash + 1 : path);
    char *dot = strrchr(clip->name, '.');
    if (dot)
        *dot = '\0';
}

int track_reader_read(struct track_reader *reader, const char *path, struct track_clip *clip, struct its_diag *diag)
{
    *clip = (struct track_clip){.frames = 0};
    name_clip(clip, path);
    reader->clip = clip;
    reader->status = 0;
    reader->change = (struct itsi_track_change){.begun = false};
    memset(reader->cpu_ns, 0, sizeof reader->cpu_ns);
    int rc = play(reader, path, diag);
    if (rc == 0 && clip->frames == 0)
        rc = itsi_fail(diag, ITS_EFORMAT, "%s: no pictures", path);
    if (rc != 0) {
        track_clip_free(clip);
        return rc;
    }
    for (int i = 0; i < TRACK_SIZES; i++)
        clip->cpu_ms[i] = (double)reader->cpu_ns[i] / 1e6 / clip->runs[i];
    return 0;
}

void track_clip_free(struct track_clip *clip)
{
    for (int f = 0; f < clip->frames; f++)
        for (int i = 0; i < TRACK_SIZES; i++)
            itsi_free(clip->views[f].boxes[i]);
    itsi_free(clip->views);
    *clip = (struct track_clip){.frames = 0};
}
