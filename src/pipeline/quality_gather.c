/* What the controller is told: figures measured since the step before, nothing that a camera announces. */
#include "pipeline/quality_impl.h"

#include "base/clock.h"
#include "config/value.h"
#include "pipeline/engine_load.h"

#include <math.h>

bool itsi_quality_governs(const struct itsi_camera_stream *stream, const struct itsi_capture_status *capture)
{
    return stream->listed && capture->live;
}

bool itsi_quality_is_priority(const struct itsi_quality_control *q, const char *id)
{
    return itsi_str_list_has(&q->priority, id);
}

static bool comes(const struct itsi_capture_status *capture)
{
    return capture->state == ITSI_CAPTURE_RUNNING || capture->state == ITSI_CAPTURE_FROZEN;
}

static double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

/* What was done for it and what it took in the last two steps, a second. `infer` is shared out later. */
static void measure(struct itsi_stream_quality *s, const struct itsi_capture_status *capture, int64_t now,
                    struct itsi_quality_camera *out)
{
    const struct itsi_stream_sample is = {.now = now, .cpu_ns = capture->cpu_ns, .encode_ns = atomic_load(&s->encode_ns),
                                          .decoded = capture->decoded, .detected = atomic_load(&s->detected)};
    const struct itsi_stream_sample *was = s->before[0].now ? &s->before[0] : &s->before[1];
    if (was->now) {
        const double seconds = fmax(1e-3, (double)(now - was->now) / 1e9);
        out->counted_s = seconds;
        out->decoded_fps = (double)(is.decoded - was->decoded) / seconds;
        out->detected_fps = (double)(is.detected - was->detected) / seconds;
        out->cost.decode = (double)(is.cpu_ns - was->cpu_ns) / 1e9 / seconds;
        out->cost.encode = (double)(is.encode_ns - was->encode_ns) / 1e9 / seconds;
    }
    s->before[0] = s->before[1];
    s->before[1] = is;
}

static void describe(const struct itsi_quality_control *q, struct itsi_camera_stream *stream,
                     const struct itsi_capture_status *capture, int64_t now, struct itsi_quality_camera *out)
{
    struct itsi_stream_quality *s = &stream->quality;
    struct itsi_capture_told told;
    itsi_capture_tell(stream->capture, &told);
    if (!capture->sub && capture->width > 0) {
        s->width = capture->width;
        s->height = capture->height;
    }
    *out = (struct itsi_quality_camera){
        .key = (uint64_t)stream->index + 1,
        .weight = stream->config.priority,
        .is_priority = itsi_quality_is_priority(q, stream->config.id),
        .pin = s->pin,
        .boost = s->boost,
        .boost_until = s->boost_until,
        .start = s->start,
        .start_at_floor = s->start_at_floor,
        .width = s->width,
        .height = s->height,
        .fps = comes(capture) ? capture->fps : 0,
        .has_sub = stream->config.sub_url[0] != '\0' && now >= capture->sub_again_ns,
        .sub_lost = capture->sub_again_ns != 0,
        .sub_width = capture->sub ? capture->width : 0,
        .sub_height = capture->sub ? capture->height : 0,
        .key_fps = capture->key_seconds > 0 ? 1 / capture->key_seconds : 0,
        .undecoded = told.undecoded,
        .reordered = capture->has_b_frames,
        .max_interval = itsi_tracking_longest(stream),
        .droppable = ratio((double)capture->disposable, (double)capture->packets),
    };
    measure(s, capture, now, out);
}

/* `all`: what they take together. */
static int gather_cameras(struct itsi_pipeline *p, int64_t now, struct itsi_quality_work *all)
{
    struct itsi_quality_control *q = p->quality;
    int count = 0;
    *all = (struct itsi_quality_work){0};
    pthread_mutex_lock(&p->table);
    for (int i = 0; i < p->camera_count && count < q->max_cameras; i++) {
        struct itsi_capture_status capture;
        itsi_capture_status(p->cameras[i]->capture, &capture);
        if (!itsi_quality_governs(p->cameras[i], &capture))
            continue;
        describe(q, p->cameras[i], &capture, now, &q->cameras[count]);
        const int input = p->cameras[i]->quality.target.input;
        q->pixels[count] = (double)q->inputs[input].width * q->inputs[input].height;
        q->unit[count] = q->inputs[input].seconds;
        all->decode += q->cameras[count].cost.decode;
        all->encode += q->cameras[count++].cost.encode;
    }
    pthread_mutex_unlock(&p->table);
    return count;
}

/* On the processors how long a run takes says little of what it costs, since it waits for decoders and other programs:
 * what the process took beyond decoding and encoding is shared out by detections and their pixels. Pictures analysed again
 * take their share of it, and no camera is charged for that. */
static void share_inference(struct itsi_pipeline *p, int count, int64_t now)
{
    struct itsi_quality_control *q = p->quality;
    const struct itsi_cpu_sample is = {now, itsi_cpu_ns(), itsi_debt_runs(p)}, was = q->before[0];
    const struct itsi_quality_input *own = &q->inputs[q->own_input];
    const double seconds = fmax(1e-3, (double)(is.now - was.now) / 1e9);
    double left = (double)(is.cpu_ns - was.cpu_ns) / 1e9 / seconds;
    double pixels = (double)(is.again - was.again) / seconds * own->width * own->height;
    q->before[0] = q->before[1];
    q->before[1] = is;
    for (int i = 0; i < count; i++) {
        left -= q->cameras[i].cost.decode + q->cameras[i].cost.encode;
        pixels += q->cameras[i].detected_fps * q->pixels[i];
    }
    for (int i = 0; i < count && pixels > 0 && left > 0; i++)
        q->cameras[i].cost.infer = left * q->cameras[i].detected_fps * q->pixels[i] / pixels;
}

static void time_inference(const struct itsi_quality_control *q, int count)
{
    for (int i = 0; i < count; i++)
        q->cameras[i].cost.infer = q->cameras[i].detected_fps * q->unit[i];
}

static double on_time(const struct itsi_ledger_counts *now, const struct itsi_ledger_counts *before)
{
    const double delivered = (double)(now->delivered - before->delivered);
    double others = (double)(now->late - before->late);
    for (int r = 0; r < ITSI_DROP_COUNT; r++) /* of those the batcher took */
        for (int s = ITSI_STAGE_ML_INFERENCE; s <= ITSI_STAGE_POSTPROCESSING; s++)
            others += (double)(now->dropped[s][r] - before->dropped[s][r]);
    return delivered + others > 0 ? delivered / (delivered + others) : -1;
}

static void gather_load(struct itsi_pipeline *p, double seconds, const struct itsi_quality_work *all,
                        struct itsi_quality_snapshot *out)
{
    struct itsi_quality_control *q = p->quality;
    struct itsi_quality_load *load = &out->load;
    struct itsi_system_load machine;
    struct itsi_facts_taken facts;
    struct itsi_ledger_counts books;
    if (q->machine)
        q->machine(&machine);
    else
        itsi_system_sample(&q->system, &machine);
    itsi_facts_take(&q->facts, &facts);
    pthread_mutex_lock(&p->table);
    itsi_pipeline_books(p, &books);
    const struct itsi_job *oldest = itsi_pipeline_oldest(p);
    out->oldest_run_ms = oldest ? (double)(out->now - oldest->submitted_ns) / 1e6 : 0;
    pthread_mutex_unlock(&p->table);
    const double frames = (double)facts.sums.frames, failed = (double)facts.sums.failed;
    itsi_quality_load_unknown(load);
    load->cpu_percent = machine.cpu_percent;
    load->memory_percent = machine.memory_percent;
    load->engine_busy = itsi_engine_busy(&p->info, &facts.sums, seconds);
    if (p->info.batch_efficient)
        load->engine_needed = itsi_engine_needed(&p->info, p->batcher, &facts.sums, seconds);
    load->decode_share = fmin(1, all->decode / machine.cores);
    if (out->encoders > 0)
        load->encode_share = fmin(1, all->encode / out->encoders);
    load->slack_ms = facts.slack_p10_ns == ITSI_NEVER ? (double)NAN : (double)facts.slack_p10_ns / 1e6;
    load->on_time_ratio = on_time(&books, &q->last_books);
    if (frames > 0) {
        const double ahead_ms = itsi_engine_runs_ahead_ms(&p->info, p->batcher, &facts.sums);
        load->queue_age_ms = fmax(0, (double)facts.sums.queue_ns / 1e6 - ahead_ms);
        load->latency_ms = (double)facts.sums.latency_ns / 1e6 / frames;
    }
    if (frames + failed > 0)
        load->error_rate = failed / (frames + failed);
    q->last_books = books;
    out->cores = machine.cores;
}

/* Processor time of a picture by what warming up measured: as many at once as in service took all that the engine uses. */
static double warm_seconds(const struct itsi_pipeline *p, int size)
{
    const struct itsi_quality_control *q = p->quality;
    return q->engine_on_cpu ? (double)p->info.warm_ns[size][0] / 1e9 * q->engine_cores / p->info.parallel : 0;
}

static void describe_engine(struct itsi_pipeline *p, int64_t now, struct itsi_quality_snapshot *out)
{
    struct itsi_quality_control *q = p->quality;
    for (int i = 0; i < q->input_count; i++) {
        const struct itsi_input_size size = p->info.sizes[q->order[i]];
        q->inputs[i] = (struct itsi_quality_input){
            .width = size.width,
            .height = size.height,
            /* processor time is learned from the cameras */
            .seconds = q->engine_on_cpu ? 0 : itsi_engine_seconds(&p->info, p->batcher, q->order[i]),
            .warm = warm_seconds(p, q->order[i]),
        };
    }
    *out = (struct itsi_quality_snapshot){
        .now = now,
        .engine_on_cpu = q->engine_on_cpu,
        .engine = p->info.parallel,
        .encoders = atomic_load(&q->encoders),
        .inputs = q->inputs,
        .input_count = q->input_count,
        .own_input = q->own_input,
        .cameras = q->cameras,
    };
}

void itsi_quality_gather_idle(struct itsi_pipeline *p, double cores, int64_t now, struct itsi_quality_snapshot *out)
{
    describe_engine(p, now, out);
    itsi_quality_load_unknown(&out->load);
    out->cores = cores;
}

void itsi_quality_gather(struct itsi_pipeline *p, int64_t now, struct itsi_quality_snapshot *out)
{
    struct itsi_quality_control *q = p->quality;
    const double seconds = fmax(1e-3, (double)(now - q->last_step) / 1e9);
    struct itsi_quality_work all;
    describe_engine(p, now, out);
    out->count = gather_cameras(p, now, &all);
    if (q->engine_on_cpu)
        share_inference(p, out->count, now);
    else
        time_inference(q, out->count);
    gather_load(p, seconds, &all, out);
    q->last_step = now;
}
